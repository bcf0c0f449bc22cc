import type { Column } from '../kinds.ts';
import { type ApiObject, objectAt } from '../object.ts';
import { isObject, type JsonObject } from '../schema/json.ts';
import { renderDate } from '../table.ts';

type Cell = (object: ApiObject, nowMs: number) => unknown;

const column = (name: string, cell: Cell, more: Partial<Column> = {}): Column => {
  return { name, type: 'string', format: '', description: '', priority: 0, cell, ...more };
};
const at = (name: string, path: string, otherwise = ''): Column =>
  column(name, (object) => textAt(object, path, otherwise));
const WIDE = { priority: 1 } as const;

const NAME = column('Name', ({ metadata }) => metadata.name ?? '', { format: 'name' });
const AGE = column('Age', ({ metadata }, nowMs) => renderDate(metadata.creationTimestamp ?? '', nowMs));
const CREATED = column('Created At', ({ metadata }) => metadata.creationTimestamp, { type: 'date' });

const bindingColumns: readonly Column[] = [
  NAME,
  column('Role', (object) => `${textAt(object, 'roleRef.kind')}/${textAt(object, 'roleRef.name')}`),
  AGE,
  column('Users', (object) => subjects(object, 'User'), WIDE),
  column('Groups', (object) => subjects(object, 'Group'), WIDE),
  column('ServiceAccounts', (object) => subjects(object, 'ServiceAccount'), WIDE),
];

/** The columns of built-in kinds that people look at; the others show name and age. */
export const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Namespace: [NAME, at('Status', 'status.phase'), AGE],
  Secret: [NAME, at('Type', 'type'), column('Data', (object) => Object.keys(objectAt(object, 'data')).length), AGE],
  ConfigMap: [NAME, column('Data', countData), AGE],
  Service: [
    NAME,
    at('Type', 'spec.type'),
    at('Cluster-IP', 'spec.clusterIP', '<none>'),
    column('External-IP', externalIps),
    column('Port(s)', ports),
    AGE,
    column('Selector', (object) => renderLabels(objectAt(objectAt(object, 'spec'), 'selector')), WIDE),
  ],
  PersistentVolumeClaim: [
    NAME,
    at('Status', 'status.phase'),
    at('Volume', 'spec.volumeName'),
    column('Capacity', (object) => claimText(object, textAt(object, 'status.capacity.storage'))),
    column('Access Modes', (object) => claimText(object, accessModes(object))),
    at('StorageClass', 'spec.storageClassName'),
    at('VolumeAttributesClass', 'spec.volumeAttributesClassName', '<unset>'),
    AGE,
    at('VolumeMode', 'spec.volumeMode', '<unset>'),
  ].map((one) => (one.name === 'VolumeMode' ? { ...one, ...WIDE } : one)),
  Lease: [NAME, at('Holder', 'spec.holderIdentity'), AGE],
  Role: [NAME, CREATED],
  ClusterRole: [NAME, CREATED],
  RoleBinding: bindingColumns,
  ClusterRoleBinding: bindingColumns,
  CustomResourceDefinition: [NAME, CREATED],
  NetworkPolicy: [
    NAME,
    column('Pod-Selector', (object) =>
      renderLabels(objectAt(objectAt(objectAt(object, 'spec'), 'podSelector'), 'matchLabels')),
    ),
    AGE,
  ],
  Event: [
    column('Last Seen', lastSeen),
    at('Type', 'type'),
    at('Reason', 'reason'),
    column('Object', (object) => {
      const { kind, name } = objectAt(object, object.involvedObject === undefined ? 'regarding' : 'involvedObject');
      return `${String(kind).toLowerCase()}/${name}`;
    }),
    column('Message', (object) => String(object.message ?? object.note ?? '').trim()),
    column('Name', ({ metadata }) => metadata.name, { ...WIDE, format: 'name' }),
  ],
  Deployment: [
    NAME,
    column(
      'Ready',
      (object) => `${textAt(object, 'status.readyReplicas', '0')}/${textAt(object, 'spec.replicas', '0')}`,
    ),
    column('Up-to-date', (object) => Number(textAt(object, 'status.updatedReplicas', '0'))),
    column('Available', (object) => Number(textAt(object, 'status.availableReplicas', '0'))),
    AGE,
  ],
};

/** For kinds without columns of their own. */
export const COMMON_COLUMNS: readonly Column[] = [NAME, AGE];

function textAt(object: JsonObject, path: string, otherwise = ''): string {
  let value: unknown = object;
  for (const member of path.split('.')) value = isObject(value) ? value[member] : undefined;
  return value === undefined || value === null || value === '' ? otherwise : String(value);
}

function countData(object: ApiObject): number {
  return Object.keys(objectAt(object, 'data')).length + Object.keys(objectAt(object, 'binaryData')).length;
}

function listAt(object: JsonObject, member: string): readonly JsonObject[] {
  const value = object[member];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function subjects(object: ApiObject, kind: string): string {
  const found = listAt(object, 'subjects').filter((subject) => subject.kind === kind);
  return found
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace}/${name}` : String(name)))
    .join(', ');
}

function externalIps(object: ApiObject): string {
  const spec = objectAt(object, 'spec');
  const stated = Array.isArray(spec.externalIPs) ? spec.externalIPs.map(String) : [];
  const ingress = listAt(objectAt(objectAt(object, 'status'), 'loadBalancer'), 'ingress');
  const addresses = ingress.map(({ ip, hostname }) => String(ip ?? hostname));
  if (spec.type === 'ExternalName') return String(spec.externalName ?? '');
  if (spec.type !== 'LoadBalancer') return stated.length === 0 ? '<none>' : stated.join(',');
  const all = [...addresses, ...stated];
  return all.length === 0 ? '<pending>' : all.join(',');
}

function ports(object: ApiObject): string {
  const found = listAt(objectAt(object, 'spec'), 'ports').map(({ port, nodePort, protocol = 'TCP' }) => {
    return `${port}${nodePort === undefined || nodePort === 0 ? '' : `:${nodePort}`}/${protocol}`;
  });
  return found.length === 0 ? '<none>' : found.join(',');
}

function renderLabels(labels: JsonObject): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',');
}

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function accessModes(object: ApiObject): string {
  const { accessModes: modes } = objectAt(object, 'status');
  return Array.isArray(modes) ? modes.map((mode) => MODES[String(mode)] ?? String(mode)).join(',') : '';
}

/** A claim shows its volume's figures, so only once it is bound. */
function claimText(object: ApiObject, text: string): string {
  return textAt(object, 'spec.volumeName') === '' ? '' : text;
}

function lastSeen(object: ApiObject, nowMs: number): string {
  const series = objectAt(object, 'series').lastObservedTime;
  const time = series ?? object.lastTimestamp ?? object.deprecatedLastTimestamp ?? object.eventTime;
  const shown = typeof time === 'string' ? time : object.metadata.creationTimestamp;
  return shown === undefined ? '<unknown>' : renderDate(shown, nowMs);
}
