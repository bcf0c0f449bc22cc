import { isObject, type JsonObject } from '../schema/json.ts';
import { deduceKind, resolveKind } from './deduce.ts';
import { buildNode, EMPTY_SET, type FieldNode, type FieldSet, isEmpty, memberNode } from './fieldset.ts';
import { elementOfItem } from './items.ts';
import { fieldElement, type PathElement } from './pathelement.ts';
import type { ListType, MapType, TypeNode } from './typenode.ts';

/** What is owned by whoever states a value: its leaves, the items of its lists and maps, and what is stated as empty or null. */
export function toFieldSet(value: unknown, type: TypeNode): FieldSet {
  return stateBelow(value, type) ?? EMPTY_SET;
}

/** What is stated below a value; undefined when it is a leaf. */
function stateBelow(value: unknown, type: TypeNode): FieldSet | undefined {
  switch (resolveKind(type, deduceKind(type, value))) {
    case 'map':
      if (type.map === undefined || type.map.isAtomic) return undefined;
      return isObject(value) ? stateMembers(value, type.map) : EMPTY_SET;
    case 'list':
      if (type.list === undefined || type.list.isAtomic) return undefined;
      return Array.isArray(value) ? stateItems(value, type.list) : EMPTY_SET;
    default:
      return undefined;
  }
}

function stateMembers(value: JsonObject, type: MapType): FieldSet {
  const set = new Map<PathElement, FieldNode>();
  for (const key of Object.keys(value)) {
    const field = type.fields.get(key);
    const memberType = field?.type ?? type.element;
    if (memberType === undefined) continue;
    const below = stateBelow(value[key], memberType);
    const element = field?.element ?? fieldElement(key);
    if (below === undefined || field === undefined || isNothing(value[key])) {
      set.set(element, memberNode(below ?? EMPTY_SET));
    } else if (!isEmpty(below)) {
      set.set(element, buildNode(false, below));
    }
  }
  return set.size === 0 ? EMPTY_SET : set;
}

function isNothing(value: unknown): boolean {
  return value === null || (isObject(value) && Object.keys(value).length === 0);
}

/** Of items that are there more than once nothing but that is stated. */
function stateItems(items: readonly unknown[], type: ListType): FieldSet {
  const set = new Map<PathElement, FieldNode>();
  for (const item of items) {
    const element = elementOfItem(type, item);
    if (typeof element !== 'string') continue;
    const below = set.has(element) ? EMPTY_SET : (stateBelow(item, type.element) ?? EMPTY_SET);
    set.set(element, memberNode(below));
  }
  return set.size === 0 ? EMPTY_SET : set;
}
