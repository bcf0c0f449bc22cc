import { applyDefaults } from '../../schema/defaults.ts';
import { cloneJson, isObject, type JsonObject } from '../../schema/json.ts';
import { ApiError } from '../../status.ts';
import {
  applyJsonPatch,
  applyMergePatch,
  applyServerSide,
  keepTimesWhenUnchanged,
  parseJsonPatch,
  typeOf,
  updateManagedFields,
} from '../index.ts';
import { OWNED } from './fixtures.ts';
import type { TestKind, TestRequest } from './requests.ts';

export type Prediction =
  | { readonly object: JsonObject }
  /** What the API server's answer must be; causes in any order. */
  | { readonly refusal: JsonObject }
  /** What was made cannot be read as an object of the kind. */
  | { readonly undecodable: string };

/** What the API server answered: the object, or a Status. */
export type Answer = { readonly status: number; readonly body: JsonObject };

const NAMESPACE_SET = (object: JsonObject, namespace: string): JsonObject => ({
  ...object,
  metadata: { ...(object.metadata as JsonObject), namespace },
});

/**
 * What a request makes of an object by the functions under test. What they leave to others (allotted addresses, defaults of built-in kinds) is taken from the
 * real answer.
 */
export function predict(
  kind: TestKind,
  namespace: string,
  live: JsonObject | undefined,
  request: TestRequest,
  answer: Answer,
): Prediction {
  const { verb, manager, force, body, subresource } = request;
  const write = {
    live,
    type: typeOf(kind.node),
    manager,
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    isCustom: kind.isCustom,
    ...(kind.isCustom ? {} : { empty: emptyOf(kind) }),
    subresource,
    now: latestTime(answer.body),
    resetFields: subresource === 'status' ? STATUS_RESET : kind.resetFields,
  };
  try {
    if (verb === 'apply') {
      const { object } = applyServerSide({ ...write, applied: body as JsonObject, force });
      return { object: finish(kind, live, decode(kind, NAMESPACE_SET(object, namespace)), subresource, answer) };
    }
    const patched = patchedObject(live ?? {}, verb, body);
    const next = kind.isCustom ? decode(kind, NAMESPACE_SET(patched, namespace)) : takeReal(patched, answer);
    return { object: finish(kind, live, updateManagedFields({ ...write, next }), subresource, answer) };
  } catch (error) {
    if (error instanceof ApiError) return { refusal: error.status };
    if (error instanceof UndecodableError) return { undecodable: error.message };
    throw error;
  }
}

function emptyOf({ apiVersion, kind, node }: TestKind): JsonObject {
  const empty: JsonObject = { apiVersion, kind };
  applyDefaults(empty, node);
  return empty;
}

class UndecodableError extends Error {}

const STATUS_RESET = [['metadata'], ['spec']];

function patchedObject(live: JsonObject, verb: TestRequest['verb'], body: unknown): JsonObject {
  if (verb === 'merge') return applyMergePatch(live, body);
  if (verb === 'json') return applyJsonPatch(live, parseJsonPatch(body).operations) as JsonObject;
  return body as JsonObject;
}

function decode({ isCustom }: TestKind, object: JsonObject): JsonObject {
  const decoded = cloneJson(object);
  if (!isCustom) return decoded;
  try {
    OWNED.prune(decoded);
  } catch (error) {
    throw new UndecodableError(String(error), { cause: error });
  }
  OWNED.applyDefaults(decoded);
  const metadata = Object.entries(decoded.metadata as JsonObject).filter(([, value]) => !isEmptyMeta(value));
  return { ...decoded, metadata: Object.fromEntries(metadata) };
}

/** Metadata is read into fields that are left out when they are empty. */
function isEmptyMeta(value: unknown): boolean {
  return typeof value === 'object' && Object.keys(value ?? {}).length === 0;
}

/** Allotted, or taken over from the stored object, after the fields got their owners. */
const ALLOTTED = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'];

/** The object as the real server decoded it, with the `managedFields` that were sent. */
function takeReal(sent: JsonObject, { body }: Answer): JsonObject {
  if (!isObject(body.metadata)) return sent;
  const { managedFields: _, ...metadata } = body.metadata;
  const { managedFields } = sent.metadata as JsonObject;
  const spec = isObject(body.spec) ? { spec: withoutAllotted(body.spec, sent.spec) } : {};
  return { ...body, ...spec, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
}

function withoutAllotted(spec: JsonObject, sent: unknown): JsonObject {
  const isStated = (name: string) =>
    isObject(sent) && Object.keys(sent[name] ?? {}).length + String(sent[name] ?? '').length > 0;
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !ALLOTTED.includes(name) || isStated(name)));
}

/** What the strategy of a kind does right before storing, and the fields that the server sets. */
function finish(
  { isCustom }: TestKind,
  live: JsonObject | undefined,
  object: JsonObject,
  subresource: 'status' | undefined,
  answer: Answer,
): JsonObject {
  const real = isObject(answer.body.metadata) ? answer.body.metadata : {};
  const { managedFields } = object.metadata as JsonObject;
  const { status: oldStatus, ...old } = live ?? {};
  const { status, ...rest } = object;
  const kept = isCustom ? oldStatus : status;
  const content =
    subresource === 'status' ? { ...old, ...stated('status', status) } : { ...rest, ...stated('status', kept) };
  const metadata: JsonObject = { ...(content.metadata as JsonObject), ...stated('managedFields', managedFields) };
  if (managedFields === undefined) delete metadata.managedFields;
  const finished = { ...content, metadata };
  const same =
    live === undefined ? finished : keepTimesWhenUnchanged(withIdentity(finished, live.metadata as JsonObject), live);
  return withIdentity(same, real);
}

function stated(name: string, value: unknown): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

function withIdentity(object: JsonObject, from: JsonObject): JsonObject {
  const metadata: JsonObject = { ...(object.metadata as JsonObject) };
  for (const name of ['uid', 'resourceVersion', 'creationTimestamp', 'generation']) {
    if (from[name] === undefined) delete metadata[name];
    else metadata[name] = from[name];
  }
  return { ...object, metadata };
}

function latestTime(object: JsonObject): string {
  const entries = isObject(object.metadata) ? ((object.metadata.managedFields ?? []) as readonly JsonObject[]) : [];
  return entries.map(({ time }) => String(time ?? '')).reduce((a, b) => (a > b ? a : b), '2026-01-01T00:00:00Z');
}
