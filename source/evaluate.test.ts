import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RuleFacts } from '../crds/rules/index.ts';
import { realClock } from '../kube/clock.ts';
import { tenantNamespace } from '../model/names.ts';
import { type ClusterTenant, createEvaluator, type Evaluator } from './evaluate.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { splitTree } from './split.ts';
import { type ArchiveStore, createArchiveStore } from './store.ts';

let directory: string;
let store: ArchiveStore;
let evaluator: Evaluator;
let judged: RuleFacts[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sublet-source-'));
  store = createArchiveStore({ now: () => 0 }, { directory, namespace: 'sublet-fleet' });
  judged = [];
  const check = (value: unknown, facts: RuleFacts) => {
    judged.push(facts);
    const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
    const isSold = facts.owner === 'Customer' && (kind === 'Plan' || kind === 'Tenant');
    return isSold ? [{ rule: 'NoSeller', path: ['kind'], message: 'no' }] : [];
  };
  evaluator = createEvaluator({ store, clock: realClock, check, limits: DEFAULT_LIMITS });
});

afterEach(() => rm(directory, { recursive: true }));

const tree = (files: Readonly<Record<string, string>>) =>
  splitTree(
    Object.entries(files).map(([path, text]) => ({
      path: `tenants/x/${path}`,
      validName: true,
      bytes: new TextEncoder().encode(text),
    })),
    'x',
    () => true,
  );
