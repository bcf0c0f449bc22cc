import fc from 'fast-check';
import { z } from 'zod';
import { isRecord, type PathSegment, unwrap } from '../rules/walk.ts';

/** One change of one place in a resource. `apply` gives the changed copy. */
export type Mutation = { readonly name: string; readonly apply: Change };

type Change = (value: unknown) => unknown;

/** Stands for a member that is taken away. */
const ABSENT = Symbol('absent');

const CHANGES: Readonly<Record<string, Change>> = {
  absent: () => ABSENT,
  null: () => null,
  empty: (value) => (typeof value === 'string' ? '' : Array.isArray(value) ? [] : {}),
  'wrong type': (value) => (typeof value === 'string' ? 5 : 'text'),
  boolean: () => true,
  'upper case': (value) => (typeof value === 'string' ? value.toUpperCase() : value),
  exponent: () => '1e3',
  negative: (value) => (typeof value === 'number' ? -1 : '-1'),
  nano: () => '0.1n',
  fraction: (value) => (typeof value === 'number' ? value + 0.5 : '1.5'),
  large: (value) => (typeof value === 'number' ? 2 ** 40 : value),
  'trailing newline': (value) => (typeof value === 'string' ? `${value}\n` : value),
  long: (value) => (typeof value === 'string' ? value.repeat(300).slice(0, 3000) : value),
  twice: (value) => (Array.isArray(value) ? [...value, ...value] : value),
  'unknown member': (value) => (isRecord(value) ? { ...value, surprise: 1 } : value),
  'hyphens at the end': (value) => (typeof value === 'string' ? `${value}--` : value),
  network: () => '10.1.2.3/8',
  'other text': () => 'b',
};

/** Every path that the schema has, lists by their first item. */
export function listPaths(
  schema: z.core.$ZodType,
  path: readonly PathSegment[] = [],
): readonly (readonly PathSegment[])[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    const members = Object.entries<z.core.$ZodType>(inner.shape);
    return [path, ...members.flatMap(([name, member]) => listPaths(member, [...path, name]))];
  }
  if (inner instanceof z.ZodArray) return [path, ...listPaths(inner.element, [...path, 0])];
  return [path];
}

/** A change of one place, of any sort. */
export function arbitraryMutation(path: readonly PathSegment[]): fc.Arbitrary<Mutation> {
  return fc
    .constantFrom(...Object.entries(CHANGES))
    .map(([name, change]) => ({ name, apply: (value) => changeAt(value, path, change) }));
}

function changeAt(value: unknown, path: readonly PathSegment[], change: Change): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return change(value);
  if (typeof head === 'number') {
    const list: readonly unknown[] = Array.isArray(value) ? value : [undefined];
    return list
      .map((item, index) => (index === head ? changeAt(item, rest, change) : item))
      .filter((item) => item !== undefined && item !== ABSENT);
  }
  const record: Readonly<Record<string, unknown>> = isRecord(value) ? value : {};
  const changed = changeAt(record[head], rest, change);
  const others = Object.entries(record).filter(([name]) => name !== head);
  return Object.fromEntries(changed === ABSENT || changed === undefined ? others : [...others, [head, changed]]);
}
