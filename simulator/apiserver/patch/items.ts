import { renderQuoted } from '../schema/gotext.ts';
import { getOwn, isObject } from '../schema/json.ts';
import { type Key, keyElement, type PathElement, valueElement } from './pathelement.ts';
import type { ListType } from './typenode.ts';

/** Why an item of a list that is no one thing cannot be told from the others. */
export type NoElement = { readonly why: string };

/** The element by which an item of a set or of a list with keys is told from the others. */
export function elementOfItem(list: ListType, item: unknown): PathElement | NoElement {
  return list.keys.length > 0 ? elementByKeys(list, item) : elementByValue(item);
}

function elementByKeys(list: ListType, item: unknown): PathElement | NoElement {
  if (item === null) return { why: 'associative list with keys may not have a null element' };
  if (!isObject(item)) return { why: 'associative list with keys may not have non-map elements' };
  const keys: Key[] = [];
  for (const name of list.sortedKeys) {
    const stated = getOwn(item, name);
    const value = stated === undefined ? list.element.map?.fields.get(name)?.default : stated;
    if (value !== undefined) keys.push([name, value]);
  }
  if (keys.length > 0) return keyElement(keys);
  const names = list.keys.map(renderQuoted).join(' ');
  return {
    why: `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  };
}

function elementByValue(item: unknown): PathElement | NoElement {
  if (item === null) return { why: "associative list without keys has an element that's an explicit null" };
  if (Array.isArray(item)) return { why: 'not supported: associative list with lists as elements' };
  if (isObject(item)) return { why: "associative list without keys has an element that's a map type" };
  return valueElement(item);
}
