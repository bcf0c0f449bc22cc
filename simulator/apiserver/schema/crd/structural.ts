import {
  childPath,
  type FieldError,
  forbidden,
  indexPath,
  invalid,
  keyPath,
  renderFieldError,
  required,
} from '../fielderror.ts';
import { compareText } from '../gotext.ts';
import { equalJson, isObject, type JsonObject } from '../json.ts';
import { compilePattern, PatternError } from '../regex.ts';

/** `ValidateStructural`: what makes a schema structural, in the order of the texts. */
export function validateStructural(schema: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  checkNode(errors, schema, 'root', path);
  checkCompleteness(errors, schema, schema, path, path);
  return errors.sort((a, b) => compareText(renderFieldError(a), renderFieldError(b)));
}

type Level = 'root' | 'item' | 'field';

const EMPTY_TYPE = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
} as const satisfies Record<Level, string>;

function checkNode(errors: FieldError[], schema: JsonObject, level: Level, path: string): void {
  if (schema.type === 'array' && !isObject(schema.items)) {
    errors.push(required(childPath(path, 'items'), 'must be specified'));
  }
  if (isObject(schema.items)) checkNode(errors, schema.items, 'item', childPath(path, 'items'));
  for (const [name, member] of propertiesOf(schema)) {
    checkNode(errors, member, 'field', keyPath(childPath(path, 'properties'), name));
  }
  const { additionalProperties } = schema;
  const additionalPath = childPath(path, 'additionalProperties');
  if (additionalProperties !== undefined && level === 'root') {
    errors.push(forbidden(additionalPath, 'must not be used at the root'));
  }
  if (isObject(additionalProperties)) checkNode(errors, additionalProperties, 'field', additionalPath);
  checkExtensions(errors, schema, path);
  checkJunctors(errors, schema, path, INT_OR_STRING);
  checkType(errors, schema, level, path);
  checkMetadata(errors, schema, level, path);
}

function checkExtensions(errors: FieldError[], schema: JsonObject, path: string): void {
  if (schema[INT_OR_STRING_KEY] !== true) return;
  for (const key of [PRESERVE_KEY, EMBEDDED_KEY]) {
    if (schema[key] === true) {
      errors.push(invalid(childPath(path, key), true, 'must be false if x-kubernetes-int-or-string is true'));
    }
  }
}

const INT_OR_STRING_KEY = 'x-kubernetes-int-or-string';
const PRESERVE_KEY = 'x-kubernetes-preserve-unknown-fields';
const EMBEDDED_KEY = 'x-kubernetes-embedded-resource';

function checkType(errors: FieldError[], schema: JsonObject, level: Level, path: string): void {
  const type = typeof schema.type === 'string' ? schema.type : '';
  const at = childPath(path, 'type');
  const isEmbedded = schema[EMBEDDED_KEY] === true;
  if (isEmbedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(at, detail) : invalid(at, type, detail));
  } else if (type === '' && schema[INT_OR_STRING_KEY] !== true && schema[PRESERVE_KEY] !== true) {
    errors.push(required(at, EMPTY_TYPE[level]));
  }
  if (isEmbedded && schema.additionalProperties !== undefined) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbidden(childPath(path, 'additionalProperties'), detail));
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalid(at, type, 'must be object at the root'));
}

function checkMetadata(errors: FieldError[], schema: JsonObject, level: Level, path: string): void {
  const isEmbedded = schema[EMBEDDED_KEY] === true;
  const isChecked = level === 'root' || isEmbedded;
  const properties = new Map(propertiesOf(schema));
  const pathOf = (name: string) => keyPath(childPath(path, 'properties'), name);
  for (const name of isChecked ? ['kind', 'apiVersion'] : []) {
    const type = properties.get(name)?.type ?? '';
    if (properties.has(name) && type !== 'string') {
      errors.push(invalid(childPath(pathOf(name), 'type'), type, 'must be string'));
    }
  }
  const metadata = properties.get('metadata');
  if (metadata !== undefined && isChecked && metadata.type !== 'object') {
    errors.push(invalid(childPath(pathOf('metadata'), 'type'), metadata.type ?? '', 'must be object'));
  }
  if (metadata !== undefined && level === 'root' && !isPlainMetadata(metadata)) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbidden(pathOf('metadata'), detail));
  }
  if (isEmbedded && schema[PRESERVE_KEY] !== true && properties.size === 0) {
    const detail = `must not be empty if ${EMBEDDED_KEY} is true without ${PRESERVE_KEY}`;
    errors.push(required(childPath(path, 'properties'), detail));
  }
}

