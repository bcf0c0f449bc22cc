import { sizeOfMap } from '../compare.ts';
import { EvaluationError } from '../errors.ts';
import { type Boxed, boxed, isListValue, isMapValue, NONE, type Value } from '../values.ts';
import { declare, type Overload } from './overload.ts';

type Optional = Extract<Boxed, { type: 'optional' }>;

/** Values that may be absent. `optMap` and `optFlatMap` are macros. */
export const OPTIONALS: readonly Overload[] = [
  declare('optional::of(A): optional(A)', (value: Value) => ({ type: 'optional', value })),
  declare('optional::ofNonZeroValue(A): optional(A)', (value: Value) =>
    isZero(value) ? NONE : { type: 'optional', value },
  ),
  declare('optional::none(): optional(A)', () => NONE),
  declare('optional(A).hasValue(): bool', ({ value }: Optional) => value !== undefined),
  declare('optional(A).value(): A', ({ value }: Optional) => {
    if (value === undefined) throw new EvaluationError('optional.none() dereference');
    return value;
  }),
  declare('optional(A).or(optional(A)): optional(A)', (a: Optional, b: Optional) => (a.value === undefined ? b : a)),
  declare('optional(A).orValue(A): A', ({ value }: Optional, other: Value) => (value === undefined ? other : value)),
];

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true;
  if (value instanceof Uint8Array) return value.length === 0;
  if (typeof value !== 'object') return false;
  if (isListValue(value)) return ('items' in value ? value.items.length : value.length) === 0;
  if (isMapValue(value)) return sizeOfMap(value) === 0;
  return boxed(value, 'uint')?.value === 0n || boxed(value, 'duration')?.nanos === 0n;
}
