import { parse as parseYaml } from 'yaml';
import { apiVersionOf, type ServedKind } from './kinds.ts';
import type { ApiObject, Meta } from './object.ts';
import type { FieldValidation } from './options.ts';
import type { ApiRequest } from './request.ts';
import { renderStrictDecodingError, renderUnknownField } from './schema/index.ts';
import { isObject, type JsonObject } from './schema/json.ts';
import { badRequest, unsupportedMediaType } from './status.ts';

const BODY_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/cbor'];

/** The media type of the body without parameters; JSON when there is none. */
export function contentTypeOf(request: ApiRequest): string {
  const header = request.headers['content-type'];
  if (header === undefined || header === '') return 'application/json';
  const [type = ''] = header.split(';');
  return type.trim().toLowerCase();
}

/** The body of a create, update or delete. Throws `ApiError`. */
export function parseObjectBody(request: ApiRequest, kind: ServedKind): JsonObject {
  const accepted = kind.custom
    ? BODY_TYPES.filter((type) => type !== 'application/vnd.kubernetes.protobuf')
    : BODY_TYPES;
  const type = contentTypeOf(request);
  const text = request.body ?? '';
  if (type === 'application/json') return parseJsonBody(text, kind.kind);
  if (type === 'application/yaml') return parseYamlText(text, kind.kind);
  throw unsupportedMediaType(accepted.slice(0, 3));
}

/** `kind` is what the body should be, for errors. Throws `ApiError`. */
export function parseJsonBody(text: string, kind: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${messageOf(error)}`, text);
  }
  if (!isObject(value)) {
    const found = Array.isArray(value) ? 'array' : typeof value;
    const why = `json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`, text);
  }
  return value;
}

function parseYamlText(text: string, kind: string): JsonObject {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw unrecognized(kind, `yaml: ${messageOf(error)}`, text);
  }
  if (!isObject(value)) throw unrecognized(kind, `couldn't get version/kind; json parse error: not an object`, text);
  return value;
}

function unrecognized(kind: string, why: string, text: string): Error {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summarize(text)})`);
}

/** The first bytes of a body, as errors show them. */
function summarize(text: string): string {
  if (text === '') return '<empty>';
  const bytes = Buffer.from(text);
  const hex = bytes.subarray(0, 30).toString('hex');
  return bytes.length > 30 ? `${hex} ...` : hex;
}

export type Decoding = { readonly validation: FieldValidation; readonly warn: (message: string) => void };

/**
 * Takes a parsed body, which it changes, as an object of a kind: unknown fields go or are refused, defaults are set. Throws `ApiError`.
 */
export function decodeObject(value: JsonObject, kind: ServedKind, decoding: Decoding): ApiObject {
  const expected = apiVersionOf(kind);
  if (!kind.custom) {
    if (value.apiVersion === undefined || value.apiVersion === '') value.apiVersion = expected;
    if (value.kind === undefined || value.kind === '') value.kind = kind.kind;
  }
  checkKind(value, kind, expected);
  decodeAs(value, kind);
  const unknown = kind.schema.prune(value);
  if (unknown.length > 0) reportUnknown(unknown, kind, decoding);
  if (!isObject(value.metadata)) value.metadata = {};
  kind.schema.applyDefaults(value);
  kind.setDefaults?.(value);
  return normalizeMeta(value as ApiObject);
}

function checkKind(value: JsonObject, kind: ServedKind, expected: string): void {
  const { apiVersion, kind: stated } = value;
  if (typeof stated !== 'string' || stated === '') {
    throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(value)}'`);
  }
  if (typeof apiVersion !== 'string') {
    throw badRequest(`Object 'apiVersion' is missing in '${JSON.stringify(value)}'`);
  }
  if (apiVersion !== expected) {
    const why = `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`;
    throw badRequest(why);
  }
  if (stated !== kind.kind) {
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
    const why = `${stated} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}`;
    throw badRequest(`${why}: converting (${stated}) to (${kind.kind}): unknown conversion`);
  }
}

function decodeAs(value: JsonObject, kind: ServedKind): void {
  try {
    kind.decode?.(value);
  } catch (error) {
    throw unhandled(kind, messageOf(error));
  }
}

function unhandled({ kind, version }: ServedKind, why: string): Error {
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}

function reportUnknown(unknown: readonly string[], kind: ServedKind, { validation, warn }: Decoding): void {
  if (validation === 'Ignore') return;
  const problems = unknown.map(renderUnknownField);
  if (validation === 'Warn') {
    for (const problem of problems) warn(problem);
    return;
  }
  throw unhandled(kind, renderStrictDecodingError(problems));
}

/** What Go's `omitempty` leaves out of metadata is left out here. */
export function normalizeMeta(object: ApiObject): ApiObject {
  const meta = object.metadata;
  let cleaned: Record<string, unknown> | undefined;
  for (const key in meta) {
    const value = meta[key];
    const empty = value === null || value === '' || value === 0 || isEmpty(value);
    if (!empty || (key === 'deletionGracePeriodSeconds' && value === 0)) continue;
    cleaned ??= { ...meta };
    delete cleaned[key];
  }
  return cleaned === undefined ? object : { ...object, metadata: cleaned as Meta };
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const _ in value) return false;
  return true;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
