import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readInvalidCases, readValidCases } from '../../../crds/testdata/cases.ts';
import { KINDS } from '../../../crds/v1alpha1/resources.ts';
import { describeWithOwnCluster } from '../../../test/support/cluster.ts';
import { validateCrd } from './index.ts';
import { isObject, type JsonObject } from './json.ts';
import { arbitrarySpec } from './testing/arbitrary.ts';
import { DEFINITION_CASES } from './testing/baddefinitions.ts';
import { VALUE_CASES } from './testing/cases.ts';
import { buildDefinition, TEST_KINDS } from './testing/definitions.ts';
import RECORDED from './testing/recorded.json' with { type: 'json' };
import {
  askBoth,
  askServer,
  buildObject,
  judgeBoth,
  judgeCase,
  NAMESPACE,
  nameOf,
  type Served,
  serveDefinition,
} from './testing/served.ts';
import { judgeDefinition, readVerdict } from './testing/verdict.ts';

const RUNS = 150;
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const valid = await readValidCases();
const invalid = await readInvalidCases();
const ours = await Promise.all(
  KINDS.map(async ({ resource: { group, plural } }) => {
    return parse(await readFile(path.join(import.meta.dirname, `../../../crds/${group}_${plural}.yaml`), 'utf8'));
  }),
);
const definitions: readonly JsonObject[] = [...ours, ...TEST_KINDS.map(buildDefinition)];
const served = new Map(definitions.map(serveDefinition).map((one) => [one.kind, one]));

describeWithOwnCluster('schemas, by the API server', {}, (cluster) => {
  beforeAll(async () => {
    for (const definition of definitions) await cluster().installManifests(JSON.stringify(definition));
    await cluster().kubectl(['create', 'namespace', NAMESPACE]);
  });

  it.each([...valid, ...invalid])('agree on $name', async ({ resource }) => {
    const object = relocate(resource);
    const kind = servedAs(String(object.kind));
    expect(judgeBoth(kind, object)).toEqual(await askBoth(cluster().admin, kind, object));
  });

  it.each(VALUE_CASES.map((one, index) => ({ one, index, name: nameOf(one) })))(
    'agree on $name',
    async ({ one, index }) => {
      const kind = servedAs(one.kind);
      const theirs = await askServer(cluster().admin, kind, one);
      expect(judgeCase(kind, one)).toEqual(theirs);
      expect(RECORDED.values[index]).toEqual(theirs);
    },
  );

  it.each(DEFINITION_CASES.map((one, index) => ({ ...one, index })))(
    'agree on a definition with $name',
    async ({ definition, index }) => {
      const theirs = readVerdict(await cluster().admin.call('POST', `${DEFINITIONS}?dryRun=All`, definition));
      expect(judgeDefinition(definition, validateCrd)).toEqual(theirs.code === 422 ? theirs.causes : []);
      expect(RECORDED.definitions[index]).toEqual(theirs.code === 422 ? theirs.causes : []);
    },
  );

  it(`agree on ${RUNS} generated values of each kind`, async () => {
    for (const { kind, schema } of TEST_KINDS) {
      const property = fc.asyncProperty(arbitrarySpec(schema), async (spec) => {
        const object = JSON.parse(JSON.stringify(buildObject(servedAs(kind), spec)));
        expect(judgeBoth(servedAs(kind), object)).toEqual(await askBoth(cluster().admin, servedAs(kind), object));
      });
      await fc.assert(property, { numRuns: RUNS, includeErrorInReport: true });
    }
  });
});

function servedAs(kind: string): Served {
  const found = served.get(kind);
  if (found === undefined) throw new Error(`no kind ${kind}`);
  return found;
}

/** The same resource in the namespace of this test. */
function relocate(resource: unknown): JsonObject {
  if (!isObject(resource)) throw new Error('no resource');
  const metadata = isObject(resource.metadata) ? { ...resource.metadata, namespace: NAMESPACE } : resource.metadata;
  return { ...resource, metadata };
}
