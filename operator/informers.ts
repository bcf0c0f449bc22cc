import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../crds/v1alpha1/resources.ts';
import {
  CONFIGMAPS,
  CUSTOMRESOURCEDEFINITIONS,
  NAMESPACES,
  NETWORKPOLICIES,
  PERSISTENTVOLUMECLAIMS,
  RESOURCEQUOTAS,
  ROLEBINDINGS,
  ROLES,
  SECRETS,
  SERVICEACCOUNTS,
  SERVICES,
} from '../kube/builtin.ts';
import type { InformerDeps, InformerOptions } from '../kube/informer.ts';
import { createInformer } from '../kube/informer.ts';
import type { KubeObject, Resource } from '../kube/object.ts';
import { DATASOURCES, DATAVOLUMES, VIRTUALMACHINEINSTANCES, VIRTUALMACHINES } from '../kubevirt/index.ts';
import { GITREPOSITORIES, KUSTOMIZATIONS } from '../model/flux.ts';
import { ANNOTATION_PATH, LABEL_OWNER_KIND, LABEL_OWNER_NAME, LABEL_TENANT_ID } from '../model/labels.ts';
import { splitPath, tenantNamespace } from '../model/names.ts';
import { GIT_SECRET_TYPE } from '../model/repository.ts';
import type { OperatorConfig } from './config.ts';
import type { Informers } from './context.ts';

export const GRANTS_NAME = 'sublet-grants';
export const BREAKER_NAME = 'sublet-breaker';

/** Index of owned objects by `<tenant id>/<owner kind>/<owner name>`. */
export const BY_OWNER = 'owner';
/** Index by namespace. */
export const BY_NAMESPACE = 'namespace';

/** Index of tenants' namespaces by their seller's namespace. */
export const BY_SELLER = 'seller';
/** Index of Tenants by the key of their Plan. */
export const BY_PLAN = 'plan';
/** Index of Tenants by `<seller's namespace>/<spec.id>`. */
export const BY_ID = 'id';
/** Index of Plans by the name that they are based on. */
export const BY_BASED_ON = 'basedOn';

/** The value of {@link BY_OWNER} for an object, none when it is not ours. */
export function ownerOf(object: KubeObject): string | undefined {
  const labels = object.metadata.labels;
  const id = labels?.[LABEL_TENANT_ID];
  const kind = labels?.[LABEL_OWNER_KIND];
  const name = labels?.[LABEL_OWNER_NAME];
  return id === undefined || kind === undefined || name === undefined ? undefined : `${id}/${kind}/${name}`;
}

const byOwner = (object: KubeObject): readonly string[] => {
  const owner = ownerOf(object);
  return owner === undefined ? [] : [owner];
};
const sellerOf = ({ metadata }: KubeObject, { rootNamespace }: OperatorConfig): readonly string[] => {
  const path = metadata.annotations?.[ANNOTATION_PATH];
  if (path === undefined) return [];
  const { parentPath } = splitPath(path);
  return [parentPath === undefined ? rootNamespace : tenantNamespace(parentPath)];
};
const byNamespace = (object: KubeObject): readonly string[] => [object.metadata.namespace ?? ''];

/**
 * The operator's caches. What we own is found by its labels, so a lost status loses nothing. Namespaces are all read, as
 * metadata, because one that is not ours may hold a name that we need.
 */
export function createInformers(deps: InformerDeps, config: OperatorConfig): Informers {
  const make = <T extends KubeObject>(resource: Resource, options: Omit<InformerOptions<T>, 'resource'> = {}) =>
    createInformer<T>(deps, {
      resource,
      watchSeconds: config.watchSeconds,
      ...options,
      indexers: { [BY_OWNER]: byOwner, [BY_NAMESPACE]: byNamespace, ...options.indexers },
    });
  const owned = { labelSelector: LABEL_OWNER_KIND };
  return {
    tenants: make(TENANTS, {
      indexers: {
        [BY_PLAN]: (tenant) => [`${tenant.metadata.namespace}/${tenant.spec.plan}`],
        [BY_ID]: (tenant) => [`${tenant.metadata.namespace}/${tenant.spec.id}`],
      },
    }),
    plans: make(PLANS, {
      indexers: { [BY_BASED_ON]: (plan) => (plan.spec.basedOn === undefined ? [] : [plan.spec.basedOn]) },
    }),
    quotas: make(QUOTAS),
    desktops: make(RDPINSTANCES),
    definitions: make(CUSTOMRESOURCEDEFINITIONS, { metadataOnly: true }),
    namespaces: make(NAMESPACES, {
      metadataOnly: true,
      indexers: { [BY_SELLER]: (namespace) => sellerOf(namespace, config) },
    }),
    resourceQuotas: make(RESOURCEQUOTAS, owned),
    networkPolicies: make(NETWORKPOLICIES, owned),
    roles: make(ROLES, owned),
    roleBindings: make(ROLEBINDINGS, owned),
    serviceAccounts: make(SERVICEACCOUNTS, owned),
    kustomizations: make(KUSTOMIZATIONS, owned),
    gitRepositories: make(GITREPOSITORIES, owned),
    gitSecrets: make(SECRETS, { metadataOnly: true, fieldSelector: `type=${GIT_SECRET_TYPE}` }),
    grants: make(CONFIGMAPS, { fieldSelector: `metadata.name=${GRANTS_NAME}` }),
    breaker: make(CONFIGMAPS, { namespace: config.systemNamespace, fieldSelector: `metadata.name=${BREAKER_NAME}` }),
    secrets: make(SECRETS, { ...owned, metadataOnly: true }),
    services: make(SERVICES, owned),
    claims: make(PERSISTENTVOLUMECLAIMS, owned),
    virtualMachines: make(VIRTUALMACHINES, owned),
    virtualMachineInstances: make(VIRTUALMACHINEINSTANCES, owned),
    dataVolumes: make(DATAVOLUMES, owned),
    dataSources: make(DATASOURCES, { namespace: config.imagesNamespace }),
  };
}
