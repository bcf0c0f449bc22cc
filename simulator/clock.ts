import type { Clock, Timer } from '../kube/clock.ts';
import type { Scheduler, TaskGroup } from './scheduler.ts';

/** A simulated process's clock: dies with it, and its wall time may be wrong. */
export type VirtualClock = Clock & {
  /** Sets how far `now` is from the true time, as an administrator or a leap would; running timers do not notice. */
  skew(ms: number): void;
};

/** The scheduler's time as a {@link Clock}. Timers belong to `group` and go with it; `isAlive` false: new ones never fire. */
export function createVirtualClock(
  scheduler: Scheduler,
  group: TaskGroup,
  isAlive: () => boolean = () => true,
): VirtualClock {
  let skewMs = 0;
  return {
    now: () => scheduler.nowMs() + skewMs,
    monotonic: () => scheduler.elapsedMs(),
    setTimeout: (fn, ms) => (isAlive() ? scheduler.schedule(group, ms, fn) : DEAD),
    clearTimeout: (timer) => timer?.cancel(),
    skew: (ms) => {
      skewMs = ms;
    },
  };
}

const DEAD: Timer = { cancel: () => {} };
