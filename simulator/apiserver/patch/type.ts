import type { SchemaNode } from '../schema/node.ts';
import { OBJECT_META } from './objectmeta.ts';
import {
  ANY_SCALAR,
  BOOLEAN,
  buildField,
  buildListType,
  type FieldType,
  type ListType,
  type MapType,
  NUMERIC,
  STRING,
  type TypeNode,
  UNTYPED,
  UNTYPED_ATOMIC,
} from './typenode.ts';

const built = new WeakMap<SchemaNode, TypeNode>();

/**
 * The type of objects of a kind, from the root of its schema; `apiVersion`, `kind` and `metadata` are typed as in every kind, whatever the schema says of
 * them. Built once for each schema.
 */
export function typeOf(root: SchemaNode): TypeNode {
  const known = built.get(root);
  if (known !== undefined) return known;
  const type = buildType({ ...root, isEmbeddedResource: true }, false);
  built.set(root, type);
  return type;
}

/** `preserves`: a node above keeps fields that its schema does not name, which holds for everything below it. */
function buildType(node: SchemaNode, preserves: boolean): TypeNode {
  const preservesHere = preserves || node.preservesUnknownFields;
  switch (node.type) {
    case undefined:
      return { scalar: 'untyped', list: buildList(node, preservesHere), map: buildMap(node, preservesHere) };
    case 'object':
      return { scalar: undefined, list: undefined, map: buildMap(node, preservesHere) };
    case 'array':
      return { scalar: undefined, list: buildList(node, preservesHere), map: undefined };
    default:
      return scalarOf(node);
  }
}

function scalarOf({ type, format }: SchemaNode): TypeNode {
  if (type === 'boolean') return BOOLEAN;
  if (type === 'integer' || type === 'number') return NUMERIC;
  return format === undefined || format === 'byte' ? STRING : ANY_SCALAR;
}

function buildList({ items, listType, listMapKeys }: SchemaNode, preserves: boolean): ListType {
  const element = items === undefined ? UNTYPED_ATOMIC : buildType(items, preserves);
  return buildListType(element, listType === 'map' ? listMapKeys : (listType ?? 'atomic'));
}

function buildMap(node: SchemaNode, preserves: boolean): MapType {
  const fields = new Map<string, FieldType>();
  for (const [name, member] of node.properties ?? []) {
    fields.set(name, buildField(name, buildType(member, preserves), member.default));
  }
  if (node.isEmbeddedResource) {
    for (const name of ['apiVersion', 'kind']) fields.set(name, buildField(name, STRING));
    fields.set('metadata', buildField('metadata', OBJECT_META));
  }
  return { isAtomic: node.mapType === 'atomic', fields, element: elementOf(node, preserves, fields.size > 0) };
}

function elementOf({ additionalProperties }: SchemaNode, preserves: boolean, hasFields: boolean): TypeNode | undefined {
  if (additionalProperties === undefined) return preserves || !hasFields ? UNTYPED : undefined;
  if (typeof additionalProperties === 'object') return buildType(additionalProperties, preserves);
  return additionalProperties ? UNTYPED : undefined;
}
