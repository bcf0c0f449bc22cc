import type { Random } from '../../kube/clock.ts';

/** Waits before the second attempt and those after it: the example of Standard Webhooks, in all 75 h 35 min 5 s. */
const DELAYS_MS: readonly number[] = [
  5_000,
  ...[5, 30].map((minutes) => minutes * 60_000),
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * 3_600_000),
];

/** Up to this much longer, so that what failed together does not come again together. */
const JITTER = 0.1;
/** However long a receiver asks to be left alone. */
const MOST_ASKED_MS = 86_400_000;

export const MOST_ATTEMPTS = DELAYS_MS.length + 1;

/** How long to wait after this many failed attempts; undefined when it was the last. `askedMs`: what `Retry-After` said, which is kept to if it is longer. */
export function computeDelay(attempts: number, askedMs: number | undefined, random: Random): number | undefined {
  const delayMs = DELAYS_MS[attempts - 1];
  if (delayMs === undefined) return undefined;
  const waitMs = Math.max(delayMs, Math.min(askedMs ?? 0, MOST_ASKED_MS));
  return Math.ceil(waitMs * (1 + JITTER * random.next()));
}

/** Milliseconds that a `Retry-After` header asks for: a number of seconds, or a date. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined || text.length > 64) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const atMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
