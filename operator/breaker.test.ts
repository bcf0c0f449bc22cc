import { afterEach, describe, expect, it } from 'vitest';
import { PLANS, TENANTS } from '../crds/v1alpha1/resources.ts';
import { CONFIGMAPS, CUSTOMRESOURCEDEFINITIONS, NAMESPACES } from '../kube/builtin.ts';
import { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import { ANNOTATION_HELD, ANNOTATION_REMOVED_AT } from '../model/labels.ts';
import { ANNOTATION_CONFIRM } from './breaker.ts';
import type { ConfigMap } from './context.ts';
import { createHarness, DAY_MS, type Harness, tenant, tenantPlan } from './testing/harness.ts';

const signal = new AbortController().signal;
const HOUR_MS = 3_600_000;
const RECORD = 'sublet-system/sublet-breaker';

let harness: Harness;
afterEach(() => harness.stop());

async function populate(count: number, settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  harness = createHarness(settings);
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team'));
  for (let at = 0; at < count; at++) harness.server.put(TENANTS, tenant('sublet-root', `c${at}`));
  await harness.converge();
}

async function remove(...numbers: readonly number[]): Promise<void> {
  for (const at of numbers) harness.server.remove(TENANTS, `sublet-root/c${at}`);
  await harness.converge();
}

async function confirm(id: string | undefined): Promise<void> {
  const live = record();
  if (live === undefined || id === undefined) throw new Error('the breaker is not tripped');
  const annotations = { ...live.metadata.annotations, [ANNOTATION_CONFIRM]: id };
  harness.server.put(CONFIGMAPS, { ...live, metadata: { ...live.metadata, annotations } });
  await harness.converge();
}

const record = () => harness.server.get<ConfigMap>(CONFIGMAPS, RECORD);
const stamped = (annotation: string) =>
  harness.server
    .list<KubeObject>(NAMESPACES)
    .filter(({ metadata }) => metadata.annotations?.[annotation] !== undefined)
    .map(({ metadata }) => metadata.name);
const removed = () => stamped(ANNOTATION_REMOVED_AT);
const held = () => stamped(ANNOTATION_HELD);
const tripped = () => harness.context.breaker.tripped();

describe('the breaker', () => {
  it('lets three removals an hour pass, and holds the fourth and what follows', async () => {
    await populate(10);
    await remove(0, 1, 2);
    expect([removed(), held(), tripped()]).toEqual([['t-c0', 't-c1', 't-c2'], [], undefined]);
    await remove(3, 4);
    expect(removed()).toHaveLength(5);
    expect(held()).toEqual(['t-c3', 't-c4']);
    expect(record()?.data).toMatchObject({ id: tripped(), message: '4 removals within an hour, allowed 3 of 7' });
    expect(harness.server.get(TENANTS, 'sublet-root/c4')).toBeUndefined();
  });

  it('is not taken for well before its record was read', async () => {
    harness = createHarness();
    expect(tripped).toThrow('known once the record of the breaker has been read');
    await harness.sync();
    expect(tripped()).toBeUndefined();
  });

  it('holds in one sweep of many too: never more than allowed are stopped', async () => {
    await populate(12);
    await remove(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    await harness.clock.advance(120_000);
    await harness.converge();
    expect(removed()).toHaveLength(12);
    expect(held().length).toBeGreaterThanOrEqual(9);
  });

  it('allows a share of a large population', async () => {
    await populate(20, { breaker: { minimum: 1, percent: 25 } });
    await remove(0, 1, 2, 3);
    expect(held()).toEqual([]);
  });

  it('forgets after an hour', async () => {
    await populate(10);
    await remove(0, 1, 2);
    harness.clock.step(HOUR_MS + 1_000);
    await remove(3);
    expect(held()).toEqual([]);
  });

  it('counts one removal once, however often it is asked', async () => {
    await populate(10);
    const { breaker } = harness.context;
    for (let at = 0; at < 10; at++) expect(await breaker.admit({ kind: 'Tenant', key: 't-c0' }, signal)).toBe('stop');
  });

  it('counts over a restart, from the tombstones', async () => {
    await populate(10);
    await remove(0, 1, 2);
    harness = await harness.restart();
    await harness.converge();
    await remove(3);
    expect(held()).toEqual(['t-c3']);
  });

  it('stays tripped over a restart', async () => {
    await populate(10);
    await remove(0, 1, 2, 3);
    const id = tripped();
    harness = await harness.restart();
    await harness.converge();
    expect(id).toBeDefined();
    expect(tripped()).toBe(id);
  });

  it('does not judge before it can count', async () => {
    await populate(10);
    const fresh = harness.another();
    const judged = fresh.context.breaker.admit({ kind: 'Tenant', key: 't-c0' }, signal);
    await expect(judged).rejects.toThrow('removals are judged once tenants have been read');
  });

  it('holds everything while a definition of ours is being deleted', async () => {
    await populate(1);
    harness.server.remove(CUSTOMRESOURCEDEFINITIONS, 'tenants.sublet.dev');
    await harness.converge();
    expect(held()).toEqual(['t-c0']);
    expect(record()?.data?.message).toBe('CustomResourceDefinitions of sublet.dev are being deleted or gone');
  });

  it('asks whether the definition is being deleted before the cache shows it', async () => {
    await populate(1);
    const definition = harness.server.get(CUSTOMRESOURCEDEFINITIONS, 'rdpinstances.sublet.dev');
    if (definition === undefined) throw new Error('the harness has no definition of desktops');
    const finalizers = ['example.com/kept'];
    harness.server.put(CUSTOMRESOURCEDEFINITIONS, {
      ...definition,
      metadata: { ...definition.metadata, finalizers },
    });
    await harness.converge();
    harness.server.remove(CUSTOMRESOURCEDEFINITIONS, 'rdpinstances.sublet.dev');
    const cached = harness.context.informers.definitions.get('rdpinstances.sublet.dev');
    expect(cached?.metadata.deletionTimestamp).toBeUndefined();
    const removal = { kind: 'RDPInstance', key: 't-c0/desk' } as const;
    expect(await harness.context.breaker.admit(removal, signal)).toBe('hold');
    expect(record()?.data?.message).toBe('CustomResourceDefinitions of sublet.dev are being deleted or gone');
  });

  it('says the same of several definitions that go, whichever was seen first', async () => {
    await populate(1);
    for (const name of ['rdpinstances.sublet.dev', 'plans.sublet.dev']) {
      harness.server.remove(CUSTOMRESOURCEDEFINITIONS, name);
      await harness.converge();
    }
    harness.server.remove(CUSTOMRESOURCEDEFINITIONS, 'tenants.sublet.dev');
    await harness.converge();
    expect(record()?.data?.message).toBe('CustomResourceDefinitions of sublet.dev are being deleted or gone');
  });

  it('does not count what goes with a removed seller', async () => {
    await populate(1);
    harness.server.put(TENANTS, tenant('sublet-root', 'acme', { type: 'Reseller' }));
    await harness.converge();
    harness.server.put(PLANS, tenantPlan('t-acme', 'team'));
    for (let at = 0; at < 6; at++) harness.server.put(TENANTS, tenant('t-acme', `d${at}`));
    await harness.converge();
    harness.server.remove(TENANTS, 'sublet-root/acme');
    await harness.converge();
    for (let at = 0; at < 6; at++) harness.server.remove(TENANTS, `t-acme/d${at}`);
    await harness.converge();
    expect(removed()).toHaveLength(7);
    expect(held()).toEqual([]);
  });
});

describe('what is held', () => {
  it('keeps its children, is not swept, and is not counted again', async () => {
    await populate(10);
    const walls = () => harness.server.writes.filter(({ verb }) => verb === 'delete').length;
    await remove(0, 1, 2, 3);
    const deleted = walls();
    await harness.pass(60 * DAY_MS);
    expect(held()).toEqual(['t-c3']);
    expect(harness.server.get(NAMESPACES, 't-c3')).toBeDefined();
    expect(walls()).toBe(deleted);
  });

  it('stays stopped when it was suspended: being held pays no debt', async () => {
    await populate(10);
    const debtor = {
      ...tenant('sublet-root', 'c3'),
      spec: tenant('', 'c3', { suspensions: [{ reason: 'Payment' }] }).spec,
    };
    harness.server.put(TENANTS, { ...harness.server.get<KubeObject>(TENANTS, 'sublet-root/c3'), ...debtor });
    await harness.converge();
    await remove(0, 1, 2, 3, 4);
    expect(held()).toEqual(['t-c3', 't-c4']);
    const { tree } = harness.context;
    const reasons = ['t-c3', 't-c4'].map((name) => {
      const owner = tree.owner(name);
      return owner && tree.suspensions(owner);
    });
    expect(reasons).toEqual([[{ reason: 'Removed', by: 'c3' }], []]);
    await confirm(tripped());
    expect(held()).toEqual([]);
  });

  it('and what was removed before is not swept either while the breaker is tripped', async () => {
    await populate(10);
    await remove(0, 1, 2, 3);
    await harness.pass(60 * DAY_MS);
    expect(harness.server.get(NAMESPACES, 't-c0')).toBeDefined();
  });

  it('goes on only when the id that is shown is confirmed, and then counts anew', async () => {
    await populate(10);
    await remove(0, 1, 2, 3);
    const id = tripped();
    await confirm('20200101000000000');
    expect(held()).toEqual(['t-c3']);
    await confirm(id);
    expect(held()).toEqual([]);
    expect(tripped()).toBeUndefined();
    harness.clock.step(1_000);
    await remove(4, 5, 6);
    expect(held()).toEqual([]);
    await remove(7);
    expect(held()).toEqual(['t-c7']);
    expect(tripped()).not.toBe(id);
    await confirm(id);
    expect(held()).toEqual(['t-c7']);
  });

  it('is swept after its grace once it was confirmed', async () => {
    await populate(10);
    await remove(0, 1, 2, 3);
    await confirm(tripped());
    await harness.pass(8 * DAY_MS);
    expect(harness.server.get(NAMESPACES, 't-c3')).toBeUndefined();
  });

  it('runs on as if nothing had been when its tenant comes back', async () => {
    await populate(10);
    await remove(0, 1, 2, 3);
    harness.server.put(TENANTS, tenant('sublet-root', 'c3'));
    await harness.converge();
    expect(held()).toEqual([]);
    expect(removed()).toEqual(['t-c0', 't-c1', 't-c2']);
  });

  it('stays held when the record is deleted: that confirms nothing', async () => {
    await populate(10);
    await remove(0, 1, 2, 3);
    const id = tripped();
    harness.clock.step(1_000);
    harness.server.remove(CONFIGMAPS, RECORD);
    await harness.converge();
    expect(held()).toEqual(['t-c3']);
    expect(tripped()).toBeDefined();
    expect(tripped()).not.toBe(id);
    expect(record()?.data?.message).toBe('1 removals are held and the record of why is gone');
    await confirm(tripped());
    expect(held()).toEqual([]);
  });

  it('is held although the trip could not be recorded at first', async () => {
    await populate(10);
    await remove(0, 1, 2);
    let failures = 2;
    harness.server.intercept = ({ kind }) => {
      if (kind === 'ConfigMap' && failures-- > 0)
        throw new StatusError({ code: 409, reason: 'Conflict', message: 'no' });
    };
    await remove(3);
    await harness.clock.advance(60_000);
    await harness.converge();
    expect(held()).toEqual(['t-c3']);
    expect(tripped()).toBeDefined();
  });
});
