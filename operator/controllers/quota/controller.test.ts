import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Quota } from '../../../crds/v1alpha1/quota.ts';
import { PLANS, QUOTAS, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS } from '../../../kube/builtin.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { ConfigMap } from '../../context.ts';
import { createHarness, type Harness, quota, tenant, tenantPlan } from '../../testing/harness.ts';

const signal = new AbortController().signal;
let harness: Harness;
beforeEach(async () => {
  harness = createHarness();
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team', { vcpu: 16, memory: '64Gi' }));
  harness.server.put(TENANTS, tenant('sublet-root', 'acme', { type: 'Reseller' }));
  await harness.converge();
  harness.server.put(PLANS, tenantPlan('t-acme', 'small', { vcpu: 4, memory: '8Gi' }));
  harness.server.put(TENANTS, tenant('t-acme', 'bob', { plan: 'small' }));
});
afterEach(() => harness.stop());

function status(key: string) {
  const found = harness.server.get<Quota & KubeObject>(QUOTAS, key)?.status;
  const ready = found?.conditions?.find(({ type }) => type === 'Ready');
  return {
    ready: `${ready?.status} ${ready?.reason}: ${ready?.message}`,
    hard: found?.hard,
    used: found?.used,
    allotted: found?.allotted,
  };
}

describe('a Quota', () => {
  it('shows what is in force, what is used and what was passed on', async () => {
    harness.server.put(QUOTAS, quota('sublet-root', 'acme', { vcpu: 12, desktops: 10, tenants: 5 }));
    await harness.converge();
    await harness.context.grants.ensure(
      { namespace: 't-acme', key: 'desktops/own', used: { desktops: 1n, vcpu: 2n } },
      signal,
    );
    await harness.converge();
    expect(status('sublet-root/acme')).toEqual({
      ready: 'True Succeeded: the limits are in force',
      hard: { vcpu: '12', memory: '64Gi', desktops: '10', tenants: '5' },
      used: { vcpu: '2', desktops: '1', tenants: '1' },
      allotted: expect.objectContaining({ vcpu: '4', memory: '8Gi' }),
    });
  });

  it('says so when its Tenant is missing, and follows when it comes', async () => {
    harness.server.put(QUOTAS, quota('sublet-root', 'zoe', { vcpu: 1 }));
    await harness.converge();
    expect(status('sublet-root/zoe').ready).toBe(
      'False TenantNotFound: no Tenant zoe in namespace sublet-root; a Quota limits the Tenant of the same name beside it',
    );
    harness.server.put(TENANTS, tenant('sublet-root', 'zoe'));
    await harness.converge();
    expect(status('sublet-root/zoe')).toMatchObject({
      ready: 'True Succeeded: the limits are in force',
      hard: { vcpu: '1' },
    });
  });

  it('follows the limits of the sellers above: unstated is 0 where they are limited', async () => {
    harness.server.put(QUOTAS, quota('t-acme', 'bob', { vcpu: 2 }));
    await harness.converge();
    expect(status('t-acme/bob').hard).toEqual({ vcpu: '2', memory: '8Gi' });
    harness.server.put(QUOTAS, quota('sublet-root', 'acme', { gpus: 1, tenants: 5 }));
    await harness.converge();
    expect(status('t-acme/bob').hard).toEqual({ vcpu: '2', memory: '8Gi', gpus: '0', tenants: '0' });
  });

  it('keeps its last numbers and says why when the record cannot be read', async () => {
    harness.server.put(QUOTAS, quota('sublet-root', 'acme', { vcpu: 12, tenants: 5 }));
    await harness.converge();
    const before = status('sublet-root/acme');
    const record = harness.server.get<ConfigMap>(CONFIGMAPS, 't-acme/sublet-grants');
    const broken: ConfigMap = { ...(record as ConfigMap), data: { ...record?.data, 'tenants.bad': '?' } };
    harness.server.put(CONFIGMAPS, broken);
    await harness.converge();
    expect(status('sublet-root/acme')).toEqual({
      ...before,
      ready:
        'False GrantsUnreadable: ConfigMap t-acme/sublet-grants: tenants.bad cannot be read; nothing is granted until it is mended',
    });
    const live = harness.server.get<ConfigMap>(CONFIGMAPS, 't-acme/sublet-grants') as ConfigMap;
    const mended: ConfigMap = { ...live, data: record?.data ?? {} };
    harness.server.put(CONFIGMAPS, mended);
    await harness.converge();
    expect(status('sublet-root/acme')).toEqual(before);
  });
});
