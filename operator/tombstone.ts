import { ChangedError } from '../kube/errors.ts';
import type { Informer } from '../kube/informer.ts';
import { type KubeObject, objectKey } from '../kube/object.ts';
import {
  ANNOTATION_HELD,
  ANNOTATION_REMOVED_AT,
  ANNOTATION_SWEEP_AT,
  FIELD_MANAGER,
  FINALIZER,
} from '../model/labels.ts';
import type { OperatorContext } from './context.ts';

const DAY_MS = 86_400_000;

export type Deletion = { readonly policy: 'Retain' | 'Delete'; readonly graceDays: number };

/** The schema's default, for what is left without the resource that would say otherwise. */
export const DEFAULT_DELETION: Deletion = { policy: 'Retain', graceDays: 7 };

/** What a tombstone says of itself. `sweepAtMs` is in milliseconds since the epoch, infinite when the grace never ends. */
export type Tombstone = { readonly sweepAtMs: number; readonly held: boolean; readonly suspended: boolean };

/** Ends the mark of a hold on what was suspended when it was removed: it stays stopped although it is held. */
const SUSPENDED = '-suspended';

/**
 * Reads the stamps; `undefined` when the object carries none. Pure. With stamps that do not parse it is removed and never swept:
 * nothing is destroyed on garbage.
 */
export function parseTombstone(object: KubeObject): Tombstone | undefined {
  const annotations = object.metadata.annotations ?? {};
  const removedAt = annotations[ANNOTATION_REMOVED_AT];
  if (removedAt === undefined) return undefined;
  const sweepAtMs = Date.parse(annotations[ANNOTATION_SWEEP_AT] ?? '');
  const readable = !Number.isNaN(sweepAtMs) && !Number.isNaN(Date.parse(removedAt));
  return {
    sweepAtMs: readable ? sweepAtMs : Number.POSITIVE_INFINITY,
    held: annotations[ANNOTATION_HELD] !== undefined,
    suspended: annotations[ANNOTATION_HELD]?.endsWith(SUSPENDED) === true,
  };
}

/** Removed, and stays only because somebody else's finalizer keeps it: what it left behind does not wait for that. */
export function isReleased({ metadata: { deletionTimestamp, finalizers } }: KubeObject): boolean {
  return deletionTimestamp !== undefined && finalizers?.includes(FINALIZER) !== true;
}

/** Stamps the removal on what stays for its grace; an object that is stamped already keeps its times. */
export async function stampRemoval(
  context: OperatorContext,
  informer: Informer<KubeObject>,
  object: KubeObject,
  removal: { readonly decision: 'stop' | 'hold'; readonly deletion: Deletion; readonly suspended?: boolean },
  signal: AbortSignal,
): Promise<void> {
  if (parseTombstone(object) !== undefined) return;
  const now = context.clock.now();
  const id = context.breaker.tripped() ?? 'held';
  const graceMs = removal.deletion.policy === 'Delete' ? 0 : removal.deletion.graceDays * DAY_MS;
  await patchAnnotations(context, informer, object, signal, {
    [ANNOTATION_REMOVED_AT]: new Date(now).toISOString(),
    [ANNOTATION_SWEEP_AT]: new Date(now + graceMs).toISOString(),
    ...(removal.decision === 'hold'
      ? { [ANNOTATION_HELD]: `${id}${removal.suspended === true ? SUSPENDED : ''}` }
      : {}),
  });
}

/** Takes the stamps off again: the same identity came back. No call when there are none. */
export async function clearRemoval(
  context: OperatorContext,
  informer: Informer<KubeObject>,
  object: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  if (parseTombstone(object) === undefined) return;
  const stamps = { [ANNOTATION_REMOVED_AT]: null, [ANNOTATION_SWEEP_AT]: null, [ANNOTATION_HELD]: null };
  await patchAnnotations(context, informer, object, signal, stamps);
}

/** Lets a held removal be carried out. No call when it is not held. */
export async function releaseHold(
  context: OperatorContext,
  informer: Informer<KubeObject>,
  object: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  if (parseTombstone(object)?.held !== true) return;
  await patchAnnotations(context, informer, object, signal, { [ANNOTATION_HELD]: null });
}

/** Bound to the object's UID and version: a stamp is never put on a successor, nor on a state that was not seen. */
async function patchAnnotations(
  context: OperatorContext,
  informer: Informer<KubeObject>,
  object: KubeObject,
  signal: AbortSignal,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const newest = informer.get(objectKey(object));
  if (newest !== undefined && newest.metadata.resourceVersion !== resourceVersion) {
    throw new ChangedError(`${object.kind} ${objectKey(object)} changed since it was looked at`);
  }
  const body = { metadata: { uid, resourceVersion, annotations } };
  const answer = await context.client.patch<KubeObject>(
    informer.resource,
    { namespace, name },
    { type: 'merge', body },
    { fieldManager: FIELD_MANAGER, signal },
  );
  informer.observeWrite(answer);
}
