import { afterEach, beforeEach, expect, it } from 'vitest';
import { PLANS, TENANTS } from '../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../crds/v1alpha1/tenant.ts';
import { CONFIGMAPS, NAMESPACES } from '../../kube/builtin.ts';
import type { KubeObject } from '../../kube/object.ts';
import { ANNOTATION_HELD } from '../../model/labels.ts';
import type { ConfigMap } from '../context.ts';
import { createHarness, type Harness, tenant, tenantPlan } from '../testing/harness.ts';

const signal = new AbortController().signal;

let harness: Harness;
afterEach(() => harness.stop());

/** A reseller and its customer; the reseller's Tenant is gone, and the breaker holds what it left. */
beforeEach(async () => {
  harness = createHarness({ breaker: { minimum: 0, percent: 0 } });
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team', { vcpu: 16, tenants: 5 }));
  harness.server.put(TENANTS, tenant('sublet-root', 'acme', { type: 'Reseller' }));
  await harness.converge();
  harness.server.put(PLANS, tenantPlan('t-acme', 'small', { vcpu: 4 }));
  harness.server.put(TENANTS, tenant('t-acme', 'bob', { plan: 'small' }));
  await harness.converge();
  harness.server.remove(TENANTS, 'sublet-root/acme');
  await harness.converge();
});

const ready = (name: string) => {
  const found = harness.server.get<Tenant & KubeObject>(TENANTS, `t-acme/${name}`);
  return found?.status?.conditions?.find(({ type }) => type === 'Ready');
};
const shares = () => Object.keys(harness.server.get<ConfigMap>(CONFIGMAPS, 't-acme/sublet-grants')?.data ?? {});

it('below a Tenant that is not there nothing more is granted, and nothing is taken back', async () => {
  const { context, server } = harness;
  expect(server.get(NAMESPACES, 't-acme')?.metadata.annotations).toHaveProperty([ANNOTATION_HELD]);
  const ask = { namespace: 't-acme', key: 'desktops/new', used: { vcpu: 1n } };
  expect(await context.grants.ensure(ask, signal)).toMatchObject({ granted: false });
  expect(ready('bob')).toMatchObject({ status: 'False', reason: 'TenantNotFound' });
  expect(shares()).toEqual(['tenants.bob']);
  expect(server.get(NAMESPACES, 't-acme--bob')?.metadata.annotations).not.toHaveProperty([ANNOTATION_HELD]);

  server.put(TENANTS, tenant('t-acme', 'eve', { plan: 'small' }));
  await harness.converge();
  expect(ready('eve')).toMatchObject({ status: 'False', reason: 'TenantNotFound' });
  expect(server.get(NAMESPACES, 't-acme--eve')).toBeUndefined();
});

it('everything goes on when the Tenant is back', async () => {
  const { context, server } = harness;
  server.put(TENANTS, tenant('sublet-root', 'acme', { type: 'Reseller' }));
  await harness.converge();
  expect(ready('bob')).toMatchObject({ status: 'True' });
  expect(shares()).toEqual(['tenants.bob']);
  const ask = { namespace: 't-acme', key: 'desktops/new', used: { vcpu: 12n } };
  expect(await context.grants.ensure(ask, signal)).toEqual({ granted: true });
});
