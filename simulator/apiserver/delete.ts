import { admit, checkNamespace } from './admission.ts';
import { fromStorage } from './convert.ts';
import { chain, nowOf, type WriteCall } from './core.ts';
import { groupResource } from './kinds.ts';
import { type ApiObject, objectAt, withMeta } from './object.ts';
import type { DeleteOptions } from './options.ts';
import { conflict, notFound } from './status.ts';
import type { Stored } from './store.ts';

export type Deleted = {
  /** The last state, in the served version. */
  readonly object: ApiObject;
  /** False while finalizers are waited for. */
  readonly gone: boolean;
};

/** Deletes one object, or marks it where finalizers are waited for. Throws, or rejects with, `ApiError`. */
export function deleteObject(call: WriteCall, options: DeleteOptions): Deleted | Promise<Deleted> {
  const { kind, name } = call;
  const existing = kind.collection.get(kind.namespaced ? call.namespace : '', name);
  if (existing === undefined) throw notFound(groupResource(kind), name);
  checkPreconditions(call, options, existing);
  const old = fromStorage(kind, existing.object);
  const isMarked = existing.object.metadata.deletionTimestamp !== undefined;
  if (isMarked && kind.kind === 'Namespace' && hasSpecFinalizers(existing.object)) return { object: old, gone: false };
  checkNamespace(call, 'DELETE', name);
  const admitted = admit(call, 'DELETE', name, undefined, old);
  return chain(admitted, () => {
    if (kind.collection.get(existing.namespace, name) !== existing) return deleteObject(call, options);
    return commitDelete(call, options, existing);
  });
}

function commitDelete(call: WriteCall, options: DeleteOptions, existing: Stored): Deleted {
  const { core, kind } = call;
  const before = existing.object;
  const finalizers = finalizersAfter(call, options, before);
  const starts = kind.strategy.terminate !== undefined && before.metadata.deletionTimestamp === undefined;
  if (finalizers.length === 0 && !starts) {
    call.record(before, undefined);
    if (options.dryRun) return { object: fromStorage(kind, before), gone: true };
    const removed = core.store.remove(kind.collection, before, existing);
    return { object: fromStorage(kind, removed.object), gone: true };
  }
  const marked = starts ? terminate(call, before, finalizers) : mark(call, before, finalizers);
  const changed = before.metadata.deletionTimestamp === undefined || !sameSet(finalizers, before);
  if (!changed || options.dryRun) {
    call.record(before, changed ? marked : before);
    return { object: fromStorage(kind, marked), gone: false };
  }
  const stored = core.store.put(kind.collection, marked, existing);
  call.record(before, stored.object);
  return { object: fromStorage(kind, stored.object), gone: false };
}

function mark(call: WriteCall, object: ApiObject, finalizers: readonly string[]): ApiObject {
  const { deletionTimestamp, generation } = object.metadata;
  const first = deletionTimestamp === undefined;
  return withMeta(object, {
    finalizers,
    deletionTimestamp: deletionTimestamp ?? nowOf(call.core),
    deletionGracePeriodSeconds: 0,
    ...(first && generation !== undefined ? { generation: generation + 1 } : {}),
  });
}

/** What is only marked at first has no grace period. */
function terminate({ core, kind }: WriteCall, object: ApiObject, finalizers: readonly string[]): ApiObject {
  const now = nowOf(core);
  const change = { deletionTimestamp: now, finalizers: finalizers.length === 0 ? undefined : finalizers };
  return kind.strategy.terminate?.(withMeta(object, change), now) ?? object;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/** The finalizers with the garbage collector's as the options, or else the present ones, want them. */
function finalizersAfter({ kind }: WriteCall, options: DeleteOptions, object: ApiObject): readonly string[] {
  const present = object.metadata.finalizers ?? [];
  const { garbageCollection } = kind.strategy;
  if (garbageCollection === 'unsupported') return present;
  const wanted = wantedFinalizer(options, present, garbageCollection === 'orphan');
  const others = present.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const after = wanted === undefined ? others : [...others, wanted];
  return sameSet(after, object) ? present : after;
}

function wantedFinalizer(options: DeleteOptions, present: readonly string[], orphans: boolean): string | undefined {
  const { orphanDependents, propagationPolicy } = options;
  if (orphanDependents !== undefined) return orphanDependents ? ORPHAN : undefined;
  if (propagationPolicy === 'Orphan') return ORPHAN;
  if (propagationPolicy === 'Foreground') return FOREGROUND;
  if (propagationPolicy === 'Background') return undefined;
  return (
    present.find((finalizer) => finalizer === ORPHAN || finalizer === FOREGROUND) ?? (orphans ? ORPHAN : undefined)
  );
}

function sameSet(finalizers: readonly string[], object: ApiObject): boolean {
  const present = object.metadata.finalizers ?? [];
  return finalizers.length === present.length && finalizers.every((finalizer) => present.includes(finalizer));
}

function checkPreconditions(call: WriteCall, options: DeleteOptions, existing: Stored): void {
  const { kind, name } = call;
  const { uid, resourceVersion } = existing.object.metadata;
  const isPlain = kind.strategy.terminate !== undefined;
  const of = isPlain ? groupResource(kind) : { group: kind.group, resource: kind.kind };
  if (options.uid !== undefined && options.uid !== uid) {
    const plain = `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`;
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(of, name, isPlain ? plain : why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const plain = `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`;
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(of, name, isPlain ? plain : why);
  }
}

function hasSpecFinalizers(object: ApiObject): boolean {
  const { finalizers } = objectAt(object, 'spec');
  return Array.isArray(finalizers) && finalizers.length > 0;
}
