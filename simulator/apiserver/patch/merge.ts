import { equalJson, getOwn, isObject, type JsonObject, setOwn } from '../schema/json.ts';
import { deduceKind, resolveKind } from './deduce.ts';
import { elementOfItem } from './items.ts';
import type { PathElement } from './pathelement.ts';
import type { ListType, MapType, TypeNode } from './typenode.ts';

/**
 * What `live` becomes when `applied` is stated on top of it: nothing goes, and where both say something `applied` holds. Both must fit the type. Answers
 * `live` itself, and shares parts of it, where nothing changes.
 */
export function mergeTyped(live: unknown, applied: unknown, type: TypeNode): unknown {
  if (applied === undefined || live === applied) return live;
  if (live === undefined) return applied;
  switch (resolveKind(type, deduceKind(type, applied))) {
    case 'map': {
      if (type.map === undefined || type.map.isAtomic) break;
      const [left, right] = [nonEmptyObject(live), nonEmptyObject(applied)];
      if (left === undefined && right === undefined) break;
      return left !== undefined && right !== undefined ? mergeMembers(left, right, type.map) : (right ?? left);
    }
    case 'list': {
      if (type.list === undefined || type.list.isAtomic) break;
      const [left, right] = [nonEmptyList(live), nonEmptyList(applied)];
      if (left === undefined && right === undefined) break;
      return left !== undefined && right !== undefined ? mergeItems(left, right, type.list) : (right ?? left);
    }
    default:
  }
  return equalJson(live, applied) ? live : applied;
}

function nonEmptyObject(value: unknown): JsonObject | undefined {
  return isObject(value) && Object.keys(value).length > 0 ? value : undefined;
}

function nonEmptyList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value : undefined;
}

function mergeMembers(live: JsonObject, applied: JsonObject, type: MapType): JsonObject {
  let merged: JsonObject | undefined;
  for (const key of Object.keys(applied)) {
    const memberType = type.fields.get(key)?.type ?? type.element;
    if (memberType === undefined) continue;
    const old = getOwn(live, key);
    const value = mergeTyped(old, applied[key], memberType);
    if (value === old) continue;
    merged ??= { ...live };
    setOwn(merged, key, value);
  }
  return merged ?? live;
}

/**
 * The items of both: in the order of `applied`, with those that only `live` has where they were in relation to their neighbours.
 */
function mergeItems(live: readonly unknown[], applied: readonly unknown[], type: ListType): readonly unknown[] {
  const [left, right] = [indexItems(live, type), indexItems(applied, type)];
  const isAligned = live.length === applied.length && left.elements.every((one, at) => one === right.elements[at]);
  const merged = isAligned
    ? live.map((item, at) => mergeTyped(item, applied[at], type.element))
    : new ItemMerge(live, left, right, type).run();
  return merged.length === live.length && merged.every((item, index) => item === live[index]) ? live : merged;
}

class ItemMerge {
  readonly #type: ListType;
  readonly #live: readonly unknown[];
  readonly #left: ItemIndex;
  readonly #right: ItemIndex;
  /** What both have, in the order of `applied`. */
  readonly #shared: readonly PathElement[];
  #nextShared = 0;
  readonly #merged: unknown[] = [];

  constructor(live: readonly unknown[], left: ItemIndex, right: ItemIndex, type: ListType) {
    this.#type = type;
    this.#live = live;
    this.#left = left;
    this.#right = right;
    this.#shared = right.elements.filter((element) => left.items.has(element));
  }

  run(): readonly unknown[] {
    const taken = new Set<PathElement>();
    let [left, right] = [0, 0];
    while (left < this.#left.elements.length || right < this.#right.elements.length) {
      const live = this.#left.elements[left];
      const applied = this.#right.elements[right];
      if (live !== undefined && applied !== undefined) {
        if (live === applied) {
          taken.add(live);
          this.#take(live);
          left += 1;
          right += 1;
          this.#nextShared += 1;
          continue;
        }
        const next = this.#shared[this.#nextShared];
        if (this.#right.items.has(live) && next !== undefined && next !== live) {
          left += 1;
          continue;
        }
      }
      if (live !== undefined) {
        if (!this.#right.items.has(live)) {
          this.#merged.push(this.#live[left]);
          left += 1;
          continue;
        }
        if (taken.has(live)) left += 1;
      }
      if (applied !== undefined) {
        taken.add(applied);
        this.#take(applied);
        right += 1;
        if (this.#shared[this.#nextShared] === applied) this.#nextShared += 1;
      }
    }
    return this.#merged;
  }

  #take(element: PathElement): void {
    this.#merged.push(mergeTyped(this.#left.items.get(element), this.#right.items.get(element), this.#type.element));
  }
}

type ItemIndex = {
  readonly elements: readonly PathElement[];
  /** Items that are there more than once merge with nothing: null stands for them. */
  readonly items: ReadonlyMap<PathElement, unknown>;
};

function indexItems(list: readonly unknown[], type: ListType): ItemIndex {
  const items = new Map<PathElement, unknown>();
  const elements = list.map((item) => {
    const element = elementOfItem(type, item);
    if (typeof element !== 'string') throw new TypeError(element.why);
    items.set(element, items.has(element) ? null : item);
    return element;
  });
  return { elements, items };
}
