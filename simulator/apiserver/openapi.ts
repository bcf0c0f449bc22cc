import { createHash } from 'node:crypto';
import { SCHEMAS } from './builtin/schemas.gen.ts';
import type { ServedKind } from './kinds.ts';
import type { Registry } from './registry.ts';
import { isObject, type JsonObject } from './schema/json.ts';

/** `/openapi/v3`: where each group's document is. */
export function buildOpenApiIndex(registry: Registry): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const kind of registry.all()) {
    const path = pathOf(kind);
    if (paths[path] !== undefined) continue;
    const hash = createHash('sha512')
      .update(JSON.stringify(buildOpenApi(registry, path)))
      .digest('hex')
      .toUpperCase();
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return { paths };
}

/** One group's document, as `api/v1` or `apis/<group>/<version>`: shapes, and which paths take which options. Undefined for what is not served. */
export function buildOpenApi(registry: Registry, path: string): JsonObject | undefined {
  const kinds = registry.all().filter((kind) => pathOf(kind) === path);
  if (kinds.length === 0) return undefined;
  const schemas: Record<string, JsonObject> = {};
  for (const kind of kinds) schemas[kind.openApi.name] = schemaOf(kind, schemas);
  const entries = kinds.flatMap((kind) => pathsOf(kind));
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.3' },
    paths: Object.fromEntries(entries),
    components: { schemas },
  };
}

function pathOf(kind: ServedKind): string {
  return kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
}

const OBJECT_META = 'apimachinery.pkg.apis.meta.v1.ObjectMeta';

function schemaOf(kind: ServedKind, schemas: Record<string, JsonObject>): JsonObject {
  const { group, version } = kind;
  const marked = { 'x-kubernetes-group-version-kind': [{ group, version, kind: kind.kind }] };
  const { schema } = kind.openApi;
  if (schema === undefined) return { ...render(definition(kind.openApi.name), schemas), ...marked };
  const properties = isObject(schema.properties) ? schema.properties : {};
  const meta = reference(OBJECT_META, schemas);
  const common = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { allOf: [meta] } };
  return { ...schema, type: 'object', properties: { ...properties, ...common }, ...marked };
}

function definition(name: string): JsonObject {
  return { ...SCHEMAS.definitions[name] };
}

/** A definition with references as OpenAPI writes them; what they name is added to `schemas`. */
function render(schema: JsonObject, schemas: Record<string, JsonObject>): JsonObject {
  const { $ref, ...rest } = schema;
  if (typeof $ref === 'string') {
    const to = reference($ref, schemas);
    return Object.keys(rest).length === 0 ? to : { allOf: [to], ...rest };
  }
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, one]) => [name, render(one as JsonObject, schemas)]),
          ),
        }
      : {}),
    ...(isObject(items) ? { items: render(items, schemas) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: render(additionalProperties, schemas) } : {}),
  };
}

function reference(name: string, schemas: Record<string, JsonObject>): JsonObject {
  if (schemas[name] === undefined) {
    schemas[name] = {};
    schemas[name] = render(definition(name), schemas);
  }
  return { $ref: `#/components/schemas/${name}` };
}

const OPTION_NAMES = ['dryRun', 'fieldManager', 'fieldValidation'];

/** Clients look here whether the server checks fields by itself. */
function pathsOf(kind: ServedKind): readonly (readonly [string, JsonObject])[] {
  const { group, version, namespaced, plural } = kind;
  const base = `/${pathOf(kind)}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const gvk = { group, version, kind: kind.kind };
  const parameters = OPTION_NAMES.map((name) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } }));
  const operation = (action: string): JsonObject => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
    parameters,
    responses: { '200': { description: 'OK' } },
  });
  return [
    [base, { post: operation('post') }],
    [`${base}/{name}`, { put: operation('put'), patch: operation('patch') }],
  ];
}
