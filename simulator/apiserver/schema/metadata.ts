import { compareText } from './gotext.ts';
import { isObject, type JsonObject, setOwn } from './json.ts';
import { parseInstant } from './time.ts';

/** An object whose parts are of the wrong type for the API server to decode: it answers 400 with `message` behind the kind's name. */
export class DecodeError extends Error {}

export type Decoded = {
  readonly meta: JsonObject;
  /** Paths of fields that are not known, below `metadata`, such as `ownerReferences[0].x`. */
  readonly unknown: readonly string[];
};

/**
 * Reads `metadata` as Go reads an ObjectMeta: unknown fields are left out, null counts as absent. Throws DecodeError on a member of the wrong
 * type.
 */
export function decodeMeta(value: unknown): Decoded {
  if (value === null || value === undefined) return { meta: {}, unknown: [] };
  if (!isObject(value)) {
    throw new DecodeError(`json: cannot unmarshal ${nameOf(value)} into Go value of type v1.ObjectMeta`);
  }
  const unknown: string[] = [];
  const meta = readStruct(value, META, { struct: 'ObjectMeta', field: '', path: '' }, unknown);
  return { meta, unknown };
}

type Place = { readonly struct: string; readonly field: string; readonly path: string };
type Read = (value: unknown, place: Place, unknown: string[]) => unknown;
type Struct = { readonly name: string; readonly fields: Readonly<Record<string, Read>> };

const TEXT: Read = (value, place) => (typeof value === 'string' ? value : refuse(value, 'string', place));
const BOOL: Read = (value, place) => (typeof value === 'boolean' ? value : refuse(value, 'bool', place));
const INT: Read = (value, place) => {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  return refuse(value, 'int64', place, typeof value === 'number' ? `number ${value}` : undefined);
};

const TIME: Read = (value) => {
  if (typeof value !== 'string') {
    throw new DecodeError(`json: cannot unmarshal ${nameOf(value)} into Go value of type string`);
  }
  if (parseInstant(value) !== undefined) return value;
  const layout = '"2006-01-02T15:04:05Z07:00"';
  const quoted = JSON.stringify(value);
  throw new DecodeError(`parsing time ${quoted} as ${layout}: cannot parse ${quoted} as "2006"`);
};

const TEXTS: Read = (value, place) => {
  if (!Array.isArray(value)) return refuse(value, '[]string', place);
  return value.map((item: unknown) => (item === null ? '' : TEXT(item, place, [])));
};

const LABELS: Read = (value, place) => {
  if (!isObject(value)) return refuse(value, 'map[string]string', place);
  const read: JsonObject = {};
  for (const key of Object.keys(value)) setOwn(read, key, value[key] === null ? '' : TEXT(value[key], place, []));
  return read;
};

const ANY: Read = (value) => value;

function listOf({ name, fields }: Struct): Read {
  return (value, { field, path, struct }, unknown) => {
    if (!Array.isArray(value)) return refuse(value, `[]v1.${name}`, { field, path, struct });
    return value.map((item: unknown, index) => {
      const place = { struct: name, field, path: `${path}[${index}]` };
      if (item === null) return {};
      if (!isObject(item)) return refuse(item, `v1.${name}`, { field, path, struct });
      return readStruct(item, { name, fields }, place, unknown);
    });
  };
}

const OWNER: Struct = {
  name: 'OwnerReference',
  fields: { apiVersion: TEXT, kind: TEXT, name: TEXT, uid: TEXT, controller: BOOL, blockOwnerDeletion: BOOL },
};
const MANAGED: Struct = {
  name: 'ManagedFieldsEntry',
  fields: {
    manager: TEXT,
    operation: TEXT,
    apiVersion: TEXT,
    time: TIME,
    fieldsType: TEXT,
    fieldsV1: ANY,
    subresource: TEXT,
  },
};
const META: Struct = {
  name: 'ObjectMeta',
  fields: {
    name: TEXT,
    generateName: TEXT,
    namespace: TEXT,
    selfLink: TEXT,
    uid: TEXT,
    resourceVersion: TEXT,
    generation: INT,
    creationTimestamp: TIME,
    deletionTimestamp: TIME,
    deletionGracePeriodSeconds: INT,
    labels: LABELS,
    annotations: LABELS,
    ownerReferences: listOf(OWNER),
    finalizers: TEXTS,
    managedFields: listOf(MANAGED),
  },
};

/** Members are taken by name, which decides what is told first. */
function readStruct(object: JsonObject, { fields }: Struct, place: Place, unknown: string[]): JsonObject {
  const read: JsonObject = {};
  for (const key of Object.keys(object).sort(compareText)) {
    const path = place.path === '' ? key : `${place.path}.${key}`;
    const field = place.field === '' ? key : `${place.field}.${key}`;
    const reader = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (reader === undefined) unknown.push(path);
    else if (object[key] !== null) read[key] = reader(object[key], { struct: place.struct, field, path }, unknown);
  }
  return read;
}

function refuse(value: unknown, type: string, { struct, field }: Place, found = nameOf(value)): never {
  throw new DecodeError(`json: cannot unmarshal ${found} into Go struct field ${struct}.${field} of type ${type}`);
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
