import type { Client, JsonPatchOp } from './client.ts';
import { ChangedError, isInvalid, isNotFound } from './errors.ts';
import type { Informer } from './informer.ts';
import { type KubeObject, objectKey, type Resource } from './object.ts';

/**
 * Adds a finalizer where it is missing and puts the answer in the informer. No call when it is there, nor when the object is
 * being deleted (the API server refuses new finalizers then). Throws `ChangedError` when the object changed in between, or is gone.
 */
export async function ensureFinalizer<T extends KubeObject>(
  client: Client,
  informer: Informer<T>,
  object: T,
  finalizer: string,
  signal?: AbortSignal,
): Promise<T> {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  if (finalizers.includes(finalizer) || deletionTimestamp !== undefined) return object;
  const add: JsonPatchOp =
    finalizers.length === 0
      ? { op: 'add', path: '/metadata/finalizers', value: [finalizer] }
      : { op: 'add', path: '/metadata/finalizers/-', value: finalizer };
  const answer = await patchTested<T>(client, informer.resource, object, [...testFinalizers(object), add], signal);
  if (answer === undefined) throw new ChangedError(`${informer.resource.kind} ${objectKey(object)} is gone`);
  informer.observeWrite(answer);
  return answer;
}

/**
 * Removes a finalizer; what is gone already is fine. Throws `ChangedError` when the list changed in between, so that another
 * controller's finalizer is never removed instead.
 */
export async function removeFinalizer(
  client: Client,
  resource: Resource,
  object: KubeObject,
  finalizer: string,
  signal?: AbortSignal,
): Promise<void> {
  const at = (object.metadata.finalizers ?? []).indexOf(finalizer);
  if (at < 0) return;
  const remove: JsonPatchOp = { op: 'remove', path: `/metadata/finalizers/${at}` };
  await patchTested(client, resource, object, [...testFinalizers(object), remove], signal);
}

/** The object is the very one, and its finalizers are the ones that were seen. */
function testFinalizers(object: KubeObject): readonly JsonPatchOp[] {
  const { uid, finalizers = [] } = object.metadata;
  const same: JsonPatchOp = {
    op: 'test',
    path: '/metadata/finalizers',
    value: finalizers.length === 0 ? null : finalizers,
  };
  return uid === undefined ? [same] : [{ op: 'test', path: '/metadata/uid', value: uid }, same];
}

/** The API server answers a failed `test` with 422. */
async function patchTested<T extends KubeObject>(
  client: Client,
  resource: Resource,
  object: KubeObject,
  ops: readonly JsonPatchOp[],
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  try {
    return await client.patch<T>(resource, object.metadata, { type: 'json', ops }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (!isInvalid(error)) throw error;
    throw new ChangedError(`finalizers of ${resource.kind} ${objectKey(object)} changed in between`, {
      cause: error,
    });
  }
}
