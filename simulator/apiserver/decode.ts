import { type Body, unrecognized } from './body.ts';
import { findDefinition, resolveDefinition } from './builtin/schema.ts';
import { decodeTyped } from './builtin/typed.ts';
import { apiVersionOf, type ServedKind } from './kinds.ts';
import type { ApiObject, Meta } from './object.ts';
import type { FieldValidation } from './options.ts';
import { renderStrictDecodingError, renderUnknownField } from './schema/index.ts';
import { isObject, type JsonObject } from './schema/json.ts';
import { badRequest } from './status.ts';

export type Decoding = { readonly validation: FieldValidation; readonly warn: (message: string) => void };

/** What a client sent as an object of a kind. Throws `ApiError`. */
export function decodeBody({ value, duplicates }: Body, kind: ServedKind, decoding: Decoding, text = ''): ApiObject {
  checkKind(value, kind, text);
  const { object, problems } = attempt(kind, () => decodeObject(value, kind));
  report([...duplicates.map((path) => `duplicate field "${path}"`), ...problems], decoding, (why) =>
    unhandled(kind, why),
  );
  return object;
}

export type Decoded = {
  readonly object: ApiObject;
  /** Unknown fields, as warnings name them. */
  readonly problems: readonly string[];
};

/**
 * A value, which is changed, as an object of a kind: unknown fields go, defaults are set. Throws an Error in the words of Go's decoder where it does not fit.
 */
export function decodeObject(value: JsonObject, kind: ServedKind): Decoded {
  const unknown = kind.decode === undefined ? kind.schema.prune(value) : kind.decode(value);
  if (!isObject(value.metadata)) value.metadata = {};
  kind.schema.applyDefaults(value);
  kind.setDefaults?.(value);
  return { object: normalizeMeta(value as ApiObject), problems: unknown.map(renderUnknownField) };
}

/** What server-side apply made, which knows the kind's fields already: changes it and sets defaults. */
export function finishApplied(value: JsonObject, kind: ServedKind): ApiObject {
  if (!kind.custom) return attempt(kind, () => decodeObject(value, kind)).object;
  kind.schema.applyDefaults(value);
  return normalizeMeta(value as ApiObject);
}

/** Warns of problems, or refuses them with what `refuse` makes of them. */
export function report(
  problems: readonly string[],
  { validation, warn }: Decoding,
  refuse: (why: string) => Error,
): void {
  if (problems.length === 0 || validation === 'Ignore') return;
  if (validation === 'Strict') throw refuse(renderStrictDecodingError(problems));
  for (const problem of problems) warn(problem);
}

function checkKind(value: JsonObject, kind: ServedKind, text: string): void {
  const expected = apiVersionOf(kind);
  if (!kind.custom) {
    if (value.apiVersion === undefined || value.apiVersion === '') value.apiVersion = expected;
    if (value.kind === undefined || value.kind === '') value.kind = kind.kind;
  }
  const { apiVersion = '', kind: stated } = value;
  if (typeof stated !== 'string' || stated === '') {
    throw unrecognized(kind.kind, `Object 'Kind' is missing in '${text}'`, text);
  }
  const isOther = apiVersion !== expected || stated !== kind.kind;
  if (isOther && !kind.custom) throw foreignKind(value, kind);
  if (apiVersion !== expected) {
    const why = `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`;
    throw badRequest(why);
  }
}

const INTERNAL: Readonly<Record<string, string>> = { '': 'core', 'events.k8s.io': 'core' };

/** A body of another kind is decoded as that before it turns out not to be the right one. */
function foreignKind(value: JsonObject, kind: ServedKind): Error {
  const { apiVersion, kind: stated } = value;
  const version = String(apiVersion).split('/').at(-1) ?? '';
  const why = (reason: string): Error =>
    badRequest(`${stated} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}: ${reason}`);
  const definition = findDefinition(String(apiVersion), String(stated));
  if (definition === undefined) {
    const scheme = 'in scheme "pkg/runtime/scheme.go:111"';
    return why(`no kind "${stated}" is registered for version ${JSON.stringify(apiVersion)} ${scheme}`);
  }
  try {
    decodeTyped(value, resolveDefinition(definition));
  } catch (error) {
    return why(error instanceof Error ? error.message : String(error));
  }
  const internal = INTERNAL[kind.group] ?? kind.group.split('.')[0];
  return why(`converting (${version}.${stated}) to (${internal}.${kind.kind}): unknown conversion`);
}

function attempt(kind: ServedKind, decode: () => Decoded): Decoded {
  try {
    return decode();
  } catch (error) {
    throw unhandled(kind, error instanceof Error ? error.message : String(error));
  }
}

function unhandled({ kind, version }: ServedKind, why: string): Error {
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}

/** What Go's `omitempty` leaves out of metadata is left out here. */
function normalizeMeta(object: ApiObject): ApiObject {
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
