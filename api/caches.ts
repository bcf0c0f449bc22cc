import type { Plan } from '../crds/v1alpha1/plan.ts';
import type { Quota } from '../crds/v1alpha1/quota.ts';
import type { RDPInstance } from '../crds/v1alpha1/rdpinstance.ts';
import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../crds/v1alpha1/resources.ts';
import type { Tenant } from '../crds/v1alpha1/tenant.ts';
import { NAMESPACES, ROLEBINDINGS } from '../kube/builtin.ts';
import { createInformer, type Informer, type InformerDeps, type InformerOptions } from '../kube/informer.ts';
import type { KubeObject, Resource } from '../kube/object.ts';

/** As much of a RoleBinding as is read. */
export type RoleBinding = KubeObject & {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string }[] | undefined;
};

/** What a cache answers; informers do, and tests by hand. */
export type Cache<T> = Pick<Informer<T & KubeObject>, 'get' | 'list' | 'byIndex' | 'size'>;

/** Everything that reads are answered from. */
export type Caches = {
  readonly tenants: Cache<Tenant>;
  readonly plans: Cache<Plan>;
  readonly quotas: Cache<Quota>;
  readonly desktops: Cache<RDPInstance>;
  /** Metadata only. */
  readonly namespaces: Cache<KubeObject>;
  /** Those of the provider's namespace: who its staff is. */
  readonly rootBindings: Cache<RoleBinding>;
  /** Another number whenever something changed that says who is a member where. */
  membershipVersion(): number;
};

/** Index by namespace. */
export const BY_NAMESPACE = 'namespace';
/** Index of Tenants by their members, as {@link memberKey} writes them. */
export const BY_MEMBER = 'member';

export function memberKey(kind: string, name: string): string {
  return `${kind}/${name}`;
}

/** Indexers of a cache of Tenants. */
export const TENANT_INDEXERS = {
  [BY_MEMBER]: (tenant: Tenant & KubeObject) =>
    (tenant.spec.members ?? []).map(({ kind, name }) => memberKey(kind, name)),
};

type Heard<T> = (object: T & KubeObject, old: (T & KubeObject) | undefined) => void;

export type RunningCaches = Caches & {
  /** Lists and watches until the signal aborts. */
  start(signal: AbortSignal): Promise<void>;
  /** Why reads cannot be answered; undefined when they can. */
  lack(): string | undefined;
  /** Hears of each desktop and Tenant that came or changed, and what it was before; gives the way to stop. */
  watch(heard: { readonly desktops: Heard<RDPInstance>; readonly tenants: Heard<Tenant> }): () => void;
  /** Calls back after any object changed; gives the way to stop. */
  onChange(listener: () => void): () => void;
};

/** The informers. A start begins with an empty cache, so nothing is served before all of them have the whole state. */
export function createCaches(
  deps: InformerDeps,
  options: { readonly rootNamespace: string; readonly watchSeconds: number },
): RunningCaches {
  const make = <T extends KubeObject>(resource: Resource, more: Omit<InformerOptions<T>, 'resource'> = {}) =>
    createInformer<T>(deps, {
      resource,
      watchSeconds: options.watchSeconds,
      ...more,
      indexers: { [BY_NAMESPACE]: (object) => [object.metadata.namespace ?? ''], ...more.indexers },
    });
  const caches = {
    tenants: make<Tenant & KubeObject>(TENANTS, { indexers: TENANT_INDEXERS }),
    plans: make<Plan & KubeObject>(PLANS),
    quotas: make<Quota & KubeObject>(QUOTAS),
    desktops: make<RDPInstance & KubeObject>(RDPINSTANCES),
    namespaces: make(NAMESPACES, { metadataOnly: true }),
    rootBindings: make<RoleBinding>(ROLEBINDINGS, { namespace: options.rootNamespace }),
  };
  const all: readonly Informer<KubeObject>[] = Object.values(caches);
  let version = 0;
  listenToAll([caches.tenants, caches.namespaces, caches.rootBindings], () => {
    version += 1;
  });
  return {
    ...caches,
    membershipVersion: () => version,
    start: async (signal) => {
      await Promise.all(all.map((informer) => informer.start(signal)));
    },
    watch: ({ desktops, tenants }) => {
      const removers = [hear(caches.desktops, desktops), hear(caches.tenants, tenants)];
      return () => {
        for (const remove of removers) remove();
      };
    },
    onChange: (listener) => listenToAll(all, listener),
    lack: () => {
      const late = all.find((informer) => !informer.hasSynced());
      return late === undefined ? undefined : `not read yet: ${late.resource.plural}`;
    },
  };
}

function hear<T extends KubeObject>(informer: Informer<T>, heard: (object: T, old: T | undefined) => void): () => void {
  return informer.addEventHandler({
    onAdd: (object) => heard(object, undefined),
    onUpdate: (old, object) => heard(object, old),
  });
}

/** Calls back after any object of any of them changed; gives the way to stop. */
export function listenToAll(informers: readonly Informer<KubeObject>[], listener: () => void): () => void {
  const removers = informers.map((informer) =>
    informer.addEventHandler({ onAdd: listener, onUpdate: listener, onDelete: listener }),
  );
  return () => {
    for (const remove of removers) remove();
  };
}
