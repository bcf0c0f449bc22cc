import { admit, checkNamespace } from './admission.ts';
import { checkName, ensureNamespace } from './checks.ts';
import { fromStorage, toStorage } from './convert.ts';
import { chain, type WriteCall } from './core.ts';
import { allocate, checkSize, commitCreate, prepareCreate, storageKey } from './create.ts';
import { keepTimestamps } from './fields.ts';
import { groupResource } from './kinds.ts';
import { type ApiObject, withMeta } from './object.ts';
import { type FieldError, invalid as invalidField } from './schema/fielderror.ts';
import { equalJson } from './schema/json.ts';
import { conflict, failure, invalid, MODIFIED, notFound } from './status.ts';
import type { Stored } from './store.ts';
import { takeMember } from './strategy.ts';

export type Update = {
  /** Makes the new object of the present one, in the served version; of nothing where the object may be created. */
  readonly transform: (existing: ApiObject | undefined) => ApiObject;
  readonly allowCreate: boolean;
  /** The object that is replaced must have this UID. */
  readonly uid?: string | undefined;
};

export type Updated = { readonly object: ApiObject; readonly created: boolean };

/**
 * Replaces an object by what `transform` makes of it, and begins again when somebody else was faster while admission was asked. An object whose last finalizer
 * goes while it is being deleted is removed. Throws, or rejects with, `ApiError`.
 */
export function updateObject(call: WriteCall, update: Update): Updated | Promise<Updated> {
  const { kind, namespace, name } = call;
  const { collection } = kind;
  const existing = collection.get(kind.namespaced ? namespace : '', name);
  if (existing === undefined) {
    if (!update.allowCreate) throw notFound(groupResource(kind), name);
    return createByUpdate(call, update);
  }
  const old = fromStorage(kind, existing.object);
  checkUid(call, update, old);
  const object = prepareUpdate(call, update, old);
  const admitted = admit(call, 'UPDATE', name, object, old);
  return chain(admitted, () => {
    if (collection.get(existing.namespace, name) !== existing) return updateObject(call, update);
    return { object: commitUpdate(call, object, existing), created: false };
  });
}

function createByUpdate(call: WriteCall, update: Update): Updated | Promise<Updated> {
  const { kind, name } = call;
  const made = update.transform(undefined);
  const { uid } = made.metadata;
  if (uid !== undefined) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(groupResource(kind), name, why);
  }
  const placed = withMeta(ensureNamespace(call, made), { resourceVersion: undefined });
  checkName(name, placed);
  checkNamespace(call, 'CREATE', name);
  const prepared = prepareCreate(call, placed);
  const admitted = admit(call, 'CREATE', name, prepared, undefined);
  return chain(admitted, () => {
    if (kind.collection.get(prepared.metadata.namespace ?? '', name) !== undefined) return updateObject(call, update);
    return { object: commitCreate(call, prepared), created: true };
  });
}

function checkUid(call: WriteCall, { uid }: Update, old: ApiObject): void {
  if (uid === undefined || uid === old.metadata.uid) return;
  const { kind, name } = call;
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
  throw conflict(groupResource(kind), name, storageError(call, name, why));
}

function storageError(call: WriteCall, name: string, why: string): string {
  const key = storageKey(call, name);
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
}

/** `rest.BeforeUpdate` and what comes before it. */
function prepareUpdate(call: WriteCall, update: Update, old: ApiObject): ApiObject {
  const { kind, name } = call;
  const { strategy } = kind;
  const placed = ensureNamespace(call, update.transform(old));
  checkName(name, placed);
  const { resourceVersion: stated } = placed.metadata;
  if (stated !== undefined && !/^\d+$/.test(stated)) {
    throw failure(500, '', `strconv.ParseUint: parsing ${JSON.stringify(stated)}: invalid syntax`);
  }
  const resourceVersion = stated === '0' ? undefined : stated;
  if (resourceVersion !== old.metadata.resourceVersion) {
    if (resourceVersion !== undefined) throw conflict(groupResource(kind), name, MODIFIED);
    if (!strategy.allowUnconditionalUpdate) {
      const of = { group: kind.group, kind: kind.plural };
      throw invalid(of, name, [invalidField('metadata.resourceVersion', 0, 'must be specified for an update')]);
    }
  }
  const kept = keepMeta(placed, old);
  const isStatus = call.subresource === 'status';
  const prepared = prepareBySubresource(call, kept, old);
  const errors = isStatus ? strategy.validateStatusUpdate(prepared, old) : strategy.validateUpdate(prepared, old);
  if (errors.length > 0)
    throw invalid({ group: kind.collection.group, kind: prepared.kind }, name, kind.custom ? twice(errors) : errors);
  if (!isStatus) for (const warning of strategy.warnings?.(prepared, old) ?? []) call.warn(warning);
  return keepTimestamps(prepared, old);
}

/** The metadata of custom resources is held twice, once with that of all kinds, which shows in causes. */
function twice(errors: readonly FieldError[]): readonly FieldError[] {
  return [...errors.filter(({ field }) => field.startsWith('metadata.')), ...errors];
}

/** Only `finalize` changes the spec of a namespace. */
function prepareBySubresource(call: WriteCall, object: ApiObject, old: ApiObject): ApiObject {
  if (call.subresource === 'finalize') return takeMember(object, old, 'status');
  const { strategy } = call.kind;
  return call.subresource === 'status'
    ? strategy.prepareForStatusUpdate(object, old)
    : allocate(call, strategy.prepareForUpdate(object, old));
}

/** What no writer can change in metadata stays as it was; `generation` is the strategy's. */
function keepMeta(object: ApiObject, old: ApiObject): ApiObject {
  const was = old.metadata;
  const { uid, deletionGracePeriodSeconds } = object.metadata;
  return withMeta(object, {
    resourceVersion: was.resourceVersion,
    generation: was.generation,
    uid: uid ?? was.uid,
    creationTimestamp: was.creationTimestamp,
    ...(was.deletionTimestamp === undefined ? {} : { deletionTimestamp: was.deletionTimestamp }),
    deletionGracePeriodSeconds: deletionGracePeriodSeconds ?? was.deletionGracePeriodSeconds,
  });
}

function commitUpdate(call: WriteCall, object: ApiObject, existing: Stored): ApiObject {
  const { core, kind } = call;
  const { store } = core;
  const next = toStorage(kind, object);
  const before = existing.object;
  if (isFinalized(object, before)) {
    call.record(before, undefined);
    if (!call.options.dryRun) store.remove(kind.collection, before, existing);
    return object;
  }
  if (equalJson(next, before)) {
    call.record(before, before);
    return object;
  }
  checkSize(call, next, existing);
  call.record(before, next);
  if (call.options.dryRun) return object;
  const stored = store.put(kind.collection, next, existing);
  call.record(before, stored.object);
  return fromStorage(kind, stored.object);
}

/** `ShouldDeleteDuringUpdate`: a namespace also waits for the finalizers in its spec. */
function isFinalized(object: ApiObject, old: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
  if (deletionTimestamp === undefined || (object.metadata.finalizers ?? []).length > 0) return false;
  if (object.kind === 'Namespace' && object.apiVersion === 'v1' && hasSpecFinalizers(object)) return false;
  return deletionGracePeriodSeconds === undefined || deletionGracePeriodSeconds === 0;
}

function hasSpecFinalizers(object: ApiObject): boolean {
  const spec = object.spec as { readonly finalizers?: readonly string[] } | undefined;
  return (spec?.finalizers ?? []).length > 0;
}
