import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkResource } from '../crds/rules/index.ts';
import { Plan } from '../crds/v1alpha1/plan.ts';
import { realClock } from '../kube/clock.ts';
import { resolvePlan } from '../model/planlookup.ts';
import { createEvaluator } from './evaluate.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { isTenantNamespace } from './main.ts';
import { splitTree } from './split.ts';
import { createArchiveStore } from './store.ts';

const ROOT = join(import.meta.dirname, '..');

async function readTree(folder: string): Promise<{ path: string; validName: boolean; bytes: Uint8Array }[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path: relative(ROOT, path).replaceAll('\\', '/'), validName: true, bytes: await readFile(path) };
      }),
  );
}

/** The price in all of each plan in a folder, and the plan itself. */
async function readPlans(folder: string): Promise<ReadonlyMap<string, Plan>> {
  const files = await readTree(folder);
  const values = files.flatMap((file) => {
    const documents = parseAllDocuments(Buffer.from(file.bytes).toString());
    return Array.isArray(documents) ? documents.map((document): unknown => document.toJS()) : [];
  });
  const plans = values.flatMap((value) => Plan.safeParse(value).data ?? []);
  return new Map(plans.map((plan) => [plan.metadata.name, plan]));
}

test.each(['staging', 'production'])(
  'every folder of %s passes the gate, and its archive is stable',
  async (environment) => {
    const directory = await mkdtemp(join(tmpdir(), 'sublet-fleet-'));
    try {
      const store = createArchiveStore({ now: () => 0 }, { directory, namespace: 'sublet-fleet' });
      const evaluator = createEvaluator({ store, clock: realClock, check: checkResource, limits: DEFAULT_LIMITS });
      const split = splitTree(await readTree(`tenants/${environment}`), environment, isTenantNamespace);
      const { verdicts } = await evaluator.evaluate(split, []);
      expect(split.strays).toEqual([]);
      expect([...verdicts].filter(([, verdict]) => !verdict.ok)).toEqual([]);
      expect([...verdicts.keys()]).toEqual(expect.arrayContaining(['sublet-root', 't-acme', 't-acme--bob']));
      expect(verdicts.get('t-acme--bob')).toMatchObject({ resources: ['RDPInstance/anna-desk'] });
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);

test.each(['staging', 'production'])('the plans of %s are what the reference fleet promises', async (environment) => {
  const plans = await readPlans(`tenants/${environment}/sublet-root`);
  const total = (name: string): number =>
    (plans.get(name)?.spec.price ?? []).reduce((sum, item) => sum + Number(item.recurring?.amount) * 100, 0) / 100;
  const terms = (name: string) => ({
    ...plans.get(name)?.spec.desktop,
    sla: plans.get(name)?.spec.sla?.availability,
    total: total(name),
  });
  const images = ['ubuntu-24', 'windows-11'];
  expect(terms('basic')).toEqual({ vcpu: 2, memory: '4Gi', storage: '50Gi', images, sla: '95.0', total: 15 });
  expect(terms('performance')).toEqual({ vcpu: 4, memory: '8Gi', storage: '100Gi', images, sla: '99.0', total: 30 });
  expect(terms('gpu')).toMatchObject({
    vcpu: 8,
    memory: '16Gi',
    storage: '200Gi',
    gpus: { count: 1 },
    sla: '99.9',
    total: 80,
  });
  expect(['community', 'developer', 'team'].map((name) => plans.get(name)?.spec.offers)).toEqual([
    'Tenant',
    'Tenant',
    'Tenant',
  ]);
  expect(total('community')).toBe(0);
  expect(plans.get('team')?.spec.price).toMatchObject([{ per: 'Seat', recurring: { amount: '35.00' } }]);
});

test.each(['staging', 'production'])(
  'what acme sells in %s is bought from the provider and narrowed only',
  async (environment) => {
    const root = await readPlans(`tenants/${environment}/sublet-root`);
    const acme = await readPlans(`tenants/${environment}/t-acme`);
    const find = (key: string): Plan | undefined =>
      (key.startsWith('sublet-root/') ? root : acme).get(key.slice(key.indexOf('/') + 1));
    const seller = { namespace: 't-acme', seller: { namespace: 'sublet-root' } };
    for (const name of acme.keys()) expect(resolvePlan({ get: find }, seller, name)).toMatchObject({ ok: true });
    expect(resolvePlan({ get: find }, seller, 'lite')).toMatchObject({ desktop: { images: ['ubuntu-24'], vcpu: 2 } });
  },
);

test('nothing of this machine or of a real provider stands in the entry points', async () => {
  for (const file of await readTree('clusters')) {
    const hosts =
      Buffer.from(file.bytes)
        .toString()
        .match(/[a-z+]+:\/\/[^\s]+/g) ?? [];
    for (const host of hosts) expect(host).toMatch(/^[a-z+]+:\/\/(git@)?[a-z]+\.example\.com\//);
  }
});

test('the fleet is text with plain line ends', async () => {
  const files = [...(await readTree('clusters')), ...(await readTree('tenants'))];
  expect(files.filter(({ bytes }) => bytes.includes(0x0d) || bytes.at(-1) !== 0x0a).map(({ path }) => path)).toEqual(
    [],
  );
});
