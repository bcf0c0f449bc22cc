import type { Resource } from './object.ts';

/** Kinds that every API server serves and controllers often need. Pure. */
export const NAMESPACES = core('namespaces', 'Namespace', false);
export const NODES = core('nodes', 'Node', false);
export const PODS = core('pods', 'Pod', true);
export const SECRETS = core('secrets', 'Secret', true);
export const CONFIGMAPS = core('configmaps', 'ConfigMap', true);
export const SERVICES = core('services', 'Service', true);
export const SERVICEACCOUNTS = core('serviceaccounts', 'ServiceAccount', true);
export const RESOURCEQUOTAS = core('resourcequotas', 'ResourceQuota', true);
export const PERSISTENTVOLUMECLAIMS = core('persistentvolumeclaims', 'PersistentVolumeClaim', true);
export const NETWORKPOLICIES = grouped('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', true);
export const ROLES = grouped('rbac.authorization.k8s.io', 'v1', 'roles', 'Role', true);
export const ROLEBINDINGS = grouped('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', true);
export const CLUSTERROLES = grouped('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false);
export const CLUSTERROLEBINDINGS = grouped(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  false,
);
export const LEASES = grouped('coordination.k8s.io', 'v1', 'leases', 'Lease', true);
/** `events.k8s.io/v1`, the newer of the two APIs over the same stored objects. */
export const EVENTS = grouped('events.k8s.io', 'v1', 'events', 'Event', true);
export const CUSTOMRESOURCEDEFINITIONS = grouped(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
);

function core(plural: string, kind: string, namespaced: boolean): Resource {
  return { group: '', version: 'v1', plural, kind, namespaced };
}

function grouped(group: string, version: string, plural: string, kind: string, namespaced: boolean): Resource {
  return { group, version, plural, kind, namespaced };
}
