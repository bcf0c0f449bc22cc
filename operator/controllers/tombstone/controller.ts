import { createController, watchOf } from '../../../kube/controller.ts';
import { isConflict, isNotFound, TransientError } from '../../../kube/errors.ts';
import { NAMESPACES } from '../../../kube/builtin.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { ANNOTATION_TENANT_ID } from '../../../model/labels.ts';
import { splitPath } from '../../../model/names.ts';
import type { ChildKind } from '../../children.ts';
import { pruneChildren } from '../../children.ts';
import type { OperatorContext } from '../../context.ts';
import { onSpecChange } from '../../predicates.ts';
import { parseTombstone } from '../../tombstone.ts';
import type { Seller } from '../../tree.ts';

/** What a removed tenant loses at once: Flux's way in, and its members' rights. Walls and counts stay with the content. */
const TAKEN_AWAY: readonly ChildKind[] = ['Kustomization', 'RoleBinding', 'Role', 'ServiceAccount'];

/**
 * Looks after the namespaces of removed tenants: takes away what reaches into them, and deletes them when the grace is over, with
 * everything inside. Held ones, and ones whose tenant came back, are left alone.
 */
export function createTombstoneController(context: OperatorContext) {
  const { namespaces, tenants } = context.informers;
  return createController(context, {
    name: 'tombstone',
    workers: 4,
    watches: [
      watchOf({ informer: namespaces, map: (namespace) => [namespace.metadata.name], predicate: onSpecChange }),
      watchOf({
        informer: tenants,
        map: (tenant) => (tenant.status?.namespace === undefined ? [] : [tenant.status.namespace]),
        predicate: { onUpdate: () => false, onAdd: () => false },
      }),
    ],
    reconcile: async (key, signal) => {
      const namespace = namespaces.get(key);
      const owner = context.tree.owner(key);
      if (namespace === undefined || owner?.path === undefined) return;
      const tombstone = parseTombstone(namespace);
      if (tombstone === undefined || tombstone.held || namespace.metadata.deletionTimestamp !== undefined) return;
      if (owner.tenant !== undefined) return;
      await pruneChildren(context, ownerKey(namespace, owner.path), TAKEN_AWAY, [], signal);
      const waitMs = tombstone.sweepAtMs - context.clock.now();
      if (waitMs > 0) return Number.isFinite(waitMs) ? { requeueAfterMs: waitMs } : undefined;
      await sweep(context, namespace, owner, signal);
      return undefined;
    },
  });
}

function ownerKey(namespace: KubeObject, path: string): string {
  return `${namespace.metadata.annotations?.[ANNOTATION_TENANT_ID]}/Tenant/${splitPath(path).name}`;
}

/** Deletes exactly the namespace that was looked at, and gives its share back to the seller. */
async function sweep(context: OperatorContext, namespace: KubeObject, owner: Seller, signal: AbortSignal): Promise<void> {
  if (context.breaker.tripped() !== undefined) throw new TransientError('the breaker is tripped: nothing is swept');
  const { name, uid, resourceVersion } = namespace.metadata;
  try {
    await context.client.delete(NAMESPACES, { name }, { preconditions: { uid, resourceVersion }, signal });
  } catch (error) {
    if (isConflict(error)) throw new TransientError(`namespace ${name} changed while it was to be swept`, { cause: error });
    if (!isNotFound(error)) throw error;
  }
  context.log.info({ namespace: name, path: owner.path }, 'grace is over: namespace deleted');
  if (owner.seller?.path === undefined || owner.path === undefined) return;
  await context.grants.release({ namespace: owner.seller.namespace, key: `tenants/${splitPath(owner.path).name}` }, signal);
}
