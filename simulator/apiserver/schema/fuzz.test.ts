import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildInvalidStatus, DecodeError, validateCrd } from './index.ts';
import { isObject, type JsonObject } from './json.ts';
import { buildDefinition, TEST_KINDS } from './testing/definitions.ts';
import { serveTestKinds } from './testing/served.ts';

const served = [...serveTestKinds().values()];
const MAX_MS = 2_000;

/** Everything that is done with an object that came in; answers what is wrong with it. */
function run(kind: (typeof served)[number], object: JsonObject): string {
  try {
    kind.schema.prune(object);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  kind.schema.applyDefaults(object);
  const errors = [
    ...kind.schema.validate(object),
    ...kind.schema.validate(object, { old: structuredClone(object) }),
    ...kind.schema.validate(object, { old: {}, subresource: 'status' }),
  ];
  return errors.length === 0 ? '' : buildInvalidStatus({ group: 'g', kind: kind.kind }, 'n', errors).message;
}

const json = fc.jsonValue({ maxDepth: 6, noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)));

describe('garbage', () => {
  it('is judged without an exception', () => {
    fc.assert(
      fc.property(json, json, (spec, rest) => {
        for (const kind of served) {
          run(kind, { ...(isObject(rest) ? rest : {}), spec });
          run(kind, { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name: 'a' }, spec, status: rest });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('as a definition is refused or taken without an exception', () => {
    fc.assert(
      fc.property(json, json, (schema, names) => {
        const { spec, ...rest } = buildDefinition({ kind: 'Bad', schema: isObject(schema) ? schema : {} });
        validateCrd({ ...rest, spec: { ...spec, names } });
        validateCrd({ spec: schema, metadata: names, status: schema });
      }),
      { numRuns: 300 },
    );
  });

  it('in the keywords of a schema is refused or taken without an exception', () => {
    const keywords = [
      'type',
      'properties',
      'items',
      'additionalProperties',
      'enum',
      'default',
      'pattern',
      'required',
      'anyOf',
      'not',
    ];
    const extensions = [
      'x-kubernetes-validations',
      'x-kubernetes-list-type',
      'x-kubernetes-list-map-keys',
      'nullable',
      'maxLength',
    ];
    const schema = fc.dictionary(fc.constantFrom(...keywords, ...extensions), json, { maxKeys: 5 });
    fc.assert(
      fc.property(schema, (x) => {
        const root = { type: 'object', properties: { spec: { type: 'object', properties: { x } } } };
        validateCrd(buildDefinition({ kind: 'Bad', schema: root }));
      }),
      { numRuns: 500 },
    );
  });

  it('under the names of prototypes pollutes none', () => {
    const poison =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":5,"hasOwnProperty":null}';
    for (const kind of served) {
      const text = `{"spec":${poison},"status":${poison},"metadata":{"name":"a","labels":${poison}},"__proto__":{"polluted":1}}`;
      run(kind, JSON.parse(text));
      for (const name of Object.keys(TEST_KINDS.find((one) => one.kind === kind.kind)?.schema ?? {})) {
        run(
          kind,
          JSON.parse(
            `{"metadata":{"name":"a"},"spec":{"${name}":${poison},"map":${poison},"labels":${poison},"open":${poison}}}`,
          ),
        );
      }
    }
    expect(({} as JsonObject).polluted).toBeUndefined();
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  const nest = (depth: number): string => `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`;
  const LARGE: readonly (readonly [name: string, value: (member: string) => string])[] = [
    ['deep', (member) => `{"${member}":${nest(2_500)}}`],
    ['long lists', (member) => `{"${member}":[${'"a",'.repeat(5_000)}"a"]}`],
    ['long lists of objects', (member) => `{"${member}":[${'{"name":"a","port":1},'.repeat(5_000)}{}]}`],
    [
      'wide objects',
      (member) => `{"${member}":{${Array.from({ length: 5_000 }, (_, index) => `"k${index}":1`).join(',')}}}`,
    ],
    ['long texts', (member) => `{"${member}":"${'a-'.repeat(200_000)}"}`],
  ];
  it.each(LARGE)('that is %s takes bounded time', (_, render) => {
    for (const kind of served) {
      for (const member of membersOf(kind)) {
        const object = JSON.parse(
          `{"apiVersion":"${kind.apiVersion}","kind":"${kind.kind}","metadata":{"name":"a"},"spec":${render(member)}}`,
        );
        const start = process.threadCpuUsage().user;
        run(kind, object);
        expect((process.threadCpuUsage().user - start) / 1000, `${kind.kind} ${member}`).toBeLessThan(MAX_MS);
      }
    }
  });
});

/** Members of the spec that have something below them, or are texts of any length. */
function membersOf({ schema }: (typeof served)[number]): readonly string[] {
  const properties = schema.node.properties?.get('spec')?.properties ?? new Map();
  return [...properties].flatMap(([name, { type, maxLength }]) => {
    return type === 'object' || type === 'array' || (type === 'string' && maxLength === undefined) ? [name] : [];
  });
}
