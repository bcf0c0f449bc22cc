import type { Client } from './client.ts';
import { ApiError, UnreachableError } from './errors.ts';
import { pause } from './retry.ts';
import type { Operation, Output } from './typed.ts';

/** A change as the API shows it. */
export type Change = Output<Operation<'/v1/changes/{id}', 'get'>>;

export type WaitOptions = {
  /** `Applied`: Flux took it. `Ready`: the resource says so itself. */
  readonly until: 'Applied' | 'Ready';
  /** In all. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with the first state that is seen and each that follows. */
  readonly onState?: ((change: Change) => void) | undefined;
};

/** It did not get there in time; it goes on without anybody waiting. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError';
  readonly change: Change | undefined;

  constructor(id: string, options: WaitOptions, change: Change | undefined) {
    super(
      `change ${id} was not ${options.until} within ${options.timeoutMs / 1_000} s; it is ${change?.state ?? 'not known'}`,
    );
    this.change = change;
  }
}

/** What the server is asked to wait for at most in one call; proxies cut what stays silent for a minute. */
const POLL_S = 30;
const SLACK_MS = 15_000;
/** Between calls, for a server that does not wait. */
const PAUSE_MS = 1_000;

/**
 * Waits until a change has got where it was to get, or never will: look at `state`. A server that restarts or cannot be reached meanwhile is asked again until
 * the time is over. Throws WaitTimeoutError then, ApiError for a refusal, and the signal's reason.
 */
export async function waitForChange(client: Client, id: string, options: WaitOptions): Promise<Change> {
  const { deps } = client;
  const endsAtMs = deps.now() + options.timeoutMs;
  let last: Change | undefined;
  for (;;) {
    const startedAtMs = deps.now();
    const leftMs = endsAtMs - startedAtMs;
    if (leftMs <= 0) throw new WaitTimeoutError(id, options, last);
    const change = await lookOnce(client, id, options, Math.ceil(Math.min(POLL_S, leftMs / 1_000)));
    if (change !== undefined) {
      if (change.state !== last?.state) options.onState?.(change);
      last = change;
      if (isSettled(change, options.until)) return change;
    }
    if (deps.now() - startedAtMs < PAUSE_MS) await pause(deps, Math.min(PAUSE_MS, leftMs), options.signal);
  }
}

/** Undefined when nothing can be said just now. */
async function lookOnce(
  client: Client,
  id: string,
  options: WaitOptions,
  seconds: number,
): Promise<Change | undefined> {
  try {
    const input = { path: { id }, query: { wait: options.until, timeout: seconds } };
    const { data } = await client.get('/v1/changes/{id}', input, {
      signal: options.signal,
      timeoutMs: seconds * 1_000 + SLACK_MS,
    });
    return data;
  } catch (error) {
    const mayPass =
      error instanceof UnreachableError || (error instanceof ApiError && (error.status === 429 || error.status >= 500));
    if (mayPass) return undefined;
    throw error;
  }
}

/** Held waits for a person, so nobody should wait for it. */
function isSettled({ state, done }: Change, until: WaitOptions['until']): boolean {
  return done || state === 'Held' || state === until;
}
