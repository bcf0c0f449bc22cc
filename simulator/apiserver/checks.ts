import type { WriteCall } from './core.ts';
import { type ApiObject, withMeta } from './object.ts';
import { badRequest } from './status.ts';

/** The namespace of the path is the object's; one that was stated must be it. Throws `ApiError`. */
export function ensureNamespace(call: Pick<WriteCall, 'kind' | 'namespace'>, object: ApiObject): ApiObject {
  const expected = call.kind.namespaced ? call.namespace : '';
  const stated = object.metadata.namespace ?? '';
  if (stated === expected) return object;
  if (stated === '') return withMeta(object, { namespace: expected });
  if (expected === '') return withMeta(object, { namespace: undefined });
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

/** The name of the path is the object's. Throws `ApiError`. */
export function checkName(name: string, object: ApiObject): void {
  const stated = object.metadata.name ?? '';
  if (stated === name) return;
  if (stated === '')
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  throw badRequest(`the name of the object (${stated}) does not match the name on the URL (${name})`);
}
