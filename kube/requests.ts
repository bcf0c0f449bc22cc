import type { WriteOptions } from './client.ts';
import { isRecord } from './decode.ts';
import { RequestError } from './errors.ts';
import {
  apiVersionOf,
  type KubeObject,
  type List,
  type ObjectKey,
  qualifiedName,
  type Resource,
  renderKey,
} from './object.ts';

/** Paths, queries and answers of the Kubernetes REST API. */
export const ACCEPT = 'application/json';
export const ACCEPT_LIST_METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
export const ACCEPT_OBJECT_METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
export const JSON_TYPE = 'application/json';
export const JSON_PATCH_TYPE = 'application/json-patch+json';
export const MERGE_PATCH_TYPE = 'application/merge-patch+json';
/** A subset of YAML; the API server has had no other media type for apply before `apply-patch+cbor`. */
export const APPLY_TYPE = 'application/apply-patch+yaml';

/** Throws on a key that cannot name one object. */
export function objectPath(resource: Resource, key: ObjectKey, subresource?: string): string {
  if (resource.namespaced && (key.namespace === undefined || key.namespace === '')) {
    throw new Error(
      `${qualifiedName(resource)} ${JSON.stringify(key.name)}: a namespace is needed, the kind is namespaced`,
    );
  }
  const path = `${collectionPath(resource, key.namespace)}/${segment(resource, key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** All namespaces when a namespaced kind is asked for without one. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (!resource.namespaced || namespace === undefined || namespace === '') return `${base}/${resource.plural}`;
  return `${base}/namespaces/${segment(resource, namespace)}/${resource.plural}`;
}

export function renderQuery(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  let query = '';
  for (const name in parameters) {
    const value = parameters[name];
    if (value !== undefined) query += `${query === '' ? '?' : '&'}${name}=${encodeURIComponent(value)}`;
  }
  return query;
}

export function writeQuery(options: WriteOptions, force?: boolean): string {
  const { fieldManager, fieldValidation, dryRun } = options;
  return renderQuery({ fieldManager, fieldValidation, force, dryRun: dryRun === true ? 'All' : undefined });
}

/** `tenants.sublet.dev ns/name`, for messages. */
export function describe(resource: Resource, key: ObjectKey): string {
  const name = key.name === '' ? (key.namespace ?? '') : renderKey(key);
  return name === '' ? qualifiedName(resource) : `${qualifiedName(resource)} ${name}`;
}

export function parseObject<T extends KubeObject>(body: unknown, what: string): T {
  if (!isRecord(body) || !isRecord(body.metadata))
    throw new RequestError('undecodable', `${what}: the answer is no object`);
  return body as T;
}

/**
 * Refuses whatever is not certainly a complete page, because an empty list means that everything is gone: a 200 with `{}` from
 * something in between must not.
 */
export function parseList<T extends KubeObject>(body: unknown, resource: Resource, what: string): List<T> {
  if (!isRecord(body) || typeof body.kind !== 'string' || !body.kind.endsWith('List')) {
    throw new RequestError('undecodable', `${what}: the answer is no list`);
  }
  const { metadata } = body;
  if (!isRecord(metadata) || typeof metadata.resourceVersion !== 'string' || metadata.resourceVersion === '') {
    throw new RequestError('undecodable', `${what}: the list has no resourceVersion`);
  }
  body.items ??= [];
  const items = body.items;
  if (!Array.isArray(items)) throw new RequestError('undecodable', `${what}: the list has no items`);
  const apiVersion = apiVersionOf(resource);
  for (const item of items) {
    if (!isRecord(item) || !isRecord(item.metadata) || typeof item.metadata.name !== 'string') {
      throw new RequestError('undecodable', `${what}: the list holds something that is no object`);
    }
    item.apiVersion = apiVersion;
    item.kind = resource.kind;
  }
  return body as unknown as List<T>;
}

function segment(resource: Resource, name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new Error(`${qualifiedName(resource)}: ${JSON.stringify(name)} cannot be a name`);
  }
  return encodeURIComponent(name);
}
