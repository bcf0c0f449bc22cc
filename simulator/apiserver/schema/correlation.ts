import { equalJson, isObject, type JsonObject } from './json.ts';
import { findMember, type SchemaNode } from './node.ts';

/** Stands for the old value where there is none to compare with. */
export const UNCORRELATED: unique symbol = Symbol('uncorrelated');
export type Old = unknown | typeof UNCORRELATED;

/** The old value of a member of an object: it must have been there, and the schema must describe it. */
export function correlateMember(node: SchemaNode, old: Old, key: string): Old {
  if (!isObject(old) || !Object.hasOwn(old, key) || findMember(node, key) === undefined) return UNCORRELATED;
  return old[key];
}

/** Finds the old item of an item of a list. Only lists of type `map` correlate, by their keys. */
export function correlateItems(node: SchemaNode, old: Old): (item: unknown) => Old {
  if (!Array.isArray(old) || old.length === 0 || node.listType !== 'map' || node.listMapKeys.length === 0) return NONE;
  let byKey: Map<string, unknown> | undefined;
  return (item) => {
    byKey ??= indexItems(node, old);
    const key = isObject(item) ? renderKey(node, item) : undefined;
    return key === undefined || !byKey.has(key) ? UNCORRELATED : byKey.get(key);
  };
}

/**
 * Whether a value is unchanged as ratcheting sees it: items of keyed lists may have changed places, and an object with a member that the
 * schema does not describe never counts as unchanged.
 */
export function isUnchanged(node: SchemaNode | undefined, value: unknown, old: Old): boolean {
  if (old === UNCORRELATED) return false;
  if (Array.isArray(value)) return Array.isArray(old) && areItemsUnchanged(node, value, old);
  if (!isObject(value)) return value === old;
  if (!isObject(old)) return false;
  const keys = Object.keys(value);
  if (keys.length !== Object.keys(old).length) return false;
  return keys.every((key) => {
    const member = node === undefined ? undefined : findMember(node, key);
    return member !== undefined && Object.hasOwn(old, key) && isUnchanged(member, value[key], old[key]);
  });
}

function areItemsUnchanged(node: SchemaNode | undefined, items: readonly unknown[], old: readonly unknown[]): boolean {
  if (items.length !== old.length) return false;
  if (items.length === 0) return true;
  if (node?.listType !== 'map' || node.items === undefined) return equalJson(items, old);
  const find = correlateItems(node, old);
  return items.every((item) => isUnchanged(node.items, item, find(item)));
}

const NONE = () => UNCORRELATED;

function indexItems(node: SchemaNode, items: readonly unknown[]): Map<string, unknown> {
  const byKey = new Map<string, unknown>();
  for (const item of items) {
    const key = isObject(item) ? renderKey(node, item) : undefined;
    if (key !== undefined && !byKey.has(key)) byKey.set(key, item);
  }
  return byKey;
}

/** The keys of an item as one text; undefined where one is missing or is no scalar. */
function renderKey(node: SchemaNode, item: JsonObject): string | undefined {
  let text = '';
  for (const name of node.listMapKeys) {
    const value = Object.hasOwn(item, name) ? item[name] : undefined;
    if (typeof value === 'string') text += `s${value.length}:${value}`;
    else if (typeof value === 'number' || typeof value === 'boolean') text += `${typeof value}:${value};`;
    else return undefined;
  }
  return text;
}
