import { isObject } from '../../json.ts';
import { elementsOf, equalValues } from '../compare.ts';
import type { JsonList } from '../json.ts';
import { isMapValue, type Value } from '../values.ts';

type List = readonly Value[] | JsonList;

/** `+` of lists: keyed lists take over what has the same key, sets take what they lack, all others append. */
export function mergeLists(a: List, b: List): readonly Value[] {
  const left = elementsOf(a);
  const right = elementsOf(b);
  const listType = 'items' in a ? a.node.listType : undefined;
  if (listType === 'set') {
    return [...left, ...right.filter((value) => !left.some((other) => equalValues(other, value)))];
  }
  if (listType !== 'map' || !('items' in a)) return [...left, ...right];
  const { listMapKeys } = a.node;
  const merged = new Map(left.map((value, index) => [keyOf(value, listMapKeys) ?? index, value]));
  for (const value of right) merged.set(keyOf(value, listMapKeys) ?? merged.size, value);
  return [...merged.values()];
}

function keyOf(value: Value, names: readonly string[]): string | undefined {
  if (!isMapValue(value) || !('object' in value) || !isObject(value.object)) return undefined;
  const { object } = value;
  return JSON.stringify(names.map((name) => object[name]));
}
