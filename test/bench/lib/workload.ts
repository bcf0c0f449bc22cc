import { hashValue } from '../../../kube/compare.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { API_VERSION } from '../../../model/group.ts';
import { computeTenantId } from '../../../model/identity.ts';
import { ANNOTATION_APPLIED_HASH } from '../../../model/labels.ts';
import { ROOT_NAMESPACE, ROOT_TENANT_ID, tenantNamespace, tenantPath } from '../../../model/names.ts';
import { OperatorConfig } from '../../../operator/config.ts';
import type { Manifest } from '../../../operator/desired/manifest.ts';
import { buildTenant } from '../../../operator/desired/tenant/build.ts';

/** The Plan that every tenant of a benchmark buys. */
export const PLAN_NAME = 'bench';

/** A tenant plan without limits, so that no grant is recorded: what is measured is children, not arithmetic. */
export function buildPlan(): Manifest {
  return {
    apiVersion: API_VERSION,
    kind: 'Plan',
    metadata: { name: PLAN_NAME, namespace: ROOT_NAMESPACE },
    spec: { title: 'Benchmark', offers: 'Tenant', currency: 'USD' },
  };
}

/** Names of the tenants of one run; no name of one run begins like a name of another. */
export function tenantNames(run: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${run}-${String(index).padStart(6, '0')}`);
}

/** A customer of the provider with one member, fed by a folder of the fleet. */
export function buildTenantResource(name: string): Manifest {
  return {
    apiVersion: API_VERSION,
    kind: 'Tenant',
    metadata: { name, namespace: ROOT_NAMESPACE },
    spec: {
      id: `id-${name}`,
      plan: PLAN_NAME,
      type: 'Customer',
      members: [{ kind: 'User', name: `oidc:${name}`, role: 'Owner' }],
      source: { type: 'Fleet' },
    },
  };
}

/**
 * The children of {@link buildTenantResource}'s Tenant as the operator builds them, in the stages in which they may come to be:
 * the namespace, what lives in it or beside it, what the API server takes only when a Role is there, what lets Flux in. `uid` is
 * the API server's.
 */
export function buildChildren(name: string, uid: string): readonly (readonly Manifest[])[] {
  const path = tenantPath(undefined, name);
  const config = OperatorConfig.parse({});
  const children = buildTenant(
    {
      name,
      uid,
      sellerNamespace: ROOT_NAMESPACE,
      namespace: tenantNamespace(path),
      path,
      tenantId: computeTenantId(ROOT_TENANT_ID, `id-${name}`),
      parentId: ROOT_TENANT_ID,
      type: 'Customer',
      members: [{ kind: 'User', name: `oidc:${name}`, role: 'Owner' }],
      source: 'Fleet',
    },
    config,
  );
  const all: readonly Manifest[] = Object.values(children).flat();
  const stages = [0, 1, 2, 3].map((stage) => all.filter((child) => stageOf(child) === stage));
  return stages.filter((stage) => stage.length > 0);
}

function stageOf({ kind, roleRef }: Manifest): number {
  if (kind === 'Namespace') return 0;
  if (kind === 'Kustomization') return 3;
  const bindsRole = typeof roleRef === 'object' && roleRef !== null && 'kind' in roleRef && roleRef.kind === 'Role';
  return bindsRole ? 2 : 1;
}

/** Children a tenant of the workload has. */
export const CHILDREN_PER_TENANT = buildChildren('any', 'any').flat().length;

/** An intent with the annotation that the operator puts on what it creates. */
export function withAppliedHash(intent: Manifest): Manifest {
  const { metadata } = intent;
  const annotations = { ...metadata.annotations, [ANNOTATION_APPLIED_HASH]: `${hashValue(intent)}.posted` };
  return { ...intent, metadata: { ...metadata, annotations } };
}

/** The status that a converged Tenant ends with. */
export function buildStatus(name: string, observedGeneration: number, nowIso: string): object {
  const path = tenantPath(undefined, name);
  const namespace = tenantNamespace(path);
  const message = `namespace ${namespace} is ready`;
  const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message };
  return {
    observedGeneration,
    namespace,
    path,
    conditions: [{ ...ready, observedGeneration, lastTransitionTime: nowIso }],
  };
}

/** Where the API server serves an object of the workload; the collection is where it is created. */
export function locate(object: KubeObject): { readonly collection: string; readonly item: string } {
  const { apiVersion, kind, metadata } = object;
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  const plural = kind === 'NetworkPolicy' ? 'networkpolicies' : `${kind.toLowerCase()}s`;
  const collection = `${base}${scope}/${plural}`;
  return { collection, item: `${collection}/${metadata.name}` };
}
