import { afterAll, beforeAll, expect, it } from 'vitest';
import { KINDS } from '../../crds/v1alpha1/resources.ts';
import type { JsonMap } from '../../gitops/intent.ts';
import type { Change } from '../../gitops/journal.ts';
import { type Client, createClient } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createMetrics } from '../../kube/metrics.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { API_VERSION } from '../../model/group.ts';
import { describeWithOwnCluster } from '../../test/support/cluster.ts';
import { installSublet } from '../../test/support/install.ts';
import { createDryRun, nameFluxAccount } from './dryrun.ts';

const BOB = 't-acme--bob';
const FLEET = 'sublet-fleet';
const SOURCES = [
  ['a repository of its own', true],
  ['the fleet', false],
] as const;

describeWithOwnCluster('the dry run on a real API server, under the account of the API', {}, (cluster) => {
  let client: Client;

  beforeAll(async () => {
    const { admin } = cluster();
    await installSublet(cluster());
    await admin.ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: BOB } });
    const accounts = [
      { kind: 'ServiceAccount', name: 'sublet-repository', namespace: BOB },
      { kind: 'ServiceAccount', name: BOB, namespace: FLEET },
    ];
    for (const { kind, name, namespace } of accounts) {
      const account = { apiVersion: 'v1', kind, metadata: { name } };
      await admin.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
    }
    const apiGroup = 'rbac.authorization.k8s.io';
    await admin.ask('POST', `/apis/${apiGroup}/v1/namespaces/${BOB}/rolebindings`, {
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'sublet-fleet-customer' },
      roleRef: { apiGroup, kind: 'ClusterRole', name: 'sublet-fleet-customer' },
      subjects: accounts,
    });
    const kubeConfig = await cluster().serviceAccountKubeConfig('sublet-system', 'sublet-api');
    const deps = { clock: realClock, random: realRandom, log: createTestLog().log, metrics: createMetrics() };
    client = createClient({ ...deps, kubeConfig }, { userAgent: 'sublet-api' });
  });
  afterAll(() => client?.close());

  const ask = (kind: string, spec: JsonMap, accountOf: (namespace: string) => string) => {
    const object = { apiVersion: API_VERSION, kind, metadata: { name: 'desk' }, spec };
    const change = {
      intent: { type: 'Create', target: { kind, namespace: BOB, name: 'desk' }, object },
    } as Partial<Change> as Change;
    const resources = KINDS.map(({ resource }) => resource);
    return createDryRun(client, resources, accountOf)(change, object, AbortSignal.timeout(60_000));
  };
  const desk = { plan: 'pro', image: 'ubuntu-24', username: 'bob' };

  it.each(SOURCES)('answers as Flux would be answered: %s', async (_, isOwn) => {
    const accountOf = (namespace: string) => nameFluxAccount(namespace, { isOwn, fleetNamespace: FLEET });
    // The API server learns of rights by a watch.
    await expect.poll(() => ask('RDPInstance', desk, accountOf).catch(String)).toEqual({ type: 'accepted' });
    expect(await ask('RDPInstance', { ...desk, username: 'root' }, accountOf)).toEqual({
      type: 'refused',
      message: expect.stringContaining('spec.username'),
    });
    expect(await ask('Plan', { title: 'Pro', offers: 'Desktop', currency: 'USD' }, accountOf)).toEqual({
      type: 'refused',
      message: expect.stringContaining('forbidden'),
    });
    const { items } = await client.list(
      KINDS.map(({ resource }) => resource).find(({ kind }) => kind === 'RDPInstance') ?? expect.unreachable(),
    );
    expect(items).toEqual([]);
  });

  it('gives no answer as any other account, which the API may not act as', async () => {
    const other = (namespace: string) => `system:serviceaccount:${namespace}:default`;
    await expect(ask('RDPInstance', desk, other)).rejects.toThrow('cannot impersonate');
  });
});
