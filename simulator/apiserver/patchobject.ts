import { parse as parseYaml } from 'yaml';
import type { WriteCall } from './core.ts';
import { contentTypeOf, decodeObject } from './decode.ts';
import { applyFields, trackUpdate } from './fields.ts';
import type { ApiObject } from './object.ts';
import { applyJsonPatch, applyMergePatch, parseJsonPatch } from './patch/index.ts';
import type { ApiRequest } from './request.ts';
import { cloneJson, isObject, type JsonObject } from './schema/json.ts';
import { badRequest, unsupportedMediaType } from './status.ts';
import type { Update } from './update.ts';

export type PatchType = 'json' | 'merge' | 'apply';

const TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/apply-patch+yaml': 'apply',
};

/** What kind of patch the request holds. Throws `ApiError`. */
export function patchTypeOf(request: ApiRequest): PatchType {
  const type = TYPES[contentTypeOf(request)];
  if (type === undefined) throw unsupportedMediaType(Object.keys(TYPES));
  return type;
}

/** The update that a patch asks for. Throws `ApiError`, and so does its `transform`. */
export function buildPatchUpdate(call: WriteCall, request: ApiRequest, type: PatchType): Update {
  const text = request.body ?? '';
  if (type === 'apply') {
    const applied = parseApplied(text);
    const transform = (existing: ApiObject | undefined): ApiObject => applyFields(call, existing, cloneJson(applied));
    return { allowCreate: call.subresource === undefined, transform };
  }
  const { fieldValidation } = call.options;
  const patch = parsePatchText(text);
  const operations = type === 'json' ? parseJsonPatch(patch, fieldValidation) : undefined;
  for (const problem of operations?.problems ?? []) call.warn(problem);
  return {
    allowCreate: false,
    transform: (existing) => {
      if (existing === undefined) throw new Error('a patch is of an object that is there');
      const patched =
        operations === undefined
          ? applyMergePatch(existing, patch, fieldValidation)
          : applyJsonPatch(existing, operations.operations);
      const own: JsonObject = isObject(patched) ? cloneJson(patched) : {};
      const decoding = { validation: fieldValidation, warn: call.warn };
      return trackUpdate(call, existing, decodeObject(own, call.kind, decoding));
    },
  };
}

function parsePatchText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : error}`);
  }
}

/** The body of an apply, which is YAML and so may be JSON. */
function parseApplied(text: string): JsonObject {
  let value: unknown;
  try {
    value = text.trimStart().startsWith('{') ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${error instanceof Error ? error.message : error}`);
  }
  if (isObject(value)) return value;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: not an object`);
}
