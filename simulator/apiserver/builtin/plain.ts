import { scanJson } from '../jsontext.ts';
import { type ApiObject, objectAt, withMeta } from '../object.ts';
import { tooLong } from '../schema/fielderror.ts';
import { type FieldError, forbidden, invalid, required } from '../schema/index.ts';
import { equalJson, type JsonObject } from '../schema/json.ts';

/** A namespace waits for its content by a finalizer in its spec. Its own name is a label, also of one whose name was made up. */
export function prepareNamespace(object: ApiObject, old: ApiObject | undefined): ApiObject {
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name ?? '' };
  const labelled = withMeta(object, { labels });
  if (old !== undefined) return { ...labelled, spec: old.spec };
  const { finalizers } = objectAt(object, 'spec');
  const stated = Array.isArray(finalizers) ? finalizers.map(String) : [];
  return { ...labelled, spec: { finalizers: stated.includes('kubernetes') ? stated : [...stated, 'kubernetes'] } };
}

/** A namespace shows its end in its phase. */
export function terminateNamespace(object: ApiObject): ApiObject {
  return { ...object, status: { ...objectAt(object, 'status'), phase: 'Terminating' } };
}

export function validatePhase(object: ApiObject): readonly FieldError[] {
  const { phase } = objectAt(object, 'status');
  const { deletionTimestamp } = object.metadata;
  if (deletionTimestamp === undefined && phase !== 'Active') {
    return [invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  }
  if (deletionTimestamp !== undefined && phase !== 'Terminating') {
    return [invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
  }
  return [];
}

const MAX_DATA_BYTES = 1024 * 1024;

export function validateConfigMap(object: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const [data, binaryData] = [objectAt(object, 'data'), objectAt(object, 'binaryData')];
  const errors = [...checkKeys(data, 'data'), ...checkKeys(binaryData, 'binaryData')];
  for (const key of Object.keys(data)) {
    if (Object.hasOwn(binaryData, key)) {
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
  }
  const bytes = sizeOf(data, (text) => Buffer.byteLength(text)) + sizeOf(binaryData, decodedLength);
  if (bytes > MAX_DATA_BYTES) errors.push(tooLong('', MAX_DATA_BYTES));
  if (old?.immutable === true) {
    if (object.immutable !== true) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
    for (const member of ['data', 'binaryData']) {
      if (equalJson(object[member], old[member])) continue;
      errors.push(forbidden(member, 'field is immutable when `immutable` is set'));
    }
  }
  return errors;
}

export function validateSecret(object: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const data = objectAt(object, 'data');
  const errors = [...checkKeys(data, 'data')];
  if (sizeOf(data, decodedLength) > MAX_DATA_BYTES) errors.push(tooLong('data', MAX_DATA_BYTES));
  errors.push(...checkType(String(object.type), data));
  if (old === undefined) return errors;
  if (object.type !== old.type) errors.push(invalid('type', object.type, 'field is immutable'));
  if (old.immutable === true) {
    if (object.immutable !== true) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
    if (!equalJson(object.data, old.data)) {
      errors.push(forbidden('data', 'field is immutable when `immutable` is set'));
    }
  }
  return errors;
}

/** What Secrets of a type must hold. */
const TYPE_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
};

function checkType(type: string, data: JsonObject): readonly FieldError[] {
  const has = (key: string): boolean => data[key] !== undefined;
  if (type === 'kubernetes.io/basic-auth' && !has('username') && !has('password')) {
    return ['password', 'username'].map((key) => required(`data[${key}]`, ''));
  }
  const missing = (TYPE_KEYS[type] ?? []).filter((key) => !has(key)).map((key) => required(`data[${key}]`, ''));
  if (missing.length > 0 || !type.startsWith('kubernetes.io/dockerc')) return missing;
  const [key = ''] = TYPE_KEYS[type] ?? [];
  const { error } = scanJson(Buffer.from(String(data[key]), 'base64').toString('utf8'));
  return error === undefined ? [] : [invalid(`data[${key}]`, '<secret contents redacted>', error)];
}

const KEY = /^[-._a-zA-Z0-9]+$/;
const KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

function checkKeys(data: Readonly<Record<string, unknown>>, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const key of Object.keys(data)) {
    const field = `${path}[${key}]`;
    if (key.length > 253) errors.push(invalid(field, key, 'must be no more than 253 bytes'));
    if (!KEY.test(key)) errors.push(invalid(field, key, KEY_TEXT));
    if (key === '.' || key === '..') errors.push(invalid(field, key, `must not be '${key}'`));
    else if (key.startsWith('..')) errors.push(invalid(field, key, `must not start with '..'`));
  }
  return errors;
}

function sizeOf(data: Readonly<Record<string, unknown>>, measure: (text: string) => number): number {
  return Object.values(data).reduce((sum: number, text) => sum + measure(String(text)), 0);
}

function decodedLength(base64: string): number {
  return Buffer.byteLength(base64, 'base64');
}
