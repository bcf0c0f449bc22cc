import type { Logger } from 'pino';
import type { CommitId, LogEntry, Repository } from '../../git/repository.ts';
import { type Change, type Journal, type Lease, OPEN_STATES, type Outcome } from '../journal.ts';
import { listChangeIds } from '../message.ts';
import type { FolderOf } from './target.ts';

/** The branch that was there is not any more. Nothing is pushed until it is back, because whoever took it away may bring it back. */
export class BranchGone extends Error {
  override readonly name = 'BranchGone';
}

export type SettleDeps = {
  readonly journal: Journal;
  readonly repository: Repository;
  readonly folderOf: FolderOf;
  readonly log: Logger;
};

export type Settled = {
  readonly lease: Lease;
  readonly head: CommitId | undefined;
  /** Changes that were found to be on the branch now. */
  readonly committed: readonly Change[];
};

/**
 * Fetches the branch and writes down what it says of our changes, so that afterwards a change in `Accepted` is not on it. The journal knows up to which
 * commit that was done; between there and the head are looked through: a push whose outcome nobody learned, one that was never written down because its
 * process died, merged pull requests, commits of people. When the branch was rewritten, open changes that it lost are accepted again, and those that
 * it still has keep their state.
 *
 * The lease has to have been taken before the changes that will be committed are read: what it calls settled is then older than they.
 */
export async function settle(deps: SettleDeps, lease: Lease, signal: AbortSignal): Promise<Settled> {
  const { journal, repository, log } = deps;
  const head = await repository.fetch(signal);
  if (head === undefined && lease.settled !== undefined) {
    throw new BranchGone(
      `the branch is gone from the repository; it was at ${lease.settled}. Push it again, and what waits goes on`,
    );
  }
  if (head === undefined || head === lease.settled) return { lease, head, committed: [] };
  const open = await readOpen(journal, lease.repository);
  if (open.length === 0) return { lease: await journal.record(lease, new Map(), head), head, committed: [] };
  const continues = lease.settled !== undefined && (await repository.isAncestor(lease.settled, head, signal));
  const isRewritten = lease.settled !== undefined && !continues;
  if (isRewritten) log.warn({ repository: lease.repository, was: lease.settled, head }, 'the branch was rewritten');
  const entries = await repository.log(head, {
    most: MOST_COMMITS,
    signal,
    ...(continues ? { since: lease.settled } : {}),
  });
  if (entries.length === MOST_COMMITS)
    log.warn({ repository: lease.repository, head }, 'too many commits to look at all of them');
  const found = findCommits(open, entries, deps.folderOf);
  const outcomes = new Map<string, Outcome>();
  for (const change of open) {
    const outcome =
      computeArrival(change, found.get(change.id)) ??
      (isRewritten ? await computeLoss(repository, change, found.get(change.id), head, signal) : undefined);
    if (outcome !== undefined) outcomes.set(change.id, outcome);
  }
  const next = await journal.record(lease, outcomes, head);
  const committed = open.flatMap((change) =>
    outcomes.get(change.id)?.state === 'Committed' && isWaiting(change) ? [change] : [],
  );
  return { lease: next, head, committed };
}

const MOST_COMMITS = 50_000;
const PAGE = 1_000;

/** Every open change of a repository, in order. */
export async function readOpen(
  journal: Journal,
  repository: string,
  states: readonly Change['state'][] = OPEN_STATES,
): Promise<readonly Change[]> {
  const all: Change[] = [];
  for (;;) {
    const page = await journal.pending(repository, states, PAGE, all.at(-1)?.sequence);
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

/** The oldest commit of each change. A commit that quotes a `Change-Id` and touches nothing in the change's folder is somebody else's. */
function findCommits(
  open: readonly Change[],
  entries: readonly LogEntry[],
  folderOf: FolderOf,
): ReadonlyMap<string, CommitId> {
  const byId = new Map(open.map((change) => [change.id, change]));
  const found = new Map<string, CommitId>();
  for (const { commit, message, paths } of entries) {
    for (const id of listChangeIds(message)) {
      const change = byId.get(id);
      const place = change === undefined ? undefined : folderOf(change.intent.target.namespace);
      if (place === undefined || !('folder' in place)) continue;
      const prefix = place.folder === '' ? '' : `${place.folder}/`;
      if (paths.some((path) => path.startsWith(prefix))) found.set(id, commit);
    }
  }
  return found;
}

function isWaiting({ state }: Change): boolean {
  return state === 'Accepted' || state === 'Proposed';
}

function computeArrival(change: Change, commit: CommitId | undefined): Outcome | undefined {
  return commit !== undefined && isWaiting(change) ? { state: 'Committed', commit } : undefined;
}

/** What a rewritten branch means for a change that was on it. */
async function computeLoss(
  repository: Repository,
  change: Change,
  found: CommitId | undefined,
  head: CommitId,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { state, reason, message, differences, commit } = change;
  if (isWaiting(change) || commit === undefined) return undefined;
  if (found !== undefined) return found === commit ? undefined : { state, reason, message, differences, commit: found };
  if (await repository.isAncestor(commit, head, signal)) return undefined;
  return {
    state: 'Accepted',
    reason: 'BranchRewritten',
    message: `the branch was rewritten without commit ${commit}; the change is made again`,
  };
}
