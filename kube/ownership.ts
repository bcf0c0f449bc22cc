import type { Client, JsonPatchOp } from './client.ts';
import { isRecord } from './decode.ts';
import { isConflict, isInvalid, TransientError } from './errors.ts';
import type { KubeObject, ManagedFieldsEntry, Resource } from './object.ts';

/**
 * Turns what `fieldManager` owns by `Update` (objects made with POST) into what it owns by `Apply`, so that the next
 * server-side apply removes the fields that its intent no longer states. Two calls, once in an object's life. Returns the object's metadata
 * afterwards. Throws `TransientError` when the object changed in between, and the API server's 404: that what was seen is gone, its watch says, for
 * a kind that is not served is answered the same.
 */
export async function adoptManagedFields(
  client: Client,
  resource: Resource,
  seen: KubeObject,
  fieldManager: string,
  signal?: AbortSignal,
): Promise<KubeObject> {
  const key = seen.metadata;
  try {
    const object = await client.get<KubeObject>(resource, key, { metadataOnly: true, signal });
    const { uid, resourceVersion } = object.metadata;
    if (uid !== key.uid || resourceVersion !== key.resourceVersion) {
      throw new TransientError(`${resource.kind} ${key.name} changed since it was looked at`);
    }
    const entries = object.metadata.managedFields ?? [];
    const adopted = computeAdoptedFields(entries, fieldManager);
    if (adopted === undefined) return seen;
    const ops: readonly JsonPatchOp[] = [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
      { op: 'replace', path: '/metadata/managedFields', value: adopted },
    ];
    return await client.patch<KubeObject>(
      resource,
      key,
      { type: 'json', ops },
      { fieldManager, metadataOnly: true, signal },
    );
  } catch (error) {
    if (!isConflict(error) && !isInvalid(error)) throw error;
    throw new TransientError(`${resource.kind} ${key.name} changed while its field ownership was taken over`, {
      cause: error,
    });
  }
}

/** The entries with the manager's `Update` merged into its `Apply`; undefined when there is nothing to do. Subresources stay. */
export function computeAdoptedFields(
  entries: readonly ManagedFieldsEntry[],
  manager: string,
): readonly ManagedFieldsEntry[] | undefined {
  const own = (entry: ManagedFieldsEntry, operation: string): boolean =>
    entry.manager === manager && entry.operation === operation && (entry.subresource ?? '') === '';
  const updates = entries.filter((entry) => own(entry, 'Update'));
  const [first] = updates;
  if (first === undefined) return undefined;
  const applied = entries.filter((entry) => own(entry, 'Apply'));
  const fieldsV1 = [...updates, ...applied].map((entry) => entry.fieldsV1).reduce(mergeFields, {});
  const others = entries.filter((entry) => !own(entry, 'Update') && !own(entry, 'Apply'));
  return [...others, { ...first, operation: 'Apply', fieldsV1 }];
}

/** The union of two field sets in the `FieldsV1` form, which is a tree of maps. */
function mergeFields(a: unknown, b: unknown): unknown {
  if (!isRecord(a) || !isRecord(b)) return a ?? b;
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    merged[key] = Object.hasOwn(a, key) ? mergeFields(a[key], value) : value;
  }
  return merged;
}
