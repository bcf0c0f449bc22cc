import { createHash } from 'node:crypto';
import type { Manifest } from './manifest.ts';

/** Which Kustomization owns an object: labels that every applied object carries. */
export const LABEL_NAME = 'kustomize.toolkit.fluxcd.io/name';
const LABEL_NAMESPACE = 'kustomize.toolkit.fluxcd.io/namespace';

export type Owner = { readonly name: string; readonly namespace: string };

/** What is sent to the API server for a built object: without what the server itself fills in, with the owner's labels. */
export function normaliseManifest(manifest: Manifest, owner: Owner, namespaced: boolean): Manifest {
  const { status: _status, metadata, ...rest } = manifest;
  const { name, namespace, labels, annotations, finalizers, ownerReferences } = metadata;
  const owned = { ...labels, [LABEL_NAME]: owner.name, [LABEL_NAMESPACE]: owner.namespace };
  const kept = prune({ name, namespace: namespaced ? namespace : undefined, annotations, finalizers, ownerReferences });
  return withSecretData({ ...rest, metadata: { ...kept, name, labels: owned } } as Manifest);
}

/** The owner's labels are on it. */
export function isOwned({ metadata }: Manifest, owner: Owner): boolean {
  return metadata.labels?.[LABEL_NAME] === owner.name && metadata.labels?.[LABEL_NAMESPACE] === owner.namespace;
}

/** A label or annotation says so, in any case. */
export function says(manifest: Manifest | undefined, key: string, value: string): boolean {
  const { labels, annotations } = manifest?.metadata ?? {};
  return [labels?.[key], annotations?.[key]].some((found) => found?.toLowerCase() === value.toLowerCase());
}

/** Equal exactly when labels, annotations, content and who owns which field are equal; blind to status and versions. */
export function fingerprint(manifest: Manifest): string {
  const managers = (manifest.metadata.managedFields ?? [])
    .filter(({ subresource }) => subresource === undefined || subresource === '')
    .map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 }));
  return hashJson([contentOf(manifest), managers]);
}

/** Labels, annotations and everything outside metadata and status. */
export function contentOf({ status: _status, metadata, ...rest }: Manifest): unknown {
  return { ...rest, labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} };
}

/** Blind to the order of members. */
export function hashJson(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('base64');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

/** The API server keeps no `stringData`, so it would count as a difference at every look. */
function withSecretData(manifest: Manifest): Manifest {
  const { stringData, data, ...rest } = manifest;
  if (manifest.kind !== 'Secret' || manifest.apiVersion !== 'v1' || typeof stringData !== 'object') return manifest;
  const encoded = Object.entries(stringData ?? {}).map(([name, text]) => [
    name,
    Buffer.from(String(text)).toString('base64'),
  ]);
  return { ...rest, data: { ...(typeof data === 'object' ? data : {}), ...Object.fromEntries(encoded) } } as Manifest;
}

function prune<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>;
}
