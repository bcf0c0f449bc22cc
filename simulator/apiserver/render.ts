import { fromStorage } from './convert.ts';
import { apiVersionOf, type ServedKind } from './kinds.ts';
import type { ApiObject } from './object.ts';
import type { Stored } from './store.ts';

/** What of an object a client asked for. */
export type Projection = 'object' | 'metadata';

/** An object as JSON; rendered once for each version and projection. */
export function renderObject(kind: ServedKind, stored: Stored, projection: Projection): string {
  const key = projection === 'object' ? kind.renderKey : METADATA;
  return cached(stored, key, () => {
    const object = fromStorage(kind, stored.object);
    return JSON.stringify(projection === 'object' ? object : partialOf(object));
  });
}

/** An object as it stands in a list: lists of built-in kinds say once for all what their items are. */
export function renderItem(kind: ServedKind, stored: Stored, projection: Projection): string {
  if (projection === 'metadata' || kind.custom) return renderObject(kind, stored, projection);
  return cached(stored, `${kind.renderKey} item`, () => {
    const { apiVersion: _, kind: __, ...rest } = fromStorage(kind, stored.object);
    return JSON.stringify(rest);
  });
}

const METADATA = 'metadata';

function cached(stored: Stored, key: string, render: () => string): string {
  const known = stored.rendered.get(key);
  if (known !== undefined) return known;
  const text = render();
  stored.rendered.set(key, text);
  return text;
}

export function partialOf(object: ApiObject): ApiObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

export function listHead(
  kind: ServedKind,
  projection: Projection,
): { readonly kind: string; readonly apiVersion: string } {
  if (projection === 'metadata') return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' };
  return { kind: kind.listKind, apiVersion: apiVersionOf(kind) };
}
