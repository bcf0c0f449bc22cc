import type { Logger } from 'pino';
import { type CommitId, type NewCommit, RepositoryError } from '../../git/repository.ts';
import type { Clock } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { FileCache } from '../filecache.ts';
import { type Change, type Journal, type Lease, LeaseLost, type Outcome } from '../journal.ts';
import { createWorkspace } from '../workspace.ts';
import { type BatchPlan, planBatch } from './plan.ts';
import { propose, reviewProposals } from './propose.ts';
import { settle } from './settle.ts';
import { renderChange, type WritableRepository } from './target.ts';
import type { Vetter } from './vet.ts';

export type RoundDeps = {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly target: WritableRepository;
  readonly cache: FileCache;
  readonly vetter: Vetter | undefined;
};

export type RoundOptions = {
  readonly leaseMs: number;
  /** Changes of one push, at most. */
  readonly most: number;
  /** How often the remote refused a push of a single change before; after some of them the change ends. */
  readonly refusals: number;
  /** Whether to ask the forge about pull requests. */
  readonly review: boolean;
};

export type RoundResult =
  /** What was read is carried out; `more`: more may wait. */
  | { readonly type: 'done'; readonly pushed: boolean; readonly more: boolean }
  /** Somebody else moved the branch, or the outcome of the push is not known: fetch and replay. */
  | { readonly type: 'contended'; readonly why: string }
  /** The remote does not take this push. */
  | { readonly type: 'refused'; readonly why: string; readonly changes: number }
  /** Changes wait for something outside; `blocking`: those that come after them, too. */
  | { readonly type: 'waiting'; readonly why: string; readonly blocking: boolean };

/**
 * One turn of the writer of a repository: fetch, settle what was in flight, carry out what was accepted, push, write down. What is written down is true whenever
 * the process dies: before the push nothing happened; after it the next turn finds the commits by their Change-Ids.
 */
export async function runRound(
  deps: RoundDeps,
  lease: Lease,
  options: RoundOptions,
  signal: AbortSignal,
): Promise<RoundResult> {
  const { journal, target } = deps;
  const reviewed = options.review ? await reviewProposals(deps, lease, signal) : undefined;
  const settled = await settle({ ...deps, ...target }, lease, signal);
  const { changes, more } = await readBatch(journal, lease.repository, options.most);
  const direct = changes.filter(({ mode }) => mode === 'Commit');
  const batch = await commitBatch(deps, { ...settled, changes: direct }, options, signal);
  if (batch.type !== 'committed') return batch;
  const committed = [...settled.committed, ...batch.committed];
  const proposals = await propose(deps, { ...batch, reviewed, committed, changes }, signal);
  if (batch.waiting !== undefined) return { type: 'waiting', why: batch.waiting, blocking: true };
  if (proposals.waiting !== undefined) return { type: 'waiting', why: proposals.waiting, blocking: false };
  return { type: 'done', pushed: batch.committed.length > 0, more };
}

/** A push of one change that the remote refused this often ends the change. */
export const MOST_REFUSALS = 3;

const PAGE = 500;
const MOST_BATCH_CHARACTERS = 16 * 2 ** 20;

/** The first accepted changes: so many, and no more than memory bears. `more`: others may follow them. */
async function readBatch(
  journal: Journal,
  repository: string,
  most: number,
): Promise<{ readonly changes: readonly Change[]; readonly more: boolean }> {
  const changes: Change[] = [];
  let characters = 0;
  while (changes.length < most && characters < MOST_BATCH_CHARACTERS) {
    const wanted = Math.min(PAGE, most - changes.length);
    const page = await journal.pending(repository, ['Accepted'], wanted, changes.at(-1)?.sequence);
    changes.push(...page);
    if (page.length < wanted) return { changes, more: false };
    characters += page.reduce((sum, { intent }) => sum + JSON.stringify(intent).length, 0);
  }
  return { changes, more: true };
}

type Batch = { readonly lease: Lease; readonly head: CommitId | undefined; readonly changes: readonly Change[] };

type Committed = {
  readonly type: 'committed';
  readonly lease: Lease;
  readonly head: CommitId | undefined;
  readonly committed: readonly Change[];
  readonly waiting?: string | undefined;
};

