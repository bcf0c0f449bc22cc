import { compareValues, elementsOf, equalValues, findInMap } from '../compare.ts';
import { EvaluationError, noSuchOverload } from '../errors.ts';
import type { JsonList, JsonMap } from '../json.ts';
import type { Boxed, Value } from '../values.ts';
import { mergeLists } from './merge.ts';
import { declare, type Overload } from './overload.ts';
import { checkInt, checkUint } from './standard.ts';

type Uint = Extract<Boxed, { type: 'uint' }>;
type Span = { readonly nanos: bigint };
type List = readonly Value[] | JsonList;
type MapOf = ReadonlyMap<Value, Value> | JsonMap;

const span = (nanos: bigint): Value => ({ type: 'duration', nanos });
const instant = (nanos: bigint): Value => ({ type: 'timestamp', nanos });

/** Operators by the names that cel-go has for them. */
const OPERATORS: Readonly<Record<string, readonly Overload[]>> = {
  '_+_': [
    declare('op(int, int): int', (a: bigint, b: bigint) => checkInt(a + b)),
    declare('op(uint, uint): uint', (a: Uint, b: Uint) => checkUint(a.value + b.value)),
    declare('op(double, double): double', (a: number, b: number) => a + b),
    declare('op(string, string): string', (a: string, b: string) => a + b),
    declare('op(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array) => new Uint8Array(Buffer.concat([a, b]))),
    declare('op(list(A), list(A)): list(A)', mergeLists),
    declare('op(duration, duration): duration', (a: Span, b: Span) => span(a.nanos + b.nanos)),
    declare('op(timestamp, duration): timestamp', (a: Span, b: Span) => instant(a.nanos + b.nanos)),
    declare('op(duration, timestamp): timestamp', (a: Span, b: Span) => instant(a.nanos + b.nanos)),
  ],
  '_-_': [
    declare('op(int, int): int', (a: bigint, b: bigint) => checkInt(a - b)),
    declare('op(uint, uint): uint', (a: Uint, b: Uint) => checkUint(a.value - b.value)),
    declare('op(double, double): double', (a: number, b: number) => a - b),
    declare('op(duration, duration): duration', (a: Span, b: Span) => span(a.nanos - b.nanos)),
    declare('op(timestamp, duration): timestamp', (a: Span, b: Span) => instant(a.nanos - b.nanos)),
    declare('op(timestamp, timestamp): duration', (a: Span, b: Span) => span(a.nanos - b.nanos)),
  ],
  '_*_': [
    declare('op(int, int): int', (a: bigint, b: bigint) => checkInt(a * b)),
    declare('op(uint, uint): uint', (a: Uint, b: Uint) => checkUint(a.value * b.value)),
    declare('op(double, double): double', (a: number, b: number) => a * b),
  ],
  '_/_': [
    declare('op(int, int): int', (a: bigint, b: bigint) => checkInt(a / nonZero(b, 'division by zero'))),
    declare('op(uint, uint): uint', (a: Uint, b: Uint) => checkUint(a.value / nonZero(b.value, 'division by zero'))),
    declare('op(double, double): double', (a: number, b: number) => a / b),
  ],
  '_%_': [
    declare('op(int, int): int', (a: bigint, b: bigint) => a % nonZero(b, 'modulus by zero')),
    declare('op(uint, uint): uint', (a: Uint, b: Uint) => checkUint(a.value % nonZero(b.value, 'modulus by zero'))),
  ],
  '-_': [
    declare('op(int): int', (a: bigint) => checkInt(-a)),
    declare('op(double): double', (a: number) => -a),
    declare('op(duration): duration', (a: Span) => span(-a.nanos)),
  ],
  '!_': [declare('op(bool): bool', (a: boolean) => !a)],
  '_==_': [declare('op(A, A): bool', equalValues)],
  '_!=_': [declare('op(A, A): bool', (a: Value, b: Value) => !equalValues(a, b))],
  '_<_': orders((order) => order < 0),
  '_<=_': orders((order) => order <= 0),
  '_>_': orders((order) => order > 0),
  '_>=_': orders((order) => order >= 0),
  '@in': [
    declare('op(A, list(A)): bool', (value: Value, list: List) =>
      elementsOf(list).some((item) => equalValues(item, value)),
    ),
    declare('op(A, map(A, B)): bool', (key: Value, map: MapOf) => findInMap(map, key) !== undefined),
  ],
};

export const OPERATOR_OVERLOADS: readonly Overload[] = Object.entries(OPERATORS).flatMap(([name, overloads]) =>
  overloads.map((overload) => ({ ...overload, name })),
);

function orders(holds: (order: number) => boolean): readonly Overload[] {
  const numbers = ['int', 'uint', 'double'];
  const pairs = [
    ...['bool', 'string', 'bytes', 'timestamp', 'duration'].map((type) => [type, type] as const),
    ...numbers.flatMap((a) => numbers.map((b) => [a, b] as const)),
  ];
  return pairs.map(([a, b]) =>
    declare(`op(${a}, ${b}): bool`, (left: Value, right: Value) => holds(compareValues(left, right))),
  );
}

function nonZero(value: bigint, problem: string): bigint {
  if (value === 0n) throw new EvaluationError(problem);
  return value;
}

/** What a condition must be. */
export function asBool(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw noSuchOverload();
}
