import type { Manifest } from '../manifest.ts';
import type { TenantInput, TenantSettings } from './build.ts';

/**
 * What lets Flux apply the tenant's folder: a ServiceAccount beside the Kustomization, its rights in the tenant's namespace
 * (Sublet's kinds by the tenant's type, and nothing else), and the Kustomization, fed by the artifact of the same name.
 *
 * `deletionPolicy: Orphan`, because removing a Tenant must not delete what its customer bought; `wait: false`, because one
 * desktop that never becomes ready must not hold up the folder.
 */
export function buildFluxObjects(
  input: TenantInput,
  settings: TenantSettings,
  labels: Readonly<Record<string, string>>,
): readonly Manifest[] {
  const name = input.namespace;
  const roleName = `sublet-fleet-${input.type.toLowerCase()}`;
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: settings.fleetNamespace, labels },
      automountServiceAccountToken: false,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: roleName, namespace: input.namespace, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
      subjects: [{ kind: 'ServiceAccount', name, namespace: settings.fleetNamespace }],
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name, namespace: settings.fleetNamespace, labels },
      spec: {
        interval: settings.kustomizationInterval,
        sourceRef: { kind: 'ExternalArtifact', name },
        path: './',
        targetNamespace: input.namespace,
        serviceAccountName: name,
        prune: true,
        wait: false,
        deletionPolicy: 'Orphan',
      },
    },
  ];
}
