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
  for (const kind of kinds) {
    schemas[componentOf(kind.openApi.name)] = schemaOf(kind, schemas);
    schemas[componentOf(`${kind.openApi.name}List`)] = listSchemaOf(kind, schemas);
  }
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
  const shown = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, publish(one, meta)]));
  return { ...schema, type: 'object', properties: { ...shown, ...common }, ...marked };
}

function listSchemaOf(kind: ServedKind, schemas: Record<string, JsonObject>): JsonObject {
  const { group, version, listKind } = kind;
  const items = { type: 'array', items: { $ref: `#/components/schemas/${componentOf(kind.openApi.name)}` } };
  schemas[componentOf(LIST_META)] ??= LIST_META_SCHEMA;
  const metadata = { allOf: [{ $ref: `#/components/schemas/${componentOf(LIST_META)}` }] };
  return {
    type: 'object',
    required: ['items'],
    properties: { apiVersion: { type: 'string' }, items, kind: { type: 'string' }, metadata },
    'x-kubernetes-group-version-kind': [{ group, version, kind: listKind }],
  };
}

const LIST_META = 'apimachinery.pkg.apis.meta.v1.ListMeta';
const LIST_META_SCHEMA = {
  type: 'object',
  properties: {
    continue: { type: 'string' },
    remainingItemCount: { type: 'integer', format: 'int64' },
    resourceVersion: { type: 'string' },
    selfLink: { type: 'string' },
  },
} as const;

/** A custom resource's schema as clients get it: with what its extensions mean beside them. */
function publish(schema: unknown, meta: JsonObject): unknown {
  if (!isObject(schema)) return schema;
  const { properties, items, additionalProperties } = schema;
  const inner: Record<string, unknown> = {};
  if (isObject(properties)) {
    inner.properties = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, publish(one, meta)]));
  }
  if (isObject(items)) inner.items = publish(items, meta);
  if (isObject(additionalProperties)) inner.additionalProperties = publish(additionalProperties, meta);
  if (schema['x-kubernetes-int-or-string'] === true && schema.anyOf === undefined && schema.allOf === undefined) {
    inner.anyOf = [{ type: 'integer' }, { type: 'string' }];
  }
  if (schema['x-kubernetes-embedded-resource'] === true) {
    const own = isObject(inner.properties) ? inner.properties : {};
    inner.properties = {
      ...own,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [meta] },
    };
    inner.required = ['kind', 'apiVersion'];
  }
  return { ...schema, ...inner };
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
  const component = componentOf(name);
  if (schemas[component] === undefined) {
    schemas[component] = {};
    schemas[component] = render(definition(name), schemas);
  }
  return { $ref: `#/components/schemas/${component}` };
}

/** Kubernetes' own definitions are published under its domain. */
function componentOf(name: string): string {
  return /^(api|apimachinery|apiextensions-apiserver)\./.test(name) ? `io.k8s.${name}` : name;
}

const PATCH_TYPES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];
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
  const force = { name: 'force', in: 'query', schema: { type: 'boolean', uniqueItems: true } };
  const patch = {
    ...operation('patch'),
    parameters: [...parameters, force],
    requestBody: { content: Object.fromEntries(PATCH_TYPES.map((type) => [type, {}])) },
  };
  return [
    [base, { post: operation('post') }],
    [`${base}/{name}`, { put: operation('put'), patch }],
  ];
}
