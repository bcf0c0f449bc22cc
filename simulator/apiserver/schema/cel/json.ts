import { getOwn, isObject, type JsonObject } from '../json.ts';
import { findMember, type SchemaNode } from '../node.ts';
import { parseDate, parseInstant, parseWordyDuration } from '../time.ts';
import { resourceNode } from './declare.ts';
import { EvaluationError } from './errors.ts';
import { unescapeName } from './names.ts';
import type { Value } from './values.ts';

/** A list of the object that is validated. */
export type JsonList = { readonly items: readonly unknown[]; readonly node: SchemaNode };
/** An object or map of the object that is validated. Objects have declared properties; their nulls count as absent. */
export type JsonMap = { readonly object: JsonObject; readonly node: SchemaNode };

/** Reads a JSON value as its schema says. Throws EvaluationError where it is something else. */
export function readValue(json: unknown, node: SchemaNode): Value {
  if (json === null || json === undefined) {
    if (node.isNullable) return null;
    throw new EvaluationError('invalid data, got null for schema with nullable=false');
  }
  if (node.isIntOrString) return readIntOrString(json);
  switch (node.type) {
    case 'object':
      if (isObject(json)) return { object: json, node: resourceNode(node) };
      throw new EvaluationError('invalid data, expected a map for the provided schema with type=object');
    case 'array':
      if (Array.isArray(json) && node.items !== undefined) return { items: json, node };
      throw new EvaluationError('invalid data, expected an array for the provided schema with type=array');
    case 'string':
      if (typeof json === 'string') return node.format === undefined ? json : readFormatted(json, node.format);
      throw new EvaluationError(`invalid data, expected string, got ${goTypeOf(json)}`);
    case 'integer':
      if (typeof json === 'number' && Number.isInteger(json)) return BigInt(json);
      throw new EvaluationError(`invalid data, expected int, got ${goTypeOf(json)}`);
    case 'number':
      if (typeof json === 'number') return json;
      throw new EvaluationError(`invalid data, expected float, got ${goTypeOf(json)}`);
    case 'boolean':
      if (typeof json === 'boolean') return json;
      throw new EvaluationError(`invalid data, expected bool, got ${goTypeOf(json)}`);
    default:
      return { type: 'unknown', json };
  }
}

function readIntOrString(json: unknown): Value {
  if (typeof json === 'string') return json;
  if (typeof json === 'number' && Number.isInteger(json)) return BigInt(json);
  throw new EvaluationError('invalid data, expected XIntOrString value to be either a string or integer');
}

function readFormatted(text: string, format: string): Value {
  switch (format) {
    case 'duration': {
      const nanos = parseWordyDuration(text);
      if (nanos === undefined)
        throw new EvaluationError(`Invalid duration ${text}: unable to parse ${text} as duration`);
      return { type: 'duration', nanos };
    }
    case 'date': {
      const ms = parseDate(text);
      if (ms === undefined) throw new EvaluationError(`Invalid date formatted string ${text}`);
      return { type: 'timestamp', nanos: BigInt(ms) * 1_000_000n };
    }
    case 'date-time': {
      const nanos = text === '' ? 0n : parseInstant(text, { isLocalAllowed: true });
      if (nanos === undefined) throw new EvaluationError(`Invalid date-time formatted string ${text}`);
      return { type: 'timestamp', nanos };
    }
    case 'byte':
      return new Uint8Array(Buffer.from(text, 'base64'));
    default:
      return text;
  }
}

function goTypeOf(json: unknown): string {
  if (typeof json === 'string') return 'string';
  if (typeof json === 'boolean') return 'bool';
  if (typeof json === 'number') return Number.isInteger(json) ? 'int64' : 'float64';
  return Array.isArray(json) ? '[]interface {}' : 'map[string]interface {}';
}

/** A member by the name that expressions have for it; undefined where there is none. */
export function findJson(map: JsonMap, name: string): Value | undefined {
  const { object, node } = map;
  const isDeclared = node.properties !== undefined;
  const key = isDeclared ? unescapeName(name) : name;
  const json = getOwn(object, key);
  if (json === undefined || (isDeclared && json === null)) return undefined;
  const member = isDeclared ? node.properties.get(key) : findMember(node, key);
  return member === undefined ? undefined : readValue(json, member);
}
