import { apiVersionOf, type ServedKind } from './kinds.ts';
import type { ApiObject } from './object.ts';

/** An object in the version in which its kind is kept. Versions differ by their name only, which is the conversion `None`. */
export function toStorage(kind: ServedKind, object: ApiObject): ApiObject {
  if (kind.convert !== undefined) return kind.convert.toStorage(object);
  return withVersion(object, apiVersionOf({ group: kind.group, version: kind.storageVersion }));
}

export function fromStorage(kind: ServedKind, object: ApiObject): ApiObject {
  if (kind.convert !== undefined) return kind.convert.fromStorage(object);
  return withVersion(kind.refresh?.(object) ?? object, apiVersionOf(kind));
}

function withVersion(object: ApiObject, apiVersion: string): ApiObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
