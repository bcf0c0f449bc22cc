import { apiVersionOf, type ServedKind, type Subresource, type Verb } from '../kinds.ts';
import type { CompiledSchema, JsonObject } from '../schema/index.ts';
import type { Store } from '../store.ts';
import { COLUMNS, COMMON_COLUMNS } from './columns.ts';
import { DEFAULTS } from './defaults.ts';
import { CORE_EVENT_FIELDS, EVENT_CONVERSION, EVENT_FIELDS } from './events.ts';
import { builtinSchema, definitionOf, resolveDefinition } from './schema.ts';
import { buildStrategy } from './strategies.ts';
import { decodeTyped } from './typed.ts';

const VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

type Entry = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly Subresource[];
  readonly selectableFields?: readonly string[];
  readonly verbs?: readonly Verb[];
};

const core = (plural: string, kind: string, namespaced: boolean, more: Partial<Entry> = {}): Entry => {
  return { group: '', version: 'v1', plural, kind, namespaced, ...more };
};
const grouped = (
  group: string,
  plural: string,
  kind: string,
  namespaced: boolean,
  more: Partial<Entry> = {},
): Entry => {
  return { group, version: 'v1', plural, kind, namespaced, ...more };
};

const RBAC = 'rbac.authorization.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';
const ADMISSION_KIND = { categories: ['api-extensions'] } as const;
const STATUS = { subresources: ['status'] } as const;

const ENTRIES: readonly Entry[] = [
  core('configmaps', 'ConfigMap', true, { shortNames: ['cm'] }),
  core('events', 'Event', true, { shortNames: ['ev'], selectableFields: CORE_EVENT_FIELDS }),
  core('namespaces', 'Namespace', false, {
    shortNames: ['ns'],
    subresources: ['status', 'finalize'],
    verbs: VERBS.filter((verb) => verb !== 'deletecollection'),
    selectableFields: ['name', 'status.phase'],
  }),
  core('nodes', 'Node', false, { shortNames: ['no'], ...STATUS }),
  core('persistentvolumeclaims', 'PersistentVolumeClaim', true, { shortNames: ['pvc'], ...STATUS }),
  core('persistentvolumes', 'PersistentVolume', false, { shortNames: ['pv'], ...STATUS }),
  core('pods', 'Pod', true, { shortNames: ['po'], categories: ['all'], ...STATUS }),
  core('resourcequotas', 'ResourceQuota', true, { shortNames: ['quota'], ...STATUS }),
  core('secrets', 'Secret', true, { selectableFields: ['type'] }),
  core('serviceaccounts', 'ServiceAccount', true, { shortNames: ['sa'], subresources: ['token'] }),
  core('services', 'Service', true, { shortNames: ['svc'], categories: ['all'], ...STATUS }),
  grouped(ADMISSION, 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', false, ADMISSION_KIND),
  grouped(ADMISSION, 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', false, {
    ...ADMISSION_KIND,
    ...STATUS,
  }),
  grouped(ADMISSION, 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', false, ADMISSION_KIND),
  grouped(ADMISSION, 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', false, ADMISSION_KIND),
  grouped('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition', false, {
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    ...STATUS,
  }),
  grouped('apps', 'deployments', 'Deployment', true, { shortNames: ['deploy'], categories: ['all'], ...STATUS }),
  grouped('coordination.k8s.io', 'leases', 'Lease', true),
  grouped('events.k8s.io', 'events', 'Event', true, { shortNames: ['ev'], selectableFields: EVENT_FIELDS }),
  grouped('networking.k8s.io', 'networkpolicies', 'NetworkPolicy', true, { shortNames: ['netpol'] }),
  grouped(RBAC, 'clusterrolebindings', 'ClusterRoleBinding', false),
  grouped(RBAC, 'clusterroles', 'ClusterRole', false),
  grouped(RBAC, 'rolebindings', 'RoleBinding', true),
  grouped(RBAC, 'roles', 'Role', true),
  grouped('storage.k8s.io', 'storageclasses', 'StorageClass', false, { shortNames: ['sc'] }),
];

/** The kinds that are served without a definition. */
export function buildBuiltinKinds(store: Store): readonly ServedKind[] {
  return ENTRIES.map((entry) => buildKind(entry, store));
}

function buildKind(entry: Entry, store: Store): ServedKind {
  const { group, version, plural, kind, namespaced, shortNames = [], categories = [] } = entry;
  const definition = definitionOf(`${apiVersionOf(entry)} ${kind}`);
  const schema = builtinSchema(group, version, kind, namespaced);
  // Both APIs of Events show the same objects.
  const collection = store.collection(plural === 'events' ? '' : group, plural);
  return {
    group,
    version,
    plural,
    singular: kind.toLowerCase(),
    kind,
    listKind: `${kind}List`,
    shortNames,
    categories,
    namespaced,
    verbs: entry.verbs ?? VERBS,
    subresources: entry.subresources ?? [],
    collection,
    storageVersion: version,
    renderKey: apiVersionOf(entry),
    custom: false,
    schema,
    openApi: { name: definition },
    decode: (value) => decodeTyped(value, resolveDefinition(definition)),
    empty: emptyOf(entry, schema),
    setDefaults: DEFAULTS[kind],
    strategy: buildStrategy(group === 'events.k8s.io' ? 'NewerEvent' : kind, schema),
    ...(group === 'events.k8s.io' ? { convert: EVENT_CONVERSION } : {}),
    columns: COLUMNS[kind] ?? COMMON_COLUMNS,
    selectableFields: entry.selectableFields ?? [],
  };
}

/** What Go always writes, as null where there is nothing. */
const NULL_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  Role: ['rules'],
  ClusterRole: ['rules'],
  Event: ['eventTime', 'firstTimestamp', 'lastTimestamp', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp'],
};

/** Structures that Go always writes. */
function emptyOf(entry: Entry, schema: CompiledSchema): JsonObject {
  const empty: JsonObject = { apiVersion: apiVersionOf(entry), kind: entry.kind };
  schema.applyDefaults(empty);
  for (const member of NULL_MEMBERS[entry.kind] ?? []) if (schema.node.properties?.has(member)) empty[member] = null;
  return empty;
}
