import { renderQuoted } from '../../gotext.ts';
import { elementsOf } from '../compare.ts';
import { EvaluationError } from '../errors.ts';
import type { JsonList } from '../json.ts';
import type { Value } from '../values.ts';
import { formatText } from './format.ts';
import { declare, type Overload } from './overload.ts';

type List = readonly Value[] | JsonList;

/** The extension of strings, version 2. Positions count characters, not UTF-16 units. */
export const STRINGS: readonly Overload[] = [
  declare('string.charAt(int): string', charAt),
  declare('string.indexOf(string): int', (text: string, part: string) => indexOf(text, part, 0n)),
  declare('string.indexOf(string, int): int', indexOf),
  declare('string.lastIndexOf(string): int', (text: string, part: string) => lastIndexOf(text, part, undefined)),
  declare('string.lastIndexOf(string, int): int', lastIndexOf),
  declare('list(string).join(): string', (list: List) => join(list, '')),
  declare('list(string).join(string): string', join),
  declare('string.lowerAscii(): string', (text: string) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase())),
  declare('string.upperAscii(): string', (text: string) => text.replace(/[a-z]+/g, (part) => part.toUpperCase())),
  declare('string.replace(string, string): string', (text: string, from: string, to: string) =>
    replace(text, from, to, -1n),
  ),
  declare('string.replace(string, string, int): string', replace),
  declare('string.split(string): list(string)', (text: string, by: string) => split(text, by, -1n)),
  declare('string.split(string, int): list(string)', split),
  declare('string.substring(int): string', (text: string, from: bigint) => substring(text, from, undefined)),
  declare('string.substring(int, int): string', substring),
  declare('string.trim(): string', (text: string) => text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, '')),
  declare('string.format(list(dyn)): string', (text: string, args: List) => formatText(text, elementsOf(args))),
  declare('strings::quote(string): string', renderQuoted),
];

function charAt(text: string, index: bigint): string {
  const runes = [...text];
  if (index < 0n || index > BigInt(runes.length)) throw new EvaluationError(`index out of range: ${index}`);
  return runes[Number(index)] ?? '';
}

/** -1 where the text does not go that far. */
function indexOf(text: string, part: string, from: bigint): bigint {
  const runes = [...text];
  if (part === '') return from;
  if (from < 0n) throw new EvaluationError(`index out of range: ${from}`);
  if (from >= BigInt(runes.length)) return -1n;
  const head = runes.slice(0, Number(from)).join('');
  return countBefore(text, text.indexOf(part, head.length));
}

function lastIndexOf(text: string, part: string, from: bigint | undefined): bigint {
  const runes = [...text];
  if (part === '') return from ?? BigInt(runes.length);
  if (from !== undefined && from < 0n) throw new EvaluationError(`index out of range: ${from}`);
  if (from !== undefined && from >= BigInt(runes.length)) return -1n;
  const head = from === undefined ? text : runes.slice(0, Number(from)).join('');
  return countBefore(text, text.lastIndexOf(part, head.length));
}

function countBefore(text: string, at: number): bigint {
  return at === -1 ? -1n : BigInt([...text.slice(0, at)].length);
}

function join(list: List, separator: string): string {
  return elementsOf(list).map(String).join(separator);
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  if (limit < 0n) return text.replaceAll(from, () => to);
  let left = Number(limit);
  return text.replaceAll(from, (found) => {
    left -= 1;
    return left >= 0 ? to : found;
  });
}

function split(text: string, by: string, limit: bigint): readonly string[] {
  if (limit === 0n) return [];
  const parts = by === '' ? [...text] : text.split(by);
  if (limit < 0n || parts.length <= Number(limit)) return parts;
  const kept = parts.slice(0, Number(limit) - 1);
  return [...kept, parts.slice(kept.length).join(by)];
}

function substring(text: string, from: bigint, to: bigint | undefined): string {
  const runes = [...text];
  const end = to ?? BigInt(runes.length);
  const size = BigInt(runes.length);
  if (to !== undefined && from > to) {
    throw new EvaluationError(`invalid substring range. start: ${from}, end: ${to}`);
  }
  for (const index of [from, end]) {
    if (index < 0n || index > size) throw new EvaluationError(`index out of range: ${index}`);
  }
  return runes.slice(Number(from), Number(end)).join('');
}