const resource = (kind: string, name: string, spec = '{}'): string =>
  `apiVersion: sublet.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const tenant = (name: string, type: string): string => resource('Tenant', name, `{id: ${name}-1, type: ${type}}`);
const ok = (verdicts: ReadonlyMap<string, { readonly ok: boolean }>) =>
  Object.fromEntries([...verdicts].map(([name, verdict]) => [name, verdict.ok]));

test('what a folder may hold follows from its seller’s folder, down the whole tree', async () => {
  const deep = tenantNamespace('acme--bob');
  const files = {
    'sublet-root/acme.yaml': tenant('acme', 'Reseller'),
    't-acme/bob.yaml': tenant('bob', 'Customer'),
    [`${deep}/desk.yaml`]: resource('RDPInstance', 'desk'),
    't-early/plan.yaml': resource('Plan', 'p'),
  };
  const { verdicts } = await evaluator.evaluate(tree(files), []);
  expect(ok(verdicts)).toEqual({ 'sublet-root': true, 't-acme': true, [deep]: true, 't-early': true });
  expect(Object.fromEntries(judged.map((facts) => [facts.namespace, facts.owner]))).toEqual({
    'sublet-root': 'Root',
    't-acme': 'Reseller',
    [deep]: 'Customer',
    't-early': 'Unknown',
  });
  const demoted = await evaluator.evaluate(tree({ ...files, 'sublet-root/acme.yaml': tenant('acme', 'Customer') }), []);
  expect(ok(demoted.verdicts)).toMatchObject({ 't-acme': false });
});

test('names that are too long for a namespace are followed by their hash', async () => {
  const long = 'a'.repeat(40);
  const below = tenantNamespace(`${long}--${'b'.repeat(40)}`);
  expect(below).toMatch(/^th-/);
  const { verdicts } = await evaluator.evaluate(
    tree({
      'sublet-root/a.yaml': tenant(long, 'Reseller'),
      [`t-${long}/b.yaml`]: tenant('b'.repeat(40), 'Customer'),
      [`${below}/plan.yaml`]: resource('Plan', 'p'),
    }),
    [],
  );
  expect(ok(verdicts)).toEqual({ 'sublet-root': true, [`t-${long}`]: true, [below]: false });
});

test('tenants of the cluster stand in where the seller’s folder is held or silent, and make folders expected', async () => {
  const live: ClusterTenant[] = [
    { namespace: 'sublet-root', name: 'acme', id: 'acme-1', type: 'Customer', source: 'Fleet' },
    { namespace: 'sublet-root', name: 'solo', id: 'solo-1', type: 'Customer', source: undefined },
    { namespace: 't-acme', name: 'bob', id: 'bob-1', type: 'Customer', source: 'Fleet' },
  ];
  const files = { 'sublet-root/acme.yaml': '[', 't-acme/plan.yaml': resource('Plan', 'p') };
  const { verdicts, expected } = await evaluator.evaluate(tree(files), live);
  expect(ok(verdicts)).toEqual({ 'sublet-root': false, 't-acme': false });
  expect([...expected].sort()).toEqual(['sublet-root', 't-acme', 't-acme--bob']);
});

describe('a tenant with a repository of its own', () => {
  const live = (source: ClusterTenant['source']): readonly ClusterTenant[] => [
    { namespace: 'sublet-root', name: 'acme', id: 'acme-1', type: 'Customer', source },
  ];
  const declared = (type: string): string => resource('Tenant', 'acme', `{id: acme-1, source: {type: ${type}}}`);
  const desk = { 't-acme/desk.yaml': resource('RDPInstance', 'd') };
  const evaluate = async (files: Readonly<Record<string, string>>, tenants: readonly ClusterTenant[]) => {
    const { verdicts, expected, elsewhere } = await evaluator.evaluate(tree(files), tenants);
    return { verdicts: ok(verdicts), expected: [...expected], elsewhere: [...elsewhere] };
  };

  test('has its folder held, with what to do', async () => {
    const { verdicts } = await evaluator.evaluate(tree(desk), live('Repository'));
    expect(verdicts.get('t-acme')).toEqual({
      ok: false,
      violations: [
        {
          file: '',
          line: 0,
          rule: 'OwnRepository',
          message:
            'the tenant of t-acme has a repository of its own; move the files there, or state source: {type: Fleet} in its Tenant',
        },
      ],
    });
    expect(ok((await evaluator.evaluate(tree(desk), live('Fleet'))).verdicts)).toEqual({ 't-acme': true });
  });

  test('has no artifact, not even an empty one, from the revision on that says so', async () => {
    const moving = { 'sublet-root/acme.yaml': declared('Repository') };
    expect(await evaluate(moving, live('Fleet'))).toEqual({
      verdicts: { 'sublet-root': true },
      expected: ['sublet-root'],
      elsewhere: ['t-acme'],
    });
    expect(await evaluate({ ...moving, ...desk }, live('Fleet'))).toMatchObject({ verdicts: { 't-acme': false } });
  });

  test('has its folder back from the revision on that says so', async () => {
    const back = { 'sublet-root/acme.yaml': declared('Fleet'), ...desk };
    expect(await evaluate(back, live('Repository'))).toEqual({
      verdicts: { 'sublet-root': true, 't-acme': true },
      expected: ['sublet-root'],
      elsewhere: [],
    });
    expect((await evaluate(back, live('Fleet'))).expected).toEqual(['sublet-root', 't-acme']);
  });
});

test('a second pass reads only what changed, and writes again what the store lost', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`t-${i}/desk.yaml`, resource('RDPInstance', `d${i}`)]),
  );
  const first = await evaluator.evaluate(tree(files), []);
  expect(first.parsed).toBe(20);
  expect(store.list()).toHaveLength(20);
  const same = await evaluator.evaluate(tree({ ...files, 't-3/README.md': 'words' }), []);
  expect(same.parsed).toBe(0);
  const changed = await evaluator.evaluate(
    tree({ ...files, 't-3/desk.yaml': resource('RDPInstance', 'd3', '{power: Stopped}') }),
    [],
  );
  expect(changed.parsed).toBe(1);
  await store.remove('t-7', store.list().find((one) => one.name === 't-7')?.digest ?? '');
  const again = await evaluator.evaluate(tree(files), []);
  expect(again.parsed).toBe(2);
  expect(store.list().filter((one) => one.name === 't-7')).toHaveLength(1);
  expect(again.verdicts).toEqual(first.verdicts);
});

test('a new file in a large folder is read alone, and the verdict is that of a fresh look', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`sublet-root/c${i}.yaml`, tenant(`c${i}`, 'Customer')]),
  );
  await evaluator.evaluate(tree(files), []);
  const broken = await evaluator.evaluate(tree({ ...files, 'sublet-root/new.yaml': '[' }), []);
  expect(ok(broken.verdicts)).toEqual({ 'sublet-root': false });
  const changed = {
    ...files,
    'sublet-root/new.yaml': tenant('new', 'Customer'),
    'sublet-root/c7.yaml': tenant('c7', 'Reseller'),
  };
  const again = await evaluator.evaluate(tree(changed), []);
  const fresh = createEvaluator({ store, clock: realClock, check: () => [], limits: DEFAULT_LIMITS });
  expect(again.verdicts).toEqual((await fresh.evaluate(tree(changed), [])).verdicts);
});

test('a full volume is an error, and the folder is judged again', async () => {
  const files = { 't-a/desk.yaml': resource('RDPInstance', 'd') };
  const failing = { ...store, write: () => Promise.reject(new Error('ENOSPC: no space left on device')) };
  const options = { clock: realClock, check: () => [], limits: DEFAULT_LIMITS };
  let target: ArchiveStore = failing;
  const flaky = createEvaluator({ ...options, store: { ...store, write: (...args) => target.write(...args) } });
  await expect(flaky.evaluate(tree(files), [])).rejects.toThrow('ENOSPC');
  target = store;
  expect((await flaky.evaluate(tree(files), [])).parsed).toBe(1);
  expect(store.list()).toHaveLength(1);
});

test('a rule that fails on one folder holds that folder and no other', async () => {
  const check = (_value: unknown, facts: RuleFacts) => {
    if (facts.namespace === 't-a') throw new RangeError('a bug');
    return [];
  };
  const careful = createEvaluator({ store, clock: realClock, check, limits: DEFAULT_LIMITS });
  const files = { 't-a/desk.yaml': resource('RDPInstance', 'd'), 't-b/desk.yaml': resource('RDPInstance', 'd') };
  const { verdicts } = await careful.evaluate(tree(files), []);
  expect(ok(verdicts)).toEqual({ 't-a': false, 't-b': true });
  expect(verdicts.get('t-a')).toMatchObject({
    violations: [{ rule: 'Internal', message: expect.stringContaining('a bug') }],
  });
});
