import { parseQuantityNanos, renderQuantity, tryParseQuantityNanos } from '../../../kube/quantity.ts';
import { isObject, type JsonObject } from '../schema/json.ts';

/**
 * Takes a value as the API server's own types take JSON: throws an Error in the words of Go's decoder where a value has the wrong type, and leaves out what
 * Go leaves out when it writes the object again: unknown members, nulls, and empty texts, lists and maps of members that are optional. Changes `value`.
 * Answers the paths of the unknown members, below `prefix`, in the order in which Go meets them.
 */
export function decodeTyped(value: JsonObject, schema: JsonObject, prefix = ''): readonly string[] {
  const unknown: string[] = [];
  decodeMembers(value, schema, { struct: nameOf(schema), path: '', indexed: prefix, unknown });
  return unknown;
}

/** Where a value is, as Go's decoder says it (the innermost type, and the path from the root), and as unknown fields are named. */
type Place = {
  readonly struct: string;
  readonly path: string;
  readonly indexed: string;
  readonly unknown: string[];
};

function decodeMembers(object: JsonObject, schema: JsonObject, place: Place): void {
  const { properties, required } = schema;
  if (!isObject(properties)) return;
  const needed: ReadonlySet<unknown> = new Set(Array.isArray(required) ? required : []);
  for (const name of Object.keys(object)) {
    const member = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const indexed = join(place.indexed, name);
    if (!isObject(member)) {
      place.unknown.push(indexed);
      delete object[name];
      continue;
    }
    const inner = { ...place, path: join(place.path, name), indexed };
    const decoded = decodeValue(object[name], member, inner);
    const isLeftOut = !needed.has(name) && isOmitted(name, decoded, member);
    if (decoded === null || isLeftOut) delete object[name];
    else object[name] = decoded;
  }
  for (const name of needed) {
    const member = properties[String(name)];
    if (object[String(name)] === undefined && isObject(member) && member.type === 'array') object[String(name)] = null;
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Texts for which Go has a pointer, so that an empty one says something. */
const POINTERS: ReadonlySet<string> = new Set([
  'storageClassName',
  'volumeAttributesClassName',
  'appProtocol',
  'holderIdentity',
]);

function isOmitted(name: string, value: unknown, schema: JsonObject): boolean {
  if (value === '') return !POINTERS.has(name);
  if (Array.isArray(value)) return value.length === 0;
  if (!isObject(value) || schema.properties !== undefined || schema.type !== 'object') return false;
  return schema.additionalProperties !== undefined && Object.keys(value).length === 0;
}

function decodeValue(value: unknown, schema: JsonObject, place: Place): unknown {
  if (value === null || schema['x-kubernetes-preserve-unknown-fields'] === true) return value;
  if (schema['x-kubernetes-int-or-string'] === true) return decodeMixed(value, schema);
  switch (schema.type) {
    case 'object':
      return decodeObject(value, schema, place);
    case 'array':
      if (!Array.isArray(value)) throw mismatch(value, schema, place);
      return value.map((item: unknown, index) =>
        decodeValue(item, objectOf(schema.items), { ...place, indexed: `${place.indexed}[${index}]` }),
      );
    case 'string':
      if (typeof value !== 'string') throw mismatch(value, schema, place);
      return decodeText(value, schema);
    case 'boolean':
      if (typeof value !== 'boolean') throw mismatch(value, schema, place);
      return value;
    case 'integer':
      if (typeof value !== 'number') throw mismatch(value, schema, place);
      if (!Number.isInteger(value) || !isInRange(value, schema)) throw mismatch(value, schema, place, ` ${value}`);
      return value;
    case 'number':
      if (typeof value !== 'number') throw mismatch(value, schema, place);
      return value;
    default:
      return value;
  }
}

const MAX_INT32 = 2 ** 31;

function isInRange(value: number, { format }: JsonObject): boolean {
  return format !== 'int32' || (value >= -MAX_INT32 && value < MAX_INT32);
}

function decodeObject(value: unknown, schema: JsonObject, place: Place): unknown {
  if (!isObject(value)) throw mismatch(value, schema, place);
  if (isObject(schema.properties)) decodeMembers(value, schema, { ...place, struct: nameOf(schema) });
  else if (isObject(schema.additionalProperties)) {
    const inner = schema.additionalProperties;
    for (const key of Object.keys(value)) {
      const decoded = decodeValue(value[key], inner, { ...place, indexed: join(place.indexed, key) });
      value[key] = decoded === null && inner.type === 'string' ? '' : decoded;
    }
  }
  return value;
}

const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;
const SECONDS_LENGTH = 19;

function decodeText(text: string, { format, title }: JsonObject): unknown {
  if (format === 'byte' && !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw new Error(`illegal base64 data at input byte ${firstIllegal(text)}`);
  }
  if (String(title).endsWith('MicroTime') && TIME.test(text) && !/\.\d{6}/.test(text)) {
    const rest = text.slice(SECONDS_LENGTH);
    throw new Error(`parsing time "${text}" as "${MICRO_LAYOUT}": cannot parse "${rest}" as ".000000"`);
  }
  if (format === 'date-time' && Number.isNaN(Date.parse(text))) {
    const layout = String(title).endsWith('MicroTime') ? MICRO_LAYOUT : '2006-01-02T15:04:05Z07:00';
    throw new Error(`parsing time "${text}" as "${layout}": cannot parse "${text}" as "2006"`);
  }
  return text;
}

function firstIllegal(text: string): number {
  const found = text.search(/[^A-Za-z0-9+/]/);
  return found < 0 ? text.length - (text.length % 4) : found;
}

const QUANTITY_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function decodeMixed(value: unknown, { format }: JsonObject): unknown {
  if (format !== 'quantity') return value;
  const text = String(value);
  const nanos = tryParseQuantityNanos(text);
  if (nanos === undefined) throw new Error(QUANTITY_ERROR);
  return canonicalQuantity(text);
}

/** A quantity as it is written again: without needless fractions, in the unit that it was written in where that is whole. */
function canonicalQuantity(text: string): string {
  if (/^-?[1-9]\d*(?:[KMGTPE]i)$/.test(text)) return foldBinary(text);
  const nanos = parseQuantityNanos(text);
  if (/[KMGTPE]i$/.test(text)) return nanos % NANO === 0n ? renderQuantity(nanos / NANO) : decimal(nanos);
  return /[eE][+-]?\d/.test(text) ? exponent(nanos) : decimal(nanos);
}

/** What was written with an exponent keeps one. */
function exponent(nanos: bigint): string {
  for (let power = 18n; power >= -9n; power -= 3n) {
    const factor = 10n ** (power + 9n);
    if (nanos % factor === 0n) return power === 0n ? `${nanos / factor}` : `${nanos / factor}e${power}`;
  }
  return decimal(nanos);
}

const NANO = 1_000_000_000n;
const UNITS: readonly (readonly [string, bigint])[] = ['E', 'P', 'T', 'G', 'M', 'k', '', 'm', 'u', 'n'].map(
  (unit, index) => [unit, 10n ** BigInt(27 - 3 * index)],
);

function decimal(nanos: bigint): string {
  if (nanos === 0n) return '0';
  const found = UNITS.find(([, factor]) => nanos % factor === 0n);
  return found === undefined ? `${nanos}n` : `${nanos / found[1]}${found[0]}`;
}

function foldBinary(text: string): string {
  return renderQuantity(parseQuantityNanos(text) / NANO);
}

function mismatch(value: unknown, schema: JsonObject, { struct, path }: Place, shown = ''): Error {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new Error(
    `json: cannot unmarshal ${found}${shown} into Go struct field ${struct}.${path} of type ${goType(schema)}`,
  );
}

function goType(schema: JsonObject): string {
  if (typeof schema.title === 'string') return schema.title.split('.').slice(-2).join('.');
  if (schema.type === 'array') return `[]${goType(objectOf(schema.items))}`;
  if (schema.type === 'object') return `map[string]${goType(objectOf(schema.additionalProperties))}`;
  if (schema.type === 'boolean') return 'bool';
  if (schema.type === 'integer') return String(schema.format ?? 'int');
  return schema.format === 'byte' ? '[]uint8' : String(schema.type);
}

function nameOf(schema: JsonObject): string {
  return (
    String(schema.title ?? '')
      .split('.')
      .at(-1) ?? ''
  );
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