async function commitBatch(
  deps: RoundDeps,
  { lease, head, changes }: Batch,
  options: RoundOptions,
  signal: AbortSignal,
): Promise<Committed | RoundResult> {
  if (changes.length === 0) return { type: 'committed', lease, head, committed: [] };
  const { journal, target, log } = deps;
  const { plan, refused, waiting } = await planVetted(deps, head, changes, signal);
  const ended = new Map([...plan.outcomes, ...refused]);
  if (plan.commits.length === 0) {
    const next = await journal.record(lease, computeOutcomes(plan, ended, [], head));
    return { type: 'committed', lease: next, head, committed: [], waiting };
  }
  let commits: readonly CommitId[];
  try {
    commits = await target.repository.commit(
      head,
      plan.commits.map((one) => buildCommit(deps, one)),
      signal,
    );
  } catch (error) {
    if (!(error instanceof RepositoryError) || error.failure !== 'Refused') throw error;
    return refuse(deps, lease, plan, error.message, options);
  }
  const tip = commits.at(-1) ?? '';
  const held = await holdLease(deps, lease, options.leaseMs);
  const result = await target.repository.push(tip, head, { signal });
  if (result.type === 'rejected' && !result.stale) return refuse(deps, held, plan, result.why, options);
  if (result.type !== 'pushed') return { type: 'contended', why: result.why };
  const next = await journal.record(held, computeOutcomes(plan, ended, commits, head), tip);
  for (const { change } of plan.commits) deps.vetter?.forget(change.id);
  log.info({ repository: lease.repository, commits: commits.length, head: tip }, 'pushed changes');
  await notify(deps, tip, signal);
  return { type: 'committed', lease: next, head: tip, committed: plan.commits.map(({ change }) => change), waiting };
}

/** Plans, asks the API server, and plans again without what it refused or did not answer, until everything planned may be made. */
export async function planVetted(
  { target, cache, clock, vetter }: RoundDeps,
  head: CommitId | undefined,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<{
  readonly plan: BatchPlan;
  readonly refused: ReadonlyMap<string, Outcome>;
  readonly waiting: string | undefined;
}> {
  const refused = new Map<string, Outcome>();
  let waiting: string | undefined;
  let batch = changes;
  for (;;) {
    const workspace = createWorkspace(head, { repository: target.repository, cache });
    const plan = await planBatch(batch, { workspace, folderOf: target.folderOf, clock }, signal);
    const vetted = await vetter?.vet(plan.commits, signal);
    if (vetted === undefined || (vetted.refused.size === 0 && vetted.waiting === undefined))
      return { plan, refused, waiting };
    for (const [id, outcome] of vetted.refused) refused.set(id, outcome);
    const from = vetted.waiting?.from;
    waiting = vetted.waiting?.why ?? waiting;
    batch = batch.filter(({ id, sequence }) => !refused.has(id) && (from === undefined || sequence < from));
  }
}

export function buildCommit(
  { target }: RoundDeps,
  { change, files }: { readonly change: Change; readonly files: NewCommit['files'] },
): NewCommit {
  const { name, email } = change.author;
  // The time of acceptance and not of now: a replay on the same head is then the very same commit.
  return {
    author: { name, email },
    committer: target.committer,
    atMs: change.acceptedAtMs,
    message: renderChange(change),
    files,
  };
}

function computeOutcomes(
  plan: BatchPlan,
  ended: ReadonlyMap<string, Outcome>,
  commits: readonly CommitId[],
  head: CommitId | undefined,
): ReadonlyMap<string, Outcome> {
  const outcomes = new Map(ended);
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
export async function holdLease({ journal, clock }: RoundDeps, lease: Lease, leaseMs: number): Promise<Lease> {
  if (lease.untilMs - clock.now() > leaseMs / 2) return lease;
  const renewed = await journal.lease(lease.repository, lease.holder, leaseMs);
  if (renewed?.epoch !== lease.epoch) throw new LeaseLost(`the lease of ${lease.repository} ran out`);
  return renewed;
}

async function notify({ target, log }: RoundDeps, commit: CommitId, signal: AbortSignal): Promise<void> {
  try {
    await target.afterPush?.(commit, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ err: renderError(error) }, 'Flux was not told of a push and will see it at its interval');
  }
}
