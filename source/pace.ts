import { type Clock, sleep } from '../kube/clock.ts';

/** A person waits for what a pass publishes, however long the one before took. */
const MOST_PAUSE_MS = 100;

export type Pace = <T>(pass: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/**
 * Runs passes that follow each other with as much time between as the last one took, so that they have half of the process at most. A pass that finds
 * everything in memory gives nothing else a turn; one for each event of a burst would keep timers and sockets waiting, and with them the lease. Events that come
 * during a pause share the next pass. Rejects when the signal aborts a pause.
 */
export function createPace(clock: Clock): Pace {
  let endedAtMs = Number.NEGATIVE_INFINITY;
  let tookMs = 0;
  return async (pass, signal) => {
    const pauseMs = Math.min(MOST_PAUSE_MS, tookMs) - (clock.monotonic() - endedAtMs);
    if (pauseMs > 0) await sleep(clock, pauseMs, signal);
    const startMs = clock.monotonic();
    try {
      return await pass();
    } finally {
      endedAtMs = clock.monotonic();
      tookMs = endedAtMs - startMs;
    }
  };
}
