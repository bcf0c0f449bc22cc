import type { ApplyCallOptions } from '../kube/apply.ts';
import { isAlreadyExists, isInvalid, StatusError, TerminalError, TransientError } from '../kube/errors.ts';
import type { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/object.ts';
import { objectKey } from '../kube/object.ts';
import type { Informers, OperatorContext } from './context.ts';
import { BY_OWNER, ownerOf } from './informers.ts';

/** What kinds of children exist, by `kind`, with the cache that holds them. */
const CHILD_INFORMERS = {
  Namespace: 'namespaces',
  ResourceQuota: 'resourceQuotas',
  NetworkPolicy: 'networkPolicies',
  Role: 'roles',
  RoleBinding: 'roleBindings',
  ServiceAccount: 'serviceAccounts',
  Kustomization: 'kustomizations',
  GitRepository: 'gitRepositories',
  Secret: 'secrets',
  Service: 'services',
  VirtualMachine: 'virtualMachines',
  DataVolume: 'dataVolumes',
} as const satisfies Readonly<Record<string, keyof Informers>>;

export type ChildKind = keyof typeof CHILD_INFORMERS;

const METADATA_ONLY: ReadonlySet<string> = new Set<ChildKind>(['Secret']);

/** The cache of a child's kind. Throws on a kind that the operator never makes. */
export function childInformer(context: OperatorContext, kind: string): Informer<KubeObject> {
  if (!(kind in CHILD_INFORMERS)) throw new TypeError(`the operator has no children of kind ${kind}`);
  return context.informers[CHILD_INFORMERS[kind as ChildKind]] as Informer<KubeObject>;
}

/** Children that carry an owner's labels, of the kinds given. */
export function listOwned(context: OperatorContext, owner: string, kinds: readonly ChildKind[]): readonly KubeObject[] {
  return kinds.flatMap((kind) => childInformer(context, kind).byIndex(BY_OWNER, owner));
}

/**
 * Makes one child be as built. What exists without our labels, or with another owner's, is `NameConflict`: never adopted,
 * never overwritten. Throws `TransientError` when the object changed in between.
 */
export async function applyChild(context: OperatorContext, intent: KubeObject, signal: AbortSignal): Promise<void> {
  const informer = childInformer(context, intent.kind);
  const live = informer.get(objectKey(intent));
  if (live !== undefined && ownerOf(live) !== ownerOf(intent)) throw nameConflict(intent);
  if (live?.metadata.deletionTimestamp !== undefined) {
    throw new TransientError(`${intent.kind} ${objectKey(intent)} is being deleted`, { retryAfterMs: 1_000 });
  }
  const options: ApplyCallOptions = {
    signal,
    mustNotExist: live === undefined,
    metadataOnly: METADATA_ONLY.has(intent.kind),
  };
  try {
    const { object } = await context.applier.apply(informer.resource, intent, live, options);
    if (object !== undefined) informer.observeWrite(object);
  } catch (error) {
    if (isAlreadyExists(error)) throw await explainExisting(context, intent);
    if (isInvalid(error) && error.message.includes('NameConflict')) throw nameConflict(intent);
    throw error;
  }
}

/**
 * Applies children side by side, and what binds a Role after the rest: the API server looks at the Role when it judges the
 * binding. The first error is thrown after all have ended.
 */
export async function applyChildren(
  context: OperatorContext,
  intents: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  await applyTogether(
    context,
    intents.filter((intent) => !bindsRole(intent)),
    signal,
  );
  await applyTogether(context, intents.filter(bindsRole), signal);
}

function bindsRole(intent: KubeObject & { readonly roleRef?: unknown }): boolean {
  const { roleRef } = intent;
  return typeof roleRef === 'object' && roleRef !== null && 'kind' in roleRef && roleRef.kind === 'Role';
}

async function applyTogether(
  context: OperatorContext,
  intents: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  const results = await Promise.allSettled(intents.map((intent) => applyChild(context, intent, signal)));
  const failed = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
  const terminal = failed.find((error) => error instanceof TerminalError);
  if (failed.length > 0) throw terminal ?? failed[0];
}

/** Deletes what carries the owner's labels and was not built. Returns how many deletes were accepted. */
export async function pruneChildren(
  context: OperatorContext,
  owner: string,
  kinds: readonly ChildKind[],
  built: readonly KubeObject[],
  signal: AbortSignal,
): Promise<number> {
  const keep = new Set(built.map((object) => `${object.kind}/${objectKey(object)}`));
  let pruned = 0;
  for (const kind of kinds) {
    const informer = childInformer(context, kind);
    const stale = informer.byIndex(BY_OWNER, owner).filter((object) => !keep.has(`${kind}/${objectKey(object)}`));
    if (stale.length === 0) continue;
    pruned += (await context.applier.prune(informer.resource, stale, new Set(), { signal })).length;
    // A finalizer keeps what is deleted; everything else went at once, or had gone before.
    for (const object of stale) if (object.metadata.finalizers === undefined) informer.observeGone(object);
  }
  return pruned;
}

/** The name is taken although the cache did not show it: ours and merely not seen yet, or somebody else's. */
async function explainExisting(context: OperatorContext, intent: KubeObject): Promise<Error> {
  const informer = childInformer(context, intent.kind);
  const { namespace, name } = intent.metadata;
  try {
    const found = await context.client.get<KubeObject>(informer.resource, { namespace, name }, { metadataOnly: true });
    if (ownerOf(found) !== ownerOf(intent)) return nameConflict(intent);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
  return new TransientError(`${intent.kind} ${objectKey(intent)} exists already and is not in the cache yet`);
}

function nameConflict(intent: KubeObject): TerminalError {
  const where = objectKey(intent);
  return new TerminalError(
    'NameConflict',
    `${intent.kind} ${where} exists and does not belong to this resource; rename or delete it, nothing was changed`,
  );
}
