import { compareText, renderJson, renderNumber, renderQuoted } from '../schema/gotext.ts';
import { isObject } from '../schema/json.ts';

/**
 * One step of a path into an object, in the one form that `fieldsV1` has for it, so that equal steps are equal texts: `f:name` a field, `k:{"key":"a"}` an item
 * of a list by its keys (sorted), `v:"a"` an item of a set by its value, `i:0` an item by its index.
 */
export type PathElement = string;

/** A key of a list's items and its value. */
export type Key = readonly [name: string, value: unknown];

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${renderCompact(value)}`;
}

/** Keys must be sorted by name. */
export function keyElement(keys: readonly Key[]): PathElement {
  let text = '';
  for (const [name, value] of keys) text += `${text === '' ? '' : ','}${renderCompact(name)}:${renderCompact(value)}`;
  return `k:{${text}}`;
}

/**
 * Brings an element as somebody wrote it into its one form; undefined when its kind is unknown, which is ignored. Throws a SyntaxError on what is none.
 */
export function parseElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new SyntaxError('key must be 2 characters long:');
  if (text[1] !== ':') throw new SyntaxError(`missing colon: ${text}`);
  switch (text[0]) {
    case 'f':
      return text;
    case 'v':
      return valueElement(JSON.parse(text.slice(2)));
    case 'k': {
      const keys: unknown = JSON.parse(text.slice(2));
      if (!isObject(keys)) throw new SyntaxError(`expect { or n: ${text}`);
      return keyElement(Object.entries(keys).sort(([a], [b]) => compareText(a, b)));
    }
    case 'i':
      if (!/^i:[+-]?[0-9]+$/.test(text)) throw new SyntaxError(`invalid index: ${text}`);
      return `i:${Number(text.slice(2))}`;
    default:
      return undefined;
  }
}

/** The element as error messages show it. */
export function renderElement(element: PathElement): string {
  switch (element[0]) {
    case 'f':
      return `.${element.slice(2)}`;
    case 'k':
      return `[${keysOf(element)
        .map(([name, value]) => `${name}=${renderValue(value)}`)
        .join(',')}]`;
    case 'v':
      return `[=${renderValue(JSON.parse(element.slice(2)))}]`;
    default:
      return `[${element.slice(2)}]`;
  }
}

export function renderPath(path: readonly PathElement[]): string {
  return path.map(renderElement).join('');
}

const KINDS = 'fkvi';

/** The order of elements in `fieldsV1` and in messages: fields, keyed items, values, indices. */
export function compareElements(a: PathElement, b: PathElement): number {
  const kind = a[0] ?? '';
  if (kind !== b[0]) return KINDS.indexOf(kind) - KINDS.indexOf(b[0] ?? '');
  switch (kind) {
    case 'k':
      return compareKeys(keysOf(a), keysOf(b));
    case 'v':
      return compareValues(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)));
    case 'i':
      return Number(a.slice(2)) - Number(b.slice(2));
    default:
      return compareText(a, b);
  }
}

function keysOf(element: PathElement): readonly Key[] {
  return Object.entries(JSON.parse(element.slice(2)) as object).sort(([a], [b]) => compareText(a, b));
}

function compareKeys(a: readonly Key[], b: readonly Key[]): number {
  for (const [index, [name, value]] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareText(name, other[0]) || compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** A total order: numbers, texts, booleans, lists, objects, null. */
function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a);
  if (rank !== rankOf(b)) return rank - rankOf(b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return compareText(renderCompact(a), renderCompact(b));
}

function rankOf(value: unknown): number {
  if (value === null) return 5;
  if (Array.isArray(value)) return 3;
  return { number: 0, string: 1, boolean: 2 }[typeof value as string] ?? 4;
}

/** A value as messages show it in a path. */
function renderValue(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return renderQuoted(value);
  if (typeof value === 'number') return renderNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(renderValue).join(',')}]`;
  return Object.entries(value as object)
    .map(([key, member]) => `${key}=${renderValue(member)}`)
    .join('');
}

const PLAIN = /^[\w ./:-]*$/;
const SHORT_ESCAPES = /\\[bf]/g;

/** JSON as the API server writes it into elements. */
function renderCompact(value: unknown): string {
  if (typeof value === 'string') {
    if (PLAIN.test(value)) return `"${value}"`;
    if (!value.includes('\b') && !value.includes('\f')) return renderJson(value);
    return renderJson(value).replace(SHORT_ESCAPES, (found) => (found === '\\b' ? '\\u0008' : '\\u000c'));
  }
  return typeof value === 'object' && value !== null ? renderJson(value) : String(value);
}
