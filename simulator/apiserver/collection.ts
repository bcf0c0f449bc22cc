import { type ApiObject, keyOf } from './object.ts';

/** One object at one revision. */
export class Stored {
  readonly object: ApiObject;
  readonly revision: number;
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  /** What was rendered of it, by rendering; renderings are made once and shared by all readers. */
  readonly rendered = new Map<string, string>();

  constructor(object: ApiObject, revision: number) {
    this.object = object;
    this.revision = revision;
    this.namespace = object.metadata.namespace ?? '';
    this.name = object.metadata.name ?? '';
    this.key = keyOf(this.namespace, this.name);
  }
}

/** One committed change. `current` of a DELETED one is the last state with the revision of the deletion. */
export type StorageEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: Collection;
  readonly revision: number;
  readonly current: Stored;
  readonly previous: Stored | undefined;
  /** Watch lines that were rendered for it, shared by all watchers while it is announced. */
  readonly lines: Map<string, Buffer>;
};

/** Called after the commit, in order of commits, one event at a time, also when a listener commits in turn. */
export type StorageListener = (event: StorageEvent) => void;

/** The objects of one resource, its recent history, and who watches it. */
export class Collection {
  readonly group: string;
  readonly plural: string;
  readonly listeners = new Set<StorageListener>();
  /** Those that look at one namespace only. */
  readonly namespaceListeners = new Map<string, Set<StorageListener>>();
  /** Ends each open watch. */
  readonly watches = new Set<() => void>();
  readonly #objects = new Map<string, Stored>();
  readonly #byNamespace = new Map<string, Map<string, Stored>>();
  readonly #sortedKeys = new Map<string, readonly string[]>();
  #log: StorageEvent[] = [];
  /** Events up to this revision are no longer in the log. */
  #floor: number;

  constructor(group: string, plural: string, floor: number) {
    this.group = group;
    this.plural = plural;
    this.#floor = floor;
  }

  get size(): number {
    return this.#objects.size;
  }

  get floor(): number {
    return this.#floor;
  }

  get(namespace: string, name: string): Stored | undefined {
    return this.#objects.get(keyOf(namespace, name));
  }

  /** In no particular order; of one namespace or of all. */
  values(namespace = ''): Iterable<Stored> {
    return namespace === '' ? this.#objects.values() : (this.#byNamespace.get(namespace)?.values() ?? []);
  }

  countIn(namespace: string): number {
    return this.#byNamespace.get(namespace)?.size ?? 0;
  }

  /** The present state in the order of keys, which is the order of lists. */
  sorted(namespace = ''): readonly Stored[] {
    let keys = this.#sortedKeys.get(namespace);
    if (keys === undefined) {
      const objects = namespace === '' ? this.#objects : this.#byNamespace.get(namespace);
      keys = objects === undefined ? [] : [...objects.keys()].sort();
      this.#sortedKeys.set(namespace, keys);
    }
    const found: Stored[] = [];
    for (const key of keys) {
      const one = this.#objects.get(key);
      if (one !== undefined) found.push(one);
    }
    return found;
  }

  /** The state as it was at `revision`, in the order of keys; undefined when the history no longer reaches back. */
  sortedAt(revision: number, namespace = ''): readonly Stored[] | undefined {
    if (revision < this.#floor) return undefined;
    const later = this.eventsAfter(revision, namespace);
    if (later.length === 0) return this.sorted(namespace);
    const before = new Map<string, Stored | undefined>();
    for (const { current, previous } of later) if (!before.has(current.key)) before.set(current.key, previous);
    const kept = this.sorted(namespace).filter(({ key }) => !before.has(key));
    for (const old of before.values()) if (old !== undefined) kept.push(old);
    return kept.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Meaningful only when `revision` is not below the floor. */
  eventsAfter(revision: number, namespace = ''): readonly StorageEvent[] {
    let low = 0;
    for (let high = this.#log.length; low < high; ) {
      const middle = (low + high) >> 1;
      const at = this.#log[middle];
      if (at !== undefined && at.revision <= revision) low = middle + 1;
      else high = middle;
    }
    const later = this.#log.slice(low);
    return namespace === '' ? later : later.filter(({ current }) => current.namespace === namespace);
  }

  /** Forgets history up to `revision`. */
  compact(revision: number): void {
    this.#log = [...this.eventsAfter(revision)];
    this.#floor = Math.max(this.#floor, revision);
  }

  /** For the store only. */
  record(event: StorageEvent, maxEvents: number): void {
    const { current, type } = event;
    const { key, namespace } = current;
    if (type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, current);
    if (namespace !== '') this.#index(namespace, key, type === 'DELETED' ? undefined : current);
    if (type !== 'MODIFIED') {
      this.#sortedKeys.delete('');
      this.#sortedKeys.delete(namespace);
    }
    this.#log.push(event);
    // Trimmed seldom and by half, so that the cost of a commit stays constant.
    if (this.#log.length > 2 * maxEvents) {
      const cut = this.#log.length - maxEvents;
      this.#floor = Math.max(this.#floor, this.#log[cut - 1]?.revision ?? 0);
      this.#log = this.#log.slice(cut);
    }
  }

  /** For the store only: puts an object back as it was kept. */
  restore(stored: Stored): void {
    this.#objects.set(stored.key, stored);
    if (stored.namespace !== '') this.#index(stored.namespace, stored.key, stored);
    this.#sortedKeys.clear();
  }

  #index(namespace: string, key: string, stored: Stored | undefined): void {
    const inside = this.#byNamespace.get(namespace);
    if (stored === undefined) {
      inside?.delete(key);
      if (inside?.size === 0) this.#byNamespace.delete(namespace);
    } else if (inside === undefined) this.#byNamespace.set(namespace, new Map([[key, stored]]));
    else inside.set(key, stored);
  }
}
