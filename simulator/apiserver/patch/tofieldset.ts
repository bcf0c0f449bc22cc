import { isObject, type JsonObject } from '../schema/json.ts';
import { deduceKind, resolveKind } from './deduce.ts';
import { EMPTY_SET, type FieldSet, isEmpty } from './fieldset.ts';
import { elementOfItem } from './items.ts';
import { fieldElement, type PathElement } from './pathelement.ts';
import type { ListType, MapType, TypeNode } from './typenode.ts';

/** What is owned by whoever states a value: its leaves, the items of its lists and maps, and what is stated as empty or null. */
export function toFieldSet(value: unknown, type: TypeNode): FieldSet {
  return stateOf(value, type) ?? EMPTY_SET;
}

/** What is stated below a value; undefined when it is a leaf. */
function stateOf(value: unknown, type: TypeNode): FieldSet | undefined {
  switch (resolveKind(type, deduceKind(type, value))) {
    case 'map':
      if (type.map === undefined || type.map.isAtomic) return undefined;
      return isObject(value) ? membersOf(value, type.map) : EMPTY_SET;
    case 'list':
      if (type.list === undefined || type.list.isAtomic) return undefined;
      return Array.isArray(value) ? itemsOf(value, type.list) : EMPTY_SET;
    default:
      return undefined;
  }
}

function membersOf(value: JsonObject, type: MapType): FieldSet {
  const members = new Set<PathElement>();
  const children = new Map<PathElement, FieldSet>();
  for (const key of Object.keys(value)) {
    const field = type.fields.get(key);
    const memberType = field?.type ?? type.element;
    if (memberType === undefined) continue;
    const member = value[key];
    const element = field?.element ?? fieldElement(key);
    const below = stateOf(member, memberType);
    if (below !== undefined && !isEmpty(below)) children.set(element, below);
    if (below === undefined || field === undefined || isNothing(member)) members.add(element);
  }
  return members.size === 0 && children.size === 0 ? EMPTY_SET : { members, children };
}

function isNothing(value: unknown): boolean {
  return value === null || (isObject(value) && Object.keys(value).length === 0);
}

function itemsOf(value: readonly unknown[], type: ListType): FieldSet {
  const members = new Set<PathElement>();
  const children = new Map<PathElement, FieldSet>();
  for (const item of value) {
    const element = elementOfItem(type, item);
    if (typeof element !== 'string') continue;
    if (members.has(element)) {
      children.delete(element);
      continue;
    }
    members.add(element);
    const below = stateOf(item, type.element);
    if (below !== undefined && !isEmpty(below)) children.set(element, below);
  }
  return members.size === 0 ? EMPTY_SET : { members, children };
}
