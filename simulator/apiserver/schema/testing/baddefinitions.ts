import { buildDefinition, TEST_GROUP } from './definitions.ts';
import { EXPRESSIONS } from './expressions.ts';

/** A definition that differs from a good one in one respect, which the API server refuses or takes. */
export type DefinitionCase = { readonly name: string; readonly definition: Readonly<Record<string, unknown>> };

type Json = { readonly [key: string]: unknown };

const GOOD = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { name: { type: 'string', maxLength: 10 } } } },
} as const;

/** With this schema of `spec.x`. */
const field = (name: string, schema: Json): DefinitionCase => {
  return root(name, { type: 'object', properties: { spec: { type: 'object', properties: { x: schema } } } });
};
const root = (name: string, schema: Json): DefinitionCase => {
  return { name, definition: buildDefinition({ kind: 'Bad', schema }) };
};
/** With another part of `spec`, or of `spec.versions[0]`. */
const spec = (name: string, change: Json): DefinitionCase => {
  const { definition } = root(name, GOOD);
  return { name, definition: { ...definition, spec: { ...(definition.spec as Json), ...change } } };
};
const version = (name: string, change: Json): DefinitionCase => {
  const one = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: GOOD } };
  return spec(name, { versions: [{ ...one, ...change }] });
};
const rule = (name: string, cel: string, more: Json = {}): DefinitionCase => {
  return field(name, { type: 'string', maxLength: 10, 'x-kubernetes-validations': [{ rule: cel, ...more }] });
};
const list = (
  name: string,
  more: Json,
  items: Json = { type: 'object', properties: { k: { type: 'string' } }, required: ['k'] },
) => {
  return field(name, { type: 'array', items, ...more });
};
const names = (change: Json): Json => {
  return { names: { plural: 'bads', singular: 'bad', kind: 'Bad', listKind: 'BadList', ...change } };
};

const STRUCTURE: readonly DefinitionCase[] = [
  root('good', GOOD),
  root('no type at the root', { properties: {} }),
  root('another type at the root', { type: 'string' }),
  root('maps at the root', { type: 'object', additionalProperties: { type: 'string' } }),
  root('nullable root', { ...GOOD, nullable: true }),
  root('metadata that is described', {
    type: 'object',
    properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
  }),
  root('metadata with a pattern of the name', {
    type: 'object',
    properties: { metadata: { type: 'object', properties: { name: { type: 'string', pattern: '^a' } } } },
  }),
  root('metadata that is text', {
    type: 'object',
    properties: { metadata: { type: 'string' }, kind: { type: 'integer' } },
  }),
  root('a default in metadata', { type: 'object', properties: { metadata: { type: 'object', default: {} } } }),
  field('no type', { description: 'x' }),
  field('no type of items', { type: 'array', items: {} }),
  field('no items', { type: 'array' }),
  field('an unknown type', { type: 'text' }),
  field('type null', { type: 'null' }),
  field('maps and properties', {
    type: 'object',
    properties: { a: { type: 'string' } },
    additionalProperties: { type: 'string' },
  }),
  field('unique items', { type: 'array', items: { type: 'string' }, uniqueItems: true }),
  field('look-around', { type: 'string', pattern: '^(?=a)' }),
  field('a pattern that does not end', { type: 'string', pattern: '(a' }),
  field('a type in an alternative', {
    type: 'string',
    anyOf: [{ type: 'string' }, { description: 'x', minLength: 1 }],
  }),
  field('structure in an alternative', {
    type: 'object',
    oneOf: [{ properties: { a: { minLength: 1 } }, default: {}, nullable: true }],
  }),
  field('a reference', { $ref: '#/x' }),
  field('definitions', { type: 'object', definitions: { a: { type: 'string' } } }),
  field('int or string that keeps fields', {
    'x-kubernetes-int-or-string': true,
    'x-kubernetes-preserve-unknown-fields': true,
  }),
  field('int or string in allOf', {
    'x-kubernetes-int-or-string': true,
    allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }],
  }),
  field('an empty resource', { type: 'object', 'x-kubernetes-embedded-resource': true }),
  field('a resource that is text', { type: 'string', 'x-kubernetes-embedded-resource': true }),
  field('fields that are not kept', { type: 'object', 'x-kubernetes-preserve-unknown-fields': false }),
  field('map type of a list', { type: 'array', items: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' }),
  field('unknown map type', { type: 'object', 'x-kubernetes-map-type': 'round' }),
  field('list type of an object', { type: 'object', 'x-kubernetes-list-type': 'set' }),
];

const LISTS: readonly DefinitionCase[] = [
  list('keys without map', { 'x-kubernetes-list-map-keys': ['k'] }),
  list('keys of a set', { 'x-kubernetes-list-type': 'set', 'x-kubernetes-list-map-keys': ['k'] }),
  list('map without keys', { 'x-kubernetes-list-type': 'map' }),
  list('keys that are not there', { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['z', 'k', 'k'] }),
  list('map of texts', { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] }, { type: 'string' }),
  list(
    'an optional key',
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
    { type: 'object', properties: { k: { type: 'string' } } },
  ),
  list(
    'a nullable key',
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
    {
      type: 'object',
      nullable: true,
      properties: { k: { type: 'string', nullable: true, default: 'a' } },
    },
  ),
  list(
    'a key that is a list',
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
    {
      type: 'object',
      required: ['k'],
      properties: { k: { type: 'array', items: { type: 'string' } } },
    },
  ),
  list('a set of objects', { 'x-kubernetes-list-type': 'set' }),
  list('an unknown list type', { 'x-kubernetes-list-type': 'bag' }),
];

