import type { Tenant } from '../crds/v1alpha1/tenant.ts';
import type { KubeObject } from '../kube/object.ts';
import { computeTenantId } from '../model/identity.ts';
import { ANNOTATION_PARENT_ID, ANNOTATION_PATH, ANNOTATION_TENANT_ID } from '../model/labels.ts';
import { ROOT_TENANT_ID, splitPath, tenantNamespace } from '../model/names.ts';
import type { SellerChain } from '../model/planlookup.ts';
import type { Membership, Principal, Role } from './authorize.ts';
import { BY_MEMBER, BY_NAMESPACE, type Caches, memberKey, type RoleBinding } from './caches.ts';

/** Whose a namespace is. */
export type Owner = {
  readonly namespace: string;
  /** Absent for the provider. */
  readonly path: string | undefined;
  readonly tenantId: string;
  readonly tenant: (Tenant & KubeObject) | undefined;
  /** Absent for the provider. */
  readonly seller: Owner | undefined;
};

/** The tree of tenants as namespaces' annotations say it, which only the operator writes; and who is a member where. */
export type Tree = {
  /** `undefined` when the namespace is no tenant's, and not the provider's. */
  owner(namespace: string): Owner | undefined;
  memberships(principal: Principal): readonly Membership[];
};

export function createTree(
  caches: Pick<Caches, 'tenants' | 'namespaces' | 'rootBindings' | 'membershipVersion'>,
  { rootNamespace }: { readonly rootNamespace: string },
): Tree {
  const provider: Owner = {
    namespace: rootNamespace,
    path: undefined,
    tenantId: ROOT_TENANT_ID,
    tenant: undefined,
    seller: undefined,
  };

  // What is found stays so as long as no Tenant and no namespace changes, which is far more seldom than it is asked.
  const owners = new Map<string, Owner>();
  let ownersVersion = -1;
  const owner = (namespace: string): Owner | undefined => {
    const version = caches.membershipVersion();
    if (version !== ownersVersion) owners.clear();
    ownersVersion = version;
    const known = owners.get(namespace);
    if (known !== undefined) return known;
    const found = findOwner(namespace);
    if (found !== undefined) owners.set(namespace, found);
    return found;
  };

  const findOwner = (namespace: string): Owner | undefined => {
    if (namespace === rootNamespace) return provider;
    const annotations = caches.namespaces.get(namespace)?.metadata.annotations;
    const path = annotations?.[ANNOTATION_PATH];
    const tenantId = annotations?.[ANNOTATION_TENANT_ID];
    if (path === undefined || tenantId === undefined || tenantNamespace(path) !== namespace) return undefined;
    const { parentPath, name } = splitPath(path);
    const seller = owner(parentPath === undefined ? rootNamespace : tenantNamespace(parentPath));
    if (seller === undefined || seller.tenantId !== annotations?.[ANNOTATION_PARENT_ID]) return undefined;
    const found = caches.tenants.get(`${seller.namespace}/${name}`);
    const isSame = found !== undefined && identityOf(found, seller.tenantId) === tenantId;
    return { namespace, path, tenantId, tenant: isSame ? found : undefined, seller };
  };

  const memberOf = (tenant: Tenant & KubeObject, principal: Principal): readonly Membership[] => {
    const { name, namespace: sellerNamespace = '' } = tenant.metadata;
    const seller = owner(sellerNamespace);
    if (seller === undefined) return [];
    const path = seller.path === undefined ? name : `${seller.path}--${name}`;
    const namespace = tenantNamespace(path);
    if (owner(namespace)?.tenant !== tenant) return [];
    return rolesOf(tenant, principal).map((role) => ({
      role,
      namespace,
      tenant: { path, name, sellerNamespace },
    }));
  };

  const findMemberships = (principal: Principal): readonly Membership[] => {
    const keys = [memberKey('User', principal.username), ...principal.groups.map((name) => memberKey('Group', name))];
    const tenants = new Set(keys.flatMap((key) => caches.tenants.byIndex(BY_MEMBER, key)));
    const staff = caches.rootBindings
      .byIndex(BY_NAMESPACE, rootNamespace)
      .flatMap((binding) => staffRole(binding, principal));
    return [
      ...staff.map((role) => ({ role, namespace: rootNamespace })),
      ...[...tenants].flatMap((tenant) => memberOf(tenant, principal)),
    ];
  };

  // A token that was verified gives the same principal each time, and who is a member where changes far less often than it is asked.
  const found = new WeakMap<Principal, { readonly version: number; readonly memberships: readonly Membership[] }>();
  const memberships = (principal: Principal): readonly Membership[] => {
    const version = caches.membershipVersion();
    const known = found.get(principal);
    if (known?.version === version) return known.memberships;
    const fresh = findMemberships(principal);
    found.set(principal, { version, memberships: fresh });
    return fresh;
  };

  return { owner, memberships };
}

