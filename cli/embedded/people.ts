import { ROOT_NAMESPACE } from '../../model/names.ts';

/** One of the provider's staff where a platform is only tried, as the API server names it. */
export const PROVIDER = 'oidc:provider';

/** Makes {@link PROVIDER} one of the provider's staff: whom a RoleBinding in the provider's namespace gives a role. */
export const PROVIDER_BINDING = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'sublet-trial-provider', namespace: ROOT_NAMESPACE },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sublet-owner' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: PROVIDER }],
} as const;
