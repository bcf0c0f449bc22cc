import type { CommitId } from '../../git/repository.ts';
import { renderError } from '../../kube/errors.ts';
import { type Change, type Journal, type Lease, LeaseLost, type Outcome } from '../journal.ts';
import { createMaker, type Made } from './make.ts';
import type { BatchPlan } from './plan.ts';
import type { RoundDeps, RoundOptions, RoundResult } from './rounddeps.ts';

/** What is on the branch, and written down. */
type Pushed = {
  readonly lease: Lease;
  readonly head: CommitId | undefined;
  readonly committed: readonly Change[];
  /** Why some of what was read has no place, as it looks just now. */
  readonly unplaced: string | undefined;
  /** Why nothing more is pushed in this round. */
  readonly stopped: RoundResult | undefined;
};

export type Drained = Pushed & {
  /** What was accepted, in order, pull requests with it. */
  readonly read: readonly Change[];
  /** Others may follow them. */
  readonly more: boolean;
};

/**
 * Carries out what was accepted, push after push. While one is on its way and written down, the commits of the next are made; that one starts
 * when the remote took the one before, and never when it did not. With a window between pushes there is one, of all.
 */
export async function drain(
  deps: RoundDeps,
  { lease, head }: { readonly lease: Lease; readonly head: CommitId | undefined },
  options: RoundOptions,
  signal: AbortSignal,
): Promise<Drained> {
  const { journal, target } = deps;
  const most = target.pushWindowMs > 0 ? options.most : Math.min(options.most, MOST_OF_PUSH);
  const maker = createMaker(deps, head);
  const read: Change[] = [];
  let pushing: Promise<Pushed> = Promise.resolve({
    lease,
    head,
    committed: [],
    unplaced: undefined,
    stopped: undefined,
  });
  try {
    for (;;) {
      const { changes, more } = await readBatch(journal, lease.repository, most, read.at(-1)?.sequence);
      read.push(...changes);
      const made = await maker.make(
        changes.filter(({ mode }) => mode === 'Commit'),
        signal,
      );
      const before = await pushing;
      if (before.stopped !== undefined) return { ...before, read, more: true };
      pushing = push(deps, before, made, options, signal);
      // It is waited for in any case, and whoever waits learns how it ended.
      pushing.catch(() => {});
      const isLast = !more || target.pushWindowMs > 0 || read.length >= MOST_OF_ROUND;
      if (isLast || made.refusal !== undefined || made.waiting !== undefined) return { ...(await pushing), read, more };
    }
  } finally {
    await pushing.catch(() => {});
  }
}

/** A push of one change that the remote refused this often ends the change. */
export const MOST_REFUSALS = 3;

/** Changes of one push where pushes cost nothing. */
const MOST_OF_PUSH = 2_000;
/** Then the branch is fetched again, and other repositories have their turn. */
const MOST_OF_ROUND = 10_000;
const PAGE = 500;
const MOST_BATCH_CHARACTERS = 16 * 2 ** 20;

/** Accepted changes, those after `after`: so many, and no more than memory bears. `more`: others may follow them. */
async function readBatch(
  journal: Journal,
  repository: string,
  most: number,
  after: bigint | undefined,
): Promise<{ readonly changes: readonly Change[]; readonly more: boolean }> {
  const changes: Change[] = [];
  let characters = 0;
  while (changes.length < most && characters < MOST_BATCH_CHARACTERS) {
    const wanted = Math.min(PAGE, most - changes.length);
    const page = await journal.pending(repository, ['Accepted'], wanted, changes.at(-1)?.sequence ?? after);
    changes.push(...page);
    if (page.length < wanted) return { changes, more: false };
    characters += page.reduce((sum, { intent }) => sum + JSON.stringify(intent).length, 0);
  }
  return { changes, more: true };
}

