import type { Tenant } from '../crds/v1alpha1/tenant.ts';
import { type KubeObject, objectKey } from '../kube/object.ts';
import { computeTenantId } from '../model/identity.ts';
import { ANNOTATION_PARENT_ID, ANNOTATION_PATH, ANNOTATION_TENANT_ID } from '../model/labels.ts';
import { ROOT_TENANT_ID, splitPath, tenantNamespace, tenantPath } from '../model/names.ts';
import type { OperatorConfig } from './config.ts';
import type { Informers } from './context.ts';
import { BY_NAMESPACE, BY_SELLER } from './informers.ts';
import { parseTombstone } from './tombstone.ts';

/** Who sells in a namespace: the provider in the root namespace, a tenant in its own. */
export type Seller = {
  readonly namespace: string;
  /** Absent for the provider. */
  readonly path: string | undefined;
  readonly tenantId: string;
  readonly tenant: (Tenant & KubeObject) | undefined;
  /** Removed, and not held by the breaker: nothing below may run. */
  readonly removed: boolean;
  /** Removed while it was suspended, and held by the breaker: it stays stopped although its Tenant no longer says so. */
  readonly stopped: boolean;
  /** Absent for the provider. */
  readonly seller: Seller | undefined;
};

export type Suspension = { readonly reason: string; readonly by: string };

/**
 * The tree of tenants as the cluster holds it. A namespace says by its annotations, which only the operator writes, whose it is;
 * the Tenant object is looked up from there. Every answer costs as many look-ups as the tree is deep.
 */
export type TenantTree = {
  /** The owner of a namespace; `undefined` when it is no tenant's and not the provider's. */
  owner(namespace: string): Seller | undefined;
  /** Why everything in the owner's namespace has to stop; empty when nothing is suspended. Nearest first. */
  suspensions(owner: Seller): readonly Suspension[];
};

type TreeConfig = Pick<OperatorConfig, 'rootNamespace'>;

export function createTenantTree(informers: Pick<Informers, 'tenants' | 'namespaces'>, config: TreeConfig): TenantTree {
  const provider: Seller = {
    namespace: config.rootNamespace,
    path: undefined,
    tenantId: ROOT_TENANT_ID,
    tenant: undefined,
    removed: false,
    stopped: false,
    seller: undefined,
  };

  const owner = (namespace: string): Seller | undefined => {
    if (namespace === config.rootNamespace) return provider;
    const live = informers.namespaces.get(namespace);
    const annotations = live?.metadata.annotations;
    const path = annotations?.[ANNOTATION_PATH];
    const tenantId = annotations?.[ANNOTATION_TENANT_ID];
    if (live === undefined || path === undefined || tenantId === undefined) return undefined;
    if (tenantNamespace(path) !== namespace) return undefined;
    const { parentPath, name } = splitPath(path);
    const seller = owner(parentPath === undefined ? config.rootNamespace : tenantNamespace(parentPath));
    if (seller === undefined || seller.tenantId !== annotations?.[ANNOTATION_PARENT_ID]) return undefined;
    const found = informers.tenants.get(`${seller.namespace}/${name}`);
    const tenant =
      found !== undefined && computeTenantId(seller.tenantId, found.spec.id) === tenantId ? found : undefined;
    const tombstone = parseTombstone(live);
    const removed = tombstone?.held === false;
    return { namespace, path, tenantId, tenant, removed, stopped: tombstone?.suspended === true, seller };
  };

  return { owner, suspensions: computeSuspensions };
}

/** The path, namespace and identity that a Tenant gets below its seller. */
export function locateTenant(seller: Pick<Seller, 'path' | 'tenantId'>, tenant: Tenant & KubeObject) {
  const path = tenantPath(seller.path, tenant.metadata.name);
  return { path, namespace: tenantNamespace(path), tenantId: computeTenantId(seller.tenantId, tenant.spec.id) };
}

function computeSuspensions(owner: Seller): readonly Suspension[] {
  const found: Suspension[] = [];
  for (let node: Seller | undefined = owner; node?.path !== undefined; node = node.seller) {
    if (node.removed || node.stopped) found.push({ reason: 'Removed', by: node.path });
    for (const { reason } of node.tenant?.spec.suspensions ?? []) found.push({ reason, by: node.path });
    const below = owner.path ?? '';
    for (const hold of node.tenant?.spec.holds ?? []) {
      const held = `${node.path}--${hold.tenant}`;
      if (below === held || below.startsWith(`${held}--`)) found.push({ reason: hold.reason, by: node.path });
    }
  }
  return found;
}

type TreeContext = {
  readonly tree: TenantTree;
  readonly informers: Pick<Informers, 'tenants' | 'namespaces'>;
  readonly config: TreeConfig;
};

/** A namespace and those of all that was sold below it, removed or not. The exact inverse of {@link TenantTree.owner}. */
export function listSubtree(context: Pick<TreeContext, 'informers'>, namespace: string): readonly string[] {
  const below = context.informers.namespaces.byIndex(BY_SELLER, namespace);
  return [namespace, ...below.flatMap(({ metadata }) => listSubtree(context, metadata.name))];
}

/** Keys of everything sold below a Tenant: suspensions, holds, limits and the right to sell are inherited. */
export function listDescendants(context: TreeContext, tenant: Tenant & KubeObject): readonly string[] {
  const seller = context.tree.owner(tenant.metadata.namespace ?? '');
  return seller === undefined ? [] : listTenants(context, locateTenant(seller, tenant).namespace);
}

/** Keys of the Tenant whose namespace this is and of all below: of what its namespace says, all of them inherit. */
export function listInheritors(context: TreeContext, namespace: KubeObject): readonly string[] {
  const { name } = namespace.metadata;
  const path = namespace.metadata.annotations?.[ANNOTATION_PATH];
  const own = path === undefined ? tenantKeyOfNamespace(context, name) : [tenantKeyOfPath(context, path)];
  return [...own, ...listTenants(context, name)];
}

function listTenants(context: TreeContext, namespace: string): readonly string[] {
  return listSubtree(context, namespace).flatMap((one) =>
    context.informers.tenants.byIndex(BY_NAMESPACE, one).map(objectKey),
  );
}

/** The key of the Tenant whose namespace this is, for mapping a change of what lives there; none when it is nobody's. */
export function tenantKeyOfNamespace(
  context: { readonly informers: Pick<Informers, 'namespaces'>; readonly config: TreeConfig },
  namespace: string,
): readonly string[] {
  const known = context.informers.namespaces.get(namespace)?.metadata.annotations?.[ANNOTATION_PATH];
  const path = known ?? plainPath(namespace);
  return path === undefined ? [] : [tenantKeyOfPath(context, path)];
}

/** The key that the Tenant of a path has: it lives in its seller's namespace. */
export function tenantKeyOfPath({ config }: { readonly config: TreeConfig }, path: string): string {
  const { parentPath, name } = splitPath(path);
  return `${parentPath === undefined ? config.rootNamespace : tenantNamespace(parentPath)}/${name}`;
}

/** The path that an unhashed name stands for; for namespaces that are gone, or not ours but in the way. */
function plainPath(namespace: string): string | undefined {
  return namespace.startsWith('t-') ? namespace.slice(2) : undefined;
}
