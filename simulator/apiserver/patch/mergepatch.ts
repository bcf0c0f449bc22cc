import { getOwn, isObject, type JsonObject, setOwn } from '../schema/json.ts';
import { badRequest } from '../status.ts';
import { guardDepth } from './depth.ts';
import { type FieldValidation, renderJsonKind } from './gojson.ts';

/**
 * What a JSON merge patch (RFC 7386) makes of an object. As in the API server, a null inside a list stays and a null inside an object inside a list
 * goes. Shares what did not change with `target`, and what it took over with `patch`. Throws 400 on a patch that is no object.
 */
export function applyMergePatch(
  target: JsonObject,
  patch: unknown,
  fieldValidation: FieldValidation = 'Warn',
): JsonObject {
  if (isObject(patch)) return guardDepth(() => mergeObjects(target, patch));
  if (patch === null || fieldValidation === 'Ignore') throw badRequest('Invalid JSON Patch');
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${renderJsonKind(patch)} into Go value of type map[string]interface {}`,
  );
}

function mergeObjects(target: JsonObject, patch: JsonObject): JsonObject {
  let merged: JsonObject | undefined;
  for (const key of Object.keys(patch)) {
    const old = getOwn(target, key);
    const value = mergeValues(old, patch[key]);
    if (value === old && (value !== undefined || !Object.hasOwn(target, key))) continue;
    merged ??= { ...target };
    if (value === undefined) delete merged[key];
    else setOwn(merged, key, value);
  }
  return merged ?? target;
}

/** Undefined: the member goes. */
function mergeValues(old: unknown, patch: unknown): unknown {
  if (patch === null) return undefined;
  if (!isObject(old)) return withoutNulls(patch);
  return isObject(patch) ? mergeObjects(old, patch) : patch;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNulls(item));
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const key of Object.keys(value)) if (value[key] !== null) setOwn(kept, key, withoutNulls(value[key]));
  return kept;
}
