import {
  buildCause,
  type CompiledSchema,
  DecodeError,
  type FieldError,
  renderStrictDecodingError,
  renderUnknownField,
} from '../index.ts';
import { isObject, type JsonObject } from '../json.ts';

/** What an API server says to a write: the object as it would be stored, without what differs by server, or the refusal. */
export type Verdict =
  | { readonly code: 200; readonly object: JsonObject }
  | { readonly code: 400; readonly message: string }
  | { readonly code: 422; readonly causes: readonly string[] };

export type Write = {
  readonly object: JsonObject;
  readonly old?: JsonObject;
  readonly hasStatus: boolean;
  readonly isStrict: boolean;
};

/** The verdict by a schema, done as the API server does a create or an update. */
export function judgeBySchema(schema: CompiledSchema, { object, old, hasStatus, isStrict }: Write): Verdict {
  const decoded = structuredClone(object);
  let unknown: readonly string[];
  try {
    unknown = schema.prune(decoded);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { code: 400, message: error.message };
  }
  if (isStrict && unknown.length > 0) {
    return { code: 400, message: renderStrictDecodingError(unknown.map(renderUnknownField)) };
  }
  schema.applyDefaults(decoded);
  if (hasStatus) delete decoded.status;
  if (hasStatus && old?.status !== undefined) decoded.status = old.status;
  const errors = schema.validate(decoded, old === undefined ? {} : { old });
  if (errors.length > 0) return { code: 422, causes: errors.map((error) => renderCause(buildCause(error))).sort() };
  // What the strategy took away has its defaults when it is read.
  schema.applyDefaults(decoded);
  return { code: 200, object: strip(decoded) };
}

/** The verdict that an API server answered. */
export function readVerdict({ status, body }: { readonly status: number; readonly body: unknown }): Verdict {
  if (!isObject(body)) throw new Error(`${status}: ${String(body)}`);
  if (status < 300) return { code: 200, object: strip(body) };
  const message = String(body.message);
  if (status === 400) return { code: 400, message: message.replace(/^.* cannot be handled as a \w+: /, '') };
  if (status !== 422) throw new Error(`${status}: ${message}`);
  const details = isObject(body.details) ? body.details : {};
  const causes = Array.isArray(details.causes) ? details.causes.filter(isObject) : [];
  return { code: 422, causes: causes.map(renderCause).sort() };
}

function renderCause({ field, reason, message }: { readonly [key: string]: unknown }): string {
  return `${field} ${reason} ${message}`;
}

const SERVERS_OWN = ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'managedFields'];

function strip(object: JsonObject): JsonObject {
  const meta = isObject(object.metadata) ? object.metadata : {};
  const kept = Object.entries(meta).filter(([key]) => !SERVERS_OWN.includes(key));
  return { ...object, metadata: Object.fromEntries(kept) };
}

/** What is wrong with a definition that is new, as causes. */
export function judgeDefinition(
  definition: JsonObject,
  validate: (crd: JsonObject) => readonly FieldError[],
): readonly string[] {
  const crd = structuredClone(definition);
  const { versions } = isObject(crd.spec) ? crd.spec : {};
  const stored = Array.isArray(versions) ? versions.filter(isObject).filter(({ storage }) => storage === true) : [];
  crd.status = { storedVersions: stored.map(({ name }) => name) };
  return validate(crd)
    .map((error) => renderCause(buildCause(error)))
    .sort();
}
