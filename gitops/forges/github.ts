import { z } from 'zod';
import { joinUrl, parseAnswer } from './answer.ts';
import { type Forge, ForgeError, type PullRequest } from './forge.ts';
import { type Call, callForge, describeAnswer, type ForgeDeps } from './request.ts';

export type GitHubOptions = {
  /** Address of the API: `https://api.github.com`, or `https://<host>/api/v3` of an own server. */
  readonly url: string;
  readonly owner: string;
  readonly repository: string;
};

const Pull = z.object({
  number: z.int().positive(),
  html_url: z.string(),
  state: z.string(),
  merged_at: z.string().nullable(),
  merge_commit_sha: z.string().nullish(),
  head: z.object({ ref: z.string() }),
});

/** GitHub's REST API, "Pulls", version 2022-11-28. */
export function createGitHubForge(options: GitHubOptions, deps: ForgeDeps): Forge {
  const base = joinUrl(options.url, ['repos', options.owner, options.repository, 'pulls']);
  const call = async (
    method: Call['method'],
    url: string,
    more: Pick<Call, 'body' | 'signal'>,
    expected?: readonly number[],
  ) => {
    const headers = {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${await deps.token()}`,
      'user-agent': 'sublet',
      'x-github-api-version': '2022-11-28',
    };
    return callForge(deps, { method, url, headers, ...more }, expected);
  };
  const find: Forge['find'] = async (branch, target, signal) => {
    const query = new URLSearchParams({
      head: `${options.owner}:${branch}`,
      base: target,
      state: 'all',
      sort: 'created',
      direction: 'desc',
    });
    const { json } = await call('GET', `${base}?${query}`, { signal });
    const pulls = parseAnswer(z.array(Pull), json).map(toPullRequest);
    return pulls.find(({ state }) => state === 'Open') ?? pulls[0];
  };
  return {
    type: 'GitHub',
    find,
    open: async ({ branch, base: target, title, body }, signal) => {
      const { status, json } = await call(
        'POST',
        base,
        { body: { head: branch, base: target, title, body }, signal },
        [422],
      );
      if (status !== 422) return toPullRequest(parseAnswer(Pull, json));
      const existing = await find(branch, target, signal);
      if (existing?.state === 'Open') return existing;
      throw new ForgeError('Refused', `no pull request for ${branch} can be opened: ${describeAnswer(json)}`);
    },
    read: async (number, signal) => {
      const { status, json } = await call('GET', joinUrl(base, [String(number)]), { signal }, [404]);
      return status === 404 ? undefined : toPullRequest(parseAnswer(Pull, json));
    },
    close: async (number, signal) => {
      await call('PATCH', joinUrl(base, [String(number)]), { body: { state: 'closed' }, signal }, [404, 422]);
    },
  };
}

function toPullRequest(pull: z.output<typeof Pull>): PullRequest {
  const isMerged = pull.merged_at !== null;
  const commit = isMerged && pull.merge_commit_sha ? { mergeCommit: pull.merge_commit_sha } : {};
  const state = isMerged ? 'Merged' : pull.state === 'open' ? 'Open' : 'Closed';
  return { number: pull.number, url: pull.html_url, branch: pull.head.ref, state, ...commit };
}
