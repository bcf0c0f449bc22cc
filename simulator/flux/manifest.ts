import type { ObjectMeta } from '../../kube/object.ts';

/** An object of any kind as it stands in a file: whatever members it has, it says what and which it is. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [member: string]: unknown;
};

export type Identity = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Empty for what has none. */
  readonly namespace: string;
  readonly name: string;
};

export function identityOf({ apiVersion, kind, metadata }: Manifest): Identity {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return {
    group,
    version: apiVersion.slice(slash + 1),
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
  };
}

/** `Kind/namespace/name`, as Flux's messages name an object. */
export function renderSubject({ kind, namespace, name }: Pick<Identity, 'kind' | 'namespace' | 'name'>): string {
  return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

/**
 * The order in which Flux applies: definitions, namespaces and what others refer to first, webhooks last, then by group, kind, namespace
 * and name.
 */
export function compareIdentity(a: Identity, b: Identity): number {
  if (a.group !== b.group || a.kind !== b.kind) {
    return rankOf(a.kind) - rankOf(b.kind) || compareText(a.group, b.group) || compareText(a.kind, b.kind);
  }
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

export type Stage = 'definitions' | 'classes' | 'resources';

/** What is applied in one go: each stage is complete before the next begins. */
export function stageOf({ group, kind }: Identity): Stage {
  const isDefinition =
    (kind === 'CustomResourceDefinition' && group === 'apiextensions.k8s.io') ||
    (kind === 'Namespace' && group === '') ||
    (kind === 'ClusterRole' && group === 'rbac.authorization.k8s.io');
  if (isDefinition) return 'definitions';
  return kind.endsWith('Class') ? 'classes' : 'resources';
}

const FIRST = [
  ...['CustomResourceDefinition', 'Namespace', 'ClusterRole', 'ClusterClass', 'RuntimeClass', 'PriorityClass'],
  ...['StorageClass', 'VolumeSnapshotClass', 'IngressClass', 'GatewayClass', 'ClusterRoleBinding', 'ResourceQuota'],
  ...['ServiceAccount', 'Role', 'RoleBinding', 'ConfigMap', 'Secret', 'Service', 'LimitRange', 'Deployment'],
  ...['StatefulSet', 'CronJob', 'PodDisruptionBudget'],
];
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

function rankOf(kind: string): number {
  const first = FIRST.indexOf(kind);
  return first >= 0 ? first - FIRST.length : LAST.indexOf(kind) + 1;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
