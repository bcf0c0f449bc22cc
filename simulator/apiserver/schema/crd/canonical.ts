import { isObject, type JsonObject } from '../json.ts';

/**
 * Leaves out of the schemas of a definition what the API server leaves out when it writes them again: texts, lists, maps and flags that say nothing.
 * Changes `crd`.
 */
export function canonicalizeSchemas(crd: JsonObject): void {
  const { versions } = isObject(crd.spec) ? crd.spec : {};
  for (const version of Array.isArray(versions) ? versions.filter(isObject) : []) {
    const { openAPIV3Schema } = isObject(version.schema) ? version.schema : {};
    if (isObject(openAPIV3Schema)) canonicalize(openAPIV3Schema);
  }
}

function canonicalize(schema: JsonObject): void {
  for (const key of Object.keys(schema)) {
    const value = schema[key];
    if (value === null || (!POINTERS.has(key) && isEmpty(value))) delete schema[key];
  }
  for (const key of ['items', 'not', 'additionalProperties']) visit(schema[key]);
  for (const key of ['allOf', 'anyOf', 'oneOf']) if (Array.isArray(schema[key])) schema[key].forEach(visit);
  if (isObject(schema.properties)) Object.values(schema.properties).forEach(visit);
  const rules = schema['x-kubernetes-validations'];
  for (const rule of Array.isArray(rules) ? rules.filter(isObject) : []) {
    for (const key of ['message', 'messageExpression', 'fieldPath']) if (rule[key] === '') delete rule[key];
  }
}

/** Members for which Go has a pointer or raw JSON, so that an empty value says something. */
const POINTERS: ReadonlySet<string> = new Set([
  ...['$ref', 'default', 'example', 'items', 'not', 'additionalProperties', 'additionalItems', 'externalDocs'],
  ...['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-list-type', 'x-kubernetes-map-type'],
]);

function isEmpty(value: unknown): boolean {
  if (value === '' || value === false) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

function visit(schema: unknown): void {
  if (isObject(schema)) canonicalize(schema);
}
