import type { Reason } from '../../../crds/v1alpha1/conditions.ts';
import type { Quota } from '../../../crds/v1alpha1/quota.ts';
import { TENANTS } from '../../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import { createController, watchOf } from '../../../kube/controller.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { objectKey, parseKey } from '../../../kube/object.ts';
import { ANNOTATION_TENANT_ID, LABEL_OWNER_KIND, LABEL_OWNER_NAME, LABEL_TENANT_ID } from '../../../model/labels.ts';
import type { ConfigMap, OperatorContext } from '../../context.ts';
import { parseLedger } from '../../grants/ledger.ts';
import { BY_NAMESPACE, BY_PLAN } from '../../informers.ts';
import { always, onFluxChange, onPresence, onSpecChange } from '../../predicates.ts';
import { listDescendants, listInheritors, tenantKeyOfNamespace } from '../../tree.ts';
import { createTenantReconcile } from './reconcile.ts';

const REFUSED: ReadonlySet<string> = new Set<Reason>(['QuotaExceeded', 'GrantsUnreadable']);

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
        map: (plan) => tenants.byIndex(BY_PLAN, objectKey(plan)).flatMap((tenant) => withDescendants(context, tenant)),
        predicate: always,
        required: false,
      }),
      watchOf<Quota & KubeObject>({
        informer: informers.quotas,
        map: (quota) => listLimited(context, quota),
        predicate: onSpecChange,
        required: false,
      }),
      watchOf({ informer: informers.grants, map: (record) => listGrantees(context, record), predicate: always }),
      watchOf({
        informer: informers.namespaces,
        map: (namespace) => listInheritors(context, namespace),
        predicate: onSpecChange,
      }),
      ...children.map((informer) =>
        watchOf({ informer, map: (child) => mapChild(context, child), predicate: always, ownWrites: false }),
      ),
      ...[informers.kustomizations, informers.gitRepositories].map((informer) =>
        watchOf({ informer, map: (child) => mapChild(context, child), predicate: onFluxChange, ownWrites: false }),
      ),
      watchOf({
        informer: informers.gitSecrets,
        map: ({ metadata }) => tenantKeyOfNamespace(context, metadata.namespace ?? ''),
        predicate: onPresence,
      }),
    ],
    reconcile: createTenantReconcile(context),
  });
}

/** Tenants that state the same id beside this one: when the older goes, the younger may have it. */
function listSiblings(context: OperatorContext, tenant: Tenant & KubeObject): readonly string[] {
  const { namespace } = tenant.metadata;
  return context.informers.tenants.byIndex('id', `${namespace}/${tenant.spec.id}`).map(objectKey);
}

function listLimited(context: OperatorContext, quota: Quota & KubeObject): readonly string[] {
  const tenant = context.informers.tenants.get(objectKey(quota));
  return tenant === undefined ? [] : withDescendants(context, tenant);
}

/** Limits go down the tree: what is allotted below follows from what is above. */
function withDescendants(context: OperatorContext, tenant: Tenant & KubeObject): readonly string[] {
  return [objectKey(tenant), ...listDescendants(context, tenant)];
}

/** Who may want to know of a change in a record of grants: its owner, who was refused a share in it, and whose share may be left over. */
function listGrantees(context: OperatorContext, record: ConfigMap): readonly string[] {
  const { namespace = '' } = record.metadata;
  const left = [...parseLedger(record.data).ledger.keys()]
    .filter((key) => key.startsWith('tenants/'))
    .map((key) => `${namespace}/${parseKey(key).name}`)
    .filter((key) => context.informers.tenants.get(key) === undefined);
  return [...tenantKeyOfNamespace(context, namespace), ...listRefused(context, namespace), ...left];
}

/** Tenants that got no share from their seller: one was given back, or the record was mended. */
function listRefused(context: OperatorContext, namespace: string): readonly string[] {
  const refused = context.informers.tenants
    .byIndex(BY_NAMESPACE, namespace)
    .filter(({ status }) => status?.conditions?.some(({ type, reason }) => type === 'Ready' && REFUSED.has(reason)));
  return refused.map(objectKey);
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
