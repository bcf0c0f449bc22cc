import type { Logger } from 'pino';
import type { Clock } from '../../kube/clock.ts';
import type { FileCache } from '../filecache.ts';
import type { Journal, Lease } from '../journal.ts';
import { drain, notify } from './drain.ts';
import { propose, reviewProposals } from './propose.ts';
import { settle } from './settle.ts';
import type { WritableRepository } from './target.ts';
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
  const reviewed = options.review ? await reviewProposals(deps, lease, signal) : undefined;
  const settled = await settle({ ...deps, ...deps.target }, lease, signal);
  // Merged by people, or pushed by a process that said nothing of it any more.
  if (settled.committed.length > 0 && settled.head !== undefined) await notify(deps, settled.head, signal);
  const drained = await drain(deps, settled, options, signal);
  const { stopped, read: changes } = drained;
  if (stopped !== undefined && drained.committed.length === 0 && stopped.type !== 'waiting') return stopped;
  const committed = [...settled.committed, ...drained.committed];
  const proposals = await propose(deps, { ...drained, reviewed, committed, changes }, signal);
  if (stopped !== undefined) return stopped;
  if (proposals.waiting !== undefined) return { type: 'waiting', why: proposals.waiting, blocking: false };
  return { type: 'done', pushed: drained.committed.length > 0, more: drained.more };
}