function isPlainMetadata(metadata: JsonObject): boolean {
  const { properties, type: _, default: __, ...rest } = metadata;
  const names = isObject(properties) ? Object.keys(properties) : [];
  return names.every((name) => name === 'name' || name === 'generateName') && Object.keys(rest).length === 0;
}

const INT_OR_STRING: readonly JsonObject[] = [{ type: 'integer' }, { type: 'string' }];

/** `exempt`: alternatives that may state types, and where they stand. */
function checkJunctors(errors: FieldError[], schema: JsonObject, path: string, exempt?: readonly JsonObject[]): void {
  const isExempt = (list: unknown) => exempt !== undefined && equalJson(list, exempt);
  if (!isExempt(schema.anyOf)) checkParts(errors, schema, 'anyOf', path);
  for (const [index, part] of partsOf(schema, 'allOf').entries()) {
    checkNested(errors, part, indexPath(childPath(path, 'allOf'), index), index === 0 ? exempt : undefined);
  }
  checkParts(errors, schema, 'oneOf', path);
  if (isObject(schema.not)) checkNested(errors, schema.not, childPath(path, 'not'));
  const { pattern } = schema;
  if (typeof pattern !== 'string' || pattern === '') return;
  try {
    compilePattern(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const detail = `must be a valid regular expression, but isn't: ${error.message}`;
    errors.push(invalid(childPath(path, 'pattern'), pattern, detail));
  }
}

function checkParts(errors: FieldError[], schema: JsonObject, junctor: string, path: string): void {
  for (const [index, part] of partsOf(schema, junctor).entries()) {
    checkNested(errors, part, indexPath(childPath(path, junctor), index));
  }
}

/** What says something of the structure is forbidden below `allOf` and the like. */
const FORBIDDEN: readonly (readonly [key: string, detail: string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  [PRESERVE_KEY, 'must be false to be structural'],
  [EMBEDDED_KEY, 'must be false to be structural'],
  [INT_OR_STRING_KEY, 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function checkNested(errors: FieldError[], schema: JsonObject, path: string, exempt?: readonly JsonObject[]): void {
  checkJunctors(errors, schema, path, exempt);
  if (isObject(schema.items)) checkNested(errors, schema.items, childPath(path, 'items'));
  for (const [name, member] of propertiesOf(schema)) {
    checkNested(errors, member, keyPath(childPath(path, 'properties'), name));
  }
  for (const [key, detail] of FORBIDDEN) {
    const value = schema[key];
    const isEmpty = value === undefined || value === false || value === '' || value === null;
    if (!isEmpty && !(Array.isArray(value) && value.length === 0)) errors.push(forbidden(childPath(path, key), detail));
  }
  if (propertiesOf(schema).some(([name]) => name === 'metadata')) {
    const at = keyPath(childPath(path, 'properties'), 'metadata');
    errors.push(forbidden(at, 'must not be specified in a nested context'));
  }
}

/** Every field that an alternative names must have a structure. */
function checkCompleteness(
  errors: FieldError[],
  part: JsonObject,
  node: JsonObject | undefined,
  path: string,
  partPath: string,
): void {
  if (node === undefined) {
    errors.push(required(path, `because it is defined in ${partPath}`));
    return;
  }
  const isRoot = part === node;
  for (const junctor of ['allOf', 'anyOf', 'oneOf']) {
    for (const [index, inner] of partsOf(part, junctor).entries()) {
      checkCompleteness(errors, inner, node, path, indexPath(childPath(partPath, junctor), index));
    }
  }
  if (isObject(part.not)) checkCompleteness(errors, part.not, node, path, childPath(partPath, 'not'));
  if (isRoot) return;
  if (isObject(part.items)) {
    const items = isObject(node.items) ? node.items : undefined;
    checkCompleteness(errors, part.items, items, childPath(path, 'items'), childPath(partPath, 'items'));
  }
  const structure = new Map(propertiesOf(node));
  for (const [name, member] of propertiesOf(part)) {
    const at = keyPath(childPath(path, 'properties'), name);
    checkCompleteness(errors, member, structure.get(name), at, keyPath(childPath(partPath, 'properties'), name));
  }
}

export function propertiesOf(schema: JsonObject): readonly (readonly [name: string, schema: JsonObject])[] {
  const { properties } = schema;
  if (!isObject(properties)) return [];
  return Object.entries(properties).flatMap(([name, member]) => (isObject(member) ? [[name, member] as const] : []));
}

export function partsOf(schema: JsonObject, junctor: string): readonly JsonObject[] {
  const parts = schema[junctor];
  return Array.isArray(parts) ? parts.filter(isObject) : [];
}