/** Pushes what was made and writes down what became of all that was planned. */
async function push(
  deps: RoundDeps,
  before: Pushed,
  { plan, commits, refusal, waiting }: Made,
  options: RoundOptions,
  signal: AbortSignal,
): Promise<Pushed> {
  const { journal, target, log } = deps;
  const { head } = before;
  const unplaced = before.unplaced ?? plan.unplaced;
  const stop = (stopped: RoundResult): Pushed => ({ ...before, unplaced, stopped });
  const stopped: RoundResult | undefined =
    waiting === undefined ? undefined : { type: 'waiting', why: waiting, blocking: true, pushed: commits.length > 0 };
  if (refusal !== undefined) return stop(await refuse(deps, before.lease, plan, refusal, options));
  const tip = commits.at(-1);
  if (tip === undefined) {
    const outcomes = computeOutcomes(plan, commits, head);
    return {
      ...before,
      unplaced,
      lease: outcomes.size === 0 ? before.lease : await journal.record(before.lease, outcomes),
      stopped,
    };
  }
  const held = await holdLease(deps, before.lease, options.leaseMs);
  const result = await target.repository.push(tip, head, { signal });
  if (result.type === 'rejected' && !result.stale) return stop(await refuse(deps, held, plan, result.why, options));
  if (result.type !== 'pushed') return stop({ type: 'contended', why: result.why });
  const lease = await journal.record(held, computeOutcomes(plan, commits, head), tip);
  const changes = plan.commits.map(({ change }) => change);
  for (const { id } of changes) deps.vetter?.forget(id);
  log.info({ repository: lease.repository, commits: commits.length, head: tip }, 'pushed changes');
  await notify(deps, tip, signal);
  return { lease, head: tip, committed: [...before.committed, ...changes], unplaced, stopped };
}

function computeOutcomes(
  plan: BatchPlan,
  commits: readonly CommitId[],
  head: CommitId | undefined,
): ReadonlyMap<string, Outcome> {
  const outcomes = new Map(plan.outcomes);
  for (const [index, { change }] of plan.commits.entries()) {
    const commit = commits[index];
    if (commit !== undefined) outcomes.set(change.id, { state: 'Committed', commit });
  }
  for (const [id, before] of plan.unchanged) {
    const commit = before === 0 ? head : commits[before - 1];
    const told = { reason: 'Unchanged', message: 'the repository said so already' } as const;
    outcomes.set(id, commit === undefined ? { state: 'Gone', ...told } : { state: 'Committed', commit, ...told });
  }
  return outcomes;
}

/** Alone and refused again and again: the change ends with the remote's words. Among others, it is not known which one is meant. */
async function refuse(
  { journal }: RoundDeps,
  lease: Lease,
  plan: BatchPlan,
  why: string,
  { refusals }: RoundOptions,
): Promise<RoundResult> {
  const [only, ...others] = plan.commits;
  if (only === undefined || others.length > 0 || refusals + 1 < MOST_REFUSALS)
    return { type: 'refused', why, changes: plan.commits.length };
  const message = `the repository does not take the commit: ${why}`;
  await journal.record(
    lease,
    new Map([[only.change.id, { state: 'Rejected', reason: 'RefusedByRepository', message }]]),
  );
  return { type: 'done', pushed: false, more: true };
}

/** A process that stood still for a while must not push on a lease that ran out. (If it did, the push would still be fast-forward only.) */
async function holdLease({ journal, clock }: RoundDeps, lease: Lease, leaseMs: number): Promise<Lease> {
  if (lease.untilMs - clock.now() > leaseMs / 2) return lease;
  const renewed = await journal.lease(lease.repository, lease.holder, leaseMs);
  if (renewed?.epoch !== lease.epoch) throw new LeaseLost(`the lease of ${lease.repository} ran out`);
  return renewed;
}

export async function notify({ target, log }: RoundDeps, commit: CommitId, signal: AbortSignal): Promise<void> {
  try {
    await target.afterPush?.(commit, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ err: renderError(error) }, 'Flux was not told of a push and will see it at its interval');
  }
}
