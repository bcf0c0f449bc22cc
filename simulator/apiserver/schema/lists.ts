import { childPath, duplicate, type FieldError, indexPath, invalid, keyPath } from './fielderror.ts';
import { renderJson } from './gotext.ts';
import { isObject, type JsonObject } from './json.ts';
import type { SchemaNode } from './node.ts';

export type ListValidator = (object: JsonObject) => readonly FieldError[];

/** Checks that lists of type `set` hold each value once and lists of type `map` each key once. */
export function compileListValidator(node: SchemaNode): ListValidator {
  const check = compileMembers(node);
  return (object) => {
    const errors: FieldError[] = [];
    check?.(object, '', errors);
    return errors;
  };
}

type Check = (value: unknown, path: string, errors: FieldError[]) => void;

/** Undefined where nothing below has such a list. */
function compileValue(node: SchemaNode): Check | undefined {
  const checkItems = compileItems(node);
  const checkMembers = compileMembers(node);
  if (checkItems === undefined && checkMembers === undefined) return undefined;
  return (value, path, errors) => {
    if (Array.isArray(value)) checkItems?.(value, path, errors);
    else checkMembers?.(value, path, errors);
  };
}

function compileMembers(node: SchemaNode): Check | undefined {
  const { additionalProperties } = node;
  const other = typeof additionalProperties === 'object' ? compileValue(additionalProperties) : undefined;
  const properties = new Map<string, Check>();
  for (const [name, member] of node.properties ?? []) {
    const check = compileValue(member);
    if (check !== undefined) properties.set(name, check);
  }
  if (other === undefined && properties.size === 0) return undefined;
  return (value, path, errors) => {
    if (!isObject(value)) return;
    if (other !== undefined) for (const key of Object.keys(value)) other(value[key], keyPath(path, key), errors);
    for (const [name, check] of properties) {
      if (Object.hasOwn(value, name)) check(value[name], childPath(path, name), errors);
    }
  };
}

function compileItems(node: SchemaNode) {
  const check = node.items === undefined ? undefined : compileValue(node.items);
  const { listType, listMapKeys } = node;
  const isKeyed = listType === 'set' || listType === 'map';
  if (check === undefined && !isKeyed) return undefined;
  return (items: readonly unknown[], path: string, errors: FieldError[]) => {
    if (listType === 'set') pushDuplicates(items, (index) => items[index], path, errors);
    else if (listType === 'map') checkKeys(items, listMapKeys, path, errors);
    if (check === undefined) return;
    for (const [index, item] of items.entries()) check(item, indexPath(path, index), errors);
  };
}

function checkKeys(items: readonly unknown[], names: readonly string[], path: string, errors: FieldError[]): void {
  const wrong = items.findIndex((item) => item !== null && !isObject(item));
  if (wrong !== -1) {
    errors.push(invalid(indexPath(path, wrong), items[wrong], 'must be an object for an array of list-type map'));
    return;
  }
  if (items.length <= 1) return;
  const [name] = names;
  if (names.length === 1 && name !== undefined) {
    const values = items.map((item) => (isObject(item) && Object.hasOwn(item, name) ? item[name] : UNSPECIFIED));
    const render = (index: number) => (values[index] === UNSPECIFIED ? {} : { [name]: values[index] });
    pushDuplicates(values, render, path, errors);
    return;
  }
  const keys = items.map((item) => {
    const entries = names.flatMap((key) => (isObject(item) && Object.hasOwn(item, key) ? [[key, item[key]]] : []));
    return Object.fromEntries(entries) as JsonObject;
  });
  pushDuplicates(keys, (index) => keys[index], path, errors);
}

const UNSPECIFIED = Symbol('unspecified');

/** Reports the second appearance of a value, and not those after it. */
function pushDuplicates(
  values: readonly unknown[],
  render: (index: number) => unknown,
  path: string,
  errors: FieldError[],
): void {
  if (values.length <= 1) return;
  const times = new Map<unknown, number>();
  for (const [index, value] of values.entries()) {
    const key = typeof value === 'object' && value !== null ? `\u0000${renderJson(value)}` : value;
    const seen = times.get(key) ?? 0;
    times.set(key, seen + 1);
    if (seen === 1) errors.push(duplicate(indexPath(path, index), render(index)));
  }
}
