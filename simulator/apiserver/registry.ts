import type { ServedKind } from './kinds.ts';
import type { Collection, Store } from './store.ts';

/** The kinds that are served: built-in ones for good, custom ones while their definition is there. */
export class Registry {
  readonly namespaces: Collection;
  readonly #byPath = new Map<string, ServedKind>();
  readonly #custom = new Map<string, readonly ServedKind[]>();
  readonly #listeners = new Set<() => void>();
  #sorted: readonly ServedKind[] | undefined;

  constructor(store: Store, builtin: readonly ServedKind[]) {
    this.namespaces = store.collection('', 'namespaces');
    for (const kind of builtin) this.#byPath.set(pathOf(kind), kind);
  }

  find(group: string, version: string, plural: string): ServedKind | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** The kind of an owner reference or a manifest; any version of a custom one serves. */
  findByKind(group: string, version: string, kind: string): ServedKind | undefined {
    for (const served of this.#byPath.values()) {
      if (served.kind === kind && served.group === group && served.version === version) return served;
    }
    return undefined;
  }

  /** All kinds, those of one group together. */
  all(): readonly ServedKind[] {
    this.#sorted ??= [...this.#byPath.values()];
    return this.#sorted;
  }

  /** One served kind a resource, in its storage version where that is served. */
  resources(): readonly ServedKind[] {
    const found = new Map<Collection, ServedKind>();
    for (const kind of this.all()) {
      if (!found.has(kind.collection) || kind.version === kind.storageVersion) found.set(kind.collection, kind);
    }
    return [...found.values()];
  }

  /** Serves these kinds for a definition instead of those before; none when it is gone. */
  setCustom(definition: string, kinds: readonly ServedKind[]): void {
    for (const old of this.#custom.get(definition) ?? []) this.#byPath.delete(pathOf(old));
    if (kinds.length === 0) this.#custom.delete(definition);
    else this.#custom.set(definition, kinds);
    for (const kind of kinds) this.#byPath.set(pathOf(kind), kind);
    this.#sorted = undefined;
    for (const listener of this.#listeners) listener();
  }

  custom(definition: string): readonly ServedKind[] {
    return this.#custom.get(definition) ?? [];
  }

  /** Called whenever kinds come, change or go. Gives the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function pathOf({ group, version, plural }: ServedKind): string {
  return `${group}/${version}/${plural}`;
}
