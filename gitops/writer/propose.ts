import type { CommitId } from '../../git/repository.ts';
import { renderError } from '../../kube/errors.ts';
import { type Forge, ForgeError, type PullRequest } from '../forges/forge.ts';
import type { Change, Lease, Outcome } from '../journal.ts';
import { createWorkspace } from '../workspace.ts';
import { buildCommit, planVetted } from './make.ts';
import { supersedes } from './overlap.ts';
import type { PlannedCommit } from './plan.ts';
import type { RoundDeps } from './rounddeps.ts';
import { readOpen } from './settle.ts';
import { renderChange } from './target.ts';

/** What the forge said of pull requests before the branch was fetched: a merge that it told of is on the branch by then. */
export type Reviewed = ReadonlyMap<string, Pick<PullRequest, 'state' | 'mergeCommit'>>;

export async function reviewProposals(deps: RoundDeps, lease: Lease, signal: AbortSignal): Promise<Reviewed> {
  const reviewed = new Map<string, Pick<PullRequest, 'state' | 'mergeCommit'>>();
  const { forge } = deps.target;
  if (forge === undefined) return reviewed;
  for (const change of await readOpen(deps.journal, lease.repository, ['Proposed'])) {
    if (change.pullRequest === undefined) continue;
    try {
      const pull = await forge.read(change.pullRequest.number, signal);
      // What a token may not see looks as if it were not there. Who may not see the repository is refused the search.
      const found = pull ?? (await forge.find(branchOf(change), deps.target.branch, signal));
      reviewed.set(change.id, found ?? { state: 'Closed' });
    } catch (error) {
      signal.throwIfAborted();
      deps.log.warn(
        { err: renderError(error), change: change.id },
        'the forge does not say what became of a pull request',
      );
      break;
    }
  }
  return reviewed;
}

export type ProposalWork = {
  readonly lease: Lease;
  readonly head: CommitId | undefined;
  /** Accepted changes of any mode. */
  readonly changes: readonly Change[];
  /** What this turn found or brought on the branch. */
  readonly committed: readonly Change[];
  readonly reviewed: Reviewed | undefined;
};

/**
 * Opens pull requests for accepted changes of that mode, and ends those that were closed, merged by other words, overtaken or in conflict with the branch. The
 * branch of a change carries its Change-Id in its name, so a second attempt finds what the first one left.
 */
export async function propose(
  deps: RoundDeps,
  work: ProposalWork,
  signal: AbortSignal,
): Promise<{ readonly waiting: string | undefined }> {
  let { lease } = work;
  const record = async (change: Change, outcome: Outcome): Promise<void> => {
    lease = await deps.journal.record(lease, new Map([[change.id, outcome]]));
  };
  if (work.committed.length > 0 || work.reviewed !== undefined) {
    for (const change of await readOpen(deps.journal, lease.repository, ['Proposed'])) {
      const end = await computeEnd(deps, work, change, signal);
      if (end === undefined) continue;
      if (work.reviewed?.get(change.id)?.state !== 'Closed') await close(deps, change, end, signal);
      await record(change, end);
    }
  }
  for (const change of work.changes) {
    if (change.mode !== 'PullRequest') continue;
    const result = await proposeOne(deps, work.head, change, signal);
    if ('waiting' in result) return result;
    await record(change, result.outcome);
  }
  return { waiting: undefined };
}