/** The price lists above an owner, as the look-up of Plans wants them: who sells to it, who sells to that one, and so on. */
export function sellerChain(seller: Owner): SellerChain {
  return seller.seller === undefined
    ? { namespace: seller.namespace }
    : { namespace: seller.namespace, seller: sellerChain(seller.seller) };
}

/** What may live in an owner's namespace. */
export function ownerType(owner: Owner): 'Root' | 'Reseller' | 'Customer' | 'Unknown' {
  if (owner.path === undefined) return 'Root';
  return owner.tenant?.spec.type ?? 'Unknown';
}

/** Identities that were computed, by the Tenant: objects of a cache never change, and a hash at each request would cost more than the rest. */
const identities = new WeakMap<Tenant, { readonly parentId: string; readonly tenantId: string }>();

function identityOf(tenant: Tenant, parentId: string): string {
  const known = identities.get(tenant);
  if (known?.parentId === parentId) return known.tenantId;
  const tenantId = computeTenantId(parentId, tenant.spec.id);
  identities.set(tenant, { parentId, tenantId });
  return tenantId;
}

/** Roles of each member, by the Tenant. */
const rosters = new WeakMap<Tenant, ReadonlyMap<string, readonly Role[]>>();

function rolesOf(tenant: Tenant, { username, groups }: Principal): readonly Role[] {
  const roster = rosters.get(tenant) ?? buildRoster(tenant);
  rosters.set(tenant, roster);
  const byName = roster.get(memberKey('User', username)) ?? [];
  return groups.length === 0
    ? byName
    : [...byName, ...groups.flatMap((name) => roster.get(memberKey('Group', name)) ?? [])];
}

function buildRoster({ spec }: Tenant): ReadonlyMap<string, readonly Role[]> {
  const roster = new Map<string, readonly Role[]>();
  for (const { kind, name, role } of spec.members ?? []) {
    const key = memberKey(kind, name);
    roster.set(key, [...(roster.get(key) ?? []), role]);
  }
  return roster;
}

/** The provider's staff are those whom a RoleBinding in its namespace gives one of the five roles. */
function staffRole({ roleRef, subjects = [] }: RoleBinding, principal: Principal): readonly Role[] {
  const role = roleRef.kind === 'ClusterRole' ? ROLE_OF_CLUSTERROLE.get(roleRef.name) : undefined;
  if (role === undefined) return [];
  const isNamed = subjects.some(({ kind, name }) =>
    kind === 'User' ? name === principal.username : kind === 'Group' && principal.groups.includes(name),
  );
  return isNamed ? [role] : [];
}

const ROLE_OF_CLUSTERROLE: ReadonlyMap<string, Role> = new Map([
  ['sublet-owner', 'Owner'],
  ['sublet-admin', 'Admin'],
  ['sublet-developer', 'Developer'],
  ['sublet-viewer', 'Viewer'],
  ['sublet-billing', 'Billing'],
]);
