import { compareValues, elementsOf, equalValues } from '../compare.ts';
import { EvaluationError, spend } from '../errors.ts';
import type { JsonList } from '../json.ts';
import { boxed, isListValue, type Value } from '../values.ts';
import { declare, type Overload } from './overload.ts';
import { checkInt, checkUint } from './standard.ts';

type List = readonly Value[] | JsonList;

const ORDERED = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];
const SUMMED = ['int', 'uint', 'double', 'duration'];
const ZEROS: Readonly<Record<string, Value>> = {
  int: 0n,
  uint: { type: 'uint', value: 0n },
  double: 0,
  duration: { type: 'duration', nanos: 0n },
};

/** Kubernetes' functions of lists, CEL's extension of lists, and its sets. */
export const LISTS: readonly Overload[] = [
  ...ORDERED.flatMap((type) => [
    declare(`list(${type}).isSorted(): bool`, (list: List) => isSorted(elementsOf(list))),
    declare(`list(${type}).min(): ${type}`, (list: List) => pick(elementsOf(list), 'min', -1)),
    declare(`list(${type}).max(): ${type}`, (list: List) => pick(elementsOf(list), 'max', 1)),
    declare(`list(${type}).sort(): list(${type})`, (list: List) => [...elementsOf(list)].sort(compareValues)),
  ]),
  ...SUMMED.map((type) =>
    declare(`list(${type}).sum(): ${type}`, (list: List) => elementsOf(list).reduce(add, ZEROS[type] ?? 0n)),
  ),
  declare('list(A).indexOf(A): int', (list: List, value: Value) =>
    BigInt(elementsOf(list).findIndex((item) => equalValues(item, value))),
  ),
  declare('list(A).lastIndexOf(A): int', (list: List, value: Value) =>
    BigInt(elementsOf(list).findLastIndex((item) => equalValues(item, value))),
  ),
  declare('list(A).slice(int, int): list(A)', slice),
  declare('list(A).reverse(): list(A)', (list: List) => [...elementsOf(list)].reverse()),
  declare('list(A).distinct(): list(A)', (list: List) => distinct(elementsOf(list))),
  declare('list(list(A)).flatten(): list(A)', (list: List) => flatten(list, 1n)),
  declare('list(dyn).flatten(int): list(dyn)', flatten),
  declare('lists::range(int): list(int)', (size: bigint) => range(size)),
  declare('sets::contains(list(A), list(A)): bool', contains),
  declare('sets::equivalent(list(A), list(A)): bool', (a: List, b: List) => contains(a, b) && contains(b, a)),
  declare('sets::intersects(list(A), list(A)): bool', (a: List, b: List) => {
    const right = elementsOf(b);
    spend(right.length * sizeOfList(a));
    return elementsOf(a).some((value) => right.some((other) => equalValues(value, other)));
  }),
];

function sizeOfList(list: List): number {
  return 'items' in list ? list.items.length : list.length;
}

function isSorted(values: readonly Value[]): boolean {
  return values.every((value, index) => index === 0 || compareValues(values[index - 1] ?? null, value) <= 0);
}

function pick(values: readonly Value[], name: string, direction: number): Value {
  const [first, ...rest] = values;
  if (first === undefined) throw new EvaluationError(`${name} called on empty list`);
  return rest.reduce((best, value) => (compareValues(value, best) * direction > 0 ? value : best), first);
}

/** `+` of numbers and durations. */
export function add(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return checkInt(a + b);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const left = boxed(a, 'uint');
  const right = boxed(b, 'uint');
  if (left !== undefined && right !== undefined) return checkUint(left.value + right.value);
  const span = (boxed(a, 'duration')?.nanos ?? 0n) + (boxed(b, 'duration')?.nanos ?? 0n);
  return { type: 'duration', nanos: span };
}

function slice(list: List, from: bigint, to: bigint): readonly Value[] {
  const values = elementsOf(list);
  if (from < 0n || to < 0n) {
    throw new EvaluationError(`cannot slice(${from}, ${to}), negative indexes not supported`);
  }
  if (from > to)
    throw new EvaluationError(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`);
  if (to > BigInt(values.length))
    throw new EvaluationError(`cannot slice(${from}, ${to}), list is length ${values.length}`);
  return values.slice(Number(from), Number(to));
}

function distinct(values: readonly Value[]): readonly Value[] {
  spend(values.length ** 2);
  const kept: Value[] = [];
  for (const value of values) if (!kept.some((other) => equalValues(other, value))) kept.push(value);
  return kept;
}

function flatten(list: List, depth: bigint): readonly Value[] {
  if (depth < 0n) throw new EvaluationError('level must be non-negative');
  return elementsOf(list).flatMap((value) => (depth > 0n && isListValue(value) ? flatten(value, depth - 1n) : [value]));
}

function range(size: bigint): readonly Value[] {
  spend(Number(size));
  return Array.from({ length: Math.max(0, Number(size)) }, (_, index) => BigInt(index));
}

function contains(list: List, part: List): boolean {
  const values = elementsOf(list);
  spend(values.length * sizeOfList(part));
  return elementsOf(part).every((value) => values.some((other) => equalValues(other, value)));
}
