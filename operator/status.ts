import { isDeepStrictEqual } from 'node:util';
import type { CONDITION_TYPES, Condition, Reason } from '../crds/v1alpha1/conditions.ts';
import { changedSince } from '../kube/apply.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import type { Informer } from '../kube/informer.ts';
import { type KubeObject, objectKey } from '../kube/object.ts';
import { STATUS_FIELD_MANAGER } from '../model/labels.ts';
import type { OperatorContext } from './context.ts';

export type Status = {
  readonly observedGeneration?: number | undefined;
  readonly conditions?: readonly Condition[] | undefined;
};

/**
 * Makes an object's status be as computed; no call when it already is. One server-side apply by one field manager, bound to
 * the object's UID and to the version that it was computed from: a status never lands on a successor of the same name, and a leader on an old view
 * is refused (409) instead of moving transition times or a power epoch back. For what is gone there is nothing to do. That its watch says: as long as
 * the object is known, a 404 is thrown, for a kind that is not served is answered the same.
 */
export async function applyStatus<T extends KubeObject & { readonly status?: unknown }>(
  context: OperatorContext,
  informer: Informer<T>,
  object: T,
  status: Status,
  signal: AbortSignal,
): Promise<void> {
  const wanted = dropUndefined(status);
  if (isDeepStrictEqual(dropUndefined(object.status ?? {}), wanted)) return;
  const { apiVersion, kind, metadata } = object;
  const { namespace, name, uid } = metadata;
  const resourceVersion = findVersion(informer, object);
  const body = { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion }, status: wanted };
  try {
    const answer = await context.client.apply<T>(informer.resource, body, {
      fieldManager: STATUS_FIELD_MANAGER,
      force: true,
      subresource: 'status',
      signal,
    });
    informer.observeWrite(answer);
    announce(context, object, status);
  } catch (error) {
    if (isNotFound(error) && informer.get(objectKey(object))?.metadata.uid !== uid) return;
    throw isConflict(error) ? changedSince(informer.resource, object, error) : error;
  }
}

/**
 * The newest version known, if it still has the status which this one was computed from: our own finalizer and a new spec may have come meanwhile, and
 * neither makes it wrong. Throws `TransientError` when it has another.
 */
function findVersion<T extends KubeObject & { readonly status?: unknown }>(
  informer: Informer<T>,
  object: T,
): string | undefined {
  const current = informer.get(objectKey(object));
  if (current === undefined) return object.metadata.resourceVersion;
  if (isDeepStrictEqual(current.status, object.status)) return current.metadata.resourceVersion;
  throw changedSince(informer.resource, object, undefined);
}

function dropUndefined(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Conditions whose appearance, or new reason, is told as a Warning Event: a person has to do something. */
const WARNED: readonly string[] = [
  'Stalled',
  'Held',
  'RepositoryFailed',
] satisfies readonly (typeof CONDITION_TYPES)[number][];
const WARNED_REASONS: readonly string[] = ['ProbeFailed'] satisfies readonly Reason[];

/** No Events on the way of success: only what newly stands in the way is told, once. */
function announce(context: OperatorContext, object: KubeObject & { readonly status?: unknown }, status: Status): void {
  const before = (object.status as Status | undefined)?.conditions ?? [];
  for (const { type, reason, message } of status.conditions ?? []) {
    if (!WARNED.includes(type) && !WARNED_REASONS.includes(reason)) continue;
    if (before.some((old) => old.type === type && old.reason === reason)) continue;
    context.events.event(object, { type: 'Warning', reason, note: message, action: 'Reconcile' });
  }
}
