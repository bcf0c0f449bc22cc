import { checkLabel, checkLabel1035, checkPathSegment, checkSubdomain } from '../names.ts';
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
  const schema = compileSchema(resolve({ $ref: definition }), { group, version, kind, isNamespaced, checkName });
  compiled.set(name, schema);
  return schema;
}

/** The name of a kind's definition, for OpenAPI. */
export function definitionOf(name: string): string {
  const definition = SCHEMAS.kinds[name];
  if (definition === undefined) throw new Error(`there is no schema of ${name}`);
  return definition;
}

/** How kinds are named that are not named by subdomains. */
const NAMES: Readonly<Record<string, (name: string) => readonly string[]>> = {
  Namespace: checkLabel,
  Service: checkLabel1035,
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

/** The schema without references; definitions are shared, not copied. */
function resolve(schema: JsonObject): JsonObject {
  const { $ref, ...beside } = schema;
  if (typeof $ref === 'string') return { ...resolveDefinition($ref), ...beside };
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(isObject(properties) ? { properties: mapMembers(properties) } : {}),
    ...(isObject(items) ? { items: resolve(items) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: resolve(additionalProperties) } : {}),
  };
}

function resolveDefinition(name: string): JsonObject {
  const known = resolved.get(name);
  if (known !== undefined) return known;
  const definition = resolve({ ...SCHEMAS.definitions[name] });
  resolved.set(name, definition);
  return definition;
}

function mapMembers(members: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, resolve(isObject(member) ? member : {})]),
  );
}
