import { NAMESPACES } from '../../../kube/builtin.ts';
import { type Client, createClientOn } from '../../../kube/client.ts';
import { renderError } from '../../../kube/errors.ts';
import { type KubeObject, qualifiedName, type Resource } from '../../../kube/object.ts';
import { collectionPath, JSON_TYPE } from '../../../kube/requests.ts';
import type { Transport } from '../../../kube/transport.ts';
import type { Backoff } from '../../../kube/workqueue.ts';
import { renderTime } from '../object.ts';
import { type ControllerDeps, controllerUser, type RunningController } from './deps.ts';
import { computeConditions, type NamespaceCondition, type Remainder } from './namespaceconditions.ts';
import { orAbsent, startWorker } from './worker.ts';

export type NamespacesOptions = {
  /** From a namespace's deletion, or a change to one that goes, to the next pass over its content. Default 5 000, as Kubernetes has it. */
  readonly graceMs?: number | undefined;
  /** Between passes while finalizers hold content. Default 8 000, as Kubernetes has it. */
  readonly againMs?: number | undefined;
};

type Namespace = KubeObject & {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly NamespaceCondition[] };
};

const FINALIZER = 'kubernetes';
const FIELD_MANAGER = 'kube-controller-manager';
const CALL_TIMEOUT_MS = 30_000;
/** client-go's for namespaces. */
const BACKOFF: Backoff = { baseMs: 5, factor: 2, maxMs: 60_000 };

/**
 * Empties namespaces that were deleted and then takes their spec's finalizer `kubernetes` away, upon which the server removes them. What holds one
 * up is told by its conditions.
 */
export function startNamespaces(deps: ControllerDeps, options: NamespacesOptions = {}): RunningController {
  const { graceMs = 5_000, againMs = 8_000 } = options;
  const transport = deps.connect(controllerUser('namespace-controller'));
  const client = createClientOn(transport);
  const worker = startWorker(deps, {
    name: 'namespaces',
    backoff: BACKOFF,
    reconcile: async (name) => {
      const isEmpty = await terminate({ ...deps, client, transport }, name);
      return isEmpty ? undefined : againMs;
    },
  });
  const look = ({ metadata }: KubeObject): void => {
    if (metadata.deletionTimestamp !== undefined) worker.add(metadata.name, graceMs);
  };
  const unsubscribe = deps.state.subscribe(({ resource, type, object }) => {
    if (qualifiedName(resource) === 'namespaces' && type !== 'DELETED') look(object);
  });
  for (const namespace of deps.state.objects(NAMESPACES)) look(namespace);
  return {
    stop: async () => {
      unsubscribe();
      await worker.stop();
      await client.close();
    },
  };
}

type Parts = Pick<ControllerDeps, 'clock' | 'state'> & { readonly client: Client; readonly transport: Transport };

/** One pass. False while finalizers hold content. Rejects when content could not be deleted. */
async function terminate(parts: Parts, name: string): Promise<boolean> {
  const { client } = parts;
  const found = await orAbsent(client.get<Namespace>(NAMESPACES, { name }));
  if (found?.metadata.deletionTimestamp === undefined) return true;
  const namespace =
    found.status?.phase === 'Terminating'
      ? found
      : await updateStatus(client, { ...found, status: { ...found.status, phase: 'Terminating' } });
  const finalizers = namespace.spec?.finalizers ?? [];
  if (finalizers.length === 0) return true;
  const remainder = await deleteContent(parts, name);
  const conditions = computeConditions(namespace.status?.conditions ?? [], remainder, renderTime(parts.clock.now()));
  const judged =
    conditions === undefined
      ? namespace
      : await updateStatus(client, { ...namespace, status: { ...namespace.status, conditions } });
  if (remainder.errors.length > 0) throw new Error(remainder.errors.join('; '));
  if (remainder.kinds.length > 0) return false;
  const spec = { ...judged.spec, finalizers: finalizers.filter((finalizer) => finalizer !== FINALIZER) };
  await orAbsent(
    client.update(NAMESPACES, { ...judged, spec }, { subresource: 'finalize', fieldManager: FIELD_MANAGER }),
  );
  return true;
}

function updateStatus(client: Client, namespace: Namespace): Promise<Namespace> {
  return client.update(NAMESPACES, namespace, { subresource: 'status', fieldManager: FIELD_MANAGER });
}

/** Pods first, and nothing else while some are left; then the other kinds, of which those without objects are not asked for. */
async function deleteContent(parts: Parts, namespace: string): Promise<Remainder> {
  const kinds = parts.state.kinds().filter(({ namespaced }) => namespaced);
  const isPods = (resource: Resource): boolean => qualifiedName(resource) === 'pods';
  const pods = await deleteKinds(parts, kinds.filter(isPods), namespace);
  if (pods.kinds.length > 0) return pods;
  return deleteKinds(
    parts,
    kinds.filter((resource) => !isPods(resource)),
    namespace,
  );
}

async function deleteKinds(parts: Parts, kinds: readonly Resource[], namespace: string): Promise<Remainder> {
  const left: { resource: Resource; count: number }[] = [];
  const finalizers = new Map<string, number>();
  const errors: string[] = [];
  for (const resource of kinds) {
    if (parts.state.count(resource, namespace) === 0) continue;
    try {
      await deleteCollection(parts.transport, resource, namespace);
    } catch (error) {
      errors.push(renderError(error));
      continue;
    }
    const objects = [...parts.state.objects(resource, namespace)];
    if (objects.length === 0) continue;
    left.push({ resource, count: objects.length });
    const held = objects.flatMap(({ metadata }) => metadata.finalizers ?? []);
    for (const finalizer of held) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
    if (held.length === 0) errors.push(renderUnexpected(resource, namespace));
  }
  return { kinds: left, finalizers, errors };
}

function renderUnexpected(resource: Resource, namespace: string): string {
  const gvr = `${resource.group}/${resource.version}, Resource=${resource.plural}`;
  return `unexpected items still remain in namespace: ${namespace} for gvr: ${gvr}`;
}

async function deleteCollection(transport: Transport, resource: Resource, namespace: string): Promise<void> {
  await transport.call({
    method: 'DELETE',
    verb: 'deletecollection',
    call: `deletecollection ${qualifiedName(resource)} ${namespace}`,
    path: collectionPath(resource, namespace),
    accept: 'application/json',
    body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' }),
    contentType: JSON_TYPE,
    idempotent: true,
    timeoutMs: CALL_TIMEOUT_MS,
  });
}
