import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import { isGone, RequestError } from './errors.ts';
import type { KubeObject } from './object.ts';
import { qualifiedName } from './object.ts';
import type { ReflectorOptions } from './reflector.ts';
import { parseStatusObject } from './status.ts';

export type WholeState = { readonly items: readonly KubeObject[]; readonly resourceVersion: string };

/**
 * Everything, page by page, as one consistent state: the version of all pages is the first one's. Reads what is newest (no
 * `resourceVersion` is sent), so that a restart never begins with a view older than what the process before it wrote. Throws rather than give a part.
 */
export async function listAll(client: Client, options: ReflectorOptions, signal: AbortSignal): Promise<WholeState> {
  const { resource, namespace, labelSelector, fieldSelector, metadataOnly, pageSize } = options;
  const selection = { namespace, labelSelector, fieldSelector, metadataOnly, signal, timeoutMs: PAGE_TIMEOUT_MS };
  const items: KubeObject[] = [];
  let next: string | undefined;
  let restarts = 0;
  for (;;) {
    const limit = restarts < MAX_RESTARTS ? pageSize : undefined;
    try {
      const page = await client.list(resource, { ...selection, limit, continue: next });
      for (const item of page.items) items.push(item);
      next = page.metadata.continue;
      if (next === undefined || next === '') return { items, resourceVersion: page.metadata.resourceVersion ?? '' };
    } catch (error) {
      if (!isGone(error) || next === undefined) throw error;
      restarts += 1;
      items.length = 0;
      next = undefined;
    }
  }
}

/**
 * Everything as the first lines of a watch, which spares the API server a list in memory. The server marks the end with a
 * bookmark; a stream that ends before it is a failure.
 */
export async function streamAll(
  deps: { readonly client: Client; readonly clock: Clock },
  options: ReflectorOptions,
  signal: AbortSignal,
): Promise<WholeState> {
  const { resource, namespace, labelSelector, fieldSelector, metadataOnly } = options;
  const what = `streamed list of ${qualifiedName(resource)}`;
  const cut = new AbortController();
  const stop = (): void => cut.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const watchdog = deps.clock.setTimeout(() => {
    cut.abort(new RequestError('timeout', `${what}: not complete after ${STREAM_TIMEOUT_MS / 1000} s`));
  }, STREAM_TIMEOUT_MS);
  const found = new Map<string, KubeObject>();
  try {
    const selection = { namespace, labelSelector, fieldSelector, metadataOnly, signal: cut.signal };
    for await (const line of deps.client.watch(resource, { ...selection, sendInitialEvents: true })) {
      const { type, object } = line;
      if (type === 'ERROR') throw parseStatusObject(what, object);
      const { metadata } = object;
      if (type === 'BOOKMARK') {
        if (metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') continue;
        return { items: [...found.values()], resourceVersion: metadata.resourceVersion ?? '' };
      }
      const key = `${metadata.namespace ?? ''}/${metadata.name}`;
      if (type === 'DELETED') found.delete(key);
      else found.set(key, object);
    }
  } finally {
    deps.clock.clearTimeout(watchdog);
    signal.removeEventListener('abort', stop);
  }
  throw new RequestError('reset', `${what}: ended before it was complete`);
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
const PAGE_TIMEOUT_MS = 30_000;
const STREAM_TIMEOUT_MS = 60_000;
/** After this many expired continue tokens everything is asked for at once. */
const MAX_RESTARTS = 2;
