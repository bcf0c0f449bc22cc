import {
  childPath,
  type FieldError,
  forbidden,
  indexPath,
  invalid,
  keyPath,
  notSupported,
  required,
} from '../fielderror.ts';
import { isObject, type JsonObject } from '../json.ts';
import { checkListType } from './listtypes.ts';
import { checkRules } from './rules.ts';
import { partsOf, propertiesOf } from './structural.ts';

/** What the schema is checked in: it changes on the way down. */
export type Context = {
  /** Whether defaults are refused here, and why. */
  readonly noDefaults?: string;
  readonly isInsideMeta: boolean;
  /** The path of what keeps old values from being found again, so that rules must not use `oldSelf`. */
  readonly uncorrelated?: string;
};

/** What is wrong with the keywords of a schema, by their own and with each other. Rules in CEL are looked at by their form only. */
export function checkKeywords(
  errors: FieldError[],
  schema: JsonObject,
  path: string,
  isRoot: boolean,
  context: Context = { isInsideMeta: false },
): void {
  checkUnsupported(errors, schema, path, context);
  const { additionalProperties } = schema;
  if (additionalProperties !== undefined) {
    const at = childPath(path, 'additionalProperties');
    if (propertiesOf(schema).length > 0 && additionalProperties !== true) {
      errors.push(forbidden(at, 'additionalProperties and properties are mutual exclusive'));
    }
    const reason = 'inside additionalProperties applying to object metadata';
    const inner = context.isInsideMeta ? { ...context, noDefaults: reason } : context;
    if (isObject(additionalProperties)) checkKeywords(errors, additionalProperties, at, false, inner);
  }
  for (const [name, member] of propertiesOf(schema)) {
    const at = keyPath(childPath(path, 'properties'), name);
    checkKeywords(errors, member, at, false, contextOf(schema, name, isRoot, context));
  }
  if (isObject(schema.not)) checkKeywords(errors, schema.not, childPath(path, 'not'), false, context);
  for (const junctor of ['allOf', 'oneOf', 'anyOf']) {
    for (const [index, part] of partsOf(schema, junctor).entries()) {
      checkKeywords(errors, part, indexPath(childPath(path, junctor), index), false, context);
    }
  }
  if (isObject(schema.items)) checkKeywords(errors, schema.items, childPath(path, 'items'), false, context);
  checkMapType(errors, schema, path);
  checkListType(errors, schema, path);
  checkRules(errors, schema, path);
}

const META_FIELDS: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion']);

function contextOf(schema: JsonObject, name: string, isRoot: boolean, context: Context): Context {
  const isResource = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  if (!isResource || !META_FIELDS.has(name)) return context;
  return { ...context, isInsideMeta: true, ...(isRoot ? { noDefaults: `in top-level ${name}` } : {}) };
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** Whether a schema states what the API server cannot even read as a structural one. */
export function hasUnsupported(schema: JsonObject): boolean {
  const { items, additionalProperties, not } = schema;
  const parts = ['allOf', 'anyOf', 'oneOf'].flatMap((junctor) => partsOf(schema, junctor));
  const members = propertiesOf(schema).map(([, member]) => member);
  const inner = [...parts, ...members, ...[items, additionalProperties, not].filter(isObject)];
  return UNSUPPORTED.some((key) => isStated(schema[key])) || Array.isArray(items) || inner.some(hasUnsupported);
}

function isStated(value: unknown): boolean {
  return isObject(value) ? Object.keys(value).length > 0 : value !== undefined && value !== '';
}

const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];

function checkUnsupported(errors: FieldError[], schema: JsonObject, path: string, context: Context): void {
  const { type } = schema;
  const typePath = childPath(path, 'type');
  if (typeof type === 'string' && type !== '' && !TYPES.includes(type))
    errors.push(notSupported(typePath, type, TYPES));
  if (schema.default !== undefined && schema.default !== null && context.noDefaults !== undefined) {
    errors.push(forbidden(childPath(path, 'default'), `must not be set ${context.noDefaults}`));
  }
  for (const key of UNSUPPORTED) {
    if (isStated(schema[key])) errors.push(forbidden(childPath(path, key), `${key} is not supported`));
  }
  if (type === 'null') {
    errors.push(forbidden(typePath, 'type cannot be set to null, use nullable as an alternative'));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbidden(childPath(path, 'items'), 'items must be a schema object and not an array'));
  }
  if (context.isInsideMeta && schema['x-kubernetes-embedded-resource'] === true) {
    const detail = 'must not be used inside of resource meta';
    errors.push(forbidden(childPath(path, 'x-kubernetes-embedded-resource'), detail));
  }
  if (schema.uniqueItems === true) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbidden(childPath(path, 'uniqueItems'), detail));
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    const at = childPath(path, 'x-kubernetes-preserve-unknown-fields');
    errors.push(invalid(at, false, 'must be true or undefined'));
  }
}

function checkMapType(errors: FieldError[], schema: JsonObject, path: string): void {
  const mapType = schema['x-kubernetes-map-type'];
  if (typeof mapType !== 'string') return;
  const { type } = schema;
  if (type !== 'object') {
    const at = childPath(path, 'type');
    const detail = 'must be object if x-kubernetes-map-type is specified';
    errors.push(typeof type === 'string' && type !== '' ? invalid(at, type, detail) : required(at, detail));
  }
  if (mapType !== 'atomic' && mapType !== 'granular') {
    errors.push(notSupported(childPath(path, 'x-kubernetes-map-type'), mapType, ['atomic', 'granular']));
  }
}
