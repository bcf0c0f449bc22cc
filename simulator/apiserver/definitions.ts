import { CLEANUP, setConditions } from './conditions.ts';
import { type Core, nowOf } from './core.ts';
import { buildCustomKinds } from './crd.ts';
import { acceptNames, isEstablished } from './crdnames.ts';
import { type ApiObject, objectAt, withMeta } from './object.ts';
import { typeOf, updateManagedFields } from './patch/index.ts';
import { equalJson, isObject, type JsonObject } from './schema/json.ts';
import type { Collection, StorageEvent, Stored } from './store.ts';

/**
 * What the API server's own controllers do for CustomResourceDefinitions: accept their names, serve their kinds, and remove their objects before a
 * definition goes. All of it happens with the write that asks for it. Also serves what `core.store` holds already.
 */
export function serveDefinitions(core: Core): void {
  const { store } = core;
  const definitions = store.collection('apiextensions.k8s.io', 'customresourcedefinitions');
  for (const stored of definitions.values()) serve(core, stored.object, true);
  definitions.listeners.add((event) => onDefinition(core, definitions, event));
  store.subscribe(({ type, collection, current }) => {
    if (type !== 'DELETED' || collection.size > 0) return;
    const waiting = definitions.get('', `${collection.plural}.${collection.group}`);
    if (waiting?.object.metadata.deletionTimestamp !== undefined && current.name !== '') cleanUp(core, waiting);
  });
}

function onDefinition(core: Core, definitions: Collection, event: StorageEvent): void {
  const { type, current, previous } = event;
  if (type === 'DELETED') {
    const kinds = core.registry.custom(current.name);
    core.registry.setCustom(current.name, []);
    for (const { collection } of kinds) for (const end of [...collection.watches]) end();
    for (const other of [...definitions.values()]) takeFreedNames(core, definitions, other, current.object);
    return;
  }
  if (previous === undefined || !equalJson(previous.object.spec, current.object.spec))
    serve(core, current.object, previous !== undefined);
  if (definitions.get('', current.name) !== current) return;
  if (current.object.metadata.deletionTimestamp !== undefined) cleanUp(core, current);
  else writeStatus(core, definitions, current, acceptedStatus(core, current.object));
}

/** What a definition that is gone had may now be another's that waits for it. */
function takeFreedNames(core: Core, definitions: Collection, waiting: Stored, gone: ApiObject): void {
  const { object } = waiting;
  if (objectAt(object, 'spec').group !== objectAt(gone, 'spec').group || isEstablished(object)) return;
  serve(core, object, false);
  writeStatus(core, definitions, waiting, acceptedStatus(core, object));
}

function serve(core: Core, definition: ApiObject, isChanged: boolean): void {
  const isNamed = acceptNames(definition, othersOf(core, definition)).condition.status === 'True';
  const isServed = isNamed || isEstablished(definition);
  const kinds = isServed ? buildCustomKinds(definition, core.store, isChanged) : [];
  core.registry.setCustom(definition.metadata.name ?? '', kinds);
}

/** Removes what is there of the kind; the definition goes when nothing is left. */
function cleanUp(core: Core, definition: Stored): void {
  const { store } = core;
  const { finalizers = [] } = definition.object.metadata;
  if (!finalizers.includes(CLEANUP)) return;
  const spec = objectAt(definition.object, 'spec');
  const collection = store.collection(String(spec.group), String(objectAt(spec, 'names').plural));
  for (const stored of [...collection.values()]) {
    const { deletionTimestamp, finalizers: waits = [], generation } = stored.object.metadata;
    if (waits.length === 0) store.remove(collection, stored.object, stored);
    else if (deletionTimestamp === undefined) {
      const change = { deletionTimestamp: nowOf(core), deletionGracePeriodSeconds: 0 };
      const grown = generation === undefined ? {} : { generation: generation + 1 };
      store.put(collection, withMeta(stored.object, { ...change, ...grown }), stored);
    }
  }
  const definitions = store.collection('apiextensions.k8s.io', 'customresourcedefinitions');
  if (definitions.get('', definition.name) !== definition) return;
  if (collection.size > 0) {
    writeStatus(core, definitions, definition, terminatingStatus(core, definition.object));
    return;
  }
  const left = finalizers.filter((finalizer) => finalizer !== CLEANUP);
  if (left.length === 0) store.remove(definitions, definition.object, definition);
  else store.put(definitions, withMeta(definition.object, { finalizers: left }), definition);
}

function writeStatus(core: Core, definitions: Collection, definition: Stored, status: JsonObject): void {
  if (equalJson(status, definition.object.status)) return;
  const kind = core.registry.findByKind('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition');
  if (kind === undefined) return;
  const next = updateManagedFields({
    live: withConditions(definition.object),
    next: { ...definition.object, status },
    ...(kind.empty === undefined ? {} : { empty: kind.empty }),
    type: typeOf(kind.schema.node),
    manager: 'kube-apiserver',
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: kind.kind,
    isCustom: false,
    subresource: 'status',
    now: nowOf(core),
    resetFields: kind.strategy.statusResetFields,
  });
  core.store.put(definitions, next as ApiObject, definition);
}

/** The list of conditions is always there, if only empty. */
function withConditions(definition: ApiObject): ApiObject {
  const status = objectAt(definition, 'status');
  return { ...definition, status: { ...status, conditions: status.conditions ?? [] } };
}

function acceptedStatus(core: Core, definition: ApiObject): JsonObject {
  const spec = objectAt(definition, 'spec');
  const status = objectAt(definition, 'status');
  const { acceptedNames, condition } = acceptNames(definition, othersOf(core, definition));
  const established = condition.status === 'True' || isEstablished(definition) ? ESTABLISHED : NOT_ESTABLISHED;
  return {
    ...status,
    acceptedNames,
    conditions: setConditions(status.conditions, [condition, established], nowOf(core)),
    storedVersions: storedVersions(spec, status),
  };
}

const ESTABLISHED = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
} as const;
const NOT_ESTABLISHED = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
} as const;

function othersOf({ store }: Core, { metadata }: ApiObject): readonly ApiObject[] {
  const definitions = store.collection('apiextensions.k8s.io', 'customresourcedefinitions');
  return [...definitions.values()].filter(({ name }) => name !== metadata.name).map(({ object }) => object);
}

function terminatingStatus(core: Core, definition: ApiObject): JsonObject {
  const status = objectAt(definition, 'status');
  const message = 'CustomResource deletion is in progress';
  const terminating = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionInProgress', message };
  return { ...status, conditions: setConditions(status.conditions, [terminating], nowOf(core)) };
}

function storedVersions(spec: JsonObject, status: JsonObject): readonly string[] {
  const versions = Array.isArray(spec.versions) ? spec.versions.filter(isObject) : [];
  const storage = String(versions.find((version) => version.storage === true)?.name ?? '');
  const known = Array.isArray(status.storedVersions) ? status.storedVersions.map(String) : [];
  return known.includes(storage) ? known : [...known, storage];
}
