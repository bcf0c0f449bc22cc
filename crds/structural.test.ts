import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { convertStructural } from './structural.ts';
import { immutable, keyedList, pattern, setOf, withRules } from './v1alpha1/schema.ts';

const name = z.string().max(5);

describe('convertStructural', () => {
  it('writes bounds, defaults, lists and rules', () => {
    const rule = {
      rule: "self != 'a'",
      message: 'must not be a',
      path: ['b'],
      check: (value: string) => value !== 'a',
    };
    const schema = z.strictObject({
      id: immutable(name.describe('Identity.'), 'never changes'),
      count: z.int().min(1).max(3).default(2),
      tags: setOf(withRules(name, [rule]), 4)
        .min(1)
        .optional(),
      items: keyedList(z.strictObject({ key: name, on: z.boolean().optional() }), ['key'], 8).optional(),
      amount: z.union([z.int().min(0).max(9), z.string().max(4)]).optional(),
      state: z.enum(['A', 'B']).optional(),
      more: z.strictObject({ text: pattern(/^[a-z]+$/, 3, 'letters').default('x') }).prefault({}),
    });
    expect(convertStructural(schema, 'spec')).toEqual({
      type: 'object',
      required: ['id'],
      properties: {
        id: {
          type: 'string',
          maxLength: 5,
          description: 'Identity.',
          'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'never changes' }],
        },
        count: { type: 'integer', format: 'int64', minimum: 1, maximum: 3, default: 2 },
        tags: {
          type: 'array',
          minItems: 1,
          maxItems: 4,
          'x-kubernetes-list-type': 'set',
          items: {
            type: 'string',
            maxLength: 5,
            'x-kubernetes-validations': [{ rule: "self != 'a'", message: 'must not be a', fieldPath: '.b' }],
          },
        },
        items: {
          type: 'array',
          maxItems: 8,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['key'],
          items: {
            type: 'object',
            required: ['key'],
            properties: { key: { type: 'string', maxLength: 5 }, on: { type: 'boolean' } },
          },
        },
        amount: {
          anyOf: [{ type: 'integer' }, { type: 'string' }],
          'x-kubernetes-int-or-string': true,
          minimum: 0,
          maximum: 9,
          maxLength: 4,
        },
        state: { type: 'string', enum: ['A', 'B'] },
        more: {
          type: 'object',
          default: {},
          properties: {
            text: {
              type: 'string',
              default: 'x',
              maxLength: 3,
              'x-kubernetes-validations': [{ rule: "self.matches(r'^[a-z]+$')", message: 'must be letters' }],
            },
          },
        },
      },
    });
  });

  const refused: readonly (readonly [string, z.ZodType, string])[] = [
    ['a transform', z.strictObject({ a: name.transform(Number) }), "spec.a: a CRD cannot hold zod's pipe"],
    ['a date', z.strictObject({ a: z.date() }), "spec.a: a CRD cannot hold zod's date"],
    ['a bigint', z.strictObject({ a: z.bigint() }), "spec.a: a CRD cannot hold zod's bigint"],
    ['anything', z.strictObject({ a: z.unknown() }), "spec.a: a CRD cannot hold zod's unknown"],
    ['a map', z.strictObject({ a: z.record(name, name) }), "spec.a: a CRD cannot hold zod's record"],
    ['a tuple', z.strictObject({ a: z.tuple([name]) }), "spec.a: a CRD cannot hold zod's tuple"],
    ['null', z.strictObject({ a: name.nullable() }), "spec.a: a CRD cannot hold zod's nullable"],
    [
      'an intersection',
      z.strictObject({ a: z.intersection(name, name) }),
      "spec.a: a CRD cannot hold zod's intersection",
    ],
    [
      'a type deep in lists',
      z.strictObject({ a: setOf(name, 3), b: keyedList(z.strictObject({ c: z.unknown() }), ['c'], 3) }),
      "spec.b[].c: a CRD cannot hold zod's unknown",
    ],
    [
      'a union of objects',
      z.strictObject({ a: z.union([z.strictObject({}), z.strictObject({ b: name })]) }),
      'spec.a: a CRD cannot hold a union other than of an integer and a string, in this order',
    ],
    [
      'an open object',
      z.strictObject({ a: z.object({}) }),
      'spec.a: must be a strict object, so that unknown members are refused',
    ],
    ['a text without a bound', z.strictObject({ a: z.string() }), 'spec.a: needs maxLength'],
    ['a number without bounds', z.strictObject({ a: z.int() }), 'spec.a: needs minimum'],
    ['a number with one bound', z.strictObject({ a: z.int().min(0) }), 'spec.a: needs maximum'],
    [
      'a fraction',
      z.strictObject({ a: z.number().min(0).max(1) }),
      'spec.a: a CRD of ours cannot hold type "number"; use integers or decimal strings',
    ],
    ['a list without a bound', z.strictObject({ a: z.array(name) }), 'spec.a: needs maxItems'],
    [
      'a list of no type',
      z.strictObject({ a: z.array(name).max(3) }),
      'spec.a: a list must say whether it is a map or a set',
    ],
    [
      'look-ahead',
      z.strictObject({ a: name.regex(/^(?!x)/) }),
      "spec.a: Go's RE2 has neither look-around nor back-references: ^(?!x)",
    ],
    [
      'a back-reference',
      z.strictObject({ a: name.regex(/^(.)\1$/) }),
      "spec.a: Go's RE2 has neither look-around nor back-references: ^(.)\\1$",
    ],
    [
      'a format that nobody checks',
      z.strictObject({ a: z.email().max(9) }),
      'spec.a: the API server does not check format email',
    ],
    [
      'an unknown keyword',
      z.strictObject({ a: name.meta({ 'x-other': 1 }) }),
      'spec.a: a CRD cannot hold the keyword x-other',
    ],
    [
      'an id',
      z.strictObject({ a: z.strictObject({}).meta({ id: 'x' }) }),
      'spec.a: a CRD cannot hold references; remove the id x',
    ],
    [
      'an enum of numbers',
      z.strictObject({ a: z.enum({ one: 1 }) }),
      'spec.a: a CRD of ours cannot hold type "number"; use integers or decimal strings',
    ],
    [
      'a fixed field that may be absent',
      z.strictObject({ a: immutable(name, 'never changes').optional() }),
      'spec.a: a rule about change needs a required field outside lists; removing and adding again would dodge it',
    ],
    [
      'a fixed field in what may be absent',
      z.strictObject({ a: z.strictObject({ b: immutable(name, 'never changes') }).optional() }),
      'spec.a.b: a rule about change needs a required field outside lists; removing and adding again would dodge it',
    ],
    [
      'a fixed field in a list',
      z.strictObject({ a: keyedList(z.strictObject({ b: immutable(name, 'never changes') }), ['b'], 3) }),
      'spec.a[].b: a rule about change needs a required field outside lists; removing and adding again would dodge it',
    ],
  ];

  it.each(refused)('refuses %s and names the path', (_, schema, message) => {
    expect(() => convertStructural(schema, 'spec')).toThrow(message);
  });
});
