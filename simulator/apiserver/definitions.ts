import { type Core, nowOf } from './core.ts';
import { buildCustomKinds } from './crd.ts';
import { type ApiObject, objectAt, withMeta } from './object.ts';
import { equalJson, isObject, type JsonObject } from './schema/json.ts';
import type { Collection, StorageEvent, Stored } from './store.ts';

/** The finalizer of a definition whose objects go first. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

/**
 * What the API server's own controllers do for CustomResourceDefinitions: accept their names, serve their kinds, and remove their objects before a
 * definition goes. All of it happens with the write that asks for it. Also serves what `core.store` holds already.
 */
export function serveDefinitions(core: Core): void {
  const { store } = core;
  const definitions = store.collection('apiextensions.k8s.io', 'customresourcedefinitions');
  for (const stored of definitions.values()) serve(core, stored.object);
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
    return;
  }
  if (previous === undefined || !equalJson(previous.object.spec, current.object.spec)) serve(core, current.object);
  if (definitions.get('', current.name) !== current) return;
  if (current.object.metadata.deletionTimestamp !== undefined) cleanUp(core, current);
  else writeStatus(core, definitions, current, acceptedStatus(core, current.object));
}

function serve(core: Core, definition: ApiObject): void {
  core.registry.setCustom(definition.metadata.name ?? '', buildCustomKinds(definition, core.store));
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
  core.store.put(definitions, { ...definition.object, status }, definition);
}

function acceptedStatus(core: Core, definition: ApiObject): JsonObject {
  const spec = objectAt(definition, 'spec');
  const status = objectAt(definition, 'status');
  const { conditions } = status;
  const known = Array.isArray(conditions) ? conditions.filter(isObject) : [];
  const accepted = { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
  const message = 'the initial names have been accepted';
  const established = { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message };
  return {
    ...status,
    acceptedNames: spec.names,
    conditions: setConditions(core, known, [accepted, established]),
    storedVersions: storedVersions(spec, status),
  };
}

function terminatingStatus(core: Core, definition: ApiObject): JsonObject {
  const status = objectAt(definition, 'status');
  const { conditions } = status;
  const known = Array.isArray(conditions) ? conditions.filter(isObject) : [];
  const message = 'CustomResource deletion is in progress';
  const terminating = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionInProgress', message };
  return { ...status, conditions: setConditions(core, known, [terminating]) };
}

function setConditions(core: Core, known: readonly JsonObject[], wanted: readonly JsonObject[]): readonly JsonObject[] {
  const kept = known.filter(({ type }) => !wanted.some((one) => one.type === type));
  const set = wanted.map((one) => {
    const old = known.find(({ type }) => type === one.type);
    const lastTransitionTime = old?.status === one.status ? old?.lastTransitionTime : nowOf(core);
    return { ...one, lastTransitionTime };
  });
  return [...kept, ...set];
}

function storedVersions(spec: JsonObject, status: JsonObject): readonly string[] {
  const versions = Array.isArray(spec.versions) ? spec.versions.filter(isObject) : [];
  const storage = String(versions.find((version) => version.storage === true)?.name ?? '');
  const known = Array.isArray(status.storedVersions) ? status.storedVersions.map(String) : [];
  return known.includes(storage) ? known : [...known, storage];
}
