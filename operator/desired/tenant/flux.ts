import type { Manifest } from '../manifest.ts';
import type { TenantInput, TenantSettings } from './build.ts';

/** With what rights Flux applies the tenant's folder: Sublet's kinds in the tenant's namespace, by its type, and nothing else. */
export function buildFleetAccess(
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
  ];
}

/**
 * The Kustomization that applies the tenant's folder, fed by the artifact of the same name as its namespace.
 *
 * `deletionPolicy: Orphan`, because removing a Tenant must not delete what its customer bought; `wait: false`, because one
 * desktop that never becomes ready must not hold up the folder.
 */
export function buildKustomization(
  input: TenantInput,
  settings: TenantSettings,
  labels: Readonly<Record<string, string>>,
): Manifest {
  const name = input.namespace;
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: settings.fleetNamespace, labels },
    spec: {
      interval: settings.kustomizationInterval,
      retryInterval: settings.kustomizationRetryInterval,
      sourceRef: { kind: 'ExternalArtifact', name },
      path: './',
      targetNamespace: input.namespace,
      serviceAccountName: name,
      prune: true,
      wait: false,
      deletionPolicy: 'Orphan',
    },
  };
}
