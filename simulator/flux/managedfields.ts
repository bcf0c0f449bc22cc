import type { JsonPatchOp } from '../../kube/client.ts';
import type { ManagedFieldsEntry } from '../../kube/object.ts';
import type { Manifest } from './manifest.ts';

/**
 * What has to go from an object before it is applied: kubectl's annotation, and field managers under which people edit by hand. Their fields
 * become the applier's, so that it can take away what it does not state.
 */
export function cleanupPatch({ metadata }: Manifest, manager: string): readonly JsonPatchOp[] {
  const annotations = ANNOTATIONS.filter((name) => metadata.annotations?.[name] !== undefined).map(
    (name): JsonPatchOp => ({ op: 'remove', path: `/metadata/annotations/${name.replaceAll('/', '~1')}` }),
  );
  const entries = takeOver(metadata.managedFields ?? [], manager);
  return entries === undefined
    ? annotations
    : [...annotations, { op: 'replace', path: '/metadata/managedFields', value: entries }];
}

const ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'kustomize.toolkit.fluxcd.io/checksum',
  'fluxcd.io/sync-checksum',
];

function isForeign({ manager = '', operation, subresource }: ManagedFieldsEntry, applier: string): boolean {
  if (subresource !== undefined && subresource !== '') return false;
  if (operation === 'Apply') return manager.startsWith('kubectl');
  return ['kubectl', 'before-first-apply', applier].some((prefix) => manager.startsWith(prefix));
}

/** The entries with the foreign ones merged into the applier's, which stands last; undefined when there are none. */
function takeOver(entries: readonly ManagedFieldsEntry[], applier: string): readonly ManagedFieldsEntry[] | undefined {
  const isOwn = (entry: ManagedFieldsEntry) => entry.manager === applier && entry.operation === 'Apply';
  const own = entries.findLast(isOwn);
  const foreign = entries.filter((entry) => entry !== own && isForeign(entry, applier));
  const [first, ...others] = foreign;
  if (first === undefined) return undefined;
  const base = own ?? { ...first, manager: applier, operation: 'Apply' };
  const merged = own === undefined ? others : foreign;
  const fieldsV1 = merged.reduce((fields, entry) => mergeFields(fields, entry.fieldsV1), base.fieldsV1);
  return [...entries.filter((entry) => entry !== own && !foreign.includes(entry)), { ...base, fieldsV1 }];
}

/** The union of two field sets: their members are field sets again. */
function mergeFields(a: unknown, b: unknown): unknown {
  if (!isRecord(a)) return b;
  if (!isRecord(b)) return a;
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return Object.fromEntries(names.map((name) => [name, name in a ? mergeFields(a[name], b[name]) : b[name]]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
