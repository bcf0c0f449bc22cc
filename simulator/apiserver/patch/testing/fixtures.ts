import { type CompiledSchema, compileSchema } from '../../schema/index.ts';
import { isObject, type JsonObject } from '../../schema/json.ts';
import { parseNode, type SchemaNode } from '../../schema/node.ts';

const text = { type: 'string' };
const number = { type: 'integer' };
const setOf = (items: object) => ({ type: 'array', 'x-kubernetes-list-type': 'set', items });
const mapBy = (keys: readonly string[], properties: object) => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
  items: { type: 'object', properties, required: keys.filter((key) => key !== 'protocol') },
});
const open = { 'x-kubernetes-preserve-unknown-fields': true };

/** A field of each kind that ownership tells apart. */
export const SPEC = {
  text,
  number,
  flag: { type: 'boolean' },
  port: { 'x-kubernetes-int-or-string': true },
  nullable: { type: 'string', nullable: true },
  defaulted: { type: 'string', default: 'd' },
  list: { type: 'array', items: text },
  set: setOf(text),
  numbers: setOf(number),
  items: mapBy(['name'], {
    name: text,
    value: text,
    defaulted: { type: 'integer', default: 1 },
    nested: { type: 'object', properties: { a: text, tags: setOf(text) } },
  }),
  pairs: mapBy(['port', 'protocol'], { port: number, protocol: { type: 'string', default: 'TCP' }, note: text }),
  granular: { type: 'object', additionalProperties: text },
  maps: { type: 'object', additionalProperties: { type: 'object', properties: { a: text, b: text } } },
  atomic: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text, b: text } },
  struct: {
    type: 'object',
    properties: { a: text, b: text, inner: { type: 'object', properties: { c: text, d: text } } },
  },
  open: { type: 'object', ...open },
  half: { type: 'object', ...open, properties: { known: text, set: setOf(text) } },
  any: open,
  embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, ...open },
} as const;

const STATUS = {
  type: 'object',
  properties: {
    phase: text,
    observed: number,
    conditions: mapBy(['type'], { type: text, status: text, message: text }),
  },
};

export const GROUP = 'patch.sublet.test';
export const VERSION = 'v1';

/** A namespaced kind whose objects have every kind of list and map. */
export const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `owneds.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: 'owneds', singular: 'owned', kind: 'Owned', listKind: 'OwnedList' },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: SPEC }, status: STATUS },
          },
        },
      },
    ],
  },
};

export const OWNED: CompiledSchema = compileSchema(CRD.spec.versions[0]?.schema.openAPIV3Schema, {
  ...{ group: GROUP, version: VERSION, kind: 'Owned', isNamespaced: true },
});

/** The schema of a built-in kind out of an OpenAPI document of the API server, with what it refers to in place. */
export function findBuiltinNode(document: unknown, kind: string): SchemaNode {
  const schemas = (document as { readonly components: { readonly schemas: JsonObject } }).components.schemas;
  const name = Object.keys(schemas).find((key) => key.endsWith(`.${kind}`) && !key.includes('apimachinery'));
  return parseNode(inline(schemas[name ?? ''], schemas));
}

function inline(schema: unknown, schemas: JsonObject): unknown {
  if (Array.isArray(schema)) return schema.map((item) => inline(item, schemas));
  if (!isObject(schema)) return schema;
  const { allOf, $ref, ...rest } = schema;
  const [only] = Array.isArray(allOf) && allOf.length === 1 ? allOf : [];
  const reference = $ref ?? (isObject(only) ? only.$ref : undefined);
  const own = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, inline(value, schemas)]));
  if (typeof reference !== 'string') return own;
  const target = inline(schemas[reference.replace('#/components/schemas/', '')], schemas);
  return { ...(isObject(target) ? target : {}), ...own };
}
