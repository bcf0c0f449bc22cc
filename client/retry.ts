import type { ClientDeps } from './deps.ts';

export type RetryRule = {
  /** Attempts after the first. */
  readonly retries: number;
  /** The first pause; each further one is twice as long, with up to half of it left to chance. */
  readonly pauseMs: number;
  /** A server that asks for a longer pause is not waited for: its answer goes to the caller, with `retryAfterMs`. */
  readonly mostPauseMs: number;
};

export const DEFAULT_RETRY: RetryRule = { retries: 4, pauseMs: 250, mostPauseMs: 30_000 };

/** Answers after which the same request may succeed: it was too much, or a server on the way was not there. */
export function isPassing(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

/** How long to pause before the next attempt, or undefined when there is none. `attempt` counts from 0. */
export function computePause(
  rule: RetryRule,
  attempt: number,
  retryAfterMs: number | undefined,
  random: () => number,
): number | undefined {
  if (attempt >= rule.retries) return undefined;
  if (retryAfterMs !== undefined) return retryAfterMs <= rule.mostPauseMs ? retryAfterMs : undefined;
  const full = Math.min(rule.pauseMs * 2 ** attempt, rule.mostPauseMs);
  return full / 2 + (random() * full) / 2;
}

/** `Retry-After` as seconds or as a date (RFC 9110); undefined when it is neither. Never negative. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = /^[A-Z][a-z]{2}, /.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** Rejects with the signal's reason as soon as it aborts. */
export async function pause(deps: ClientDeps, ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await deps.sleep(ms, signal);
}
