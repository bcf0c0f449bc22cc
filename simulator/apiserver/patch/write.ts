import { cloneJson, getOwn, isObject, type JsonObject } from '../schema/json.ts';
import { failure } from '../status.ts';
import type { FieldSet } from './fieldset.ts';
import { setOf } from './fieldsetbuilder.ts';
import { type Managers, parseManagedFields, renderManagedFields } from './managed.ts';
import { fieldElement } from './pathelement.ts';
import type { TypeNode } from './typenode.ts';
import { findMisfits, renderMisfits } from './validate.ts';

/** What every write that is recorded in `managedFields` knows. */
export type WriteInput = {
  /** The object as it is stored, with its `managedFields`; undefined where there is none yet. */
  readonly live: JsonObject | undefined;
  readonly type: TypeNode;
  /** As `managerOf` answers it. */
  readonly manager: string;
  /** `v1`, `sublet.dev/v1alpha1`: as the request's path says. */
  readonly apiVersion: string;
  /** The other versions that the kind is served in, written the same way. Default: none. */
  readonly otherVersions?: readonly string[];
  /** Of a CustomResourceDefinition, not of the API server itself. */
  readonly isCustom: boolean;
  /**
   * What an object of the kind is before anything was said of it. Those of built-in kinds have members that are always there (`spec: {}`, `status: {}`),
   * and whoever makes one owns only what differs from that. Default: nothing but `apiVersion` and `kind`.
   */
  readonly empty?: JsonObject;
  readonly kind: string;
  readonly subresource?: string | undefined;
  /** RFC 3339 in whole seconds. */
  readonly now: string;
  /** Paths of fields that this write does not change, whatever it says of them, and so does not own. */
  readonly resetFields: readonly (readonly string[])[];
};

export function emptyObject({ apiVersion, kind, empty }: WriteInput): JsonObject {
  return empty ?? { apiVersion, kind };
}

const resetSets = new WeakMap<WriteInput['resetFields'], FieldSet>();

export function resetSetOf({ resetFields }: WriteInput): FieldSet {
  const known = resetSets.get(resetFields);
  if (known !== undefined) return known;
  const set = setOf(resetFields.map((path) => path.map(fieldElement)));
  resetSets.set(resetFields, set);
  return set;
}

export function metadataOf(object: JsonObject): JsonObject {
  return isObject(object.metadata) ? object.metadata : {};
}

/** The entries of `managedFields`; undefined when there are none, which is not the same as an empty list. */
export function entriesOf(object: JsonObject): readonly JsonObject[] | undefined {
  const entries = getOwn(metadataOf(object), 'managedFields');
  return Array.isArray(entries) ? entries : undefined;
}

/** The managers of a stored object. Throws 500 on entries that cannot be read. */
export function managersOf(stored: JsonObject): Managers {
  try {
    return parseManagedFields(entriesOf(stored) ?? [], true);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw failure(500, '', `failed to decode managed fields: ${error.message}`);
  }
}

/** An object with its managers written into it; the same object, or `live`, where that is what it is already. */
export function withManagers(object: JsonObject, managers: Managers, live: JsonObject): JsonObject {
  const entries = renderManagedFields(managers, entriesOf(live));
  if (entriesOf(object) === entries) return object;
  const { managedFields: _, ...metadata } = metadataOf(object);
  if (entries === undefined) return object.metadata === undefined ? object : { ...object, metadata };
  return { ...object, metadata: { ...metadata, managedFields: entries } };
}

/** A copy that is the caller's to change, but for its `managedFields`: those stay the very entries, which nobody changes. */
export function copyButManagedFields(object: JsonObject): JsonObject {
  const entries = entriesOf(object);
  if (entries === undefined) return cloneJson(object);
  const { managedFields: _, ...metadata } = metadataOf(object);
  const copy = cloneJson({ ...object, metadata });
  copy.metadata = { ...metadataOf(copy), managedFields: entries };
  return copy;
}

const fitting = new WeakMap<JsonObject, TypeNode>();

/** Throws 500 when an object does not fit its type. `isStrict`: items of lists must not have equal keys. */
export function assertFits(object: JsonObject, type: TypeNode, what: string, { isStrict = false } = {}): void {
  if (!isStrict && fitting.get(object) === type) return;
  const misfits = findMisfits(object, type, !isStrict);
  if (misfits.length === 0) {
    if (!isStrict) fitting.set(object, type);
    return;
  }
  throw failure(500, '', `${what} (${describeObject(object)}): ${renderMisfits(misfits)}`);
}

function describeObject(object: JsonObject): string {
  const { namespace, name } = metadataOf(object);
  const kind = describeKind(textOf(object.apiVersion), textOf(object.kind));
  return `${textOf(namespace)}/${textOf(name)}; ${kind}`;
}

/** A kind as the API server's errors name it: `/v1, Kind=ConfigMap`. */
export function describeKind(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
