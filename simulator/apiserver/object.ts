import { isObject, type JsonObject } from './schema/json.ts';

/** `metav1.ObjectMeta` as this server reads it. */
export type Meta = JsonObject & {
  readonly name?: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly JsonObject[];
};

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/** An object of any kind. Shared between versions of itself and with whoever reads it: never changed, only replaced. */
export type ApiObject = JsonObject & { readonly apiVersion: string; readonly kind: string; readonly metadata: Meta };

/** Members that are undefined in `change` are removed. */
export function withMeta(object: ApiObject, change: Readonly<Record<string, unknown>>): ApiObject {
  return { ...object, metadata: merge(object.metadata, change) as Meta };
}

export function merge(object: JsonObject, change: Readonly<Record<string, unknown>>): JsonObject {
  const merged: JsonObject = { ...object, ...change };
  for (const key in change) if (change[key] === undefined) delete merged[key];
  return merged;
}

export function without(object: ApiObject, member: string): ApiObject {
  if (object[member] === undefined) return object;
  const { [member]: _, ...rest } = object;
  return rest as ApiObject;
}

/** The member of an object as an object; an empty one when it is something else. */
export function objectAt(object: JsonObject, member: string): JsonObject {
  const value = object[member];
  return isObject(value) ? value : {};
}

export function keyOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** RFC 3339 in whole seconds, as `metav1.Time` is written. */
export function renderTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds !== lastTime.seconds) lastTime = { seconds, text: `${new Date(ms).toISOString().slice(0, 19)}Z` };
  return lastTime.text;
}

/** Most times are the present one. */
let lastTime = { seconds: Number.NaN, text: '' };

/** RFC 3339 in microseconds, as `metav1.MicroTime` is written. */
export function renderMicroTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}
