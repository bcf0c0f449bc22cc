import { afterEach, beforeEach, expect, it } from 'vitest';
import { PLANS, RDPINSTANCES, TENANTS } from '../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS } from '../../kube/builtin.ts';
import { API_VERSION } from '../../model/group.ts';
import type { ConfigMap } from '../context.ts';
import { mapGrants } from '../controllers/rdpinstance/map.ts';
import { reconcileTombstone } from '../controllers/rdpinstance/sweep.ts';
import { createHarness, type Harness, tenant, tenantPlan } from '../testing/harness.ts';

const signal = new AbortController().signal;
const RECORD = 't-acme/sublet-grants';

let harness: Harness;
beforeEach(async () => {
  harness = createHarness();
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team', { vcpu: 16 }));
  harness.server.put(TENANTS, tenant('sublet-root', 'acme'));
  await harness.converge();
  for (const name of ['kept', 'gone']) {
    await harness.context.grants.ensure({ namespace: 't-acme', key: `desktops/${name}`, used: { vcpu: 4n } }, signal);
  }
  const spec = { plan: 'pro', image: 'ubuntu-24', username: 'anna' };
  const desktop = {
    apiVersion: API_VERSION,
    kind: 'RDPInstance',
    metadata: { name: 'kept', namespace: 't-acme' },
    spec,
  };
  harness.server.put(RDPINSTANCES, desktop);
  harness = await harness.restart();
  await harness.sync();
});
afterEach(() => harness.stop());

it('a share that a crash left behind is found at the next start and given back', async () => {
  const { context, server } = harness;
  const record = context.informers.grants.get(RECORD) as ConfigMap;
  expect(mapGrants(context, record)).toEqual(['t-acme/gone']);
  await reconcileTombstone(context, 't-acme/gone', signal);
  expect(Object.keys(server.get<ConfigMap>(CONFIGMAPS, RECORD)?.data ?? {})).toEqual(['desktops.kept']);
});
