import { type Field, MESSAGES } from './builtin/messages.gen.ts';
import { renderMicroTime, renderTime } from './object.ts';
import type { JsonObject } from './schema/json.ts';

/** Objects in Kubernetes' binary form, which `kubectl create` sends. Only what it makes is known. */

const MAGIC = Buffer.from('k8s\0', 'latin1');
const META = 'apimachinery.pkg.apis.meta.v1';

/** The object as JSON; undefined for a kind that is not known. Throws an Error on what is no message. */
export function decodeProtobuf(bytes: Buffer): JsonObject | undefined {
  if (!bytes.subarray(0, 4).equals(MAGIC)) throw new Error('provided data does not appear to be a protobuf message');
  const envelope = readFields(bytes.subarray(4));
  const type = readFields(asBytes(envelope.get(1)?.[0]));
  const apiVersion = asText(type.get(1)?.[0]);
  const kind = asText(type.get(2)?.[0]);
  const name = messageOf(apiVersion, kind);
  if (MESSAGES[name] === undefined) return undefined;
  return { apiVersion, kind, ...decodeMessage(asBytes(envelope.get(2)?.[0]), name) };
}

function messageOf(apiVersion: string, kind: string): string {
  if (kind === 'DeleteOptions') return `${META}.DeleteOptions`;
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  return `api.${group.split('.')[0]}.${version}.${kind}`;
}

type Value = Buffer | bigint;

/** The fields of a message by number, each as often as it stands there. */
function readFields(bytes: Buffer): Map<number, Value[]> {
  const fields = new Map<number, Value[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error('unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('unexpected EOF');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const value = wire === 0 ? varint() : take(wire === 2 ? Number(varint()) : sizeOf(wire));
    const number = tag >> 3;
    const known = fields.get(number);
    if (known === undefined) fields.set(number, [value]);
    else known.push(value);
  }
  return fields;
}

function sizeOf(wire: number): number {
  if (wire === 1) return 8;
  if (wire === 5) return 4;
  throw new Error(`illegal wireType ${wire}`);
}

function decodeMessage(bytes: Buffer, name: string): JsonObject {
  const fields = readFields(bytes);
  const object: JsonObject = {};
  for (const [number, member, type] of MESSAGES[name] ?? []) {
    const values = fields.get(number);
    if (values !== undefined) object[member] = decodeField(values, type);
  }
  return object;
}

function decodeField(values: readonly Value[], type: Field[2]): unknown {
  if (type.startsWith('[')) return values.map((value) => decodeValue(value, type.slice(1, -1)));
  if (!type.startsWith('{')) return decodeValue(values.at(-1), type);
  const entries = values.map((value) => {
    const entry = readFields(asBytes(value));
    return [asText(entry.get(1)?.[0]), decodeValue(entry.get(2)?.[0], type.slice(1, -1))] as const;
  });
  return Object.fromEntries(entries);
}

function decodeValue(value: Value | undefined, type: string): unknown {
  switch (type) {
    case 'string':
      return asText(value);
    case 'bytes':
      return asBytes(value).toString('base64');
    case 'bool':
      return value === 1n;
    case 'int32':
    case 'int64':
      return Number(BigInt.asIntN(64, asNumber(value)));
    case `${META}.Time`:
      return decodeTime(value, renderTime);
    case `${META}.MicroTime`:
      return decodeTime(value, renderMicroTime);
    case `${META}.FieldsV1`:
      return JSON.parse(asText(readFields(asBytes(value)).get(1)?.[0]) || '{}');
    case 'apimachinery.pkg.api.resource.Quantity':
      return asText(readFields(asBytes(value)).get(1)?.[0]);
    case 'apimachinery.pkg.util.intstr.IntOrString':
      return decodeIntOrString(readFields(asBytes(value)));
    default:
      return decodeMessage(asBytes(value), type);
  }
}

/** A time without seconds is no time. */
function decodeTime(value: Value | undefined, render: (ms: number) => string): string | null {
  const fields = readFields(asBytes(value));
  const seconds = fields.get(1)?.[0];
  if (seconds === undefined) return null;
  const nanos = Number(asNumber(fields.get(2)?.[0]));
  return render(Number(BigInt.asIntN(64, asNumber(seconds))) * 1000 + nanos / 1e6);
}

function decodeIntOrString(fields: Map<number, Value[]>): unknown {
  const isText = asNumber(fields.get(1)?.[0]) === 1n;
  return isText ? asText(fields.get(3)?.[0]) : Number(BigInt.asIntN(64, asNumber(fields.get(2)?.[0])));
}

function asBytes(value: Value | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : EMPTY;
}

const EMPTY = Buffer.alloc(0);

function asText(value: Value | undefined): string {
  return asBytes(value).toString('utf8');
}

function asNumber(value: Value | undefined): bigint {
  return typeof value === 'bigint' ? value : 0n;
}
