import type { Identity } from './manifest.ts';
import type { InventoryEntry } from './resources.ts';

/** How Flux writes an object into an inventory. Colons, which names of roles may have, become two underscores. */
export function renderEntry({ group, version, kind, namespace, name }: Identity): InventoryEntry {
  const safe = group === 'rbac.authorization.k8s.io' ? name.replaceAll(':', '__') : name;
  return { id: `${namespace}_${safe}_${group}_${kind}`, v: version };
}

/** The inverse. Throws on an id that is none. */
export function parseEntry({ id, v }: InventoryEntry): Identity {
  const [, namespace = '', name = '', group = '', kind = ''] = /^([^_]*)_(.*)_([^_]*)_([^_]*)$/.exec(id) ?? [];
  if (kind === '') throw new Error(`unable to parse stored object metadata: ${id}`);
  return { group, version: v, kind, namespace, name: name.replaceAll('__', ':') };
}

/** What `before` holds and `now` does not. */
export function findStale(
  before: readonly InventoryEntry[],
  now: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  const kept = new Set(now.map(({ id }) => id));
  return before.filter(({ id }) => !kept.has(id));
}
