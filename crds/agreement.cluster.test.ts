import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { describeWithOwnCluster } from '../test/support/cluster.ts';
import { checkUpdate, type ParseError, parseResource } from './rules/index.ts';
import { isRecord, type PathSegment } from './rules/walk.ts';
import { arbitraryOf } from './testdata/arbitrary.ts';
import { readInvalidCases, readValidCases } from './testdata/cases.ts';
import { collection, type Judgement, judgeCreate, judgeUpdate } from './testdata/judge.ts';
import { arbitraryMutation, listPaths } from './testdata/mutate.ts';
import { repair } from './testdata/repair.ts';
import { KINDS, type SubletResource } from './v1alpha1/resources.ts';

const NAMESPACE = 't-agreement';
const RUNS = 1_000;
const LEAST_REFUSED = 0.4;

const valid = await readValidCases();
const invalid = await readInvalidCases();
const crds = await Promise.all(
  KINDS.map(({ resource }) =>
    readFile(path.join(import.meta.dirname, `${resource.group}_${resource.plural}.yaml`), 'utf8'),
  ),
);
/** What CEL rules say, in all kinds. */
const CEL_MESSAGES = new Set(
  crds.flatMap((crd) => [...crd.matchAll(/^ +message: (.*)$/gm)].map(([, text = '']) => unquote(text))),
);

describeWithOwnCluster('schemas and API server', {}, (cluster) => {
  beforeAll(async () => {
    for (const crd of crds) await cluster().installManifests(crd);
    await cluster().kubectl(['create', 'namespace', NAMESPACE]);
  });

  const judge = (resource: unknown) => {
    const found = definitionOf(resource);
    return judgeCreate(cluster().admin, found.resource, NAMESPACE, relocate(resource));
  };

  it.each(valid)('accept $name', async ({ resource }) => {
    expect(await judge(resource)).toEqual({ ok: true, errors: [], isComplete: true });
    expect(parseResource(resource).ok).toBe(true);
  });

  it.each(valid)('default $name alike', async ({ resource }) => {
    const { resource: of } = definitionOf(resource);
    const query = '?dryRun=All&fieldValidation=Strict';
    const created = await cluster().admin.ask('POST', `${collection(of, NAMESPACE)}${query}`, relocate(resource));
    const parsed = parseResource(resource);
    expect(isRecord(created) && created.spec).toEqual(parsed.ok && parsed.value.spec);
    expect(isRecord(created) && created.status).toEqual({ observedGeneration: -1 });
  });

  it.each(invalid)('refuse $name in the same place and words', async ({ resource }) => {
    const parsed = parseResource(relocate(resource));
    expectAgreement(parsed.ok ? [] : parsed.errors, await judge(resource));
  });

  it.each(listFixed())('hold $kind $field fixed', async ({ before, after, field }) => {
    const { resource } = definitionOf(before);
    const { metadata } = before;
    const created = await cluster().admin.ask('POST', collection(resource, NAMESPACE), relocate(before));
    const changed = { ...after, metadata: isRecord(created) ? created.metadata : {} };
    const judgement = await judgeUpdate(cluster().admin, resource, NAMESPACE, metadata.name, changed);
    await cluster().admin.ask('DELETE', `${collection(resource, NAMESPACE)}/${metadata.name}`);
    const violations = checkUpdate(before, after);
    expect(violations.map((violation) => violation.path.join('.'))).toEqual([`spec.${field}`]);
    expect(judgement.errors.map((error) => error.path)).toEqual([`spec.${field}`]);
    expect(judgement.errors[0]?.message).toContain(violations[0]?.message);
  });

  it('prefer to be listed by one category, with the columns that apply', async () => {
    await cluster().admin.ask('POST', collection(KINDS[3].resource, NAMESPACE), relocate(exampleOf('rdpinstance')));
    const { stdout } = await cluster().kubectl(['get', 'sublet', '-n', NAMESPACE]);
    expect(stdout.split('\n')[0]?.split(/\s+/)).toEqual([
      'NAME',
      'PLAN',
      'IMAGE',
      'POWER',
      'ADDRESS',
      'READY',
      'REASON',
      'AGE',
    ]);
    await cluster().admin.ask('DELETE', `${collection(KINDS[3].resource, NAMESPACE)}/anna-desk`);
  });

  it(`agree on ${RUNS} generated resources, each field changed`, async () => {
    const places = listFields();
    const numRuns = Math.ceil(RUNS / places.length);
    let refused = 0;
    for (const place of places) {
      const property = fc.asyncProperty(arbitraryChanged(place), async ({ base, changed, change }) => {
        const parsed = parseResource(changed);
        const judgement = await judge(changed);
        if (!parsed.ok) refused += 1;
        expect(parseResource(base), 'the generated resource is valid').toMatchObject({ ok: true });
        expect(judgement.ok, `${change}: ${JSON.stringify([parsed, judgement])}`).toBe(parsed.ok);
        if (!parsed.ok) expectAgreement(parsed.errors, judgement);
      });
      await fc.assert(property, { numRuns, includeErrorInReport: true });
    }
    const runs = numRuns * places.length;
    const share = `${((100 * refused) / runs).toFixed(1)} %`;
    process.stdout.write(
      `${refused} of ${runs} resources, changed in ${places.length} fields, were refused (${share})\n`,
    );
    expect(refused / runs).toBeGreaterThanOrEqual(LEAST_REFUSED);
  });
});

