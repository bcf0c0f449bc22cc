import type { Scheduler } from '../../simulator/scheduler.ts';
import type { Until, World } from './contract.ts';

const HOUR_MS = 3_600_000;

/** How time passes in a world. */
export type Passage = Pick<World, 'runFor' | 'runTo' | 'runUntil' | 'runUntilQuiet'> & {
  /** Runs the world until a promise has settled. */
  settle<T>(promise: Promise<T>, what: string): Promise<T>;
};

/** `lastChangeMs`: when an object that is no Lease or Event last changed. */
export function createPassage(scheduler: Scheduler, startMs: number, lastChangeMs: () => number): Passage {
  const runFor = async (ms: number): Promise<void> => {
    await scheduler.run({ untilMs: scheduler.elapsedMs() + ms });
  };
  const runTo = (atMs: number): Promise<void> => runFor(Math.max(0, atMs - startMs - scheduler.elapsedMs()));
  const runUntil = async (check: () => boolean, { withinMs = HOUR_MS, what }: Until = {}): Promise<void> => {
    const untilMs = scheduler.elapsedMs() + withinMs;
    if ((await scheduler.run({ untilMs, until: check })) === 'done' || check()) return;
    throw new Error(`${what ?? 'what was waited for'}: not after ${withinMs / 1_000} s of virtual time`);
  };
  return {
    runFor,
    runTo,
    runUntil,
    async runUntilQuiet({ withinMs = HOUR_MS, what = 'nothing changes any more', quietMs = 60_000 } = {}) {
      const beganMs = scheduler.nowMs();
      for (;;) {
        const quietAtMs = Math.max(beganMs, lastChangeMs()) + quietMs;
        if (scheduler.nowMs() >= quietAtMs) return;
        if (quietAtMs > beganMs + withinMs) {
          throw new Error(`${what}: something still changed after ${withinMs / 1_000} s of virtual time`);
        }
        await runTo(quietAtMs);
      }
    },
    async settle(promise, what) {
      let settled = false;
      const mark = (): void => {
        settled = true;
      };
      promise.then(mark, mark);
      await runUntil(() => settled, { what });
      return promise;
    },
  };
}
