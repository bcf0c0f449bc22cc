import { equalJson, getOwn, isObject, type JsonObject, setOwn } from '../schema/json.ts';

type Container = JsonObject | unknown[];

/** A place in a document: `container` has a member or an item `key`, or could have one. */
type Place = { readonly container: Container; readonly key: string };

/**
 * A JSON document that operations of a JSON patch change one after the other. Containers are copied before they change, so that nobody who holds the
 * original sees a change. Every operation answers whether it applied; where one did not, the document is to be thrown away.
 */
export class PatchedDocument {
  root: unknown;
  readonly #own = new Set<Container>();

  constructor(root: unknown) {
    this.root = root;
  }

  add(path: string, value: unknown): boolean {
    const place = this.#find(path);
    return place !== undefined && insert(place, value);
  }

  remove(path: string): boolean {
    const place = this.#find(path);
    return place !== undefined && removeAt(place);
  }

  replace(path: string, value: unknown): boolean {
    if (path === '') {
      if (!isObject(value) && !Array.isArray(value)) return false;
      this.root = value;
      return true;
    }
    const place = this.#find(path);
    if (place === undefined) return false;
    const { container, key } = place;
    if (!Array.isArray(container)) {
      setOwn(container, key, value);
      return true;
    }
    const index = indexOf(key, container.length);
    if (index === undefined) return false;
    container[index] = value;
    return true;
  }

  move(from: string | undefined, path: string | undefined): boolean {
    const source = from === undefined ? undefined : this.#find(from);
    if (source === undefined) return false;
    const value = valueAt(source);
    if (!value.found || !removeAt(source) || path === undefined) return false;
    return this.add(path, value.value);
  }

  copy(from: string | undefined, path: string | undefined): boolean {
    const source = from === undefined ? undefined : this.#find(from);
    if (source === undefined) return false;
    const value = valueAt(source);
    if (!value.found || path === undefined) return false;
    this.#own.clear();
    return this.add(path, value.value);
  }

  test(path: string, value: unknown): boolean {
    if (path === '') return equalJson(this.root, value);
    const place = this.#find(path);
    if (place === undefined) return false;
    const actual = valueAt(place);
    return actual.found && equalJson(actual.value, value);
  }

  /** The container that a path ends in, copied along with everything above it. */
  #find(path: string): Place | undefined {
    const parts = path.split('/');
    const last = parts.pop();
    if (last === undefined || parts.length === 0) return undefined;
    let container = this.#ownAt(this.root, (copy) => {
      this.root = copy;
    });
    for (const part of parts.slice(1)) {
      if (container === undefined) return undefined;
      const parent = container;
      const key = decodeKey(part);
      if (Array.isArray(parent)) {
        const index = indexOf(key, parent.length);
        if (index === undefined) return undefined;
        container = this.#ownAt(parent[index], (copy) => {
          parent[index] = copy;
        });
      } else {
        container = this.#ownAt(getOwn(parent, key), (copy) => setOwn(parent, key, copy));
      }
    }
    return container === undefined ? undefined : { container, key: decodeKey(last) };
  }

  #ownAt(value: unknown, replace: (copy: Container) => void): Container | undefined {
    if (!Array.isArray(value) && !isObject(value)) return undefined;
    if (this.#own.has(value)) return value;
    const copy: Container = Array.isArray(value) ? [...value] : { ...value };
    this.#own.add(copy);
    replace(copy);
    return copy;
  }
}

/** An absent member of an object counts as found: as null. */
function valueAt({ container, key }: Place): { readonly found: boolean; readonly value: unknown } {
  if (!Array.isArray(container)) return { found: true, value: getOwn(container, key) ?? null };
  const index = indexOf(key, container.length);
  return index === undefined ? { found: false, value: null } : { found: true, value: container[index] };
}

function insert({ container, key }: Place, value: unknown): boolean {
  if (!Array.isArray(container)) {
    setOwn(container, key, value);
    return true;
  }
  const index = key === '-' ? container.length : indexOf(key, container.length + 1);
  if (index === undefined) return false;
  container.splice(index, 0, value);
  return true;
}

function removeAt({ container, key }: Place): boolean {
  if (!Array.isArray(container)) return Object.hasOwn(container, key) && delete container[key];
  const index = indexOf(key, container.length);
  if (index === undefined) return false;
  container.splice(index, 1);
  return true;
}

/** An index below `length`; negative ones count from the end. */
function indexOf(key: string, length: number): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(key)) return undefined;
  const index = Number(key);
  const counted = index < 0 ? index + length : index;
  return counted >= 0 && counted < length ? counted : undefined;
}

function decodeKey(part: string): string {
  return part.includes('~') ? part.replaceAll('~1', '/').replaceAll('~0', '~') : part;
}
