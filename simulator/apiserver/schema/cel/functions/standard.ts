import { countRunes } from '../../value/scalars.ts';
import { sizeOfMap } from '../compare.ts';
import { EvaluationError } from '../errors.ts';
import type { JsonList, JsonMap } from '../json.ts';
import { type Boxed, renderDouble, typeNameOf, type Value } from '../values.ts';
import { declare, type Overload } from './overload.ts';
import { matchesPattern } from './patterns.ts';

type List = readonly Value[] | JsonList;
type MapOf = ReadonlyMap<Value, Value> | JsonMap;
type Uint = Extract<Boxed, { type: 'uint' }>;

const MIN_INT = -(1n << 63n);
const MAX_INT = (1n << 63n) - 1n;
const MAX_UINT = (1n << 64n) - 1n;

/** An int, or the error that it does not fit. */
export function checkInt(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new EvaluationError('integer overflow');
  return value;
}

export function checkUint(value: bigint): Uint {
  if (value < 0n || value > MAX_UINT) throw new EvaluationError('unsigned integer overflow');
  return { type: 'uint', value };
}

const sizeOfList = (list: List) => BigInt('items' in list ? list.items.length : list.length);

/** CEL's own functions. */
export const STANDARD: readonly Overload[] = [
  ...sizes(),
  declare('string.contains(string): bool', (text: string, part: string) => text.includes(part)),
  declare('string.startsWith(string): bool', (text: string, part: string) => text.startsWith(part)),
  declare('string.endsWith(string): bool', (text: string, part: string) => text.endsWith(part)),
  declare('string.matches(string): bool', matchesPattern),
  declare('matches(string, string): bool', matchesPattern),
  declare('dyn(A): dyn', (value: Value) => value),
  declare('type(A): type', (value: Value) => ({ type: 'type', name: typeNameOf(value) })),
  declare('bool(bool): bool', (value: boolean) => value),
  declare('bool(string): bool', parseBool),
  declare('bytes(bytes): bytes', (value: Uint8Array) => value),
  declare('bytes(string): bytes', (text: string) => new Uint8Array(Buffer.from(text))),
  declare('double(double): double', (value: number) => value),
  declare('double(int): double', (value: bigint) => Number(value)),
  declare('double(uint): double', ({ value }: Uint) => Number(value)),
  declare('double(string): double', parseDouble),
  declare('int(int): int', (value: bigint) => value),
  declare('int(uint): int', ({ value }: Uint) => checkInt(value)),
  declare('int(double): int', truncate),
  declare('int(string): int', parseInteger),
  declare('int(timestamp): int', ({ nanos }: { nanos: bigint }) => floorSeconds(nanos)),
  declare('uint(uint): uint', (value: Uint) => value),
  declare('uint(int): uint', (value: bigint) => checkUint(value)),
  declare('uint(double): uint', (value: number) => checkUint(BigInt(Math.trunc(finite(value))))),
  declare('uint(string): uint', parseUint),
  declare('string(string): string', (text: string) => text),
  declare('string(bool): string', (value: boolean) => String(value)),
  declare('string(int): string', (value: bigint) => String(value)),
  declare('string(uint): string', ({ value }: Uint) => String(value)),
  declare('string(double): string', (value: number) => renderDouble(value)),
  declare('string(bytes): string', decodeUtf8),
];

function sizes(): readonly Overload[] {
  const of = {
    string: (text: string) => BigInt(countRunes(text)),
    bytes: (bytes: Uint8Array) => BigInt(bytes.length),
    'list(A)': sizeOfList,
    'map(A, B)': (map: MapOf) => BigInt(sizeOfMap(map)),
  };
  return Object.entries(of).flatMap(([type, call]) => [
    declare(`size(${type}): int`, call as (value: never) => bigint),
    declare(`${type}.size(): int`, call as (value: never) => bigint),
  ]);
}

function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw conversionError('bool');
}

function parseDouble(text: string): number {
  const named = /^[+-]?(?:inf|infinity)$/i.test(text);
  if (named) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return Number(text);
  throw conversionError('double');
}

function parseInteger(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw conversionError('int');
  const value = text.length > 25 ? MAX_INT + 1n : BigInt(text.replace(/^\+/, ''));
  if (value >= MIN_INT && value <= MAX_INT) return value;
  throw conversionError('int');
}

function parseUint(text: string): Uint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) > MAX_UINT) throw conversionError('uint');
  return { type: 'uint', value: BigInt(text) };
}

function conversionError(type: string): EvaluationError {
  return new EvaluationError(`type conversion error from 'string' to '${type}'`);
}

function truncate(value: number): bigint {
  return checkInt(BigInt(Math.trunc(finite(value))));
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new EvaluationError('integer overflow');
  return value;
}

export function floorSeconds(nanos: bigint): bigint {
  const seconds = nanos / 1_000_000_000n;
  return nanos < 0n && nanos % 1_000_000_000n !== 0n ? seconds - 1n : seconds;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new EvaluationError('invalid UTF-8 in bytes, cannot convert to string');
  }
}
