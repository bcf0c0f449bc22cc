import { compareResourceVersions, type KubeObject, objectKey } from './object.ts';

export type Indexers<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** Objects by key, and the keys that each index value stands for. No ordering by version: callers decide what may replace what. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexers: readonly Index<T>[];

  /** An indexer that throws gives no values for that object; `onError` hears of it. */
  constructor(indexers: Indexers<T> = {}, onError: (error: unknown, index: string) => void = () => {}) {
    this.#indexers = Object.entries(indexers).map(([name, indexer]) => {
      const of = (object: T): readonly string[] => {
        try {
          return indexer(object);
        } catch (error) {
          onError(error, name);
          return NONE;
        }
      };
      return { name, of, values: new Map() };
    });
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexers.find((one) => one.name === name);
    if (index === undefined) {
      const known = this.#indexers.map((one) => one.name).join(', ') || 'none';
      throw new Error(`no index is named ${JSON.stringify(name)}; there are: ${known}`);
    }
    const keys = index.values.get(value);
    if (keys === undefined) return [];
    const found: T[] = [];
    for (const key of keys) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** Returns what was there before. */
  set(object: T): T | undefined {
    const key = objectKey(object);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#indexers) reindex(index, key, old, object);
    return old;
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#indexers) reindex(index, key, old, undefined);
    return old;
  }
}

/** Whether `candidate` is certainly older than `known`, or the very same version of the same object. */
export function isNotNewer(candidate: KubeObject, known: KubeObject): boolean {
  const order = compareResourceVersions(candidate.metadata.resourceVersion, known.metadata.resourceVersion);
  return order !== undefined && order <= 0;
}

type Index<T> = {
  readonly name: string;
  readonly of: (object: T) => readonly string[];
  readonly values: Map<string, Set<string>>;
};

function reindex<T>(index: Index<T>, key: string, old: T | undefined, next: T | undefined): void {
  const before = old === undefined ? NONE : index.of(old);
  const after = next === undefined ? NONE : index.of(next);
  if (before.length === after.length && before.every((value, i) => value === after[i])) return;
  for (const value of before) {
    if (after.includes(value)) continue;
    const keys = index.values.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.values.delete(value);
  }
  for (const value of after) {
    const keys = index.values.get(value);
    if (keys === undefined) index.values.set(value, new Set([key]));
    else keys.add(key);
  }
}

const NONE: readonly string[] = [];
