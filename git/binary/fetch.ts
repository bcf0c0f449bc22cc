import { type CommitId, RepositoryError } from '../repository.ts';
import { failureOf } from './failure.ts';
import type { Git } from './git.ts';

export type Fetcher = {
  /** One at a time. A copy that turns out to be broken is made anew, once. */
  fetch(signal?: AbortSignal): Promise<CommitId | undefined>;
  /** Gets the commits that were left out at first; false when there are none. */
  deepen(signal?: AbortSignal): Promise<boolean>;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
};

export function createFetcher(git: Git, branch: string, depth: number | undefined): Fetcher {
  const first = depth === undefined ? [] : [`--depth=${Math.max(1, Math.floor(depth))}`];
  let isFirst = true;
  let turn: Promise<void> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = turn.then(run);
    turn = result.then(
      () => {},
      () => {},
    );
    return result;
  };
  const fetchOnce = async (signal: AbortSignal | undefined): Promise<CommitId | undefined> => {
    const commit = await fetchBranch(git, branch, isFirst ? first : [], signal);
    isFirst = commit === undefined;
    // In its turn, and nobody waits for it.
    void inTurn(() => git.tidy()).catch(() => {});
    return commit;
  };
  return {
    fetch: (signal) =>
      inTurn(async () => {
        try {
          return await fetchOnce(signal);
        } catch (error) {
          if (!(error instanceof RepositoryError && error.failure === 'Broken')) throw error;
          await git.discard();
          isFirst = true;
          return fetchOnce(signal);
        }
      }),
    deepen: (signal) =>
      inTurn(async () => {
        if (depth === undefined) return false;
        const answer = await git.demand('the copy cannot be read', ['rev-parse', '--is-shallow-repository']);
        if (answer.toString('latin1').trim() !== 'true') return false;
        await fetchBranch(git, branch, ['--unshallow'], signal);
        return true;
      }),
    idle: () => turn,
  };
}

const FETCHED = 'refs/sublet/fetched';
const OPTIONS = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-gc', '--no-recurse-submodules', '--force'];

async function fetchBranch(
  git: Git,
  branch: string,
  more: readonly string[],
  signal: AbortSignal | undefined,
): Promise<CommitId | undefined> {
  const args = ['fetch', ...OPTIONS, ...more, '--', git.remote.url, `+refs/heads/${branch}:${FETCHED}`];
  const { result, scrub } = await git.distant(args, signal);
  if (result.code !== 0) {
    if (!/couldn't find remote ref/.test(result.stderr)) {
      throw failureOf('the repository cannot be fetched', result, scrub);
    }
    await git.local(['update-ref', '-d', FETCHED]);
    return undefined;
  }
  const output = await git.demand('the branch cannot be read', ['rev-parse', '--verify', `${FETCHED}^{commit}`]);
  return output.toString('latin1').trim();
}
