import { setImmediate } from 'node:timers/promises';

/** Lets signals and timers have their turn during long work; rejects with the signal's reason once it has aborted. */
export type Breathe = () => Promise<void>;

const BREATH_MS = 25;

export function createBreath(signal: AbortSignal): Breathe {
  let lastMs = performance.now();
  return async () => {
    if (performance.now() - lastMs < BREATH_MS) return;
    await setImmediate();
    signal.throwIfAborted();
    lastMs = performance.now();
  };
}
