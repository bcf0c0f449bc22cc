import { z } from 'zod';
import { joinUrl, parseAnswer } from './answer.ts';
import type { Forge, PullRequest } from './forge.ts';
import { type Call, callForge, type ForgeDeps } from './request.ts';

export type GiteaOptions = {
  /** Address of the instance, such as `https://git.example.com`. */
  readonly url: string;
  readonly owner: string;
  readonly repository: string;
};

const Pull = z.object({
  number: z.int().positive(),
  html_url: z.string(),
  state: z.string(),
  merged: z.boolean(),
  merge_commit_sha: z.string().nullish(),
  head: z.object({ ref: z.string(), repo_id: z.int() }),
  base: z.object({ ref: z.string(), repo_id: z.int() }),
});

/** Open pull requests that are looked through for one, where Gitea itself names an older one of the branch. */
const PAGES = 20;
const PAGE_SIZE = 50;

/** Gitea and Forgejo, whose API is the same here (`/api/swagger` of an instance describes it). */
export function createGiteaForge(options: GiteaOptions, deps: ForgeDeps): Forge {
  const base = joinUrl(options.url, ['api', 'v1', 'repos', options.owner, options.repository, 'pulls']);
  const call = async (
    method: Call['method'],
    url: string,
    more: Pick<Call, 'body' | 'signal'>,
    expected?: readonly number[],
  ) => {
    const headers = { authorization: `token ${await deps.token()}` };
    return callForge(deps, { method, url, headers, ...more }, expected);
  };
  const findOpen = async (branch: string, target: string, signal?: AbortSignal): Promise<PullRequest | undefined> => {
    for (let page = 1; page <= PAGES; page++) {
      const query = new URLSearchParams({ state: 'open', limit: String(PAGE_SIZE), page: String(page) });
      const { json } = await call('GET', `${base}?${query}`, { signal });
      const pulls = parseAnswer(z.array(Pull), json);
      const own = pulls.find((pull) => pull.head.ref === branch && pull.base.ref === target && isOwn(pull));
      if (own !== undefined) return toPullRequest(own);
      if (pulls.length < PAGE_SIZE) break;
    }
    return undefined;
  };
  const find: Forge['find'] = async (branch, target, signal) => {
    const { status, json } = await call('GET', joinUrl(base, [target, branch]), { signal }, [404]);
    // Also where the token does not see the repository any more; the list is refused then.
    if (status === 404) return findOpen(branch, target, signal);
    // It is the oldest one of the branch, whatever became of it.
    const oldest = toPullRequest(parseAnswer(Pull, json));
    return oldest.state === 'Open' ? oldest : ((await findOpen(branch, target, signal)) ?? oldest);
  };
  return {
    type: 'Gitea',
    find,
    open: async ({ branch, base: target, title, body }, signal) => {
      const { status, json } = await call(
        'POST',
        base,
        { body: { head: branch, base: target, title, body }, signal },
        [409],
      );
      const existing = status === 409 ? await find(branch, target, signal) : undefined;
      return existing ?? toPullRequest(parseAnswer(Pull, json));
    },
    read: async (number, signal) => {
      const { status, json } = await call('GET', joinUrl(base, [String(number)]), { signal }, [404]);
      return status === 404 ? undefined : toPullRequest(parseAnswer(Pull, json));
    },
    close: async (number, signal) => {
      // 412: it is merged, and cannot be closed any more.
      await call('PATCH', joinUrl(base, [String(number)]), { body: { state: 'closed' }, signal }, [404, 412]);
    },
  };
}

/** Of a branch of this repository, and not of the same name in somebody's copy. */
function isOwn({ head, base }: z.output<typeof Pull>): boolean {
  return head.repo_id === base.repo_id;
}

function toPullRequest(pull: z.output<typeof Pull>): PullRequest {
  const commit = pull.merged && pull.merge_commit_sha ? { mergeCommit: pull.merge_commit_sha } : {};
  const state = pull.merged ? 'Merged' : pull.state === 'open' ? 'Open' : 'Closed';
  return { number: pull.number, url: pull.html_url, branch: pull.head.ref, state, ...commit };
}
