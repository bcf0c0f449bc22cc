import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../kube/client.ts';
import { ChangedError, isNotFound } from '../kube/errors.ts';
import type { Informer } from '../kube/informer.ts';
import { type KubeObject, renderKey } from '../kube/object.ts';

/** What was seen of an object, perhaps that it is not there. */
export type Sight<T extends KubeObject> = {
  readonly informer: Informer<T>;
  readonly key: { readonly namespace?: string | undefined; readonly name: string };
  readonly seen: T | undefined;
  /** What of it decides. */
  readonly view: (object: T | undefined) => unknown;
  /** For caches that hold no more: a Secret's contents are never read. */
  readonly metadataOnly?: boolean | undefined;
};

/**
 * Asks the API server for the newest of an object before something is done that cannot be taken back: each kind comes by a watch of its own, after a restart perhaps as it was
 * long ago, and a write is bound to the version of one object only. Throws `ChangedError` when it is not as it was seen; the newest is in the cache then, and that it is gone is
 * brought by its watch.
 */
export async function confirmSight<T extends KubeObject>(
  { client }: { readonly client: Client },
  { informer, key, seen, view, metadataOnly }: Sight<T>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = key;
  let newest: T | undefined;
  try {
    newest = await client.get<T>(informer.resource, { namespace, name }, { metadataOnly, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  if (newest !== undefined) informer.observeWrite(newest);
  if (isDeepStrictEqual(view(newest), view(seen))) return;
  throw new ChangedError(`${informer.resource.kind} ${renderKey({ namespace, name })} changed since it was looked at`);
}

/** What is declared: another UID or generation is another declaration. */
export function viewSpec(object: KubeObject | undefined): unknown {
  return object && [object.metadata.uid, object.metadata.generation];
}

/** What is noted on it. */
export function viewMarks(object: KubeObject | undefined): unknown {
  return object && [object.metadata.uid, object.metadata.annotations];
}
