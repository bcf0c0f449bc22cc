import { renderJson } from '../schema/gotext.ts';
import { getOwn, isObject, type JsonObject } from '../schema/json.ts';
import { compareTyped } from './compare.ts';
import { difference, type FieldSet, union } from './fieldset.ts';
import { toFieldSet } from './tofieldset.ts';
import type { TypeNode } from './typenode.ts';
import { findMisfits } from './validate.ts';

/** The manager under which `kubectl apply --server-side` writes, whose objects may come from `kubectl apply`. */
export const UPGRADING_MANAGER = 'kubectl';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_ANNOTATIONS_BYTES = 256 * 1_024;

type Applying = {
  readonly type: TypeNode;
  readonly apiVersion: string;
  readonly manager: string;
  readonly applied: JsonObject;
};

/** What an object still holds as kubectl applied it on the client's side; undefined when it never was. */
export function findLastApplied({ type, apiVersion }: Applying, live: JsonObject): FieldSet | undefined {
  const text = lastAppliedOf(live);
  const last = text === undefined ? undefined : parse(text);
  if (last === undefined || last.apiVersion !== apiVersion) return undefined;
  if (findMisfits(live, type, false).length > 0 || findMisfits(last, type, false).length > 0) return undefined;
  const { added, modified, removed } = compareTyped(last, live, type);
  return difference(toFieldSet(last, type), union(union(added, modified), removed));
}

/** kubectl's own annotation is kept up to date when kubectl applies on the server's side, so that it can go back. */
export function syncLastApplied(object: JsonObject, { manager, applied }: Applying): JsonObject {
  if (manager !== UPGRADING_MANAGER || lastAppliedOf(object) === undefined) return object;
  const annotations: JsonObject = { ...annotationsOf(object), [ANNOTATION]: renderLastApplied(applied) };
  const sizes = Object.entries(annotations).map(
    ([key, value]) => Buffer.byteLength(key) + Buffer.byteLength(String(value)),
  );
  if (sizes.reduce((sum, size) => sum + size, 0) > MAX_ANNOTATIONS_BYTES) delete annotations[ANNOTATION];
  if (annotations[ANNOTATION] === annotationsOf(object)[ANNOTATION]) return object;
  return { ...object, metadata: { ...metadataOf(object), annotations } };
}

function lastAppliedOf(object: JsonObject): string | undefined {
  const text = getOwn(annotationsOf(object), ANNOTATION);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function renderLastApplied(applied: JsonObject): string {
  const annotations = getOwn(metadataOf(applied), 'annotations');
  if (!isObject(annotations)) return `${renderJson(applied)}\n`;
  const { [ANNOTATION]: _, ...others } = annotations;
  return `${renderJson({ ...applied, metadata: { ...metadataOf(applied), annotations: others } })}\n`;
}

function metadataOf(object: JsonObject): JsonObject {
  return isObject(object.metadata) ? object.metadata : {};
}

function annotationsOf(object: JsonObject): JsonObject {
  const annotations = getOwn(metadataOf(object), 'annotations');
  return isObject(annotations) ? annotations : {};
}
