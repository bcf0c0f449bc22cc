import type { SchemaNode } from '../node.ts';
import { escapeName } from './names.ts';
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP } from './types.ts';

/**
 * The CEL type of what a node describes; undefined where expressions do not see it (no type, open lists). `name` names object types.
 * Type and name are always visible at the root of a resource: give {@link withTypeAndMeta} of its node.
 */
export function declareType(node: SchemaNode, name: string): CelType | undefined {
  if (node.isIntOrString) return DYN;
  switch (node.type) {
    case 'array':
      return declareList(node, name);
    case 'object':
      return declareObject(node, name);
    case 'string':
      return FORMATS.get(node.format ?? '') ?? STRING;
    case 'boolean':
      return BOOL;
    case 'number':
      return DOUBLE;
    case 'integer':
      return INT;
    default:
      return undefined;
  }
}

const FORMATS: ReadonlyMap<string, CelType> = new Map([
  ['byte', BYTES],
  ['duration', DURATION],
  ['date', TIMESTAMP],
  ['date-time', TIMESTAMP],
]);

function declareList({ items }: SchemaNode, name: string): CelType | undefined {
  const of = items === undefined ? undefined : declareType(resourceNode(items), `${name}.@idx`);
  return of === undefined ? undefined : { kind: 'list', of };
}

function declareObject(node: SchemaNode, name: string): CelType | undefined {
  const { additionalProperties } = node;
  if (typeof additionalProperties === 'object') {
    const of = declareType(resourceNode(additionalProperties), `${name}.@elem`);
    return of === undefined ? undefined : { kind: 'map', key: STRING, of };
  }
  const fields = new Map<string, CelType>();
  for (const [key, member] of node.properties ?? []) {
    const field = escapeName(key);
    const type = field === undefined ? undefined : declareType(resourceNode(member), `${name}.${field}`);
    if (field !== undefined && type !== undefined) fields.set(field, type);
  }
  return { kind: 'object', name, fields };
}

/** A node as expressions see it: of a resource inside, type and name too. */
export function resourceNode(node: SchemaNode): SchemaNode {
  return node.isEmbeddedResource ? withTypeAndMeta(node) : node;
}

/** The node with `apiVersion`, `kind`, `metadata.name` and `metadata.generateName`, and no other metadata unless it declares these two. */
export function withTypeAndMeta(node: SchemaNode): SchemaNode {
  const known = cache.get(node) ?? buildTypeAndMeta(node);
  cache.set(node, known);
  return known;
}

const cache = new WeakMap<SchemaNode, SchemaNode>();

function buildTypeAndMeta(node: SchemaNode): SchemaNode {
  const { properties } = node;
  const meta = properties?.get('metadata')?.properties;
  const names = ['name', 'generateName'].every((key) => meta?.get(key)?.type === 'string');
  if (names && ['kind', 'apiVersion'].every((key) => properties?.get(key)?.type === 'string')) return node;
  const text = { ...EMPTY, type: 'string' } as const;
  const visible = new Map([
    ['name', text],
    ['generateName', text],
  ]);
  return {
    ...node,
    properties: new Map([
      ...(properties ?? []),
      ['kind', text],
      ['apiVersion', text],
      ['metadata', { ...EMPTY, type: 'object', properties: visible }],
    ]),
  };
}

const EMPTY: SchemaNode = {
  isNullable: false,
  isIntOrString: false,
  preservesUnknownFields: false,
  isEmbeddedResource: false,
  listMapKeys: [],
  rules: [],
  exclusiveMaximum: false,
  exclusiveMinimum: false,
  required: [],
  allOf: [],
  anyOf: [],
  oneOf: [],
};