async function proposeOne(
  deps: RoundDeps,
  head: CommitId | undefined,
  change: Change,
  signal: AbortSignal,
): Promise<{ readonly outcome: Outcome } | { readonly waiting: string }> {
  const { repository, forge, branch: base } = deps.target;
  if (head === undefined)
    return { outcome: reject('EmptyRepository', 'the branch has no commit yet that a pull request could go to') };
  const planned = await planAlone(deps, head, change, signal);
  if (!('commit' in planned)) return planned;
  const branch = branchOf(change);
  const [commit] = await repository.commit(head, [buildCommit(deps, planned.commit)], signal);
  if (commit === undefined) throw new Error('the repository made no commit');
  const pushed = await repository.push(commit, undefined, { branch, signal });
  if (pushed.type === 'unknown') return { waiting: pushed.why };
  // A branch that is there already is as good as a pushed one: an attempt before this one came so far.
  if (pushed.type === 'rejected' && !pushed.stale)
    return { outcome: reject('RefusedByRepository', `the repository does not take the branch: ${pushed.why}`) };
  if (forge === undefined)
    return { outcome: { state: 'Proposed', reason: 'BranchPushed', message: `merge the branch ${branch}` } };
  const message = renderChange(change);
  const title = message.split('\n')[0] ?? change.id;
  return open(forge, { branch, base, title, body: message }, signal);
}

function branchOf({ id }: Change): string {
  return `sublet/${id}`;
}

async function open(
  forge: Forge,
  proposal: Parameters<Forge['open']>[0],
  signal: AbortSignal,
): Promise<{ readonly outcome: Outcome } | { readonly waiting: string }> {
  try {
    const { number, url } = await forge.open(proposal, signal);
    return { outcome: { state: 'Proposed', pullRequest: { number, url } } };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ForgeError && error.failure === 'Refused')
      return { outcome: reject('RefusedByForge', error.message) };
    return { waiting: renderError(error) };
  }
}

type Alone = { readonly commit: PlannedCommit } | { readonly outcome: Outcome } | { readonly waiting: string };

/** The change by itself on the head. */
async function planAlone(deps: RoundDeps, head: CommitId, change: Change, signal: AbortSignal): Promise<Alone> {
  const { repository, render } = deps.target;
  const open = () => createWorkspace(head, { repository, render, cache: deps.cache });
  const { plan, waiting } = await planVetted(deps, open, [change], signal);
  const missing = waiting ?? plan.unplaced;
  if (missing !== undefined) return { waiting: missing };
  const [commit] = plan.commits;
  if (commit !== undefined) return { commit };
  const told = { reason: 'Unchanged', message: 'the repository said so already' };
  return {
    outcome: plan.outcomes.get(change.id) ?? { state: 'Committed', commit: head, ...told },
  };
}

/** Why a proposed change ends now, or nothing when it goes on. */
async function computeEnd(
  deps: RoundDeps,
  { committed, reviewed, head }: ProposalWork,
  change: Change,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const pull = reviewed?.get(change.id);
  if (pull?.state === 'Closed') return reject('ProposalClosed', 'the pull request was closed without being merged');
  if (pull?.state === 'Merged' && pull.mergeCommit !== undefined && head !== undefined) {
    const { mergeCommit: commit } = pull;
    if (await deps.target.repository.isAncestor(commit, head, signal)) return { state: 'Committed', commit };
  }
  const later = committed.find((other) => other.sequence > change.sequence && supersedes(other.intent, change.intent));
  if (later !== undefined)
    return {
      state: 'Superseded',
      reason: 'Overtaken',
      message: `change ${later.id} decided the same and was committed first`,
    };
  if (head === undefined) return undefined;
  const planned = await planAlone({ ...deps, vetter: undefined }, head, change, signal);
  if ('outcome' in planned && planned.outcome.state === 'Conflict') return planned.outcome;
  if (pull?.state !== 'Merged' || 'waiting' in planned) return undefined;
  if ('outcome' in planned && planned.outcome.state === 'Committed') return planned.outcome;
  return reject(
    'MergedWithoutIt',
    'the pull request counts as merged, and the branch does not say what the change asked for',
  );
}

/** Closing twice does no harm, so it comes before the record. */
async function close(deps: RoundDeps, change: Change, end: Outcome, signal: AbortSignal): Promise<void> {
  if (change.pullRequest === undefined || end.state === 'Committed') return;
  try {
    await deps.target.forge?.close(change.pullRequest.number, signal);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn(
      { err: renderError(error), change: change.id },
      'a pull request that is of no use any more stays open',
    );
  }
}

function reject(reason: string, message: string): Outcome {
  return { state: 'Rejected', reason, message };
}
