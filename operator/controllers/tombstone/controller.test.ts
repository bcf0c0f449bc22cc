import { afterEach, expect, it } from 'vitest';
import { PLANS, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { createHarness, type Harness, tenant, tenantPlan } from '../../testing/harness.ts';
import { createTombstoneReconcile } from './controller.ts';

let harness: Harness;
afterEach(() => harness.stop());

it('a Tenant that was asked for because it was not seen is known from then on', async () => {
  harness = createHarness();
  const { server, context } = harness;
  server.put(PLANS, tenantPlan('sublet-root', 'team', { vcpu: 16 }));
  server.put(TENANTS, tenant('sublet-root', 'bob'));
  await harness.converge();
  const { tenants } = harness.another().context.informers;
  const reconcile = createTombstoneReconcile({ ...context, informers: { ...context.informers, tenants } });
  server.writes.length = 0;
  await expect(reconcile('t-bob', new AbortController().signal)).rejects.toThrow('not in the cache yet');
  expect(server.writes).toEqual([]);
  const live = server.get(TENANTS, 'sublet-root/bob')?.metadata.resourceVersion;
  expect(tenants.get('sublet-root/bob')?.metadata.resourceVersion).toBe(live);
});
