import { QUOTAS } from '../../../crds/v1alpha1/resources.ts';
import { createController, watchOf } from '../../../kube/controller.ts';
import { TerminalError } from '../../../kube/errors.ts';
import { objectKey, parseKey } from '../../../kube/object.ts';
import { renderAmounts } from '../../../model/limits.ts';
import type { OperatorContext } from '../../context.ts';
import { BY_PLAN } from '../../informers.ts';
import { always, onSpecChange } from '../../predicates.ts';
import { listDescendants, listInheritors, locateTenant, tenantKeyOfNamespace } from '../../tree.ts';
import { createStatusReconcile } from '../statusonly.ts';

/** Shows on every Quota which limits hold, what is used of them and what was passed on. */
export function createQuotaController(context: OperatorContext) {
  const { quotas, tenants, plans, grants, namespaces } = context.informers;
  return createController(context, {
    name: QUOTAS.kind.toLowerCase(),
    workers: context.config.workers,
    watches: [
      watchOf({ informer: quotas, map: (quota) => listAffected(context, objectKey(quota)), predicate: onSpecChange }),
      watchOf({
        informer: tenants,
        map: (tenant) => listAffected(context, objectKey(tenant)),
        predicate: onSpecChange,
      }),
      watchOf({
        informer: plans,
        map: (plan) =>
          tenants.byIndex(BY_PLAN, objectKey(plan)).flatMap((tenant) => listAffected(context, objectKey(tenant))),
        predicate: onSpecChange,
      }),
      watchOf({
        informer: grants,
        map: (record) => tenantKeyOfNamespace(context, record.metadata.namespace ?? ''),
        predicate: always,
      }),
      watchOf({
        informer: namespaces,
        map: (namespace) => listInheritors(context, namespace),
        predicate: onSpecChange,
      }),
    ],
    reconcile: createStatusReconcile(context, {
      informer: quotas,
      readyMessage: 'the limits are in force',
      check: (quota) => {
        if (observeTenant(context, objectKey(quota)) !== undefined) return;
        const { name, namespace } = quota.metadata;
        throw new TerminalError(
          'TenantNotFound',
          `no Tenant ${name} in namespace ${namespace}; a Quota limits the Tenant of the same name beside it`,
        );
      },
      fields: (quota) => computeNumbers(context, objectKey(quota)),
    }),
  });
}

/** Whose limits change with a Tenant's: its own Quota, and those of what it sells, which are 0 where it is limited. */
function listAffected(context: OperatorContext, key: string): readonly string[] {
  const tenant = context.informers.tenants.get(key);
  return tenant === undefined ? [key] : [key, ...listDescendants(context, tenant)];
}

function computeNumbers(context: OperatorContext, key: string) {
  const found = observeTenant(context, key);
  if (found === undefined) return {};
  const { used, allotted } = context.grants.totals(locateTenant(found.seller, found.tenant).namespace);
  return {
    hard: renderAmounts(context.limits.effective(found.seller, found.tenant)),
    used: renderAmounts(used),
    allotted: renderAmounts(allotted),
  };
}

function observeTenant(context: OperatorContext, key: string) {
  const tenant = context.informers.tenants.get(key);
  const seller = context.tree.owner(parseKey(key).namespace ?? '');
  return tenant === undefined || seller === undefined ? undefined : { tenant, seller };
}
