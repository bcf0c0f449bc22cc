import { randomBytes } from 'node:crypto';

/** What a {@link Clock} hands out; only that clock's `clearTimeout` knows what is inside. */
export type Timer = { readonly cancel: () => void };

/** Every reading and every waiting goes through here, so that a simulator or a test can drive time. */
export type Clock = {
  /** Milliseconds since the epoch. May step backwards when the machine's time is set. */
  now(): number;
  /** Milliseconds since some fixed moment; never steps, so durations and deadlines are measured with it. */
  monotonic(): number;
  /** Calls `fn` once after at least `ms` milliseconds; any finite non-negative `ms` is allowed. */
  setTimeout(fn: () => void, ms: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
};

export type Random = {
  /** Uniform in [0, 1). */
  next(): number;
  /** Unpredictable bytes, fit for keys and passwords in the real implementation. */
  bytes(length: number): Uint8Array;
};

/** The longest delay that Node's timers hold; beyond it they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fn, ms) => {
    if (ms > MAX_TIMER_MS) return longTimer(fn, ms);
    const handle = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(handle) };
  },
  clearTimeout: (timer) => timer?.cancel(),
};

export const realRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => randomBytes(length),
};

/** Waits `ms`; rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clock.clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function longTimer(fn: () => void, ms: number): Timer {
  let left = ms;
  let handle: NodeJS.Timeout | undefined;
  const arm = (): void => {
    const step = Math.min(left, MAX_TIMER_MS);
    left -= step;
    handle = setTimeout(left > 0 ? arm : fn, step);
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
}
