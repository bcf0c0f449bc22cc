import type { Store } from '../../simulator/apiserver/store.ts';

/** Kinds whose objects are not part of a state: they come and go with processes. */
const PASSING: ReadonlySet<string> = new Set(['leases', 'events', 'customresourcedefinitions']);

/**
 * The whole state as text, one object a line, without what differs between two runs that mean the same: versions, UIDs, times, addresses,
 * passwords and who owns which field.
 */
export function dumpState(store: Store): readonly string[] {
  const collections = [...store.collections()].filter(({ plural }) => !PASSING.has(plural));
  const names = new Map<string, string>();
  for (const { plural, group, ...collection } of collections.map(withSorted)) {
    for (const { object, key } of collection.sorted) {
      const { uid } = object.metadata;
      if (uid !== undefined) names.set(uid, `uid of ${plural}${group === '' ? '' : `.${group}`} ${key}`);
    }
  }
  const lines: string[] = [];
  for (const { plural, group, sorted } of collections.map(withSorted)) {
    const resource = group === '' ? plural : `${plural}.${group}`;
    for (const { object, key } of sorted)
      lines.push(`${resource} ${key} ${JSON.stringify(normalise(object, '', names))}`);
  }
  return lines.sort();
}

function withSorted(collection: { readonly plural: string; readonly group: string; sorted(): readonly Row[] }) {
  const { plural, group } = collection;
  return { plural, group, sorted: collection.sorted() };
}

type Row = { readonly key: string; readonly object: { readonly metadata: { readonly uid?: string } } };

function normalise(value: unknown, member: string, names: ReadonlyMap<string, string>): unknown {
  if (DROPPED.has(member)) return undefined;
  if (typeof value === 'string') return normaliseText(value, names);
  if (Array.isArray(value)) return value.map((item) => normalise(item, '', names));
  if (typeof value !== 'object' || value === null) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  const isSecret = 'kind' in value && value.kind === 'Secret';
  return Object.fromEntries(
    sorted.map(([name, inner]) => [name, isSecret && name === 'data' ? '<secret>' : normalise(inner, name, names)]),
  );
}

const DROPPED: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'observedGeneration',
  'desiredGeneration',
  'managedFields',
  'timings',
  'clusterIP',
  'clusterIPs',
  'nodeName',
]);

function normaliseText(text: string, names: ReadonlyMap<string, string>): string {
  const known = names.get(text);
  if (known !== undefined) return `<${known}>`;
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (uid) => `<${names.get(uid) ?? 'uid'}>`)
    .replace(/\b127(\.\d{1,3}){3}\b/g, '<address>')
    .replace(/\b02(:[0-9a-f]{2}){5}\b/g, '<mac>');
}
