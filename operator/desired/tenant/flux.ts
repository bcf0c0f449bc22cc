import type { Manifest } from '../manifest.ts';
import type { TenantInput, TenantSettings } from './build.ts';

type Labels = Readonly<Record<string, string>>;

/** With what rights Flux applies the tenant's folder: Sublet's kinds in the tenant's namespace, by its type, and nothing else. */
export function buildFleetAccess(input: TenantInput, settings: TenantSettings, labels: Labels): readonly Manifest[] {
  return buildFluxAccess(input, { name: input.namespace, namespace: settings.fleetNamespace }, labels);
}

/** An account for a Kustomization beside it, and its rights in the tenant's namespace. */
export function buildFluxAccess(
  input: TenantInput,
  account: { readonly name: string; readonly namespace: string },
  labels: Labels,
): readonly Manifest[] {
  const roleName = `sublet-fleet-${input.type.toLowerCase()}`;
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { ...account, labels },
      automountServiceAccountToken: false,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: roleName, namespace: input.namespace, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    },
  ];
}

/** The Kustomization that applies the tenant's folder, fed by the artifact of the same name as its namespace. */
export function buildFleetKustomization(input: TenantInput, settings: TenantSettings, labels: Labels): Manifest {
  const name = input.namespace;
  return buildKustomization(input, settings, labels, {
    metadata: { name, namespace: settings.fleetNamespace },
    sourceRef: { kind: 'ExternalArtifact', name },
    path: './',
  });
}

/**
 * A Kustomization into the tenant's namespace and nowhere else, as the account of its name.
 *
 * `deletionPolicy: Orphan`, because removing a Tenant, or feeding it from elsewhere, must not delete what its customer bought; `wait: false`, because
 * one desktop that never becomes ready must not hold up the folder.
 */
export function buildKustomization(
  input: TenantInput,
  settings: TenantSettings,
  labels: Labels,
  own: {
    readonly metadata: { readonly name: string; readonly namespace: string };
    readonly sourceRef: { readonly kind: 'ExternalArtifact' | 'GitRepository'; readonly name: string };
    readonly path: string;
    readonly timeout?: string;
  },
): Manifest {
  const { metadata, ...source } = own;
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { ...metadata, labels },
    spec: {
      interval: settings.kustomizationInterval,
      retryInterval: settings.kustomizationRetryInterval,
      ...source,
      targetNamespace: input.namespace,
      serviceAccountName: metadata.name,
      prune: true,
      wait: false,
      deletionPolicy: 'Orphan',
    },
  };
}
