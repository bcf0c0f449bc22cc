import type { DesktopInput, DesktopSettings } from './build.ts';
import { buildMetadata, type RenderedObject } from './metadata.ts';

const RBAC = 'rbac.authorization.k8s.io';

/** The right to read this desktop's one Secret, and no other. */
export function buildRole(input: DesktopInput): RenderedObject {
  const metadata = buildMetadata(input);
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata,
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [metadata.name], verbs: ['get'] }],
  };
}

/** Gives that right to the tenant's members who work with desktops, and to the API, which shows a password once; none when there are none. */
export function buildRoleBinding(
  input: Pick<DesktopInput, 'namespace' | 'name' | 'tenantId' | 'readers'>,
  settings: DesktopSettings,
): readonly RenderedObject[] {
  const { apiServiceAccount, systemNamespace } = settings;
  const members = input.readers.map((reader) => ({ apiGroup: RBAC, kind: reader.kind, name: reader.name }));
  const api =
    apiServiceAccount === undefined
      ? []
      : [{ kind: 'ServiceAccount', name: apiServiceAccount, namespace: systemNamespace }];
  const subjects = [...members, ...api];
  if (subjects.length === 0) return [];
  const metadata = buildMetadata(input);
  return [
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC, kind: 'Role', name: metadata.name },
      subjects,
    },
  ];
}
