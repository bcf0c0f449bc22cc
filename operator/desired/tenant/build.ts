import { ownerLabels } from '../../../model/labels.ts';
import type { Manifest } from '../manifest.ts';
import { buildFleetAccess, buildFleetKustomization } from './flux.ts';
import { buildNamespace } from './namespace.ts';
import { buildNetworkPolicies } from './networkpolicy.ts';
import { buildRepositoryAccess, buildRepositoryFeed } from './repository.ts';
import { buildResourceQuota } from './resourcequota.ts';
import { buildMemberBindings, buildSellerAccess } from './roles.ts';

export type TenantMember = {
  readonly kind: 'User' | 'Group';
  readonly name: string;
  readonly role: 'Owner' | 'Admin' | 'Developer' | 'Viewer' | 'Billing';
};

/** How many objects of each kind a tenant's namespace may hold. A guard against floods, not something that is sold. */
export type ObjectCounts = Readonly<Record<string, number>>;

/** A tenant's own repository. `isAdmitted`: Flux may fetch it, as far as Sublet can tell. */
export type RepositoryInput = {
  readonly url: string;
  readonly branch: string;
  /** Folder in the repository, empty for all of it. */
  readonly path: string;
  readonly secretName: string | undefined;
  readonly isAdmitted: boolean;
};

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
  /** What feeds the tenant's namespace: a folder of the fleet repository, a repository of its own, or nothing. */
  readonly source: 'Fleet' | RepositoryInput | undefined;
};

export type TenantSettings = {
  readonly fleetNamespace: string;
  /** Where the software runs. */
  readonly systemNamespace: string;
  /** Namespace and pod labels of the cluster's DNS service. */
  readonly dns: { readonly namespace: string; readonly podLabels: Readonly<Record<string, string>> };
  readonly objectCounts: { readonly Customer: ObjectCounts; readonly Reseller: ObjectCounts };
  readonly kustomizationInterval: string;
  readonly kustomizationRetryInterval: string;
  /** How often Flux asks tenants' own repositories for a new commit. */
  readonly repositoryInterval: string;
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
      ...buildAccess(input, settings, labels),
    ],
    feed: buildFeed(input, settings, labels),
  };
}

type Labels = Readonly<Record<string, string>>;

function buildAccess(input: TenantInput, settings: TenantSettings, labels: Labels): readonly Manifest[] {
  if (input.source === undefined) return [];
  if (input.source === 'Fleet') return buildFleetAccess(input, settings, labels);
  return buildRepositoryAccess(input, input.source, settings, labels);
}

function buildFeed(input: TenantInput, settings: TenantSettings, labels: Labels): readonly Manifest[] {
  if (input.source === undefined) return [];
  if (input.source === 'Fleet') return [buildFleetKustomization(input, settings, labels)];
  return buildRepositoryFeed(input, input.source, settings, labels);
}
