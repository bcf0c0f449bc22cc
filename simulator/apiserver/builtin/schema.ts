import { checkLabel, checkPathSegment, checkSubdomain } from '../names.ts';
import { type CompiledSchema, compileSchema } from '../schema/index.ts';
import { isObject, type JsonObject } from '../schema/json.ts';
import { SCHEMAS } from './schemas.gen.ts';

const compiled = new Map<string, CompiledSchema>();

/** The schema of a built-in kind. Compiled once and shared by all servers. */
export function builtinSchema(group: string, version: string, kind: string, isNamespaced: boolean): CompiledSchema {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const name = `${apiVersion} ${kind}`;
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const definition = definitionOf(name);
  const checkName = (text: string, isPrefix: boolean): readonly string[] =>
    (NAMES[kind] ?? checkSubdomain)(isPrefix ? withoutDash(text) : text);
  const schema = compileSchema(forCompiler(resolveDefinition(definition)), {
    group,
    version,
    kind,
    isNamespaced,
    checkName,
  });
  compiled.set(name, schema);
  return schema;
}

/** The name of a kind's definition, for OpenAPI. */
export function definitionOf(name: string): string {
  const definition = SCHEMAS.kinds[name];
  if (definition === undefined) throw new Error(`there is no schema of ${name}`);
  return definition;
}

/** The definition of a built-in kind, if there is one. */
export function findDefinition(apiVersion: string, kind: string): string | undefined {
  const name = `${apiVersion} ${kind}`;
  return Object.hasOwn(SCHEMAS.kinds, name) ? SCHEMAS.kinds[name] : undefined;
}

/** How kinds are named that are not named by subdomains. */
const NAMES: Readonly<Record<string, (name: string) => readonly string[]>> = {
  Namespace: checkLabel,
  Service: checkLabel,
  Role: checkPathSegment,
  RoleBinding: checkPathSegment,
  ClusterRole: checkPathSegment,
  ClusterRoleBinding: checkPathSegment,
};

/** A prefix may end with a dash, because something follows. */
function withoutDash(prefix: string): string {
  return prefix.replace(/-$/, 'a');
}

const resolved = new Map<string, JsonObject>();

/** The schema of a definition without references, which then are named by `title`. Definitions are shared, not copied. */
export function resolveDefinition(name: string): JsonObject {
  const known = resolved.get(name);
  if (known !== undefined) return known;
  const definition = { ...resolve({ ...SCHEMAS.definitions[name] }), title: name };
  resolved.set(name, definition);
  return definition;
}

function resolve(schema: JsonObject): JsonObject {
  const { $ref, ...beside } = schema;
  if (typeof $ref === 'string') return { ...resolveDefinition($ref), ...beside };
  return mapSchemas(schema, resolve);
}

/**
 * Without what other parts hold: what is required is held by the strategies, which know the API server's words for it, and texts were decoded. Lists
 * and times may be null, as Go writes those that are not there.
 */
function forCompiler(schema: JsonObject): JsonObject {
  const { required: _, format, ...rest } = schema;
  const kept = format === undefined || format === 'byte' ? rest : { ...rest, format };
  const mayBeNull = rest.type === 'array' || format === 'date-time';
  return mapSchemas(mayBeNull ? { ...kept, nullable: true } : kept, forCompiler);
}

function mapSchemas(schema: JsonObject, change: (schema: JsonObject) => JsonObject): JsonObject {
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(isObject(properties) ? { properties: mapMembers(properties, change) } : {}),
    ...(isObject(items) ? { items: change(items) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: change(additionalProperties) } : {}),
  };
}

function mapMembers(members: JsonObject, change: (schema: JsonObject) => JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, change(isObject(member) ? member : {})]),
  );
}
