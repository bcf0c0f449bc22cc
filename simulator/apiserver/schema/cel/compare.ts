import { equalIp } from '../ip.ts';
import { equalJson, isObject, type JsonObject } from '../json.ts';
import { findMember } from '../node.ts';
import { EvaluationError, noSuchOverload, spend } from './errors.ts';
import { findJson, type JsonList, type JsonMap, readValue } from './json.ts';
import { type Boxed, boxed, isBoxed, isListValue, isMapValue, type Value } from './values.ts';

/** `==`. Values of different types are unequal, numbers are compared by what they are worth. Keyed lists and sets ignore their order. */
export function equalValues(a: Value, b: Value): boolean {
  if (a === b) return true;
  const left = numberOf(a);
  if (left !== undefined) {
    const right = numberOf(b);
    // biome-ignore lint/suspicious/noDoubleEquals: bigint and number are compared by value
    return right !== undefined && left == right;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (isBoxed(a)) return isBoxed(b) && equalBoxed(a, b);
  if (isListValue(a)) return isListValue(b) && equalLists(a, b);
  return isMapValue(b) && equalMaps(a, b);
}

/** `<` and its like: negative, zero or positive. Throws where there is no order. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return sign(a < b, a > b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const left = numberOf(a);
  const right = numberOf(b);
  if (left !== undefined && right !== undefined) {
    if (Number.isNaN(left) || Number.isNaN(right)) throw new EvaluationError('NaN values cannot be ordered');
    return sign(left < right, left > right);
  }
  for (const type of ['duration', 'timestamp'] as const) {
    const x = boxed(a, type);
    const y = boxed(b, type);
    if (x !== undefined && y !== undefined) return sign(x.nanos < y.nanos, x.nanos > y.nanos);
  }
  throw noSuchOverload();
}

export function sign(isLess: boolean, isGreater: boolean): number {
  if (isLess) return -1;
  return isGreater ? 1 : 0;
}

export function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return boxed(value, 'uint')?.value;
}

/** The elements of a list. */
export function elementsOf(list: readonly Value[] | JsonList): readonly Value[] {
  spend('items' in list ? list.items.length : list.length);
  if (!('items' in list)) return list;
  const { items } = list.node;
  return list.items.map((item) => (items === undefined ? { type: 'unknown', json: item } : readValue(item, items)));
}

export function sizeOfMap(map: ReadonlyMap<Value, Value> | JsonMap): number {
  return 'object' in map ? Object.keys(map.object).length : map.size;
}

export function findInMap(map: ReadonlyMap<Value, Value> | JsonMap, key: Value): Value | undefined {
  if (!('object' in map)) return findKey(map, key);
  if (typeof key !== 'string') throw noSuchOverload();
  return findJson(map, key);
}

function findKey(map: ReadonlyMap<Value, Value>, key: Value): Value | undefined {
  const found = map.get(key);
  if (found !== undefined || numberOf(key) === undefined) return found;
  for (const [candidate, value] of map) if (equalValues(candidate, key)) return value;
  return undefined;
}

function equalBoxed(a: Boxed, b: Boxed): boolean {
  switch (a.type) {
    case 'duration':
    case 'timestamp':
    case 'quantity':
      return b.type === a.type && a.nanos === b.nanos;
    case 'type':
      return b.type === 'type' && a.name === b.name;
    case 'optional':
      return b.type === 'optional' && equalOptionals(a.value, b.value);
    case 'ip':
      return b.type === 'ip' && equalIp(a.ip, b.ip);
    case 'cidr':
      return b.type === 'cidr' && a.cidr.prefix === b.cidr.prefix && equalIp(a.cidr.address, b.cidr.address);
    case 'url':
      return b.type === 'url' && equalJson(a.url, b.url);
    case 'unknown':
      return b.type === 'unknown' && equalJson(a.json, b.json);
    default:
      return false;
  }
}

function equalOptionals(a: Value | undefined, b: Value | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalValues(a, b);
}

function equalLists(a: readonly Value[] | JsonList, b: readonly Value[] | JsonList): boolean {
  if ('items' in a && 'items' in b && a.items === b.items) return true;
  const left = elementsOf(a);
  const right = elementsOf(b);
  if (left.length !== right.length) return false;
  const listType = 'items' in a ? a.node.listType : undefined;
  if (listType === 'set') {
    spend(left.length * right.length);
    return right.every((value) => left.some((other) => equalValues(other, value)));
  }
  if (listType === 'map' && 'items' in a) return equalKeyed(a, right);
  return left.every((value, index) => equalValues(value, right[index] ?? null));
}

function equalKeyed(a: JsonList, right: readonly Value[]): boolean {
  const { listMapKeys, items } = a.node;
  if (items === undefined) return false;
  const keyOf = (item: unknown) => listMapKeys.map((name) => (isObject(item) ? item[name] : undefined));
  const byKey = new Map(a.items.map((item) => [JSON.stringify(keyOf(item)), item]));
  return right.every((value) => {
    const item = isMapValue(value) && 'object' in value ? byKey.get(JSON.stringify(keyOf(value.object))) : undefined;
    return item !== undefined && equalValues(readValue(item, items), value);
  });
}

function equalMaps(a: ReadonlyMap<Value, Value> | JsonMap, b: ReadonlyMap<Value, Value> | JsonMap): boolean {
  if ('object' in a && 'object' in b && a.object === b.object) return true;
  if (sizeOfMap(a) !== sizeOfMap(b)) return false;
  if ('object' in a) return Object.keys(a.object).every((key) => equalMember(a, b, key));
  return [...a].every(([key, value]) => {
    const other = findInMap(b, key);
    return other !== undefined && equalValues(value, other);
  });
}

/** A member that no schema describes counts as equal where the other side lacks it, as in the API server. */
function equalMember(a: JsonMap, b: ReadonlyMap<Value, Value> | JsonMap, key: string): boolean {
  if (findMember(a.node, key) !== undefined) {
    const value = findJson(a, key);
    const other = findInMap(b, key);
    return value === undefined || other === undefined ? value === other : equalValues(value, other);
  }
  if (!('object' in b)) throw noSuchOverload();
  return !Object.hasOwn(b.object, key) || equalJson(memberOf(a.object, key), memberOf(b.object, key));
}

function memberOf(object: JsonObject, key: string): unknown {
  return object[key];
}
