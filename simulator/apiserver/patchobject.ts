import { contentTypeOf, findDoubledKeys, findOverflow, parseJsonText, parseYamlText } from './body.ts';
import type { WriteCall } from './core.ts';
import { decodeObject, report } from './decode.ts';
import { applyFields, trackUpdate } from './fields.ts';
import { scanJson } from './jsontext.ts';
import type { ServedKind } from './kinds.ts';
import type { ApiObject } from './object.ts';
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  copyButManagedFields,
  parseJsonPatch,
  typeOf,
} from './patch/index.ts';
import type { ApiRequest } from './request.ts';
import { invalid as invalidField } from './schema/fielderror.ts';
import { renderJson } from './schema/gotext.ts';
import { cloneJson, isObject, type JsonObject } from './schema/json.ts';
import { ApiError, badRequest, failure, invalid, unsupportedMediaType } from './status.ts';
import type { Update } from './update.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const STRATEGIC = 'application/strategic-merge-patch+json';
const TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  [STRATEGIC]: 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** What kind of patch the request holds. Throws `ApiError`. */
export function patchTypeOf(request: ApiRequest, kind: ServedKind): PatchType {
  const type = TYPES[contentTypeOf(request)];
  if (type !== undefined && (type !== 'strategic' || !kind.custom)) return type;
  // Routes of built-in kinds refuse what they do not know before anybody reads it.
  if (!kind.custom) throw failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  throw unsupportedMediaType(Object.keys(TYPES).filter((known) => known !== STRATEGIC));
}

/** The update that a patch asks for. Throws `ApiError`, and so does its `transform`. */
export function buildPatchUpdate(call: WriteCall, request: ApiRequest, type: PatchType): Update {
  const text = request.body ?? '';
  if (type === 'apply') {
    const applied = parseApplied(text);
    const transform = (existing: ApiObject | undefined): ApiObject => {
      const object = applyFields(call, existing, cloneJson(applied));
      reportDoubled(call, request, text);
      return object;
    };
    return { allowCreate: call.subresource === undefined, transform };
  }
  const { fieldValidation } = call.options;
  const duplicates = request.isRendered === true ? [] : scanJson(text).duplicates;
  const change = buildChange(call, text, duplicates, type);
  return {
    allowCreate: false,
    transform: (existing) => {
      if (existing === undefined) throw new Error('a patch is of an object that is there');
      const patched = change.apply(existing);
      const own: JsonObject = isObject(patched) ? copyButManagedFields(patched) : {};
      const { object, problems } = decodePatched(call, own, patched);
      const decoding = { validation: fieldValidation, warn: call.warn };
      report([...change.problems, ...problems], decoding, (why) => refusePatched(patched, why));
      return trackUpdate(call, existing, object);
    },
  };
}

/** Keys that an applied text states twice: the last one counted. */
function reportDoubled({ options: { fieldValidation }, warn }: WriteCall, request: ApiRequest, text: string): void {
  if (fieldValidation === 'Ignore' || request.isRendered === true) return;
  if (text.trimStart().startsWith('{') && scanJson(text).duplicates.length === 0) return;
  const doubled = findDoubledKeys(text);
  if (doubled.length > 0 && fieldValidation === 'Strict') {
    const why = `yaml: unmarshal errors:\n  ${doubled.join('\n  ')}`;
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${why}`);
  }
  for (const problem of doubled) warn(problem);
}

/** What a patch does, and what is odd about it without being wrong. */
type Change = { readonly apply: (existing: ApiObject) => unknown; readonly problems: readonly string[] };

function buildChange(
  call: WriteCall,
  text: string,
  duplicates: readonly string[],
  type: Exclude<PatchType, 'apply'>,
): Change {
  const { fieldValidation } = call.options;
  const patch = parsePatchText(text);
  const doubled = duplicates.map((path) => `duplicate field "${path}"`);
  if (type === 'json') {
    const { operations, problems } = parseJsonPatch(patch, fieldValidation);
    const all = [...doubled.map((problem) => `json patch ${problem}`), ...problems];
    return { apply: (existing) => applyJsonPatch(existing, operations), problems: all };
  }
  if (type === 'merge')
    return { apply: (existing) => applyMergePatch(existing, patch, fieldValidation), problems: doubled };
  if (!isObject(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}');
  const fields = typeOf(call.kind.schema.node);
  return { apply: (existing) => applyStrategicMergePatch(existing, patch, fields), problems: doubled };
}

function decodePatched(call: WriteCall, own: JsonObject, patched: unknown): ReturnType<typeof decodeObject> {
  if (typeof own.kind !== 'string' || own.kind === '') {
    throw refusePatched(patched, `Object 'Kind' is missing in '${renderJson(patched)}'`);
  }
  try {
    return decodeObject(own, call.kind);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw refusePatched(patched, error instanceof Error ? error.message : String(error));
  }
}

function refusePatched(patched: unknown, why: string): Error {
  return invalid({ group: '', kind: '' }, '', [invalidField('patch', renderJson(patched), why)]);
}

function parsePatchText(text: string): unknown {
  const parsed = parseJsonText(text);
  if ('error' in parsed) throw badRequest(`error decoding patch: ${parsed.error}`);
  const number = findOverflow(text);
  if (number !== undefined) {
    throw badRequest(`error decoding patch: json: cannot unmarshal number ${number} into Go value of type float64`);
  }
  return parsed.value;
}

/** The body of an apply, which is YAML and so may be JSON. */
function parseApplied(text: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(text) ?? parseYamlText(text);
    if (MAY_BE_INFINITE.test(text)) refuseInfinite(value);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${why}`);
  }
  if (isObject(value)) return value;
  if (value === null || value === undefined) return {};
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  const why = `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
}

const MAY_BE_INFINITE = /\.(inf|nan)|\d[eE]\+?\d{3}|\d{309}/i;

/** YAML has numbers that JSON has not. */
function refuseInfinite(value: unknown): void {
  if (Array.isArray(value)) value.forEach(refuseInfinite);
  else if (isObject(value)) Object.values(value).forEach(refuseInfinite);
  else if (typeof value === 'number' && !Number.isFinite(value)) {
    const shown = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    throw badRequest(`error decoding YAML: error converting YAML to JSON: json: unsupported value: ${shown}`);
  }
}

/** Undefined for what is no JSON object: most bodies are, and JSON is read much faster than YAML. */
function parseJson(text: string): unknown {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
