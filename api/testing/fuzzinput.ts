import fc from 'fast-check';

/** As much of a JSON schema as the description uses. */
export type JsonSchema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
};

/** Finds what a `$ref` names. */
export type Resolve = (ref: string) => JsonSchema;

/** What is there, by the members that name it; otherwise rules would refuse nearly all that the schema takes. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  plan: ['pro', 'basic', 'team'],
  basedOn: ['basic', 'team'],
  image: ['ubuntu-24'],
  currency: ['USD'],
};

/** Values that a schema accepts, but for what only rules say. */
export function arbitraryValid(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const { $ref, anyOf, enum: options, type, pattern } = schema;
  if ($ref !== undefined) return arbitraryValid(resolve($ref), resolve);
  if ('const' in schema) return fc.constant(schema.const);
  if (options !== undefined) return fc.constantFrom(...options);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((one) => arbitraryValid(one, resolve)));
  if (type === 'object') return arbitraryObject(schema, resolve);
  if (type === 'array') return fc.array(arbitraryValid(schema.items ?? {}, resolve), { maxLength: 3 });
  if (type === 'integer' || type === 'number') {
    return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 100, 1_000) });
  }
  if (type === 'boolean') return fc.boolean();
  if (type !== 'string') return fc.jsonValue({ maxDepth: 2 });
  const { minLength = 0, maxLength = 20 } = schema;
  if (pattern === undefined) return fc.string({ minLength, maxLength: Math.min(maxLength, 20) });
  return fc
    .stringMatching(new RegExp(pattern), { size: 'xsmall' })
    .filter((text) => text.length >= minLength && text.length <= (schema.maxLength ?? 1_000));
}

function arbitraryObject(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (Object.keys(properties).length === 0 && typeof additionalProperties === 'object') {
    return fc.dictionary(fc.string({ maxLength: 8 }), arbitraryValid(additionalProperties, resolve), { maxKeys: 3 });
  }
  const members = Object.entries(properties).map(
    ([name, member]) => [name, arbitraryMember(name, member, resolve)] as const,
  );
  return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
}

function arbitraryMember(name: string, schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const known = KNOWN[name];
  const valid = arbitraryValid(schema, resolve);
  if (known === undefined) return valid;
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: valid });
}

/** A value with one place changed to what nobody meant. */
export function arbitrarySpoilt(valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(valid, fc.array(fc.nat(20), { maxLength: 5 }), JUNK)
    .map(([value, path, junk]) => spoil(value, path, junk));
}

const JUNK = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1.5,
    2 ** 53,
    1e308,
    true,
    [],
    {},
    [[]],
    'a\u0000b',
    '\ud800',
    '../..',
    '{{x}}',
    'x'.repeat(5_000),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.record({ constructor: fc.constant({ prototype: { polluted: true } }), toString: fc.constant(1) }),
);

/** Walks down by the numbers; where it ends the junk is put, or a member is added. */
function spoil(value: unknown, path: readonly number[], junk: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return junk;
  const names = Object.keys(value);
  const name = names[step % (names.length + 1)];
  if (name === undefined) return Array.isArray(value) ? [...value, junk] : { ...value, surprise: junk };
  const changed = spoil((value as Readonly<Record<string, unknown>>)[name], rest, junk);
  return Array.isArray(value)
    ? value.map((item, i) => (String(i) === name ? changed : item))
    : { ...value, [name]: changed };
}

/** Bodies that are not JSON, or JSON as no reader should take it. */
export const arbitraryGarbage: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      '',
      'null',
      '[]',
      '"',
      '{',
      '{"a":1,"a":2}',
      '{"__proto__":{"x":1}}',
      '{"spec":{"\\u005f_proto__":{}}}',
      'NaN',
      '1e999',
      '\ufeff{}',
    )
    .map((text) => Buffer.from(text)),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => Buffer.from('['.repeat(depth))),
  fc
    .integer({ min: 20, max: 60 })
    .map((depth) => Buffer.from(`{"spec":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`)),
  fc.constant(Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')])),
  fc.integer({ min: 250_000, max: 300_000 }).map((size) => Buffer.from(`{"name":"${'a'.repeat(size)}"}`)),
);

/** A part of an address as it stands on the wire. */
export const arbitraryPart: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).map(encode),
  fc.constantFrom(
    '..',
    '%2e%2e',
    '%2f',
    '%00',
    '%',
    '%zz',
    '%c0%ae',
    '-',
    '--',
    'a--',
    'ACME',
    '*',
    'a.b',
    '__proto__',
    'constructor',
    '%F0%9F%92%A9',
  ),
  fc.integer({ min: 60, max: 3_000 }).map((length) => 'a'.repeat(length)),
);

/** Lone surrogates have no encoding. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
