import type { Answer, Client } from './client.ts';
import { ApiError, UnreachableError } from './errors.ts';
import { parseEvents } from './events.ts';
import { pause } from './retry.ts';
import type { Operation, Output } from './typed.ts';

/** A change as the API shows it. */
export type Change = Output<Operation<'/v1/changes/{id}', 'get'>>;

/** The change that a write was accepted as (202); undefined when nothing was different (200), so that there is none to wait for. */
export function changeOf({ status, data }: Pick<Answer<unknown>, 'status' | 'data'>): Change | undefined {
  return status === 202 ? asChange(data) : undefined;
}

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

/** Between attempts, where the server asks for no longer one. */
const PAUSE_MS = 1_000;
/** Where no stream comes through, the server is asked to wait this long at most in one call. */
const POLL_S = 30;

/**
 * Waits until a change has got where it was to get, or never will: look at `state`. Listens to the server's events, and asks again and again where they do not come
 * through. A server that restarts or cannot be reached meanwhile is tried until the time is over. Throws WaitTimeoutError then, ApiError for a refusal, and the signal's
 * reason.
 */
export async function waitForChange(client: Client, id: string, options: WaitOptions): Promise<Change> {
  const { deps } = client;
  const endsAtMs = deps.now() + options.timeoutMs;
  let last: Change | undefined;
  let lastEventId: string | undefined;
  for (;;) {
    const startedAtMs = deps.now();
    const leftMs = endsAtMs - startedAtMs;
    if (leftMs <= 0) throw new WaitTimeoutError(id, options, last);
    let pauseMs = 0;
    try {
      for await (const seen of listen(client, id, { ...options, leftMs, lastEventId })) {
        lastEventId = seen.eventId ?? lastEventId;
        if (seen.change.state !== last?.state) options.onState?.(seen.change);
        last = seen.change;
        if (isSettled(last, options.until)) return last;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!mayPass(error)) throw error;
      if (error instanceof ApiError) pauseMs = error.retryAfterMs ?? 0;
    }
    if (deps.now() - startedAtMs < PAUSE_MS) pauseMs = Math.max(pauseMs, PAUSE_MS);
    if (pauseMs > 0) await pause(deps, Math.min(pauseMs, leftMs), options.signal);
  }
}

type Seen = { readonly change: Change; readonly eventId: string | undefined };
type Attempt = Pick<WaitOptions, 'until' | 'signal'> & {
  readonly leftMs: number;
  readonly lastEventId: string | undefined;
};

/** One connection: events as they come, or the one answer of a server or proxy that gives no events. */
async function* listen(
  client: Client,
  id: string,
  { until, signal, leftMs, lastEventId }: Attempt,
): AsyncGenerator<Seen> {
  const seconds = Math.max(1, Math.ceil(Math.min(POLL_S, leftMs / 1_000)));
  const over = AbortSignal.timeout(leftMs);
  const signals = signal === undefined ? over : AbortSignal.any([signal, over]);
  const query = new URLSearchParams({ wait: until, timeout: String(seconds) });
  const events = await client.stream(`v1/changes/${encodeURIComponent(id)}?${query}`, { signal: signals, lastEventId });
  if (events.type === 'answer') {
    yield { change: parseChange(events.text), eventId: undefined };
    return;
  }
  for await (const { id: eventId, event, data } of parseEvents(events.chunks)) {
    if (event === 'change') yield { change: parseChange(data), eventId };
  }
}

function parseChange(text: string): Change {
  try {
    return asChange(JSON.parse(text));
  } catch (error) {
    if (error instanceof UnreachableError) throw error;
    return asChange(undefined);
  }
}

function asChange(value: unknown): Change {
  if (typeof value === 'object' && value !== null && 'id' in value && 'state' in value) return value as Change;
  throw new UnreachableError('the answer is no change; is this the address of the API?');
}

/** The connection, the server or our own time-out; everything but a refusal and what the caller threw. */
function mayPass(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 429 || error.status >= 500;
  return error instanceof UnreachableError;
}

/** Held waits for a person, so nobody should wait for it. */
function isSettled({ state, done }: Change, until: WaitOptions['until']): boolean {
  return done || state === 'Held' || state === until;
}
