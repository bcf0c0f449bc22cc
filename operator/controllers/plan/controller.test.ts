import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../../crds/v1alpha1/plan.ts';
import { PLANS, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { createHarness, type Harness, tenant, tenantPlan } from '../../testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = createHarness();
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team'));
  harness.server.put(TENANTS, tenant('sublet-root', 'acme', { type: 'Reseller' }));
  await harness.converge();
});
afterEach(() => harness.stop());

const SIZE = { vcpu: 4, memory: '8Gi', storage: '100Gi', images: ['ubuntu-24'] } as const;

function put(namespace: string, name: string, spec: Readonly<Record<string, unknown>>): void {
  const live = harness.server.get<Plan & KubeObject>(PLANS, `${namespace}/${name}`);
  const base = tenantPlan(namespace, name);
  const plan = { ...base, ...live, spec: { title: name, offers: 'Desktop', currency: 'USD', price: [], ...spec } };
  harness.server.put(PLANS, plan);
}

function status(key: string) {
  const found = harness.server.get<Plan & KubeObject>(PLANS, key)?.status;
  const ready = found?.conditions?.find(({ type }) => type === 'Ready');
  return { ready: `${ready?.status} ${ready?.reason}: ${ready?.message}`, revision: found?.revision };
}

describe('a Plan', () => {
  it('has a revision that changes with its spec only, and is written once', async () => {
    put('sublet-root', 'performance', { desktop: SIZE });
    await harness.converge();
    const first = status('sublet-root/performance');
    expect(first).toMatchObject({
      ready: 'True Succeeded: can be ordered',
      revision: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    const live = harness.server.get(PLANS, 'sublet-root/performance') as KubeObject;
    harness.server.put(PLANS, { ...live, metadata: { ...live.metadata, labels: { tier: 'two' } } });
    const written = harness.server.writes.length;
    await harness.converge();
    expect(status('sublet-root/performance')).toEqual(first);
    expect(harness.server.writes).toHaveLength(written);
    put('sublet-root', 'performance', { desktop: { ...SIZE, vcpu: 5 } });
    await harness.converge();
    expect(status('sublet-root/performance').revision).not.toBe(first.revision);
  });

  it('shows what a base further up lacks, at every level, and heals with it', async () => {
    harness.server.put(PLANS, tenantPlan('t-acme', 'small'));
    harness.server.put(TENANTS, tenant('t-acme', 'bob', { plan: 'small', type: 'Reseller' }));
    await harness.converge();
    put('t-acme', 'pro', { basedOn: 'performance' });
    put('t-acme--bob', 'mini', { basedOn: 'pro' });
    await harness.converge();
    expect(status('t-acme/pro').ready).toContain(
      'False BasedOnNotFound: spec.basedOn: performance: no Plan performance',
    );
    expect(status('t-acme--bob/mini').ready).toContain(
      'False BasedOnNotFound: spec.basedOn: pro: spec.basedOn: performance',
    );
    put('sublet-root', 'performance', { desktop: SIZE });
    await harness.converge();
    expect(status('t-acme/pro').ready).toBe('True Succeeded: can be ordered');
    expect(status('t-acme--bob/mini').ready).toBe('True Succeeded: can be ordered');
    put('sublet-root', 'performance', { desktop: { ...SIZE, vcpu: 1 } });
    put('t-acme', 'pro', { basedOn: 'performance', desktop: { vcpu: 2 } });
    await harness.converge();
    expect(status('t-acme--bob/mini').ready).toContain('False Widened');
  });

  it('cannot be sold by nobody, nor by a Customer, until that may sell', async () => {
    put('default', 'lost', { basedOn: 'performance' });
    harness.server.put(TENANTS, tenant('sublet-root', 'zoe'));
    await harness.converge();
    put('t-zoe', 'own', { offers: 'Tenant' });
    await harness.converge();
    expect(status('default/lost').ready).toBe(
      "False NoSeller: namespace default belongs to no seller; move the Plan to its seller's namespace",
    );
    expect(status('t-zoe/own').ready).toBe(
      'False NoSeller: the owner of namespace t-zoe is a Customer and may not sell',
    );
    const live = harness.server.get(TENANTS, 'sublet-root/zoe') as KubeObject;
    harness.server.put(TENANTS, { ...live, ...{ spec: tenant('', 'zoe', { type: 'Reseller' }).spec } });
    await harness.converge();
    expect(status('t-zoe/own').ready).toBe('True Succeeded: can be ordered');
  });

  it('is not called into doubt by a restart', async () => {
    put('sublet-root', 'performance', { desktop: SIZE });
    put('t-acme', 'pro', { basedOn: 'performance' });
    await harness.converge();
    const written = harness.server.writes.length;
    harness = await harness.restart();
    await harness.converge();
    expect(harness.server.writes.slice(written)).toEqual([]);
  });
});
