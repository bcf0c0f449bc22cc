/**
 * The shapes that every Kubernetes object shares, and how objects and kinds are named. Pure.
 *
 * Optional members accept `undefined`, so that types inferred from a schema library fit without conversion.
 */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
};

/** `metav1.ObjectMeta`. `managedFields` is present only in answers to direct calls; informers strip it. */
export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly generateName?: string | undefined;
  readonly uid?: string | undefined;
  /** Decimal and comparable within one resource: see {@link compareResourceVersions}. */
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly deletionGracePeriodSeconds?: number | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
  readonly managedFields?: readonly ManagedFieldsEntry[] | undefined;
};

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
  readonly blockOwnerDeletion?: boolean | undefined;
};

export type ManagedFieldsEntry = {
  readonly manager?: string | undefined;
  readonly operation?: string | undefined;
  readonly apiVersion?: string | undefined;
  readonly time?: string | undefined;
  readonly fieldsType?: string | undefined;
  readonly fieldsV1?: unknown;
  readonly subresource?: string | undefined;
};

/** A kind as the API server serves it. `group` is empty for the core group. */
export type Resource = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
};

export type ObjectKey = { readonly namespace?: string | undefined; readonly name: string };

/** One page of a list. `metadata.continue` is set while pages are left. */
export type List<T extends KubeObject> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly resourceVersion?: string | undefined;
    readonly continue?: string | undefined;
    readonly remainingItemCount?: number | undefined;
  };
  readonly items: readonly T[];
};

/** The key that stores and queues use: `namespace/name`, or `name` for what has no namespace. */
export function objectKey(object: { readonly metadata: ObjectKey }): string {
  return renderKey(object.metadata);
}

export function renderKey(key: ObjectKey): string {
  return key.namespace === undefined || key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;
}

/** The inverse of {@link objectKey}. Names hold no slash, so the first one separates. */
export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The `apiVersion` of a resource's objects: `v1`, `apps/v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `plural.group`, as CustomResourceDefinitions and RBAC messages name a kind; only `plural` in the core group. */
export function qualifiedName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** A reference that makes `owner` the controlling owner; the garbage collector then removes the child with it. */
export function controllerReference(
  owner: KubeObject & { readonly metadata: { readonly uid: string } },
): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

/**
 * Orders two resourceVersions: negative, zero or positive, or `undefined` when one of them is not a canonical decimal
 * number and so says nothing about order.
 *
 * Kubernetes guarantees since 1.35 that versions of one resource are decimal numbers that can be ordered, of any length (KEP-5504);
 * etcd-backed API servers behaved so before. Equal to comparing as bigint, without making two of them for every event.
 */
export function compareResourceVersions(a: string | undefined, b: string | undefined): number | undefined {
  if (a === undefined || b === undefined || !isCanonical(a) || !isCanonical(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

function isCanonical(version: string): boolean {
  if (version.length === 0 || (version.length > 1 && version.charCodeAt(0) === 48)) return false;
  for (let i = 0; i < version.length; i++) {
    const code = version.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}
