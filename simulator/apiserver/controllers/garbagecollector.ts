import { type Client, createClientOn } from '../../../kube/client.ts';
import { isConflict, isNotFound } from '../../../kube/errors.ts';
import {
  apiVersionOf,
  type KubeObject,
  type OwnerReference,
  qualifiedName,
  type Resource,
} from '../../../kube/object.ts';
import { type Change, type ControllerDeps, controllerUser, type RunningController } from './deps.ts';
import { FOREGROUND_FINALIZER, type Job, type Node, ORPHAN_FINALIZER, OwnerGraph } from './graph.ts';
import { CLIENT_GO_BACKOFF, orAbsent, startWorker } from './worker.ts';

export type GarbageCollectorOptions = {
  /** From a change to the look at what it concerns. Default 50. */
  readonly delayMs?: number | undefined;
};

/** Kinds that own nothing and are owned by nobody. */
const IGNORED: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io']);
const FIELD_MANAGER = 'kube-controller-manager';

/**
 * Removes what has owners and no living one; carries out deletion in the foreground and orphaning, for which the server puts a
 * finalizer on the owner. An owner counts as absent when an object of that kind and name, in the dependent's namespace or in none, is not
 * there or has another uid. A reference to a kind that is not served keeps its holder alive and is looked at again and again.
 */
export function startGarbageCollector(deps: ControllerDeps, options: GarbageCollectorOptions = {}): RunningController {
  const { delayMs = 50 } = options;
  const graph = new OwnerGraph();
  const client = createClientOn(deps.connect(controllerUser('generic-garbage-collector')));
  const worker = startWorker(deps, {
    name: 'garbage-collector',
    backoff: CLIENT_GO_BACKOFF,
    reconcile: async (key) => {
      const { task, uid } = parseJob(key);
      const node = graph.get(uid);
      if (node === undefined) return undefined;
      if (task === 'orphan') await orphanDependents(client, graph, node);
      else if (!node.isBeingDeleted) await collect({ client, state: deps.state, graph }, node);
      else if (node.isDeletingDependents) await finishForeground(client, graph, node, (job) => add([job]));
      return undefined;
    },
  });
  const add = (jobs: readonly Job[]): void => {
    for (const job of jobs) worker.add(`${job.task}/${job.uid}`, delayMs);
  };
  const isWatched = (resource: Resource): boolean => !IGNORED.has(qualifiedName(resource));
  const unsubscribe = deps.state.subscribe((change: Change) => {
    if (isWatched(change.resource)) add(graph.apply(change));
  });
  add(graph.load(listAll(deps, isWatched)));
  return {
    stop: async () => {
      unsubscribe();
      await worker.stop();
      await client.close();
    },
  };
}

function* listAll({ state }: ControllerDeps, isWatched: (resource: Resource) => boolean) {
  for (const resource of state.kinds().filter(isWatched)) {
    for (const object of state.objects(resource)) yield [resource, object] as const;
  }
}

function parseJob(key: string): Job {
  const slash = key.indexOf('/');
  return { task: key.slice(0, slash) === 'orphan' ? 'orphan' : 'collect', uid: key.slice(slash + 1) };
}

type Parts = { readonly client: Client; readonly state: ControllerDeps['state']; readonly graph: OwnerGraph };

/** Looks at an object with owners: it stays while one of them lives, and loses its references to those that do not. */
async function collect(parts: Parts, node: Node): Promise<void> {
  const latest = await read(parts.client, node);
  const references = latest?.metadata.ownerReferences ?? [];
  if (latest === undefined || references.length === 0) return;
  const owners = await classify(parts, node, references);
  if (owners === undefined) return;
  const { living, gone, waiting } = owners;
  if (living.length > 0) {
    const dead = [...gone, ...waiting];
    if (dead.length > 0) await dropReferences(parts.client, node, latest, dead);
    return;
  }
  const dependents = parts.graph.dependentsOf(node.uid);
  if (waiting.length > 0 && dependents.length > 0) {
    // Two objects that own each other and both wait would wait for ever.
    const current = dependents.some((dependent) => dependent.isDeletingDependents)
      ? await unblockReferences(parts.client, node, latest)
      : latest;
    return remove(parts.client, node, current, 'Foreground');
  }
  return remove(parts.client, node, latest, choosePolicy(latest));
}

function choosePolicy({ metadata }: KubeObject): 'Orphan' | 'Foreground' | 'Background' {
  if (metadata.finalizers?.includes(ORPHAN_FINALIZER) === true) return 'Orphan';
  return metadata.finalizers?.includes(FOREGROUND_FINALIZER) === true ? 'Foreground' : 'Background';
}

type Owners = {
  readonly living: readonly OwnerReference[];
  readonly gone: readonly OwnerReference[];
  /** Those that wait for this dependent. */
  readonly waiting: readonly OwnerReference[];
};

