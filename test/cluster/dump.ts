import type { Rest } from './rest.ts';

/** A kind to dump, by what its URL needs; the same shape as the product's `Resource`. */
export type DumpResource = { readonly group: string; readonly version: string; readonly plural: string };

/** Objects by `plural.group/namespace/name`, in that order. */
export type Dump = Readonly<Record<string, unknown>>;

const VOLATILE_METADATA: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'managedFields',
  'generation',
  'selfLink',
]);
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Lists every object of the given kinds with what differs between two equal runs removed: uids, resource versions,
 * generations, managed fields, times (each replaced by a word, so that one that appears or vanishes still shows).
 */
export async function dumpObjects(admin: Rest, resources: readonly DumpResource[]): Promise<Dump> {
  const entries: [string, unknown][] = [];
  for (const { group, version, plural } of resources) {
    const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const list = (await admin.ask('GET', `${base}/${plural}`)) as { readonly items?: readonly unknown[] };
    for (const item of list.items ?? []) {
      entries.push([`${group === '' ? plural : `${plural}.${group}`}/${keyOf(item)}`, normalise(item)]);
    }
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function keyOf(item: unknown): string {
  const { metadata } = item as { readonly metadata: { readonly namespace?: string; readonly name: string } };
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

function normalise(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item));
  if (typeof value === 'object' && value !== null) {
    const kept = Object.entries(value).filter(([name]) => key !== 'metadata' || !VOLATILE_METADATA.has(name));
    return Object.fromEntries(
      kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, normalise(inner, name)]),
    );
  }
  if (key === 'observedGeneration' || key === 'resourceVersion') return '<number>';
  if (typeof value === 'string' && TIMESTAMP.test(value)) return '<time>';
  if (typeof value === 'string' && key.toLowerCase().endsWith('uid') && UID.test(value)) return '<uid>';
  return value;
}
