import { Collection, type StorageEvent, type StorageListener, Stored } from './collection.ts';
import { type ApiObject, withMeta } from './object.ts';

export { Collection, type StorageEvent, type StorageListener, Stored } from './collection.ts';

export type StoreOptions = {
  /** How many events of a resource are kept at least for watches and pages to resume from. */
  readonly historyEvents: number;
  readonly onListenerError: (error: unknown) => void;
};

/** All collections under one revision, as etcd has one. */
export class Store {
  readonly #options: StoreOptions;
  readonly #collections = new Map<string, Collection>();
  readonly #listeners = new Set<StorageListener>();
  #revision = 1;
  #queue: StorageEvent[] | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  get revision(): number {
    return this.#revision;
  }

  collection(group: string, plural: string): Collection {
    const name = `${plural}.${group}`;
    let found = this.#collections.get(name);
    if (found === undefined) {
      found = new Collection(group, plural, this.#revision);
      this.#collections.set(name, found);
    }
    return found;
  }

  collections(): Iterable<Collection> {
    return this.#collections.values();
  }

  /** Hears of every change of every collection. Gives the function that ends it. */
  subscribe(listener: StorageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stores `object`, which replaces `previous` if there is one, under the next revision. */
  put(collection: Collection, object: ApiObject, previous: Stored | undefined): Stored {
    const current = this.#stamp(object);
    this.#commit(collection, previous === undefined ? 'ADDED' : 'MODIFIED', current, previous);
    return current;
  }

  /** `object` is the last state, which is `previous` or one that was never stored. */
  remove(collection: Collection, object: ApiObject, previous: Stored): Stored {
    const current = this.#stamp(object);
    this.#commit(collection, 'DELETED', current, previous);
    return current;
  }

  /** Forgets all history up to `revision`. */
  compact(revision = this.#revision): void {
    for (const collection of this.#collections.values()) collection.compact(revision);
  }

  /** Sets the state as it was kept; to be called before anything else. */
  restore(
    revision: number,
    objects: Iterable<{ readonly group: string; readonly plural: string; readonly object: ApiObject }>,
  ): void {
    this.#revision = revision;
    for (const { group, plural, object } of objects) {
      this.collection(group, plural).restore(new Stored(object, Number(object.metadata.resourceVersion)));
    }
    this.compact(revision);
  }

  #stamp(object: ApiObject): Stored {
    this.#revision += 1;
    return new Stored(withMeta(object, { resourceVersion: String(this.#revision) }), this.#revision);
  }

  #commit(collection: Collection, type: StorageEvent['type'], current: Stored, previous: Stored | undefined): void {
    const event: StorageEvent = { type, collection, revision: current.revision, current, previous, lines: new Map() };
    collection.record(event, this.#options.historyEvents);
    // History is kept as values; texts are for what is read now.
    previous?.rendered.clear();
    if (this.#queue !== undefined) {
      this.#queue.push(event);
      return;
    }
    const queue = [event];
    this.#queue = queue;
    try {
      for (const next of queue) {
        this.#announce(next);
        next.lines.clear();
        if (next.type === 'DELETED') next.current.rendered.clear();
      }
    } finally {
      this.#queue = undefined;
    }
  }

  #announce(event: StorageEvent): void {
    const { collection, current } = event;
    const inside = collection.namespaceListeners.get(current.namespace);
    for (const listeners of [this.#listeners, collection.listeners, inside]) {
      if (listeners === undefined) continue;
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          this.#options.onListenerError(error);
        }
      }
    }
  }
}
