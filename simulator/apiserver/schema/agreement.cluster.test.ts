import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readInvalidCases, readValidCases } from '../../../crds/testdata/cases.ts';
import { KINDS } from '../../../crds/v1alpha1/resources.ts';
import { describeWithOwnCluster } from '../../../test/support/cluster.ts';
import { type CompiledSchema, compileSchema, validateCrd } from './index.ts';
import { isObject, type JsonObject } from './json.ts';
import { arbitrarySpec } from './testing/arbitrary.ts';
import { DEFINITION_CASES } from './testing/baddefinitions.ts';
import { VALUE_CASES, type ValueCase } from './testing/cases.ts';
import { buildDefinition, TEST_KINDS } from './testing/definitions.ts';
import { judgeBySchema, judgeDefinition, readVerdict } from './testing/verdict.ts';

const NAMESPACE = 't-schema';
const RUNS = 400;
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const valid = await readValidCases();
const invalid = await readInvalidCases();

type Served = {
  readonly schema: CompiledSchema;
  readonly path: string;
  readonly apiVersion: string;
  readonly hasStatus: boolean;
};

const ours = await Promise.all(
  KINDS.map(async ({ resource }) => parse(await readFile(crdPath(resource), 'utf8')) as JsonObject),
);
const definitions = [...ours, ...TEST_KINDS.map(buildDefinition)];
const served = new Map(definitions.map((definition) => serve(definition)));

describeWithOwnCluster('schemas, by the API server', {}, (cluster) => {
  beforeAll(async () => {
    for (const definition of definitions) await cluster().installManifests(JSON.stringify(definition));
    await cluster().kubectl(['create', 'namespace', NAMESPACE]);
  });

  /** The verdicts of the API server and of the schema on a create, or on an update of what `old` was stored as. */
  const judge = async (kind: string, object: JsonObject, isStrict: boolean, old?: JsonObject) => {
    const { schema, path: collection, hasStatus } = servedAs(kind);
    const { admin } = cluster();
    const query = `?dryRun=All&fieldValidation=${isStrict ? 'Strict' : 'Ignore'}`;
    const reply =
      old === undefined
        ? await admin.call('POST', `${collection}${query}`, object)
        : await admin.call('PUT', `${collection}/${NAME}${query}`, object);
    const write = { object, hasStatus, isStrict, ...(old === undefined ? {} : { old }) };
    return { theirs: readVerdict(reply), mine: judgeBySchema(schema, write) };
  };

  const expectAgreement = async (kind: string, object: JsonObject, old?: JsonObject) => {
    for (const isStrict of [false, true]) {
      const { theirs, mine } = await judge(kind, object, isStrict, old);
      expect(mine, JSON.stringify(object)).toEqual(theirs);
    }
  };

  it.each([...valid, ...invalid])('agree on $name', async ({ resource }) => {
    const object = relocate(resource);
    await expectAgreement(String(object.kind), object);
  });

  it.each(VALUE_CASES.map((one) => ({ ...one, name: nameOf(one) })))(
    'agree on $name',
    async ({ kind, spec, object, old }) => {
      if (old === undefined) {
        await expectAgreement(kind, build(kind, spec, object));
        return;
      }
      const { path: collection } = servedAs(kind);
      const stored = await cluster().admin.ask('POST', collection, build(kind, old));
      try {
        const metadata = isObject(stored) && isObject(stored.metadata) ? stored.metadata : {};
        await expectAgreement(kind, build(kind, spec, { metadata }), isObject(stored) ? stored : {});
      } finally {
        await cluster().admin.ask('DELETE', `${collection}/${NAME}`);
      }
    },
  );

  it(`agree on ${RUNS} generated values of each kind`, { timeout: 600_000 }, async () => {
    for (const { kind, schema } of TEST_KINDS) {
      const property = fc.asyncProperty(arbitrarySpec(schema), fc.boolean(), async (spec, isStrict) => {
        const object = build(kind, spec);
        const { theirs, mine } = await judge(kind, object, isStrict);
        expect(mine, JSON.stringify(object)).toEqual(theirs);
      });
      await fc.assert(property, { numRuns: RUNS, includeErrorInReport: true });
    }
  });

  it.each(DEFINITION_CASES)('agree on a definition with $name', async ({ definition }) => {
    const reply = await cluster().admin.call('POST', `${DEFINITIONS}?dryRun=All`, definition);
    const theirs = readVerdict(reply);
    const mine = judgeDefinition(definition, validateCrd);
    expect(mine).toEqual(theirs.code === 200 ? [] : 'causes' in theirs ? theirs.causes : [theirs.message]);
  });
});

const NAME = 'made';

function build(kind: string, spec: unknown, object: Readonly<Record<string, unknown>> = {}): JsonObject {
  const { apiVersion } = servedAs(kind);
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const stated = spec === undefined ? {} : { spec };
  return { apiVersion, kind, ...stated, ...object, metadata: { name: NAME, namespace: NAMESPACE, ...metadata } };
}

function servedAs(kind: string): Served {
  const found = served.get(kind);
  if (found === undefined) throw new Error(`no kind ${kind}`);
  return found;
}

function serve(definition: JsonObject): readonly [kind: string, served: Served] {
  const { spec } = parse(JSON.stringify(definition));
  const { group, names, versions } = spec;
  const [{ name: version, schema, subresources }] = versions;
  const of = { group, version, kind: names.kind, isNamespaced: true };
  const apiVersion = `${group}/${version}`;
  return [
    names.kind,
    {
      schema: compileSchema(schema.openAPIV3Schema, of),
      path: `/apis/${apiVersion}/namespaces/${NAMESPACE}/${names.plural}`,
      apiVersion,
      hasStatus: subresources?.status !== undefined,
    },
  ];
}

/** The same resource in the namespace of this test. */
function relocate(resource: unknown): JsonObject {
  if (!isObject(resource)) throw new Error('no resource');
  const metadata = isObject(resource.metadata) ? { ...resource.metadata, namespace: NAMESPACE } : resource.metadata;
  return { ...resource, metadata };
}

function crdPath(resource: { readonly group: string; readonly plural: string }): string {
  return path.join(import.meta.dirname, '../../../crds', `${resource.group}_${resource.plural}.yaml`);
}

function nameOf({ kind, spec, object, old }: ValueCase): string {
  const text = JSON.stringify({
    ...(old === undefined ? {} : { old }),
    ...(spec === undefined ? {} : { spec }),
    ...object,
  });
  return `${kind} ${text.length > 120 ? `${text.slice(0, 120)}...` : text}`;
}
