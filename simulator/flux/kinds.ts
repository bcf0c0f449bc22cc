import type { Informer } from '../../kube/informer.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';

/** What is kept of a CustomResourceDefinition. */
export type Definition = KubeObject & {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined;
  };
};

export type Kinds = {
  /** The resource behind a kind; undefined when the API server has none. */
  find(kind: { readonly group: string; readonly version: string; readonly kind: string }): Resource | undefined;
};

/** The kinds of Kubernetes itself, and those of the cluster's definitions. */
export function createKinds(definitions: Informer<Definition>): Kinds {
  return {
    find: ({ group, version, kind }) => {
      const builtin = BUILTIN.find((one) => one.kind === kind && one.group === group && one.version === version);
      if (builtin !== undefined) return builtin;
      const definition = definitions.byIndex(INDEX_KIND, kindKey(group, kind)).find(isServed);
      if (definition === undefined) return undefined;
      const { names, scope, versions } = definition.spec;
      if (!versions.some(({ name, served }) => served && name === version)) return undefined;
      return { group, version, kind, plural: names.plural, namespaced: scope === 'Namespaced' };
    },
  };
}

export const INDEX_KIND = 'kind';

export function definitionKeys({ spec }: Definition): readonly string[] {
  return [kindKey(spec.group, spec.names.kind)];
}

/** Drops the schemas, which weigh much and say nothing here. */
export function stripDefinition(definition: Definition): Definition {
  const { apiVersion, kind, metadata, spec, status } = definition;
  const { name, uid, resourceVersion } = metadata;
  const { group, scope, names, versions } = spec;
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion },
    spec: {
      group,
      scope,
      names: { kind: names.kind, plural: names.plural },
      versions: versions.map(({ name, served }) => ({ name, served })),
    },
    status: { conditions: status?.conditions?.map(({ type, status }) => ({ type, status })) },
  };
}

/** Whether a kind that nothing defines is known to kustomize as one of Kubernetes' own without a namespace. */
export function isClusterScopedBuiltin(group: string, kind: string): boolean {
  return BUILTIN.some((one) => one.group === group && one.kind === kind && !one.namespaced);
}

function isServed({ status }: Definition): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
}

function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`;
}

const NAMESPACED: Readonly<Record<string, readonly string[]>> = {
  v1: [
    ...['ConfigMap', 'Endpoints', 'Event', 'LimitRange', 'PersistentVolumeClaim', 'Pod', 'PodTemplate'],
    ...['ReplicationController', 'ResourceQuota', 'Secret', 'Service', 'ServiceAccount'],
  ],
  'apps/v1': ['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'batch/v1': ['CronJob', 'Job'],
  'coordination.k8s.io/v1': ['Lease'],
  'discovery.k8s.io/v1': ['EndpointSlice'],
  'events.k8s.io/v1': ['Event'],
  'networking.k8s.io/v1': ['Ingress', 'NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
  'rbac.authorization.k8s.io/v1': ['Role', 'RoleBinding'],
};

const CLUSTER_SCOPED: Readonly<Record<string, readonly string[]>> = {
  v1: ['Namespace', 'Node', 'PersistentVolume'],
  'admissionregistration.k8s.io/v1': [
    ...['MutatingWebhookConfiguration', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
    'ValidatingWebhookConfiguration',
  ],
  'apiextensions.k8s.io/v1': ['CustomResourceDefinition'],
  'apiregistration.k8s.io/v1': ['APIService'],
  'networking.k8s.io/v1': ['IngressClass'],
  'node.k8s.io/v1': ['RuntimeClass'],
  'rbac.authorization.k8s.io/v1': ['ClusterRole', 'ClusterRoleBinding'],
  'scheduling.k8s.io/v1': ['PriorityClass'],
  'storage.k8s.io/v1': ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment'],
};

const BUILTIN: readonly Resource[] = [...expand(NAMESPACED, true), ...expand(CLUSTER_SCOPED, false)];

function expand(kinds: Readonly<Record<string, readonly string[]>>, namespaced: boolean): readonly Resource[] {
  return Object.entries(kinds).flatMap(([apiVersion, names]) => {
    const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    return names.map((kind) => ({ group, version, kind, plural: pluralOf(kind), namespaced }));
  });
}

function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower === 'endpoints') return lower;
  if (lower.endsWith('y')) return `${lower.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(lower) ? `${lower}es` : `${lower}s`;
}
