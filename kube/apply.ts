import type { Logger } from 'pino';
import type { ApplyOptions, Client } from './client.ts';
import { type CompareOptions, compareIntent, hashValue } from './compare.ts';
import { isConflict, isNotFound, TransientError } from './errors.ts';
import { type KubeObject, objectKey, qualifiedName, type Resource } from './object.ts';
import { adoptManagedFields } from './ownership.ts';

export type ApplyOutcome<T extends KubeObject> = {
  readonly outcome: 'created' | 'configured' | 'unchanged';
  /** The API server's answer; absent when nothing was called. */
  readonly object?: T | undefined;
};

export type ApplyCallOptions = {
  readonly signal?: AbortSignal | undefined;
  /** `live` has no fields but metadata (Secrets): compare labels, annotations and the applied hash only. */
  readonly metadataOnly?: boolean | undefined;
  /**
   * When `live` is absent, create with POST and fail with `AlreadyExists` if the name is taken, instead of adopting what is there.
   * Without it a missing object is created by server-side apply.
   */
  readonly mustNotExist?: boolean | undefined;
  /** Stands for the intent instead of its hash; for intents whose hash must not be published. */
  readonly hash?: string | undefined;
};

export type PruneOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
};

export type Applier = {
  /**
   * Makes the API server hold `intent`; no call when `live` already does. Throws `TransientError` when `live` is not the newest
   * version any more.
   */
  apply<T extends KubeObject>(
    resource: Resource,
    intent: KubeObject,
    live: T | undefined,
    options?: ApplyCallOptions,
  ): Promise<ApplyOutcome<T>>;
  /**
   * Deletes what is in `owned` and not in `keep` (keys as `objectKey` makes them), each with its UID and resourceVersion as
   * precondition. What is being deleted already is left alone. Returns the keys for which a delete was accepted.
   * Throws `TransientError` when one changed in between.
   */
  prune(
    resource: Resource,
    owned: readonly KubeObject[],
    keep: ReadonlySet<string>,
    options?: PruneOptions,
  ): Promise<readonly string[]>;
};

export type ApplierDeps = { readonly client: Client; readonly log?: Logger | undefined };

export type ApplierOptions = {
  readonly fieldManager: string;
  /** Annotation that keeps the hash of the last applied intent. */
  readonly hashAnnotation: string;
  readonly compare?: CompareOptions | undefined;
};

/**
 * Server-side apply that calls the API server only when something would change, and then over the version that was looked at.
 *
 * Nothing would change when the annotation on the live object holds the hash of this intent (so no field was removed from the intent since) and the
 * live object holds everything that the intent states (so nobody changed it). When the API server's own answer to an
 * apply still differs (a default that the comparison does not know, a webhook that insists), that answer is remembered as
 * accepted, so that it does not cause a call at every look; once a process, it is logged with the path.
 */
