import fc from 'fast-check';
import { isObject, type JsonObject } from '../json.ts';

/** Values of `spec` that are mostly what a schema asks for, and here and there anything else. */
export function arbitrarySpec(schema: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const properties = isObject(schema.properties) ? schema.properties : {};
  return arbitraryOf(isObject(properties.spec) ? properties.spec : {}, 0);
}

function arbitraryOf(schema: JsonObject, depth: number): fc.Arbitrary<unknown> {
  const fitting = arbitraryFitting(schema, depth);
  return fc.oneof({ arbitrary: fitting, weight: 20 }, { arbitrary: ANYTHING, weight: 1 });
}

/** Numbers that JSON keeps as they are, and no `1.0`, which Go alone tells from 1. */
const NUMBERS = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(0.25, 1.5, -0.75, 1e7, 2 ** 31, -(2 ** 40)),
);
const TEXTS = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'ab',
    'abc',
    'abcd',
    'abcde',
    'é😀',
    'x',
    'A b',
    '10%',
    '1Gi',
    '5',
    'no "quotes"',
    'tab\there',
  ),
  fc.constantFrom(
    '10.0.0.0/8',
    '1.2.3.4',
    '::1',
    '2026-11-26T05:00:00Z',
    '1h',
    'YWJj',
    'https://a.example',
    'a.example',
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 6 }),
);
const ANYTHING = fc.oneof(
  NUMBERS,
  TEXTS,
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
  fc.array(fc.oneof(NUMBERS, TEXTS, fc.constant(null)), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'name', 'unknown', 'x/y'), fc.oneof(NUMBERS, TEXTS), { maxKeys: 2 }),
);

function arbitraryFitting(schema: JsonObject, depth: number): fc.Arbitrary<unknown> {
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum, 'other');
  if (schema['x-kubernetes-int-or-string'] === true) return fc.oneof(NUMBERS.map(Math.trunc), TEXTS);
  switch (schema.type) {
    case 'string':
      return TEXTS;
    case 'integer':
      return fc.integer({ min: -5, max: 15 });
    case 'number':
      return NUMBERS;
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const items = isObject(schema.items) ? arbitraryOf(schema.items, depth + 1) : ANYTHING;
      return fc.array(items, { maxLength: 4 });
    }
    case 'object':
      return arbitraryObject(schema, depth);
    default:
      return ANYTHING;
  }
}

function arbitraryObject(schema: JsonObject, depth: number): fc.Arbitrary<unknown> {
  const { properties, additionalProperties } = schema;
  const unknown = fc.dictionary(fc.constantFrom('unknown', 'other', 'a-b'), ANYTHING, { maxKeys: 1 });
  if (isObject(additionalProperties)) {
    return fc.dictionary(fc.constantFrom('a', 'b', 'x/a', 'bad', 'c.d'), arbitraryOf(additionalProperties, depth + 1), {
      maxKeys: 3,
    });
  }
  if (!isObject(properties)) return fc.oneof(unknown, ANYTHING);
  const names = Object.keys(properties);
  const members = fc.subarray(names, { maxLength: Math.min(names.length, 4) }).chain((chosen) => {
    const model = Object.fromEntries(chosen.map((name) => [name, arbitraryOf(objectOf(properties[name]), depth + 1)]));
    return fc.record(model);
  });
  const rarely = fc.oneof({ arbitrary: fc.constant({}), weight: 9 }, { arbitrary: unknown, weight: 1 });
  return fc.tuple(members, rarely).map(([stated, more]) => ({ ...stated, ...more }));
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
