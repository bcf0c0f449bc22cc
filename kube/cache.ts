import type { Logger } from 'pino';
import type { WatchLine } from './client.ts';
import { withoutManagedFields } from './decode.ts';
import type { EventHandler, EventInfo, InformerOptions, InformerState } from './informer.ts';
import {
  apiVersionOf,
  compareResourceVersions,
  type KubeObject,
  objectKey,
  qualifiedName,
  type Resource,
} from './object.ts';
import type { ReflectorTarget } from './reflector.ts';
import { buildMatcher, type Matcher } from './selector.ts';
import { isNotNewer, Store } from './store.ts';

/**
 * What an informer knows: the objects, how current they are, and who wants to hear of changes. The one place that decides which
 * of two versions of an object wins.
 *
 * Three sources feed it: lists, watch lines and answers to own writes. A line that is not newer than what is stored is dropped. A list replaces
 * everything but what own writes brought after the list began and after its version. An own write counts only
 * when the watch has not passed its version yet; otherwise the store has it, something newer, or rightly nothing.
 */
export class Cache<T extends KubeObject> implements ReflectorTarget {
  readonly store: Store<T>;
  readonly #log: Logger;
  readonly #resource: Resource;
  readonly #metadataOnly: boolean;
  readonly #transform: ((object: T) => T) | undefined;
  readonly #matches: Matcher;
  readonly #handlers = new Set<EventHandler<T>>();
  readonly #stateListeners = new Set<(state: InformerState) => void>();
  /** Keys that own writes brought since the running list began. */
  #observedWhileListing: Set<string> | undefined;
  #state: InformerState = 'syncing';
  #position = '';

  constructor(log: Logger, options: InformerOptions<T>) {
    this.#log = log;
    this.#resource = options.resource;
    this.#metadataOnly = options.metadataOnly === true;
    this.#transform = options.transform;
    this.#matches = buildMatcher(options);
    const resource = qualifiedName(options.resource);
    this.store = new Store(options.indexers, (error, index) =>
      log.error({ err: error, resource, index }, 'an indexer failed'),
    );
  }

  get state(): InformerState {
    return this.#state;
  }

  get position(): string {
    return this.#position;
  }

  onStateChange(listener: (state: InformerState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  addEventHandler(handler: EventHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.store.list()) this.#guard(() => handler.onAdd?.(object, { cause: 'initial' }));
    return () => this.#handlers.delete(handler);
  }

  listing(): void {
    this.#observedWhileListing = new Set();
  }

  replace(items: readonly KubeObject[], resourceVersion: string): void {
    const observed = this.#observedWhileListing ?? new Set();
    this.#observedWhileListing = undefined;
    const info: EventInfo = { cause: this.#position === '' ? 'initial' : 'fresh' };
    const gone = new Set(this.store.keys());
    for (const item of items) {
      const key = objectKey(item);
      gone.delete(key);
      const known = this.store.get(key);
      if (known !== undefined && observed.has(key) && isNotNewer(item, known)) continue;
      if (known === undefined || !isSameVersion(item, known)) this.#put(this.#prepare(item), info);
    }
    for (const key of gone) {
      const known = this.store.get(key);
      const ahead = observed.has(key) && isAfter(known?.metadata.resourceVersion, resourceVersion);
      if (!ahead) this.#remove(key, known, info);
    }
    this.#position = resourceVersion;
    this.available(true);
  }

  change(type: WatchLine['type'], object: KubeObject): void {
    const key = objectKey(object);
    const known = this.store.get(key);
    if (known !== undefined && isNotNewer(object, known) && type !== 'DELETED') return;
    if (type !== 'DELETED') this.#put(this.#prepare(object), { cause: 'fresh' });
    else if (known !== undefined && !isAfter(known.metadata.resourceVersion, object.metadata.resourceVersion)) {
      this.#remove(key, this.#prepare(object), { cause: 'fresh' });
    }
  }

  progress(resourceVersion: string): void {
    this.#position = resourceVersion;
  }

  available(available: boolean): void {
    const next = !available ? 'unavailable' : this.#position === '' ? 'syncing' : 'synced';
    if (next === this.#state) return;
    this.#state = next;
    for (const listener of [...this.#stateListeners]) this.#guard(() => listener(next));
  }

  observeWrite(object: KubeObject): boolean {
    if (this.#matches(object) !== true) return false;
    const { resourceVersion } = object.metadata;
    if (compareResourceVersions(resourceVersion, resourceVersion) === undefined) return false;
    if (this.#position !== '' && !isAfter(resourceVersion, this.#position)) return false;
    const key = objectKey(object);
    const known = this.store.get(key);
    if (known !== undefined && isNotNewer(object, known)) return false;
    if (isLast(object)) return false;
    this.#observedWhileListing?.add(key);
    this.#put(this.#prepare(object), { cause: 'own' });
    return true;
  }

  observeGone(object: KubeObject): boolean {
    const key = objectKey(object);
    const known = this.store.get(key);
    if (known === undefined || known.metadata.uid !== object.metadata.uid) return false;
    this.#remove(key, known, { cause: 'own' });
    return true;
  }

  resync(): void {
    for (const object of this.store.list())
      this.#notify((handler) => handler.onUpdate?.(object, object, { cause: 'resync' }));
  }

  #put(object: T, info: EventInfo): void {
    const old = this.store.set(object);
    if (old === undefined) this.#notify((handler) => handler.onAdd?.(object, info));
    else this.#notify((handler) => handler.onUpdate?.(old, object, info));
  }

  #remove(key: string, last: T | undefined, info: EventInfo): void {
    const known = this.store.delete(key);
    const object = last ?? known;
    if (object !== undefined) this.#notify((handler) => handler.onDelete?.(object, info));
  }

  /** The object as it is stored: of this kind, without `managedFields`, perhaps only metadata, transformed. */
  #prepare(object: KubeObject): T {
    const metadata =
      object.metadata.managedFields === undefined ? object.metadata : withoutManagedFields(object.metadata);
    const apiVersion = apiVersionOf(this.#resource);
    const { kind } = this.#resource;
    const whole =
      metadata === object.metadata && object.kind === kind ? object : { ...object, apiVersion, kind, metadata };
    const stored = (this.#metadataOnly ? { apiVersion, kind, metadata } : whole) as T;
    if (this.#transform === undefined) return stored;
    try {
      return this.#transform(stored);
    } catch (error) {
      this.#log.error(
        { err: error, resource: qualifiedName(this.#resource), key: objectKey(object) },
        'transform failed',
      );
      return stored;
    }
  }

  #notify(call: (handler: EventHandler<T>) => void): void {
    for (const handler of this.#handlers) this.#guard(() => call(handler));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error({ err: error, resource: qualifiedName(this.#resource) }, 'an event handler failed');
    }
  }
}

function isSameVersion(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.resourceVersion === b.metadata.resourceVersion && a.metadata.uid === b.metadata.uid;
}

function isAfter(version: string | undefined, other: string | undefined): boolean {
  const order = compareResourceVersions(version, other);
  return order !== undefined && order > 0;
}

/** The state in which a deleted object goes. A namespace has finalizers of its own, in its spec, and stays as long as those. */
function isLast({ metadata, spec }: KubeObject & { readonly spec?: { readonly finalizers?: unknown } }): boolean {
  const finalizers = [metadata.finalizers, spec?.finalizers];
  return metadata.deletionTimestamp !== undefined && !finalizers.some((list) => Array.isArray(list) && list.length > 0);
}
