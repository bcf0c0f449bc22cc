import { admit, checkNamespace } from './admission.ts';
import { ensureNamespace } from './checks.ts';
import { fromStorage, toStorage } from './convert.ts';
import { chain, generateName, newUid, nowOf, type WriteCall } from './core.ts';
import { trackUpdate } from './fields.ts';
import { groupResource, type ServedKind } from './kinds.ts';
import { type ApiObject, keyOf, objectAt, withMeta } from './object.ts';
import { cloneJson } from './schema/json.ts';
import { ApiError, alreadyExists, failure, forbidden, generatedNameTaken, invalid } from './status.ts';
import type { Stored } from './store.ts';

/** Creates `object`, which is decoded and the caller's own. Throws, or rejects with, `ApiError`. Answers the object as served. */
export function createObject(call: WriteCall, object: ApiObject): ApiObject | Promise<ApiObject> {
  const { kind } = call;
  const wiped = ensureNamespace(call, withMeta(object, WIPED));
  const name = wiped.metadata.name ?? call.name;
  checkNamespace(call, 'CREATE', name);
  const tracked = trackUpdate(call, undefined, wiped);
  if (name !== '' || wiped.metadata.generateName === undefined) return createOnce(call, tracked);
  return createGenerated(call, tracked, MAX_NAMES);

  function createGenerated(of: WriteCall, one: ApiObject, triesLeft: number): ApiObject | Promise<ApiObject> {
    const again = (error: unknown): ApiObject | Promise<ApiObject> => {
      const taken = error instanceof ApiError && error.reason === 'AlreadyExists';
      if (!taken) throw error;
      if (triesLeft > 1) return createGenerated(of, one, triesLeft - 1);
      throw generatedNameTaken(groupResource(kind), String(objectAt(error.status, 'details').name));
    };
    try {
      const created = createOnce(of, one);
      return created instanceof Promise ? created.catch(again) : created;
    } catch (error) {
      return again(error);
    }
  }
}

const WIPED = {
  creationTimestamp: undefined,
  uid: undefined,
  deletionTimestamp: undefined,
  deletionGracePeriodSeconds: undefined,
  selfLink: undefined,
} as const;

/** Throws `ApiError` while the kind is on its way out. */
function checkDefinition({ core, kind }: WriteCall, name: string): void {
  const definitions = core.store.collection('apiextensions.k8s.io', 'customresourcedefinitions');
  const definition = definitions.get('', `${kind.plural}.${kind.group}`);
  if (definition?.object.metadata.deletionTimestamp === undefined) return;
  throw forbidden(groupResource(kind), name, 'create not allowed while custom resource definition is terminating');
}

/** How often another name is made up for `generateName`. */
const MAX_NAMES = 8;

function createOnce(call: WriteCall, object: ApiObject): ApiObject | Promise<ApiObject> {
  if (call.kind.custom) checkDefinition(call, object.metadata.name ?? '');
  const prepared = prepareCreate(call, object);
  const admitted = admit(call, 'CREATE', prepared.metadata.name ?? '', prepared, undefined);
  return chain(admitted, () => commitCreate(call, prepared));
}

/** `rest.BeforeCreate`. */
export function prepareCreate(call: WriteCall, object: ApiObject): ApiObject {
  const { core, kind } = call;
  const { generateName: base, name } = object.metadata;
  const filled = withMeta(object, {
    uid: newUid(core.random),
    creationTimestamp: nowOf(core),
    ...(name === undefined && base !== undefined ? { name: generateName(core.random, base) } : {}),
  });
  const prepared = allocate(call, withStatusDefault(kind, kind.strategy.prepareForCreate(filled)));
  const errors = kind.strategy.validate(prepared);
  if (errors.length > 0)
    throw invalid({ group: kind.collection.group, kind: prepared.kind }, prepared.metadata.name ?? '', errors);
  for (const warning of kind.strategy.warnings?.(prepared, undefined) ?? []) call.warn(warning);
  return prepared;
}

/** The default of a status that the strategy took away is what everybody reads. */
function withStatusDefault(kind: ServedKind, object: ApiObject): ApiObject {
  const node = kind.schema.node.properties?.get('status');
  if (!kind.custom || object.status !== undefined || node?.default === undefined) return object;
  const fresh = cloneJson(object);
  kind.schema.applyDefaults(fresh);
  return fresh;
}

/** What the object shares a stock of with others of its kind. */
export function allocate({ core, kind }: WriteCall, object: ApiObject): ApiObject {
  const siblings = (): readonly ApiObject[] => [...kind.collection.values()].map((stored) => stored.object);
  return kind.strategy.allocate?.(object, { siblings, random: core.random }) ?? object;
}

export function commitCreate(call: WriteCall, prepared: ApiObject): ApiObject {
  const { core, kind } = call;
  const { collection } = kind;
  const { name = '', namespace = '' } = prepared.metadata;
  if (prepared.metadata.resourceVersion !== undefined) {
    throw failure(500, '', 'resourceVersion should not be set on objects to be created');
  }
  const existing = collection.get(namespace, name);
  if (existing !== undefined) {
    throw alreadyExists(groupResource(kind), name, existing.object.metadata.deletionTimestamp !== undefined);
  }
  checkSize(call, prepared);
  if (call.options.dryRun) {
    call.record(undefined, toStorage(kind, prepared));
    return prepared;
  }
  const stored = core.store.put(collection, toStorage(kind, prepared), undefined);
  call.record(undefined, stored.object);
  return fromStorage(kind, stored.object);
}

/** What etcd takes by default. */
const MAX_STORED_BYTES = 1.5 * 1024 * 1024;
/** What was written by less than this cannot have become too large at once. */
const SMALL_BYTES = 512 * 1024;

/** Throws `ApiError` on an object that is too large to keep. */
export function checkSize({ bodyBytes }: WriteCall, object: ApiObject, existing?: Stored): void {
  const before = existing?.rendered.values().next().value?.length ?? 0;
  if (bodyBytes + before < SMALL_BYTES) return;
  if (Buffer.byteLength(JSON.stringify(object)) > MAX_STORED_BYTES) {
    throw failure(500, '', 'etcdserver: request is too large');
  }
}

/** The key of an object as etcd has it, which some errors show. */
export function storageKey(call: WriteCall, name: string): string {
  const { kind, namespace } = call;
  const resource = kind.group === '' && kind.plural === 'services' ? 'services/specs' : kind.plural;
  const prefix = kind.custom ? `/registry/${kind.group}/${resource}` : `/registry/${resource}`;
  return `${prefix}/${keyOf(kind.namespaced ? namespace : '', name)}`;
}
