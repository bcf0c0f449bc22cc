import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../../kube/client.ts';
import type { Informer } from '../../kube/informer.ts';
import type { KubeObject } from '../../kube/object.ts';

/** What every controller here writes with. */
export type Writer = { readonly client: Client; readonly signal: AbortSignal };

/**
 * Replaces the status when it differs, if the object is still as it was, and shows the answer to the informer. Rejects with `Conflict`
 * when someone wrote in between.
 */
export async function applyStatus<T extends KubeObject & { readonly status?: unknown }>(
  { client, signal }: Writer,
  informer: Informer<T>,
  object: T,
  status: NonNullable<T['status']>,
  fieldManager: string,
): Promise<void> {
  if (isDeepStrictEqual(toJson(object.status ?? {}), toJson(status))) return;
  const next = { ...object, status };
  informer.observeWrite(
    await client.update<T>(informer.resource, next, { subresource: 'status', fieldManager, signal }),
  );
}

/** As it goes over the wire: a member that is undefined is absent. */
function toJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
