import type { Lease } from '../journal.ts';
import { drain, notify } from './drain.ts';
import { propose, reviewProposals } from './propose.ts';
import type { RoundDeps, RoundOptions, RoundResult } from './rounddeps.ts';
import { settle } from './settle.ts';

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
  const waiting = proposals.waiting ?? drained.unplaced;
  const pushed = drained.committed.length > 0;
  if (waiting !== undefined) return { type: 'waiting', why: waiting, blocking: false, pushed };
  return { type: 'done', pushed, more: drained.more };
}
