import { API_VERSION, GROUP } from '../../../model/group.ts';
import type { Manifest } from '../manifest.ts';
import type { TenantInput, TenantMember } from './build.ts';

const ROLES = ['Owner', 'Admin', 'Developer', 'Viewer', 'Billing'] as const satisfies readonly TenantMember['role'][];
const RBAC = 'rbac.authorization.k8s.io';

/** One RoleBinding for each role that has members, to the fixed ClusterRole `sublet-<role>`, in the tenant's namespace. */
export function buildMemberBindings(input: TenantInput, labels: Readonly<Record<string, string>>): readonly Manifest[] {
  return ROLES.flatMap((role) => {
    const members = input.members.filter((member) => member.role === role);
    if (members.length === 0) return [];
    const name = `sublet-${role.toLowerCase()}`;
    return [
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'RoleBinding',
        metadata: { name, namespace: input.namespace, labels },
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
        subjects: members.map(buildSubject),
      },
    ];
  });
}

/**
 * In the seller's namespace: every member may read the tenant's own Tenant and Quota, and the price list. Owned by the
 * Tenant, because it lives beside it and holds nothing of value.
 */
export function buildSellerAccess(input: TenantInput, labels: Readonly<Record<string, string>>): readonly Manifest[] {
  if (input.members.length === 0) return [];
  const name = `sublet-tenant-${input.name}`;
  const metadata = {
    name,
    namespace: input.sellerNamespace,
    labels,
    ownerReferences: [{ apiVersion: API_VERSION, kind: 'Tenant', name: input.name, uid: input.uid }],
  };
  const role: Manifest = {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata,
    rules: [
      { apiGroups: [GROUP], resources: ['tenants', 'quotas'], resourceNames: [input.name], verbs: ['get'] },
      { apiGroups: [GROUP], resources: ['plans'], verbs: ['get', 'list', 'watch'] },
    ],
  };
  const binding: Manifest = {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'Role', name },
    subjects: input.members.map(buildSubject),
  };
  return [role, binding];
}

/** A subject as RBAC wants it: the user or group exactly as the API server names it. */
export function buildSubject(member: TenantMember) {
  return { apiGroup: RBAC, kind: member.kind, name: member.name };
}
