import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import { isNotFound, PausedError, renderError } from './errors.ts';
import { type ObjectKey, objectKey, qualifiedName, type Resource } from './object.ts';

/** So many calls about one object are under way at once; after a failure, one. */
const MOST_AT_ONCE = 3;
/** So many failures in a row, and the object is left alone for a while: 0.9, 2.7, 8.1, 15, 15 s, ... With those before, nine calls in the first minute. */
const EAGER_FAILURES = 3;
const PAUSE = { baseMs: 900, factor: 3, maxMs: 15_000 } as const;
/** What has not been called about for so long begins anew. */
const FORGOTTEN_MS = 60_000;

/**
 * The same client for many who work at once, none of whom knows of the others: about one object that fails for good it sends at most ten calls a minute, however many
 * keys want something of it. Beyond that it throws `PausedError` without sending anything. Absence (404) is an answer and no failure, unless the
 * object was failing already. Lists and watches pass as they are.
 */
export function createPatientClient(client: Client, { clock }: { readonly clock: Clock }): Client {
  const objects = new Map<string, ObjectCalls>();
  let prunedAtMs = clock.monotonic();

  const find = (id: string): ObjectCalls => {
    const nowMs = clock.monotonic();
    if (nowMs - prunedAtMs > FORGOTTEN_MS) {
      for (const [other, { users, againAtMs }] of objects)
        if (users === 0 && nowMs - againAtMs > FORGOTTEN_MS) objects.delete(other);
      prunedAtMs = nowMs;
    }
    const found = objects.get(id) ?? createObjectCalls();
    objects.set(id, found);
    return found;
  };
  const call = async <R>(
    resource: Resource,
    key: ObjectKey,
    signal: AbortSignal | undefined,
    send: () => Promise<R>,
  ): Promise<R> => {
    const id = `${qualifiedName(resource)} ${objectKey({ metadata: key })}`;
    const calls = find(id);
    calls.users += 1;
    try {
      return await sendPatiently(calls, clock, signal, send);
    } finally {
      calls.users -= 1;
      if (calls.users === 0 && calls.failures === 0) objects.delete(id);
    }
  };

  return {
    ...client,
    get: (resource, key, options) => call(resource, key, options?.signal, () => client.get(resource, key, options)),
    create: (resource, object, options) =>
      call(resource, object.metadata, options?.signal, () => client.create(resource, object, options)),
    update: (resource, object, options) =>
      call(resource, object.metadata, options?.signal, () => client.update(resource, object, options)),
    apply: (resource, object, options) =>
      call(resource, object.metadata, options.signal, () => client.apply(resource, object, options)),
    patch: (resource, key, patch, options) =>
      call(resource, key, options?.signal, () => client.patch(resource, key, patch, options)),
    delete: (resource, key, options) =>
      call(resource, key, options?.signal, () => client.delete(resource, key, options)),
  };
}

/** Calls about one object. */
type ObjectCalls = {
  /** Who calls or waits for that. */
  users: number;
  running: number;
  readonly waiting: (() => void)[];
  /** In a row. */
  failures: number;
  againAtMs: number;
  last: unknown;
};

function createObjectCalls(): ObjectCalls {
  return { users: 0, running: 0, waiting: [], failures: 0, againAtMs: Number.NEGATIVE_INFINITY, last: undefined };
}

async function sendPatiently<R>(
  calls: ObjectCalls,
  clock: Clock,
  signal: AbortSignal | undefined,
  send: () => Promise<R>,
): Promise<R> {
  while (calls.running >= (calls.failures === 0 ? MOST_AT_ONCE : 1)) {
    await new Promise<void>((resolve) => calls.waiting.push(resolve));
    signal?.throwIfAborted();
  }
  const leftMs = calls.againAtMs - clock.monotonic();
  if (calls.failures >= EAGER_FAILURES && leftMs > 0)
    throw new PausedError(renderError(calls.last), { cause: calls.last, retryAfterMs: leftMs });
  if (leftMs < -FORGOTTEN_MS) calls.failures = 0;
  calls.running += 1;
  try {
    const answer = await send();
    calls.failures = 0;
    return answer;
  } catch (error) {
    const isAnswer = isNotFound(error) && calls.failures === 0;
    if (!isAnswer && signal?.aborted !== true) noteFailure(calls, clock, error);
    throw error;
  } finally {
    calls.running -= 1;
    for (const wake of calls.waiting.splice(0)) wake();
  }
}

function noteFailure(calls: ObjectCalls, clock: Clock, error: unknown): void {
  const { baseMs, factor, maxMs } = PAUSE;
  calls.failures += 1;
  calls.last = error;
  const waitMs = Math.min(maxMs, baseMs * factor ** Math.max(0, calls.failures - EAGER_FAILURES));
  calls.againAtMs = clock.monotonic() + waitMs;
}
