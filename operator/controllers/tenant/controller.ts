import type { Quota } from '../../../crds/v1alpha1/quota.ts';
import { TENANTS } from '../../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import { createController, watchOf } from '../../../kube/controller.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { objectKey } from '../../../kube/object.ts';
import { ANNOTATION_TENANT_ID, LABEL_OWNER_KIND, LABEL_OWNER_NAME, LABEL_TENANT_ID } from '../../../model/labels.ts';
import type { OperatorContext } from '../../context.ts';
import { BY_NAMESPACE, BY_PLAN } from '../../informers.ts';
import { always, onSpecChange } from '../../predicates.ts';
import { locateTenant, tenantKeyOfNamespace } from '../../tree.ts';
import { createTenantReconcile } from './reconcile.ts';

/** Makes what belongs to a Tenant, and keeps it so. */
export function createTenantController(context: OperatorContext) {
  const { informers, config } = context;
  const { tenants } = informers;
  const children = [
    informers.resourceQuotas,
    informers.networkPolicies,
    informers.roles,
    informers.roleBindings,
    informers.serviceAccounts,
    informers.kustomizations,
  ];
  return createController(context, {
    name: TENANTS.kind.toLowerCase(),
    workers: config.workers,
    watches: [
      watchOf<Tenant & KubeObject>({
        informer: tenants,
        map: (tenant) => [objectKey(tenant), ...listSiblings(context, tenant)],
        predicate: onSpecChange,
      }),
      watchOf<Tenant & KubeObject>({
        informer: tenants,
        map: (tenant) => listDescendants(context, tenant),
        predicate: onSpecChange,
      }),
      watchOf({
        informer: informers.plans,
        map: (plan) => tenants.byIndex(BY_PLAN, objectKey(plan)).map(objectKey),
        predicate: always,
      }),
      watchOf<Quota & KubeObject>({ informer: informers.quotas, map: (quota) => listLimited(context, quota), predicate: onSpecChange }),
      watchOf({ informer: informers.grants, map: (record) => listRefused(context, record), predicate: always }),
      watchOf({
        informer: informers.namespaces,
        map: (namespace) => tenantKeyOfNamespace(context, namespace.metadata.name),
        predicate: onSpecChange,
      }),
      ...children.map((informer) =>
        watchOf({ informer, map: (child) => mapChild(context, child), predicate: always }),
      ),
    ],
    reconcile: createTenantReconcile(context),
  });
}

/** Tenants that state the same id beside this one: when the older goes, the younger may have it. */
function listSiblings(context: OperatorContext, tenant: Tenant & KubeObject): readonly string[] {
  const { namespace } = tenant.metadata;
  return context.informers.tenants.byIndex('id', `${namespace}/${tenant.spec.id}`).map(objectKey);
}

/** Everything sold below: suspensions, holds, limits and the right to sell are inherited. */
function listDescendants(context: OperatorContext, tenant: Tenant & KubeObject): readonly string[] {
  const seller = context.tree.owner(tenant.metadata.namespace ?? '');
  if (seller === undefined) return [];
  const { namespace } = locateTenant(seller, tenant);
  const below = context.informers.tenants.byIndex(BY_NAMESPACE, namespace);
  return below.flatMap((child) => [objectKey(child), ...listDescendants(context, child)]);
}

function listLimited(context: OperatorContext, quota: Quota & KubeObject): readonly string[] {
  const tenant = context.informers.tenants.get(objectKey(quota));
  return tenant === undefined ? [] : [objectKey(tenant), ...listDescendants(context, tenant)];
}

/** Tenants that did not fit their seller's limits: a share that was given back may be theirs now. */
function listRefused(context: OperatorContext, record: KubeObject): readonly string[] {
  const namespace = record.metadata.namespace ?? '';
  const refused = context.informers.tenants
    .byIndex(BY_NAMESPACE, namespace)
    .filter(({ status }) => status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'QuotaExceeded'));
  return [...refused.map(objectKey), ...tenantKeyOfNamespace(context, namespace)];
}

/** The Tenant that owns a child: by its own namespace, by the fleet's object of that name, or beside the Tenant. */
function mapChild(context: OperatorContext, child: KubeObject): readonly string[] {
  const { labels, namespace = '', name } = child.metadata;
  if (labels?.[LABEL_OWNER_KIND] !== 'Tenant') return [];
  const { namespaces } = context.informers;
  const home = namespace === context.config.fleetNamespace ? name : namespace;
  const annotations = namespaces.get(home)?.metadata.annotations;
  if (annotations?.[ANNOTATION_TENANT_ID] === labels[LABEL_TENANT_ID]) return tenantKeyOfNamespace(context, home);
  return [`${namespace}/${labels[LABEL_OWNER_NAME]}`];
}
