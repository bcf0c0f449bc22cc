import type { Clock, Random, Timer } from '../clock.ts';

/** A clock that stands still until told otherwise. */
export type FakeClock = Clock & {
  /**
   * Moves time forward by `ms`, firing what falls due in order of time. After each firing, and at the end, waiting promises and
   * socket events get their turn. Several at once move it by the longest of them, and none moves it back.
   */
  advance(ms: number): Promise<void>;
  /** Sets the time without firing anything, as an operator setting the machine's clock would. */
  step(ms: number): void;
  /** When the next timer fires, or undefined when none is set. */
  nextAtMs(): number | undefined;
  timers(): number;
};

export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs;
  let monotonicMs = 0;
  let sequence = 0;
  const due = new Map<Timer, { readonly atMs: number; readonly sequence: number; readonly fn: () => void }>();

  const next = (): [Timer, { readonly atMs: number; readonly fn: () => void }] | undefined => {
    let best: [Timer, { atMs: number; sequence: number; fn: () => void }] | undefined;
    for (const entry of due) {
      const [, timer] = entry;
      const earlier =
        best === undefined ||
        timer.atMs < best[1].atMs ||
        (timer.atMs === best[1].atMs && timer.sequence < best[1].sequence);
      if (earlier) best = entry;
    }
    return best;
  };

  return {
    now: () => nowMs,
    monotonic: () => monotonicMs,
    setTimeout: (fn, ms) => {
      const timer: Timer = { cancel: () => due.delete(timer) };
      sequence += 1;
      due.set(timer, { atMs: monotonicMs + ms, sequence, fn });
      return timer;
    },
    clearTimeout: (timer) => timer?.cancel(),
    advance: async (ms) => {
      const endMs = monotonicMs + ms;
      await settle();
      for (let entry = next(); entry !== undefined && entry[1].atMs <= endMs; entry = next()) {
        const [timer, { atMs, fn }] = entry;
        due.delete(timer);
        if (atMs > monotonicMs) {
          nowMs += atMs - monotonicMs;
          monotonicMs = atMs;
        }
        fn();
        await settle();
      }
      nowMs += Math.max(0, endMs - monotonicMs);
      monotonicMs = Math.max(endMs, monotonicMs);
      await settle();
    },
    step: (ms) => {
      nowMs += ms;
    },
    nextAtMs: () => {
      const entry = next();
      return entry === undefined ? undefined : nowMs + entry[1].atMs - monotonicMs;
    },
    timers: () => due.size,
  };
}

/** Reproducible randomness (mulberry32). */
export function createFakeRandom(seed = 1): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

/** Lets promises that are ready, and sockets that have something, run for a few turns of the event loop. */
export async function settle(turns = 3): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
