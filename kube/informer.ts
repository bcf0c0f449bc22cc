import type { Logger } from 'pino';
import { Cache } from './cache.ts';
import type { Client } from './client.ts';
import type { Clock, Random, Timer } from './clock.ts';
import type { Metrics } from './metrics.ts';
import { type KubeObject, qualifiedName, type Resource } from './object.ts';
import { runReflector } from './reflector.ts';

/**
 * - `syncing`: the first list is not complete.
 * - `synced`: the store held the whole state at least once and is kept current (behind by at most a reconnect).
 * - `unavailable`: the API server does not serve the kind. The store stays as it was; nothing counts as deleted.
 */
export type InformerState = 'syncing' | 'synced' | 'unavailable';

/** A cache of one kind, kept current by list and watch. Objects are shared: never change one. */
export type Informer<T extends KubeObject> = {
  readonly resource: Resource;
  /** `key` as `objectKey` makes it. */
  get(key: string): T | undefined;
  list(): readonly T[];
  /** Objects for which the indexer named `index` gave `value`. Throws on an index that does not exist. */
  byIndex(index: string, value: string): readonly T[];
  size(): number;
  /** True only in state `synced`. */
  hasSynced(): boolean;
  state(): InformerState;
  /** Calls `listener` after every change of state; returns the function that removes it. */
  onStateChange(listener: (state: InformerState) => void): () => void;
  /** Handlers run synchronously, in order; what they throw is logged and kept from the others. Present objects are replayed as adds. */
  addEventHandler(handler: EventHandler<T>): () => void;
  /**
   * Puts the API server's answer to one of our own writes in the store at once, when it is newer than what is there, so that
   * the next reconcile never acts on a view older than its own last write. Handlers see it as an ordinary change and the watch's
   * later event of the same version is dropped. Returns whether the store changed. Ignored: objects outside the informer's scope or selector, and
   * versions that the watch has already passed (so a late answer never brings a deleted object back).
   */
  observeWrite(object: KubeObject): boolean;
  /**
   * Takes an object out of the store that the API server said is gone, in answer to a delete of it, so that it is not deleted again until the watch tells the same. What is
   * there by its name with another UID stays. Returns whether the store changed.
   */
  observeGone(object: KubeObject): boolean;
  /** The version up to which the store is current; empty before the first list. */
  lastSyncResourceVersion(): string;
  /** Lists and watches until the signal aborts; resolves then. Never rejects. */
  start(signal: AbortSignal): Promise<void>;
};

export type EventHandler<T extends KubeObject> = {
  onAdd?(object: T, info: EventInfo): void;
  onUpdate?(old: T, object: T, info: EventInfo): void;
  /** `object` is the last state that is known. */
  onDelete?(object: T, info: EventInfo): void;
};

/**
 * `fresh`: a change. `own`: a change that `observeWrite` brought. `initial`: part of the first list, or a replay. `resync`: nothing
 * changed, the resync period passed.
 */
export type EventInfo = { readonly cause: 'fresh' | 'own' | 'initial' | 'resync' };

export type InformerDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
};

export type InformerOptions<T extends KubeObject> = {
  readonly resource: Resource;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Keep metadata only: asks for `PartialObjectMetadata`. Objects carry the resource's own `apiVersion` and `kind`. */
  readonly metadataOnly?: boolean | undefined;
  /** Runs on each object before it is stored, to drop what nobody reads. Must keep metadata's name, namespace, uid, resourceVersion. */
  readonly transform?: ((object: T) => T) | undefined;
  readonly indexers?: Readonly<Record<string, (object: T) => readonly string[]>> | undefined;
  /** Redelivers every object as an update after this long; 0 or absent: never. */
  readonly resyncMs?: number | undefined;
  /** `paged` (default) or `streamed` (`sendInitialEvents`; falls back to pages where the server refuses it). */
  readonly listMode?: 'paged' | 'streamed' | undefined;
  /** Objects a page. Default 500. */
  readonly pageSize?: number | undefined;
  /**
   * How long a watch lives at least before it is renewed; up to a fifth longer. Default 24. A connection that went silent unnoticed is
   * found out at the renewal, so a longer life is for networks that cannot do that.
   */
  readonly watchSeconds?: number | undefined;
};

export function createInformer<T extends KubeObject>(deps: InformerDeps, options: InformerOptions<T>): Informer<T> {
  const { resource, listMode = 'paged', pageSize = 500, resyncMs = 0, watchSeconds = 24 } = options;
  const cache = new Cache<T>(deps.log, options);
  const onEvent = createReflectorMetrics(deps.metrics, resource);

  return {
    resource,
    get: (key) => cache.store.get(key),
    list: () => cache.store.list(),
    byIndex: (index, value) => cache.store.byIndex(index, value),
    size: () => cache.store.size,
    hasSynced: () => cache.state === 'synced',
    state: () => cache.state,
    onStateChange: (listener) => cache.onStateChange(listener),
    addEventHandler: (handler) => cache.addEventHandler(handler),
    observeWrite: (object) => cache.observeWrite(object),
    observeGone: (object) => cache.observeGone(object),
    lastSyncResourceVersion: () => cache.position,
    start: async (signal) => {
      const { client, clock, random, log } = deps;
      const stopResync = resyncMs > 0 ? startResync(clock, random, resyncMs, () => cache.resync()) : undefined;
      try {
        const { namespace, labelSelector, fieldSelector, metadataOnly } = options;
        const selection = { resource, namespace, labelSelector, fieldSelector, metadataOnly };
        await runReflector(
          { client, clock, random, log, onEvent },
          { ...selection, listMode, pageSize, watchSeconds },
          cache,
          signal,
        );
      } finally {
        stopResync?.();
      }
    },
  };
}

/** Each period varies by a tenth, so that the informers of one process do not fall into step. */
function startResync(clock: Clock, random: Random, resyncMs: number, resync: () => void): () => void {
  let timer: Timer | undefined;
  const arm = (): void => {
    timer = clock.setTimeout(
      () => {
        resync();
        arm();
      },
      resyncMs * (0.95 + 0.1 * random.next()),
    );
  };
  arm();
  return () => clock.clearTimeout(timer);
}

function createReflectorMetrics(
  metrics: Metrics | undefined,
  resource: Resource,
): ((event: 'list' | 'watch' | 'error') => void) | undefined {
  if (metrics === undefined) return undefined;
  const name = qualifiedName(resource);
  const series = {
    list: metrics.counter('reflector_lists_total', 'Lists that were begun.', ['resource']).labels(name),
    watch: metrics.counter('reflector_watches_total', 'Watches that were begun.', ['resource']).labels(name),
    error: metrics.counter('reflector_errors_total', 'Lists and watches that failed.', ['resource']).labels(name),
  };
  return (event) => series[event].inc();
}
