import { setTimeout } from 'node:timers/promises';

/** What the client takes from its surroundings; tests hand in their own. */
export type ClientDeps = {
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 to less than 1. */
  readonly random: () => number;
  /** A new idempotency key. */
  readonly newKey: () => string;
};

export const REAL_DEPS: ClientDeps = {
  fetch: (input, init) => fetch(input, init),
  now: Date.now,
  sleep: async (ms, signal) => {
    await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
  },
  random: Math.random,
  newKey: () => crypto.randomUUID(),
};
