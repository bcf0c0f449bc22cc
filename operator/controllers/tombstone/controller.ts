import { TENANTS } from '../../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import { deleteExactly } from '../../../kube/apply.ts';
import { createController, type Reconcile, watchOf } from '../../../kube/controller.ts';
import { isNotFound, TransientError, WaitingError } from '../../../kube/errors.ts';
import { type KubeObject, objectKey, parseKey, qualifiedName } from '../../../kube/object.ts';
import { computeResourceId, computeTenantId } from '../../../model/identity.ts';
import { ANNOTATION_PARENT_ID, ANNOTATION_PATH, ANNOTATION_TENANT_ID } from '../../../model/labels.ts';
import { splitPath, tenantNamespace } from '../../../model/names.ts';
import { type ChildKind, pruneChildren } from '../../children.ts';
import type { OperatorContext } from '../../context.ts';
import { onSpecChange } from '../../predicates.ts';
import { DEFAULT_DELETION, isReleased, parseTombstone, stampRemoval } from '../../tombstone.ts';
import { tenantKeyOfPath } from '../../tree.ts';

/** What a removed tenant loses at once: Flux's way in, and its members' rights. Walls and counts stay with the content. */
const TAKEN_AWAY: readonly ChildKind[] = ['Kustomization', 'GitRepository', 'RoleBinding', 'Role', 'ServiceAccount'];

/** Looks after the namespaces of removed tenants. */
export function createTombstoneController(context: OperatorContext) {
  const { namespaces, tenants, definitions, ...others } = context.informers;
  const { kustomizations, gitRepositories, roles, roleBindings, serviceAccounts } = others;
  const readOnly = [definitions, kustomizations, gitRepositories, roles, roleBindings, serviceAccounts];
  return createController(context, {
    name: 'tombstone',
    workers: 4,
    watches: [
      watchOf({ informer: namespaces, map: (namespace) => [namespace.metadata.name], predicate: onSpecChange }),
      watchOf<Tenant & KubeObject>({
        informer: tenants,
        map: (tenant) => (tenant.status?.namespace === undefined ? [] : [tenant.status.namespace]),
        predicate: { onUpdate: (old, tenant) => isReleased(tenant) && !isReleased(old), onAdd: () => false },
      }),
      ...readOnly.map((informer) => watchOf<KubeObject>({ informer, map: () => [] })),
    ],
    reconcile: createTombstoneReconcile(context),
  });
}

/**
 * Takes away what reaches into a removed tenant's namespace, and deletes it with everything inside when the grace is over. Left alone:
 * what the breaker holds, and what has its tenant again. Works from the namespace alone, so that it also finds those whose seller is gone.
 */
export function createTombstoneReconcile(context: OperatorContext): Reconcile {
  return async (key, signal) => {
    const namespace = context.informers.namespaces.get(key);
    const identity = namespace && parseIdentity(namespace);
    if (namespace === undefined || identity === undefined || namespace.metadata.deletionTimestamp !== undefined) return;
    const tenant = context.informers.tenants.get(tenantKeyOfPath(context, identity.path));
    const tombstone = parseTombstone(namespace);
    if (isTenant(tenant, identity) && (tombstone === undefined || !isReleased(tenant))) return;
    if (tombstone === undefined) return bury(context, namespace, identity, signal);
    if (tombstone.held) return;
    const owner = computeResourceId(identity.tenantId, 'Tenant', splitPath(identity.path).name);
    await pruneChildren(context, owner, TAKEN_AWAY, [], signal);
    const waitMs = tombstone.sweepAtMs - context.clock.now();
    if (waitMs > 0) return Number.isFinite(waitMs) ? { requeueAfterMs: waitMs } : undefined;
    if (context.breaker.tripped() !== undefined) throw new TransientError('the breaker is tripped: nothing is swept');
    await context.breaker.refresh(signal);
    await deleteExactly(context.client, context.informers.namespaces.resource, namespace, { signal });
    context.log.info({ namespace: key, path: identity.path }, 'grace is over: namespace deleted');
    return undefined;
  };
}

type Identity = { readonly path: string; readonly tenantId: string; readonly parentId: string };

/** Whose namespace it is, by the annotations that only the operator writes. */
function parseIdentity({ metadata }: KubeObject): Identity | undefined {
  const path = metadata.annotations?.[ANNOTATION_PATH];
  const tenantId = metadata.annotations?.[ANNOTATION_TENANT_ID];
  const parentId = metadata.annotations?.[ANNOTATION_PARENT_ID];
  if (path === undefined || tenantId === undefined || parentId === undefined) return undefined;
  return tenantNamespace(path) === metadata.name ? { path, tenantId, parentId } : undefined;
}

function isTenant(
  tenant: (Tenant & KubeObject) | undefined,
  { parentId, tenantId }: Identity,
): tenant is Tenant & KubeObject {
  return tenant !== undefined && computeTenantId(parentId, tenant.spec.id) === tenantId;
}

/**
 * A namespace without a stamp and without a Tenant: somebody took the finalizer off. It is removed like any other, so that
 * nobody keeps a tenant that nobody sells. The API server is asked first, because absence in a cache proves nothing, and without
 * the kind there is nothing to ask.
 */
async function bury(
  context: OperatorContext,
  namespace: KubeObject,
  identity: Identity,
  signal: AbortSignal,
): Promise<undefined> {
  const key = tenantKeyOfPath(context, identity.path);
  if (context.informers.definitions.get(qualifiedName(TENANTS)) === undefined) {
    throw new WaitingError(`the CustomResourceDefinition ${qualifiedName(TENANTS)} is missing`, {
      retryAfterMs: 60_000,
    });
  }
  try {
    const tenant = await context.client.get<Tenant & KubeObject>(TENANTS, parseKey(key), { signal });
    context.informers.tenants.observeWrite(tenant);
    if (isTenant(tenant, identity)) throw new TransientError(`Tenant ${key} is not in the cache yet`);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  context.log.warn({ namespace: objectKey(namespace), tenant: key }, 'namespace without its Tenant, burying it');
  const decision = await context.breaker.admit({ kind: 'Tenant', key: objectKey(namespace) }, signal);
  await stampRemoval(
    context,
    context.informers.namespaces,
    namespace,
    { decision, deletion: DEFAULT_DELETION },
    signal,
  );
  return undefined;
}
