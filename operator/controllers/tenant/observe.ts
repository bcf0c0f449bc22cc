import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import { resolvePlan } from '../../../model/planlookup.ts';
import { TENANT_REPOSITORY_NAME } from '../../../model/repository.ts';
import type { OperatorContext } from '../../context.ts';
import { BY_ID } from '../../informers.ts';
import { locateTenant } from '../../tree.ts';
import type { RepositoryFacts } from './repository.ts';
import type { TenantObservation } from './validate.ts';

/** Reads everything that decides about one Tenant; from caches only. */
export function observeTenant(context: OperatorContext, key: string): TenantObservation | undefined {
  const { tenants, namespaces, plans } = context.informers;
  const tenant = tenants.get(key);
  if (tenant === undefined) return undefined;
  const residence = tenant.metadata.namespace ?? '';
  const owner = context.tree.owner(residence);
  const place = locateTenant(owner ?? { path: undefined, tenantId: '' }, tenant);
  const plan = owner && resolvePlan(plans, owner, tenant.spec.plan);
  return {
    tenant,
    seller: owner && {
      namespace: residence,
      tenantId: owner.tenantId,
      type:
        owner.path === undefined ? 'Provider' : (owner.tenant?.spec.type ?? (owner.removed ? 'Reseller' : 'Missing')),
    },
    ...place,
    live: namespaces.get(place.namespace),
    duplicateOf: findDuplicate(context, residence, tenant),
    plan,
    repository: observeRepository(context, place.namespace, tenant),
  };
}

function observeRepository(
  { config, informers }: OperatorContext,
  namespace: string,
  { spec }: Tenant,
): RepositoryFacts | undefined {
  const repository = spec.source?.repository;
  if (repository === undefined) return undefined;
  const { secretRef } = repository;
  const key = `${namespace}/${TENANT_REPOSITORY_NAME}`;
  return {
    namespace,
    repository,
    allowedGitHosts: config.allowedGitHosts,
    hasSecret: secretRef !== undefined && informers.gitSecrets.get(`${namespace}/${secretRef.name}`) !== undefined,
    gitRepository: informers.gitRepositories.get(key),
    kustomization: informers.kustomizations.get(key),
  };
}

type Sibling = { readonly metadata: { readonly name: string; readonly creationTimestamp?: string | undefined } };

function findDuplicate(
  context: OperatorContext,
  residence: string,
  tenant: Sibling & { readonly spec: { readonly id: string } },
): string | undefined {
  const siblings = context.informers.tenants.byIndex(BY_ID, `${residence}/${tenant.spec.id}`);
  const age = (one: Sibling): string => `${one.metadata.creationTimestamp}/${one.metadata.name}`;
  return siblings.find((other) => other.metadata.name !== tenant.metadata.name && age(other) < age(tenant))?.metadata
    .name;
}