/** Undefined where a reference can never be judged. */
async function classify(
  { client, state }: Parts,
  node: Node,
  references: readonly OwnerReference[],
): Promise<Owners | undefined> {
  const owners = { living: [] as OwnerReference[], gone: [] as OwnerReference[], waiting: [] as OwnerReference[] };
  for (const reference of references) {
    const resource = findKind(state.kinds(), reference);
    if (resource.namespaced && node.namespace === undefined) return undefined;
    const namespace = resource.namespaced ? node.namespace : undefined;
    const owner = await orAbsent(client.get(resource, { namespace, name: reference.name }, { metadataOnly: true }));
    if (owner === undefined || owner.metadata.uid !== reference.uid) owners.gone.push(reference);
    else if (isWaiting(owner)) owners.waiting.push(reference);
    else owners.living.push(reference);
  }
  return owners;
}

function isWaiting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND_FINALIZER) === true;
}

function findKind(kinds: readonly Resource[], { apiVersion, kind }: OwnerReference): Resource {
  const found = kinds.find((resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion);
  if (found === undefined) throw new Error(`unable to get REST mapping for ${apiVersion}/${kind}.`);
  return found;
}

/** The object as it is now; undefined when another one has its name. */
async function read(client: Client, node: Node): Promise<KubeObject | undefined> {
  const found = await orAbsent(client.get(node.resource, node, { metadataOnly: true }));
  return found?.metadata.uid === node.uid ? found : undefined;
}

/** Once more without its version when that is no longer current and the owners are the same, lest a busy object never goes. */
async function remove(
  client: Client,
  node: Node,
  seen: KubeObject,
  propagationPolicy: 'Orphan' | 'Foreground' | 'Background',
): Promise<void> {
  const { uid } = node;
  try {
    const { resourceVersion } = seen.metadata;
    await client.delete(node.resource, node, { preconditions: { uid, resourceVersion }, propagationPolicy });
  } catch (error) {
    if (isNotFound(error)) return;
    const live = isConflict(error) ? await read(client, node) : undefined;
    if (live === undefined || !hasSameOwners(live, seen)) throw error;
    await client.delete(node.resource, node, { preconditions: { uid }, propagationPolicy });
  }
}

function hasSameOwners(a: KubeObject, b: KubeObject): boolean {
  return JSON.stringify(a.metadata.ownerReferences) === JSON.stringify(b.metadata.ownerReferences);
}

async function dropReferences(
  client: Client,
  node: Node,
  seen: KubeObject,
  dropped: readonly OwnerReference[],
): Promise<void> {
  const uids = new Set(dropped.map(({ uid }) => uid));
  const rest = (seen.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid));
  await patchMetadata(client, node, seen, { ownerReferences: rest.length === 0 ? null : rest });
}

async function unblockReferences(client: Client, node: Node, seen: KubeObject): Promise<KubeObject> {
  const ownerReferences = (seen.metadata.ownerReferences ?? []).map((reference) =>
    reference.blockOwnerDeletion === true ? { ...reference, blockOwnerDeletion: false } : reference,
  );
  return patchMetadata(client, node, seen, { ownerReferences });
}

async function patchMetadata(
  client: Client,
  node: Node,
  seen: KubeObject,
  fields: Readonly<Record<string, unknown>>,
): Promise<KubeObject> {
  const body = { metadata: { resourceVersion: seen.metadata.resourceVersion, ...fields } };
  return client.patch<KubeObject>(node.resource, node, { type: 'merge', body }, { fieldManager: FIELD_MANAGER });
}

/** Lets an owner go once no dependent blocks it, and looks at those that do. */
async function finishForeground(client: Client, graph: OwnerGraph, node: Node, add: (job: Job) => void): Promise<void> {
  const blocking = graph
    .dependentsOf(node.uid)
    .filter(({ owners }) => owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion));
  if (blocking.length === 0) return removeFinalizer(client, node, FOREGROUND_FINALIZER);
  for (const { uid, isDeletingDependents } of blocking) if (!isDeletingDependents) add({ task: 'collect', uid });
}

async function orphanDependents(client: Client, graph: OwnerGraph, node: Node): Promise<void> {
  for (const dependent of graph.dependentsOf(node.uid)) {
    const latest = await read(client, dependent);
    const reference = latest?.metadata.ownerReferences?.filter(({ uid }) => uid === node.uid) ?? [];
    if (latest !== undefined && reference.length > 0) await dropReferences(client, dependent, latest, reference);
  }
  await removeFinalizer(client, node, ORPHAN_FINALIZER);
}

async function removeFinalizer(client: Client, node: Node, finalizer: string): Promise<void> {
  const latest = await read(client, node);
  const finalizers = latest?.metadata.finalizers;
  if (latest === undefined || finalizers?.includes(finalizer) !== true) return;
  const rest = finalizers.filter((other) => other !== finalizer);
  await patchMetadata(client, node, latest, { finalizers: rest.length === 0 ? null : rest });
}