type Place = { readonly definition: (typeof KINDS)[number]; readonly path: readonly PathSegment[] };

function listFields(): readonly Place[] {
  return KINDS.flatMap((definition) => listPaths(definition.schema.shape.spec).map((at) => ({ definition, path: at })));
}

/** A valid resource, and the same with one place changed. */
function arbitraryChanged({ definition, path: at }: Place) {
  const { kind, group, version } = definition.resource;
  return fc.tuple(arbitraryOf(definition.schema.shape.spec), arbitraryMutation(at)).map(([generated, mutation]) => {
    const head = { apiVersion: `${group}/${version}`, kind, metadata: { name: 'made', namespace: NAMESPACE } };
    const base = { ...head, spec: repair(kind, generated) };
    const change = `${kind} ${at.join('.')} ${mutation.name}`;
    return { base, changed: { ...head, spec: mutation.apply(base.spec) }, change };
  });
}

/** The same places, or fewer where the API server did not go on; and where a rule in CEL is broken, the same text. */
function expectAgreement(errors: readonly ParseError[], judgement: Judgement): void {
  const detail = JSON.stringify({ errors, judgement });
  expect(judgement.ok, detail).toBe(false);
  const ours = listPlaces(errors);
  const theirs = listPlaces(judgement.errors);
  expect(theirs.length, detail).toBeGreaterThan(0);
  expect(judgement.isComplete ? ours : ours.filter((place) => theirs.includes(place)), detail).toEqual(theirs);
  for (const { path: at, message } of errors) {
    if (!CEL_MESSAGES.has(message) || !judgement.isComplete) continue;
    const there = judgement.errors.filter((error) => error.path === at).map((error) => error.message);
    expect(
      there.some((text) => text.includes(message)),
      detail,
    ).toBe(true);
  }
}

function listPlaces(errors: readonly { readonly path: string }[]): readonly string[] {
  return [...new Set(errors.map((error) => error.path))].sort();
}

function listFixed() {
  const cases = [
    ['tenant', 'id', 'other'],
    ['plan-free', 'offers', 'Desktop'],
    ['plan', 'currency', 'EUR'],
    ['rdpinstance', 'username', 'bob'],
  ] as const;
  return cases.map(([name, field, value]) => {
    const before = exampleOf(name);
    const based = field === 'offers' ? { basedOn: 'other' } : {};
    const parsed = parseResource({ ...before, spec: { ...before.spec, ...based, [field]: value } });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    return { kind: before.kind, field, before, after: parsed.value };
  });
}

function exampleOf(name: string): SubletResource {
  const parsed = parseResource(valid.find((found) => found.name === name)?.resource);
  if (!parsed.ok) throw new Error(`${name}: ${JSON.stringify(parsed.errors)}`);
  return parsed.value;
}

function definitionOf(resource: unknown) {
  const kind = isRecord(resource) ? resource.kind : undefined;
  const found = KINDS.find((definition) => definition.resource.kind === kind);
  if (found === undefined) throw new Error(`no kind ${kind}`);
  return found;
}

/** The same resource in the namespace of this test. */
function relocate(resource: unknown): unknown {
  if (!isRecord(resource) || !isRecord(resource.metadata)) return resource;
  return { ...resource, metadata: { ...resource.metadata, namespace: NAMESPACE } };
}

function unquote(text: string): string {
  return text.startsWith('"') ? JSON.parse(text) : text;
}