const DEFAULTS: readonly DefinitionCase[] = [
  field('a default of another type', { type: 'integer', default: 'x' }),
  field('a default beyond its bounds', {
    type: 'object',
    properties: { a: { type: 'integer', maximum: 3 } },
    default: { a: 4 },
  }),
  field('a default with unknown fields', { type: 'object', properties: { a: { type: 'string' } }, default: { b: 1 } }),
  field('a default against a rule', {
    type: 'string',
    maxLength: 5,
    default: 'x',
    'x-kubernetes-validations': [{ rule: "self != 'x'" }],
  }),
  field('a default of null', { type: 'string', default: null }),
];

const RULES: readonly DefinitionCase[] = [
  rule('a good rule', "self == 'a'", { message: 'm', reason: 'FieldValueInvalid' }),
  rule('an empty rule', '  '),
  rule('an empty message', "self == 'a'", { message: '  ' }),
  rule('a message of two lines', "self == 'a'", { message: 'a\nb' }),
  rule('a rule of two lines without a message', "self ==\n'a'"),
  rule('an unknown reason', "self == 'a'", { reason: 'Because' }),
  rule('a path of a text', "self == 'a'", { fieldPath: '.x' }),
  rule('an empty path', "self == 'a'", { fieldPath: ' ' }),
  rule('an unknown function', 'self.reversed() == self'),
  rule('an unknown global function', 'frobnicate(self)'),
  rule('an unknown variable', 'this == self'),
  rule('a wrong type', 'self > 5'),
  rule('no bool', 'self'),
  rule('a number and a text', "self + 5 == 'a'"),
  rule('a pattern that is none', "self.matches('(')"),
  rule('a field of a text', "self.x == 'a'"),
  rule('an empty message expression', "self == 'a'", { messageExpression: ' ' }),
  rule('a message that is no text', "self == 'a'", { messageExpression: '5' }),
  rule('a message that does not compile', "self == 'a'", { messageExpression: 'self.x()' }),
  rule('an old value that nothing uses', "self == 'a'", { optionalOldSelf: true }),
  rule('an optional that is not unwrapped', 'oldSelf == self', { optionalOldSelf: true }),
  rule('a branch of another type', "self == 'a' ? 1 : true"),
  rule('a list of different types', "self in ['a', 1]"),
  rule('a range that is none', 'self.all(c, true)'),
  list('an old value in a list', {
    maxItems: 5,
    items: { type: 'string', maxLength: 5, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
  }),
  field('an undefined field', {
    type: 'object',
    properties: { a: { type: 'string', maxLength: 5 } },
    'x-kubernetes-validations': [{ rule: 'has(self.b) && self.a == "x"' }, { rule: "self.a != 'y'", fieldPath: '.b' }],
  }),
  field('a path into a map', {
    type: 'object',
    maxProperties: 3,
    additionalProperties: { type: 'string', maxLength: 5 },
    'x-kubernetes-validations': [{ rule: "!('a' in self)", fieldPath: "['a']" }],
  }),
  field('a rule in an alternative', {
    type: 'string',
    maxLength: 5,
    allOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }],
  }),
];

const REST: readonly DefinitionCase[] = [
  { name: 'another name', definition: { ...root('', GOOD).definition, metadata: { name: `other.${TEST_GROUP}` } } },
  spec('no group', { group: '' }),
  spec('a group of one word', { group: 'word' }),
  spec('an unknown scope', { scope: 'World' }),
  spec('no scope', { scope: '' }),
  spec('names in capitals', names({ singular: 'Bad', shortNames: ['B'], categories: ['A b'] })),
  spec('a kind with a dot', names({ kind: 'B.d' })),
  spec('one name for kind and list', names({ listKind: 'Bad' })),
  spec('an unknown conversion', { conversion: { strategy: 'Magic' } }),
  spec('a webhook that is missing', { conversion: { strategy: 'Webhook' } }),
  spec('fields that are kept everywhere', { preserveUnknownFields: true }),
  version('no schema', { schema: {} }),
  version('a version that is no label', { name: 'V1' }),
  version('columns without anything', {
    additionalPrinterColumns: [{ name: 'a', type: 'text', jsonPath: 'x', format: 'y' }],
  }),
  version('selectable fields', {
    selectableFields: [
      { jsonPath: '.spec.name' },
      { jsonPath: '.spec.none' },
      { jsonPath: '.spec' },
      { jsonPath: '.spec.name' },
    ],
  }),
];

const EVALUATED: readonly DefinitionCase[] = EXPRESSIONS.map((cel) => {
  return field(cel, {
    type: 'string',
    maxLength: 10,
    default: 'abc',
    'x-kubernetes-validations': [{ rule: cel, message: 'm' }],
  });
});

export const DEFINITION_CASES: readonly DefinitionCase[] = [
  ...[...STRUCTURE, ...LISTS, ...DEFAULTS, ...RULES, ...REST],
  ...EVALUATED,
];
