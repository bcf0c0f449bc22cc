import { GROUP } from './group.ts';

/** Labels on every child: whose it is. Only the operator may write them; an admission policy holds this. */
export const LABEL_TENANT_ID = `${GROUP}/tenant-id`;
export const LABEL_OWNER_KIND = `${GROUP}/owner-kind`;
export const LABEL_OWNER_NAME = `${GROUP}/owner-name`;

/** Annotations that only the operator may write. */
export const ANNOTATION_TENANT_ID = `${GROUP}/tenant-id`;
export const ANNOTATION_PARENT_ID = `${GROUP}/parent-id`;
/** On a tenant's namespace: the tenant's path, `acme--bob`. */
export const ANNOTATION_PATH = `${GROUP}/path`;
/** Hash of the last intent that was applied; tells a field that was taken away. */
export const ANNOTATION_APPLIED_HASH = `${GROUP}/applied-hash`;
/** On a tombstone, RFC 3339: when its resource was removed, and when the grace is over. */
export const ANNOTATION_REMOVED_AT = `${GROUP}/removed-at`;
export const ANNOTATION_SWEEP_AT = `${GROUP}/sweep-at`;
/** On a tombstone that the breaker holds: it keeps running and is not swept until a person confirms. */
export const ANNOTATION_HELD = `${GROUP}/held`;

/** Annotations of images (DataSources), written by the provider. */
export const ANNOTATION_OS = `${GROUP}/os`;
export const ANNOTATION_FIRST_BOOT = `${GROUP}/first-boot`;
export const ANNOTATION_MIN_DISK = `${GROUP}/min-disk`;

/** Finalizer of Tenants and RDPInstances: their removal is stamped on what stays before they go. */
export const FINALIZER = `${GROUP}/tombstone`;

/** Labels that kustomize-controller puts on what it applies: by which Kustomization. Their absence means that an object is outside Git. */
export const FLUX_NAME_LABEL = 'kustomize.toolkit.fluxcd.io/name';
export const FLUX_NAMESPACE_LABEL = 'kustomize.toolkit.fluxcd.io/namespace';

export const FIELD_MANAGER = 'sublet';
export const STATUS_FIELD_MANAGER = 'sublet-status';

export type Owner = { readonly tenantId: string; readonly kind: string; readonly name: string };

export function ownerLabels(owner: Owner): Readonly<Record<string, string>> {
  return { [LABEL_TENANT_ID]: owner.tenantId, [LABEL_OWNER_KIND]: owner.kind, [LABEL_OWNER_NAME]: owner.name };
}
