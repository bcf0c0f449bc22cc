import type { Client } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';
import { describe } from '../../kube/requests.ts';
import { GROUP } from './apply.ts';
import { parseEntry } from './inventory.ts';
import type { Kinds } from './kinds.ts';
import { compareIdentity, type Identity, type Manifest, renderSubject } from './manifest.ts';
import { isOwned, type Owner, says } from './normalise.ts';
import type { InventoryEntry } from './resources.ts';

export type PruneOutcome = {
  /** What could not be deleted and has to be tried again. */
  readonly survivors: readonly InventoryEntry[];
  readonly error: string | undefined;
};

/**
 * Deletes objects that were applied before, in the reverse of their order. Left alone: what does not carry the owner's labels (any more),
 * and what says `prune: disabled`, `reconcile: disabled` or `ssa: Ignore`.
 */
export async function pruneObjects(
  deps: { readonly client: Client; readonly kinds: Kinds },
  stale: readonly InventoryEntry[],
  owner: Owner,
  signal: AbortSignal,
): Promise<PruneOutcome> {
  const sorted = stale
    .map((entry) => ({ entry, identity: parseEntry(entry) }))
    .sort((a, b) => compareIdentity(b.identity, a.identity));
  const survivors: InventoryEntry[] = [];
  let errors = '';
  for (const { entry, identity } of sorted) {
    const error = await pruneObject(deps, identity, owner, signal);
    if (error === undefined) continue;
    survivors.push(entry);
    errors += `${renderSubject(identity)} ${error};`;
  }
  return { survivors, error: errors === '' ? undefined : `delete failed, errors: ${errors}` };
}

/** Returns what went wrong. */
async function pruneObject(
  { client, kinds }: { readonly client: Client; readonly kinds: Kinds },
  identity: Identity,
  owner: Owner,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { group, version, kind, namespace, name } = identity;
  const resource = kinds.find(identity);
  if (resource === undefined) {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return `query failed: no matches for kind "${kind}" in version "${apiVersion}"`;
  }
  const key = { name, ...(namespace === '' ? {} : { namespace }) };
  const strip = (error: unknown, verb: string): string => {
    const message = error instanceof Error ? error.message : String(error);
    const prefix = `${verb} ${describe(resource, key)}: `;
    return message.startsWith(prefix) ? message.slice(prefix.length) : message;
  };
  let live: Manifest & KubeObject;
  try {
    live = await client.get<Manifest & KubeObject>(resource, key, { signal });
  } catch (error) {
    signal.throwIfAborted();
    return isNotFound(error) ? undefined : `query failed: ${strip(error, 'get')}`;
  }
  if (!isOwned(live, owner) || EXCLUSIONS.some(([what, value]) => says(live, `${GROUP}/${what}`, value)))
    return undefined;
  try {
    await client.delete(resource, key, { propagationPolicy: 'Background', signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return isNotFound(error) ? undefined : `delete failed: ${strip(error, 'delete')}`;
  }
}

const EXCLUSIONS = [
  ['prune', 'disabled'],
  ['reconcile', 'disabled'],
  ['ssa', 'Ignore'],
] as const;
