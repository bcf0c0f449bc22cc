import { describe, expect, it } from 'vitest';
import { UNCORRELATED } from '../correlation.ts';
import { renderFieldError } from '../fielderror.ts';
import { parseNode } from '../node.ts';
import { compileValidator } from './check.ts';

function judge(schema: unknown, value: unknown, old: unknown = UNCORRELATED): readonly string[] {
  return compileValidator(parseNode(schema))(value, old, '').map(renderFieldError);
}

const property = (schema: unknown) => ({ type: 'object', properties: { x: schema } });

describe('values', () => {
  const cases: readonly [name: string, schema: unknown, value: unknown, errors: readonly string[]][] = [
    ['a type', { type: 'string' }, 1, ['x: Invalid value: "integer": x in body must be of type string: "integer"']],
    [
      'a type and its format',
      { type: 'integer', format: 'int64' },
      true,
      ['x: Invalid value: "": x in body must be of type int64: ""'],
    ],
    ['null', { type: 'string' }, null, ['x: Invalid value: "null": x in body must be of type string: "null"']],
    ['a null that is allowed', { type: 'string', nullable: true }, null, []],
    [
      'a length in bytes, as it says',
      { type: 'string', maxLength: 1 },
      '😀😀',
      ['x: Too long: may not be more than 1 byte'],
    ],
    ['a length in characters, as it means', { type: 'string', maxLength: 1 }, '😀', []],
    [
      'a pattern',
      { type: 'string', pattern: '^a+$' },
      'b\n',
      ['x: Invalid value: "b\\n": x in body should match \'^a+$\''],
    ],
    ['an enum', { type: 'string', enum: ['a', 'b'] }, 'c', ['x: Unsupported value: "c": supported values: "a", "b"']],
    [
      'an enum that lists null',
      { type: 'string', enum: ['a', null], nullable: true },
      null,
      ['x: Unsupported value: null: supported values: "a", "null"'],
    ],
    [
      'a bound',
      { type: 'integer', maximum: 3 },
      4,
      ['x: Invalid value: 4: x in body should be less than or equal to 3'],
    ],
    [
      'a bound that is not reached',
      { type: 'number', minimum: 1.5, exclusiveMinimum: true },
      1.25,
      ['x: Invalid value: 1.25: x in body should be greater than 1.5'],
    ],
    [
      'a fraction',
      { type: 'integer' },
      1.5,
      [
        'x: Invalid value: "number": x in body must be of type integer: "number"',
        '<nil>: Invalid value: "": Checked value must be of type integer (default format) in x',
      ],
    ],
    [
      '32 bits',
      { type: 'integer', format: 'int32' },
      2 ** 31,
      ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in x'],
    ],
    ['a multiple', { type: 'integer', multipleOf: 5 }, 7, ['x: Invalid value: 7: x in body should be a multiple of 5']],
    [
      'items',
      { type: 'array', items: { type: 'string' }, maxItems: 1 },
      ['a', 1],
      [
        'x[1]: Invalid value: "integer": x[1] in body must be of type string: "integer"',
        'x: Too many: 2: must have at most 1 item',
      ],
    ],
    [
      'what is missing',
      { type: 'object', required: ['y'], properties: { y: { type: 'string' } } },
      {},
      ['x.y: Required value'],
    ],
    [
      'members of a map',
      { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 2 },
      { 'a.b': 'c' },
      [
        'x: Invalid value: 1: x in body should have at least 2 properties',
        'x.a.b: Invalid value: "string": x.a.b in body must be of type integer: "string"',
      ],
    ],
    [
      'a format',
      { type: 'string', format: 'date-time' },
      '2026-02-30T00:00:00Z',
      ['x: Invalid value: "2026-02-30T00:00:00Z": x in body must be of type date-time: "2026-02-30T00:00:00Z"'],
    ],
    [
      'alternatives',
      { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      true,
      [
        'x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"',
        '<nil>: Invalid value: "": "x" must validate at least one schema (anyOf)',
        'x: Invalid value: "boolean": x in body must be of type integer: "boolean"',
      ],
    ],
    [
      'exactly one',
      { type: 'integer', oneOf: [{ minimum: 1 }, { minimum: 2 }] },
      3,
      ['<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      'all',
      { type: 'integer', allOf: [{ minimum: 1 }, { maximum: 2 }] },
      3,
      [
        'x: Invalid value: 3: x in body should be less than or equal to 2',
        '<nil>: Invalid value: "": "x" must validate all the schemas (allOf)',
      ],
    ],
    [
      'none',
      { type: 'integer', not: { minimum: 1 } },
      3,
      ['<nil>: Invalid value: "": "x" must not validate the schema (not)'],
    ],
  ];

  it.each(cases)('tell of %s', (_, schema, value, errors) => {
    expect(judge(property(schema), { x: value })).toEqual(errors);
  });

  it('name members of a map at the root with a dot, in the text alone', () => {
    expect(judge({ type: 'object', additionalProperties: { type: 'string' } }, { a: 1 })).toEqual([
      'a: Invalid value: "integer": .a in body must be of type string: "integer"',
    ]);
  });
});

describe('ratcheting', () => {
  const schema = property({
    type: 'object',
    properties: { a: { type: 'string', maxLength: 1 }, b: { type: 'string', maxLength: 1 } },
  });
  const list = (type: string) =>
    property({
      type: 'array',
      'x-kubernetes-list-type': type,
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 1 } } },
    });

  it('holds only what changed', () => {
    const old = { x: { a: 'long', b: 'long' } };
    expect(judge(schema, { x: { a: 'long', b: 'other' } }, old)).toEqual([
      'x.b: Too long: may not be more than 1 byte',
    ]);
    expect(judge(schema, { x: { a: 'long', b: 'long' } }, old)).toEqual([]);
  });

  it('knows items of keyed lists again, and of no others', () => {
    const items = [
      { k: 'a', v: 5 },
      { k: 'b', v: 0 },
    ];
    const moved = [{ k: 'c', v: 1 }, ...items].reverse();
    expect(judge(list('map'), { x: moved }, { x: items })).toEqual([]);
    expect(judge(list('atomic'), { x: moved }, { x: items })).toHaveLength(1);
    expect(judge(list('atomic'), { x: items }, { x: items })).toEqual([]);
  });

  it('does not forgive below alternatives', () => {
    const within = property({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      allOf: [{ properties: { a: { maxLength: 1 } } }],
    });
    const old = { x: { a: 'long', b: '1' } };
    expect(judge(within, { x: { a: 'long', b: '2' } }, old)).toHaveLength(2);
    expect(judge(within, old, old)).toEqual([]);
  });
});
