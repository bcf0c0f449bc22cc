import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { Informer } from '../../kube/informer.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';

type ConditionBase = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string | null;
};

/** Sets one condition. Its transition time is kept while its status is, and is else `nowIso`, whatever `condition` says. */
export function withCondition<C extends ConditionBase>(list: readonly C[], condition: C, nowIso: string): readonly C[] {
  const old = list.find(({ type }) => type === condition.type);
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? nowIso) : nowIso;
  const set = { ...condition, lastTransitionTime };
  return old === undefined ? [...list, set] : list.map((one) => (one.type === condition.type ? set : one));
}

export function withoutCondition<C extends ConditionBase>(list: readonly C[], type: string): readonly C[] {
  return list.some((one) => one.type === type) ? list.filter((one) => one.type !== type) : list;
}

export function findCondition<C extends ConditionBase>(list: readonly C[] | undefined, type: string): C | undefined {
  return list?.find((one) => one.type === type);
}

/** `metav1.Time`: whole seconds, UTC. */
export function renderTime(ms: number): string {
  return `${new Date(Math.floor(ms / 1_000) * 1_000).toISOString().slice(0, 19)}Z`;
}

/** Equal as JSON: a member that is undefined counts as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(stripUndefined(a), stripUndefined(b));
}

/** One object of a cluster-wide kind, or undefined when there is none. */
export async function findObject<T extends KubeObject>(
  client: Client,
  resource: Resource,
  name: string,
  signal?: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get<T>(resource, { name }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** What every controller here writes with. */
export type Writer = { readonly client: Client; readonly signal: AbortSignal };

/**
 * Replaces the status when it differs, with the object's resourceVersion as precondition, and shows the answer to the informer.
 * Returns the object as it now is.
 */
export async function applyStatus<T extends KubeObject & { readonly status?: unknown }>(
  { client, signal }: Writer,
  informer: Informer<T>,
  object: T,
  status: NonNullable<T['status']>,
): Promise<T> {
  if (sameJson(object.status ?? {}, status)) return object;
  const written = await client.update<T>(informer.resource, { ...object, status }, { subresource: 'status', signal });
  informer.observeWrite(written);
  return written;
}

/** Sets the finalizers when they differ, if the object is still as it was. What is gone needs none. */
export async function applyFinalizers<T extends KubeObject>(
  { client, signal }: Writer,
  informer: Informer<T>,
  object: T,
  finalizers: readonly string[],
): Promise<T> {
  const { name, namespace, resourceVersion, finalizers: present } = object.metadata;
  if (sameJson(present ?? [], finalizers)) return object;
  const ops = [
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path: '/metadata/finalizers', value: finalizers },
  ] as const;
  try {
    const written = await client.patch<T>(informer.resource, { name, namespace }, { type: 'json', ops }, { signal });
    informer.observeWrite(written);
    return written;
  } catch (error) {
    if (isNotFound(error)) return object;
    throw error;
  }
}

/** Sets annotations; null removes one. */
export async function applyAnnotations(
  { client, signal }: Writer,
  resource: Resource,
  object: KubeObject,
  annotations: Readonly<Record<string, string | null>>,
): Promise<KubeObject> {
  const { name, namespace } = object.metadata;
  return client.patch(
    resource,
    { name, namespace },
    { type: 'merge', body: { metadata: { annotations } } },
    { signal },
  );
}

function stripUndefined(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
