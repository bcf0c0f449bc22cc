import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { describeWithOwnCluster } from '../test/support/cluster.ts';
import { checkUpdate, type ParseError, parseResource } from './rules/index.ts';
import { isRecord } from './rules/walk.ts';
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
    expect(await judge(resource)).toEqual({ ok: true, errors: [] });
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
    await cluster().admin.ask('POST', collection(resource, NAMESPACE), relocate(before));
    const judgement = await judgeUpdate(cluster().admin, resource, NAMESPACE, metadata.name, relocate(after));
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

  it(`agree on ${RUNS} generated and changed resources`, { timeout: 300_000 }, async () => {
    let refused = 0;
    const property = fc.asyncProperty(arbitraryChanged(), async ({ base, changed, change }) => {
      const parsed = parseResource(changed);
      const judgement = await judge(changed);
      if (!parsed.ok) refused += 1;
      expect(parseResource(base), 'the generated resource is valid').toMatchObject({ ok: true });
      expect(judgement.ok, `${change}: ${JSON.stringify([parsed, judgement])}`).toBe(parsed.ok);
      if (!parsed.ok) expectAgreement(parsed.errors, judgement);
    });
    await fc.assert(property, { numRuns: RUNS, includeErrorInReport: true });
    const share = `${((100 * refused) / RUNS).toFixed(1)} %`;
    process.stdout.write(`${refused} of ${RUNS} changed resources were refused (${share})\n`);
    expect(refused / RUNS).toBeGreaterThanOrEqual(LEAST_REFUSED);
  });
});

/** A valid resource of any kind, and the same with one place changed. */
function arbitraryChanged() {
  const kinds = KINDS.map(({ resource: { kind, group, version }, schema }) => {
    const spec = schema.shape.spec;
    return fc.tuple(arbitraryOf(spec), arbitraryMutation(listPaths(spec))).map(([generated, mutation]) => {
      const at = { apiVersion: `${group}/${version}`, kind, metadata: { name: 'made', namespace: NAMESPACE } };
      const base = { ...at, spec: repair(kind, generated) };
      const change = `${kind} ${mutation.path.join('.')} ${mutation.name}`;
      return { base, changed: { ...at, spec: mutation.apply(base.spec) }, change };
    });
  });
  return fc.oneof(...kinds);
}

/** The same places; and where a rule in CEL is broken, the same text. */
function expectAgreement(errors: readonly ParseError[], judgement: Judgement): void {
  const detail = JSON.stringify({ errors, judgement });
  expect(judgement.ok, detail).toBe(false);
  const paths = (of: readonly { readonly path: string }[]) => [...new Set(of.map((error) => error.path))].sort();
  expect(paths(errors), detail).toEqual(paths(judgement.errors));
  for (const { path: at, message } of errors) {
    if (!CEL_MESSAGES.has(message)) continue;
    const there = judgement.errors.filter((error) => error.path === at).map((error) => error.message);
    expect(
      there.some((text) => text.includes(message)),
      detail,
    ).toBe(true);
  }
}

function listFixed() {
  const cases = [
    ['tenant', 'id', 'other'],
    ['plan-free', 'offers', 'Desktop'],
    ['plan', 'currency', 'EUR'],
    ['rdpinstance', 'image', 'windows-11'],
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
