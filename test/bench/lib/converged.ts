import { compareIntent } from '../../../kube/compare.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Cluster } from '../../cluster/contract.ts';
import { buildChildren, buildTenantResource, locate, tenantNames } from './workload.ts';

type Condition = { readonly type: string; readonly status: string };
type Tenant = KubeObject & {
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
};

const SAMPLES = 5;

/**
 * What is missing before a run may count as converged, by the administrator's own reads: every Tenant Ready at its
 * generation with a finalizer, and for some of them every child as the operator builds it.
 */
export async function findMissing(cluster: Cluster, run: string, count: number): Promise<readonly string[]> {
  const names = tenantNames(run, count);
  const list = await cluster.admin.ask('GET', locate(buildTenantResource('any')).collection);
  const tenants = new Map(
    (list as { readonly items: readonly Tenant[] }).items.map((tenant) => [tenant.metadata.name, tenant]),
  );
  const unready = names.filter((name) => !isConverged(tenants.get(name)));
  const missing =
    unready.length === 0 ? [] : [`${unready.length} of ${count} Tenants are not Ready, ${unready[0]} among them`];
  const sampled = Array.from(
    { length: SAMPLES },
    (_, index) => names[Math.floor((index * (count - 1)) / (SAMPLES - 1))],
  );
  for (const name of new Set(sampled)) {
    if (name === undefined) continue;
    const children = buildChildren(name, tenants.get(name)?.metadata.uid ?? '');
    for (const intent of children.flat()) {
      const reply = await cluster.admin.call('GET', locate(intent).item);
      const difference =
        reply.status === 200
          ? compareIntent(intent, reply.body)
          : { path: `${reply.status} ${JSON.stringify(reply.body)}` };
      if (difference !== undefined)
        missing.push(`${intent.kind} ${intent.metadata.name} differs at ${difference.path}`);
    }
  }
  return missing;
}

function isConverged(tenant: Tenant | undefined): boolean {
  const { metadata, status } = tenant ?? {};
  const isReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  return isReady && status?.observedGeneration === metadata?.generation && (metadata?.finalizers ?? []).length > 0;
}
