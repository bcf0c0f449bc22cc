import { z } from 'zod';
import { joinUrl, parseAnswer } from './answer.ts';
import type { Forge, PullRequest } from './forge.ts';
import { type Call, callForge, type ForgeDeps } from './request.ts';

export type GitLabOptions = {
  /** Address of the instance, such as `https://gitlab.com`. */
  readonly url: string;
  /** Path of the project, with its groups: `acme/fleet`. */
  readonly project: string;
};

const MergeRequest = z.object({
  iid: z.int().positive(),
  web_url: z.string(),
  state: z.string(),
  source_branch: z.string(),
  source_project_id: z.int().nullish(),
  target_project_id: z.int().nullish(),
  merge_commit_sha: z.string().nullish(),
  squash_commit_sha: z.string().nullish(),
});

/** GitLab's REST API, "Merge requests", version 4. */
export function createGitLabForge(options: GitLabOptions, deps: ForgeDeps): Forge {
  const base = joinUrl(options.url, ['api', 'v4', 'projects', options.project, 'merge_requests']);
  const call = async (
    method: Call['method'],
    url: string,
    more: Pick<Call, 'body' | 'signal'>,
    expected?: readonly number[],
  ) => {
    const headers = { authorization: `Bearer ${await deps.token()}` };
    return callForge(deps, { method, url, headers, ...more }, expected);
  };
  const find: Forge['find'] = async (branch, target, signal) => {
    const query = new URLSearchParams({
      source_branch: branch,
      target_branch: target,
      state: 'all',
      scope: 'all',
      order_by: 'created_at',
      sort: 'desc',
    });
    const { json } = await call('GET', `${base}?${query}`, { signal });
    // Not those of a branch of that name in somebody's copy.
    const own = parseAnswer(z.array(MergeRequest), json).filter(
      (request) => request.source_project_id === request.target_project_id,
    );
    const found = own.map(toPullRequest);
    return found.find(({ state }) => state === 'Open') ?? found[0];
  };
  return {
    type: 'GitLab',
    find,
    open: async ({ branch, base: target, title, body }, signal) => {
      const fields = { source_branch: branch, target_branch: target, title, description: body };
      const { status, json } = await call('POST', base, { body: fields, signal }, [409]);
      const existing = status === 409 ? await find(branch, target, signal) : undefined;
      return existing ?? toPullRequest(parseAnswer(MergeRequest, json));
    },
    read: async (number, signal) => {
      const { status, json } = await call('GET', joinUrl(base, [String(number)]), { signal }, [404]);
      return status === 404 ? undefined : toPullRequest(parseAnswer(MergeRequest, json));
    },
    close: async (number, signal) => {
      await call('PUT', joinUrl(base, [String(number)]), { body: { state_event: 'close' }, signal }, [404]);
    },
  };
}

function toPullRequest(request: z.output<typeof MergeRequest>): PullRequest {
  const isMerged = request.state === 'merged';
  // Both are set where a squash was merged with a merge commit of its own; that one is on the branch.
  const sha = request.merge_commit_sha ?? request.squash_commit_sha;
  const state = isMerged ? 'Merged' : request.state === 'closed' ? 'Closed' : 'Open';
  return {
    number: request.iid,
    url: request.web_url,
    branch: request.source_branch,
    state,
    ...(isMerged && sha ? { mergeCommit: sha } : {}),
  };
}
