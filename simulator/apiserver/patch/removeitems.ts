import { isObject, type JsonObject, setOwn } from '../schema/json.ts';
import { deduceKind, resolveKind } from './deduce.ts';
import type { FieldNode, FieldSet } from './fieldset.ts';
import { elementOfItem } from './items.ts';
import { fieldElement } from './pathelement.ts';
import type { ListType, MapType, TypeNode } from './typenode.ts';

/**
 * A value without the fields and items in the set, which must not be empty. As in the API server, what has nothing left becomes null. Answers the value
 * itself where nothing goes.
 */
export function removeItems(value: unknown, type: TypeNode, set: FieldSet): unknown {
  switch (resolveKind(type, deduceKind(type, value))) {
    case 'map':
      if (!isObject(value) || type.map === undefined || type.map.isAtomic) return null;
      return removeMembers(value, type.map, set);
    case 'list':
      if (!Array.isArray(value) || type.list === undefined || type.list.isAtomic) return null;
      return removeFromList(value, type.list, set);
    default:
      return value;
  }
}

function removeMembers(value: JsonObject, type: MapType, set: FieldSet): unknown {
  const kept: JsonObject = {};
  let isSame = true;
  let isNothing = true;
  for (const key of Object.keys(value)) {
    const field = type.fields.get(key);
    const element = field?.element ?? fieldElement(key);
    const node = set.get(element);
    if (node?.isMember === true) {
      isSame = false;
      continue;
    }
    const rest = removeBelow(value[key], field?.type ?? type.element, node);
    isSame &&= rest === value[key];
    isNothing = false;
    setOwn(kept, key, rest);
  }
  if (isNothing) return null;
  return isSame ? value : kept;
}

function removeFromList(items: readonly unknown[], type: ListType, set: FieldSet): unknown {
  const kept: unknown[] = [];
  let isSame = true;
  for (const item of items) {
    const element = elementOfItem(type, item);
    if (typeof element !== 'string') {
      kept.push(item);
      continue;
    }
    const node = set.get(element);
    if (node?.isMember === true) {
      isSame = false;
      continue;
    }
    const rest = removeBelow(item, type.element, node);
    isSame &&= rest === item;
    kept.push(rest);
  }
  if (kept.length === 0) return null;
  return isSame ? items : kept;
}

function removeBelow(value: unknown, type: TypeNode | undefined, node: FieldNode | undefined): unknown {
  return node === undefined || type === undefined ? value : removeItems(value, type, node.below);
}