export function createApplier(deps: ApplierDeps, options: ApplierOptions): Applier {
  const { client, log } = deps;
  const { fieldManager, hashAnnotation } = options;
  const accepted = new Map<string, string>();

  const isUnchanged = (
    resource: Resource,
    intent: KubeObject,
    live: KubeObject,
    hash: string,
    metadataOnly: boolean,
  ): boolean => {
    const annotation = live.metadata.annotations?.[hashAnnotation];
    if (annotation !== hash && annotation !== hash + POSTED) return false;
    const compared = metadataOnly ? { metadata: intent.metadata } : intent;
    if (compareIntent(compared, live, options.compare) === undefined) return true;
    return accepted.get(acceptanceKey(resource, live)) === digest(live, hash);
  };

  const remember = (resource: Resource, intent: KubeObject, answer: KubeObject, hash: string): void => {
    const key = acceptanceKey(resource, answer);
    const difference = compareIntent(intent, answer, options.compare);
    if (difference === undefined) {
      accepted.delete(key);
      return;
    }
    if (!accepted.has(key)) {
      const fields = { resource: qualifiedName(resource), key: objectKey(answer), path: difference.path };
      log?.info(fields, 'the API server changed what was applied; its answer is taken as it is');
    }
    accepted.set(key, digest(answer, hash));
  };

  return {
    apply: async <T extends KubeObject>(
      resource: Resource,
      intent: KubeObject,
      live: T | undefined,
      { signal, metadataOnly = false, mustNotExist = false, hash: given }: ApplyCallOptions = {},
    ): Promise<ApplyOutcome<T>> => {
      const hash = given ?? hashValue(intent);
      if (live !== undefined && isUnchanged(resource, intent, live, hash, metadataOnly)) return UNCHANGED;
      let object: T;
      if (live === undefined && mustNotExist) {
        const posted = withAnnotation(intent, hashAnnotation, hash + POSTED);
        object = (await client.create<KubeObject>(resource, posted, { fieldManager, signal })) as T;
      } else {
        const posted = live?.metadata.annotations?.[hashAnnotation]?.endsWith(POSTED) === true;
        const seen = posted ? await adoptManagedFields(client, resource, live, fieldManager, signal) : live;
        const annotated = withAnnotation(intent, hashAnnotation, hash);
        object = await applyOver<T>(client, resource, annotated, seen, { fieldManager, force: true, signal });
      }
      if (!metadataOnly) remember(resource, intent, object, hash);
      return { outcome: live === undefined ? 'created' : 'configured', object };
    },

    prune: async (resource, owned, keep, { signal, propagationPolicy } = {}) => {
      const stale = owned.filter(
        (object) => !keep.has(objectKey(object)) && object.metadata.deletionTimestamp === undefined,
      );
      const results = await Promise.allSettled(
        stale.map((object) => deleteExactly(client, resource, object, { signal, propagationPolicy })),
      );
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      for (const object of stale) accepted.delete(acceptanceKey(resource, object));
      return stale.map(objectKey);
    },
  };
}

/**
 * Applies over the very object that was seen, in the version that was seen: what was decided on an old view is refused, and
 * `TransientError` is thrown. Without `seen` the object may be there or not.
 */
async function applyOver<T extends KubeObject>(
  client: Client,
  resource: Resource,
  intent: KubeObject,
  seen: KubeObject | undefined,
  options: ApplyOptions,
): Promise<T> {
  const { uid, resourceVersion } = seen?.metadata ?? {};
  const body = { ...intent, metadata: { ...intent.metadata, uid, resourceVersion } };
  try {
    return await client.apply<T>(resource, body, options);
  } catch (error) {
    if (!isConflict(error)) throw error;
    throw changedSince(resource, intent, error);
  }
}

/** What a write met that is bound to a version which is not the newest any more. */
export function changedSince(resource: Resource, object: KubeObject, cause: unknown): TransientError {
  return new TransientError(`${resource.kind} ${objectKey(object)} changed since it was looked at`, { cause });
}

/**
 * Deletes the very object that was seen, in the version that was seen. What is gone already is fine; throws `TransientError` when
 * it changed in between.
 */
export async function deleteExactly(
  client: Client,
  resource: Resource,
  object: KubeObject,
  { signal, propagationPolicy }: PruneOptions = {},
): Promise<void> {
  const { uid, resourceVersion } = object.metadata;
  try {
    await client.delete(resource, object.metadata, {
      preconditions: { uid, resourceVersion },
      propagationPolicy,
      signal,
    });
  } catch (error) {
    if (isNotFound(error)) return;
    if (!isConflict(error)) throw error;
    throw changedSince(resource, object, error);
  }
}

/**
 * Marks in the annotation that the object was made by POST. The API server then lists its fields under the operation `Update`, from which
 * apply would not remove any; see `adoptManagedFields`.
 */
const POSTED = '.posted';

const UNCHANGED = { outcome: 'unchanged' } as const;

function withAnnotation(intent: KubeObject, name: string, value: string): KubeObject {
  const annotations = { ...intent.metadata.annotations, [name]: value };
  return { ...intent, metadata: { ...intent.metadata, annotations } };
}

function acceptanceKey(resource: Resource, object: KubeObject): string {
  return `${qualifiedName(resource)}/${objectKey(object)}/${object.metadata.uid ?? ''}`;
}

/** Everything that an intent can state; not what moves by itself. */
function digest(object: KubeObject, hash: string): string {
  const { labels, annotations, ownerReferences, finalizers } = object.metadata;
  const stated = { ...object, metadata: { labels, annotations, ownerReferences, finalizers }, status: undefined };
  return `${hash}/${hashValue(stated)}`;
}
