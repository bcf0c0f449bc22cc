import { ownerLabels } from '../../../model/labels.ts';
import type { Manifest } from '../manifest.ts';
import { buildFleetAccess, buildKustomization } from './flux.ts';
import { buildNamespace } from './namespace.ts';
import { buildNetworkPolicies } from './networkpolicy.ts';
import { buildResourceQuota } from './resourcequota.ts';
import { buildMemberBindings, buildSellerAccess } from './roles.ts';

export type TenantMember = {
  readonly kind: 'User' | 'Group';
  readonly name: string;
  readonly role: 'Owner' | 'Admin' | 'Developer' | 'Viewer' | 'Billing';
};

/** How many objects of each kind a tenant's namespace may hold. A guard against floods, not something that is sold. */
export type ObjectCounts = Readonly<Record<string, number>>;

/** A validated Tenant: everything that its children depend on, and nothing else. */
export type TenantInput = {
  readonly name: string;
  readonly uid: string;
  /** The seller's namespace, where the Tenant lives. */
  readonly sellerNamespace: string;
  readonly namespace: string;
  readonly path: string;
  /** Global identity of the tenant, and of the tenant that sold to it. */
  readonly tenantId: string;
  readonly parentId: string;
  readonly type: 'Customer' | 'Reseller';
  readonly members: readonly TenantMember[];
  /** Whether a folder of the fleet repository feeds the tenant's namespace. */
  readonly fleetSource: boolean;
};

export type TenantSettings = {
  readonly fleetNamespace: string;
  /** Namespace and pod labels of the cluster's DNS service. */
  readonly dns: { readonly namespace: string; readonly podLabels: Readonly<Record<string, string>> };
  readonly objectCounts: { readonly Customer: ObjectCounts; readonly Reseller: ObjectCounts };
  readonly kustomizationInterval: string;
  readonly kustomizationRetryInterval: string;
};

/** The children of a Tenant: the namespace before what lives in it, and last what lets content in. */
export type TenantChildren = {
  readonly namespace: Manifest;
  readonly rest: readonly Manifest[];
  readonly feed: readonly Manifest[];
};

/** Everything that should exist for a Tenant, as values. Pure; cannot fail, because its input was validated. */
export function buildTenant(input: TenantInput, settings: TenantSettings): TenantChildren {
  const labels = ownerLabels({ tenantId: input.tenantId, kind: 'Tenant', name: input.name });
  return {
    namespace: buildNamespace(input, labels),
    rest: [
      buildResourceQuota(input, settings, labels),
      ...buildNetworkPolicies(input, settings, labels),
      ...buildMemberBindings(input, labels),
      ...buildSellerAccess(input, labels),
      ...(input.fleetSource ? buildFleetAccess(input, settings, labels) : []),
    ],
    feed: input.fleetSource ? [buildKustomization(input, settings, labels)] : [],
  };
}
