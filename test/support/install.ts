import path from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Cluster } from '../cluster/contract.ts';
import { isAllowed } from './rights.ts';

const PREREQUISITES = path.join(import.meta.dirname, '..', '..', 'deploy', 'prerequisites');
const SYSTEM_NAMESPACE = 'sublet-system';
const SIMULATOR = { namespace: 'kubevirt', name: 'kubevirt-simulator' } as const;
const DENIAL_TIMEOUT_MS = 300_000;
const POLL_MS = 100;

/** Under whom the parts of the product run in a test cluster: the ServiceAccounts of `deploy/`, never the administrator. */
export type Installation = {
  readonly operator: KubeConfig;
  readonly source: KubeConfig;
  /** For what plays KubeVirt and CDI: a ServiceAccount in KubeVirt's namespace that may do what it likes. */
  readonly simulator: KubeConfig;
};

/**
 * Installs everything of `deploy/` but the Deployments, whose part the test itself plays, and waits until the admission
 * policies refuse what they have to.
 */
export async function installSublet(cluster: Cluster): Promise<Installation> {
  await cluster.installManifests(PREREQUISITES);
  await cluster.installManifests(SIMULATOR_ACCOUNT);
  await waitForPolicies(cluster);
  for (const [account, right] of RIGHTS) await waitForRights(cluster, account, right);
  return {
    operator: await cluster.serviceAccountKubeConfig(SYSTEM_NAMESPACE, 'sublet-operator'),
    source: await cluster.serviceAccountKubeConfig(SYSTEM_NAMESPACE, 'sublet-source'),
    simulator: await cluster.serviceAccountKubeConfig(SIMULATOR.namespace, SIMULATOR.name),
  };
}

type Right = Parameters<typeof isAllowed>[2];

const LEASES: Right = {
  verb: 'create',
  group: 'coordination.k8s.io',
  resource: 'leases',
  namespace: SYSTEM_NAMESPACE,
};
const FLUX_GROUP = 'source.toolkit.fluxcd.io';

/** One that each role gives: a role comes whole. */
const RIGHTS: readonly (readonly [account: string, right: Right])[] = [
  [`${SIMULATOR.namespace}:${SIMULATOR.name}`, { verb: 'create', resource: 'namespaces' }],
  [`${SYSTEM_NAMESPACE}:sublet-operator`, { verb: 'create', resource: 'namespaces' }],
  [
    `${SYSTEM_NAMESPACE}:sublet-operator`,
    { verb: 'list', group: 'cdi.kubevirt.io', resource: 'datasources', namespace: 'sublet-images' },
  ],
  [`${SYSTEM_NAMESPACE}:sublet-operator`, LEASES],
  [`${SYSTEM_NAMESPACE}:sublet-source`, { verb: 'list', group: 'sublet.dev', resource: 'tenants' }],
  [
    `${SYSTEM_NAMESPACE}:sublet-source`,
    { verb: 'create', group: FLUX_GROUP, resource: 'externalartifacts', namespace: 'sublet-fleet' },
  ],
  [`${SYSTEM_NAMESPACE}:sublet-source`, LEASES],
  [`${SYSTEM_NAMESPACE}:sublet-api`, { verb: 'list', group: 'sublet.dev', resource: 'tenants' }],
  [
    `${SYSTEM_NAMESPACE}:sublet-api`,
    { verb: 'patch', group: FLUX_GROUP, resource: 'gitrepositories', namespace: 'sublet-fleet' },
  ],
  [
    `${SYSTEM_NAMESPACE}:sublet-api`,
    { verb: 'list', group: 'rbac.authorization.k8s.io', resource: 'rolebindings', namespace: 'sublet-root' },
  ],
];

/**
 * The API server learns of policies and of bindings by a watch each, and takes up once a second what it knows by then. They are installed in the order of
 * their names: when the last one refuses a dry run, all hold.
 */
async function waitForPolicies(cluster: Cluster): Promise<void> {
  const path = '/apis/sublet.dev/v1alpha1/namespaces/sublet-root/plans?dryRun=All';
  const forged = {
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'Plan',
    metadata: { name: 'sublet-policy-probe', labels: { 'kustomize.toolkit.fluxcd.io/name': 'forged' } },
    spec: { title: 'Probe', offers: 'Tenant', currency: 'USD' },
  };
  const deadline = performance.now() + DENIAL_TIMEOUT_MS;
  let last: unknown;
  while (performance.now() < deadline) {
    const reply = await cluster.admin.call('POST', path, forged);
    if (reply.status === 403) return;
    last = reply.body;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(
    `the policy sublet-reserved-origin did not refuse a forged label within ${DENIAL_TIMEOUT_MS} ms: ${JSON.stringify(last)}`,
  );
}

async function waitForRights({ admin }: Cluster, account: string, asked: Right): Promise<void> {
  const deadline = performance.now() + DENIAL_TIMEOUT_MS;
  while (!(await isAllowed(admin, `system:serviceaccount:${account}`, asked))) {
    if (performance.now() > deadline) throw new Error(`${account} may not ${asked.verb} ${asked.resource}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const SIMULATOR_ACCOUNT = `
apiVersion: v1
kind: Namespace
metadata: {name: ${SIMULATOR.namespace}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ${SIMULATOR.name}, namespace: ${SIMULATOR.namespace}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ${SIMULATOR.name}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: ${SIMULATOR.name}, namespace: ${SIMULATOR.namespace}}]
`;
