import type { Clock, Random } from '../../kube/clock.ts';

/** Remembers when each step of each object is over, so that a reconcile can ask at any time how long is left. */
export type Timers = {
  /** The first call for a step begins it. Returns 0 when it is over. */
  remainingMs(uid: string, step: string, durationMs: number): number;
  forget(uid: string): void;
};

/** Durations vary by `jitter` (0.2: 80 % to 120 %). Nothing is kept over a restart: a step then begins anew. */
export function createTimers(deps: { readonly clock: Clock; readonly random: Random }, jitter: number): Timers {
  const deadlines = new Map<string, Map<string, number>>();
  return {
    remainingMs(uid, step, durationMs) {
      const steps = deadlines.get(uid) ?? new Map<string, number>();
      deadlines.set(uid, steps);
      const now = deps.clock.now();
      const deadline = steps.get(step) ?? now + durationMs * (1 + jitter * (2 * deps.random.next() - 1));
      steps.set(step, deadline);
      return Math.max(0, deadline - now);
    },
    forget(uid) {
      deadlines.delete(uid);
    },
  };
}
