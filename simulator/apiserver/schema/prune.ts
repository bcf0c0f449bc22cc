import { invalid, renderFieldError } from './fielderror.ts';
import { compareText } from './gotext.ts';
import { isObject, type JsonObject } from './json.ts';
import { DecodeError, decodeMeta } from './metadata.ts';
import { findMember, type SchemaNode } from './node.ts';

/** Prunes a whole object. Throws DecodeError. */
export type Pruner = (object: JsonObject) => readonly string[];

/**
 * Removes from a root object every field that the schema does not know, and every null that is neither allowed nor replaced by a default. Changes
 * the object. Answers the paths of the unknown fields as `unknown field "..."` names them: of the metadata, of all else, and of metadata inside.
 */
export function compilePruner(node: SchemaNode): Pruner {
  const root: SchemaNode = node.isEmbeddedResource ? node : { ...node, isEmbeddedResource: true };
  const hasEmbedded = containsEmbedded(node);
  return (object) => {
    const unknown: string[] = [];
    if (Object.hasOwn(object, 'metadata')) {
      const decoded = decodeMeta(object.metadata);
      object.metadata = decoded.meta;
      unknown.push(...decoded.unknown.map((path) => `metadata.${path}`));
    }
    unknown.push(...pruneUnknown(object, root));
    pruneNulls(object, node);
    if (hasEmbedded) unknown.push(...coerceEmbedded(object, node));
    return unknown;
  };
}

function containsEmbedded(node: SchemaNode): boolean {
  const { properties, additionalProperties, items } = node;
  const members = [...(properties?.values() ?? []), ...(items === undefined ? [] : [items])];
  if (typeof additionalProperties === 'object') members.push(additionalProperties);
  return members.some((member) => member.isEmbeddedResource || containsEmbedded(member));
}

/** Type and metadata of resources inside: what is unknown goes, what cannot be read is refused. */
function coerceEmbedded(object: JsonObject, node: SchemaNode): readonly string[] {
  const unknown: string[] = [];
  const visit = (value: unknown, at: SchemaNode | undefined, path: string): void => {
    if (at === undefined) return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, at.items, `${path}[${index}]`);
      return;
    }
    if (!isObject(value)) return;
    if (at.isEmbeddedResource) unknown.push(...coerceResource(value, path));
    for (const key of Object.keys(value)) visit(value[key], findMember(at, key), memberPath(path, key));
  };
  visit(object, node, '');
  return unknown.sort(compareText);
}

function coerceResource(resource: JsonObject, path: string): readonly string[] {
  for (const key of ['apiVersion', 'kind']) {
    const value = resource[key];
    if (value !== undefined && typeof value !== 'string') {
      throw new DecodeError(renderFieldError(invalid(memberPath(path, key), value, 'must be a string')));
    }
  }
  if (!Object.hasOwn(resource, 'metadata')) return [];
  const at = memberPath(path, 'metadata');
  try {
    const { meta, unknown } = decodeMeta(resource.metadata);
    resource.metadata = meta;
    return unknown.map((field) => memberPath(at, field));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(renderFieldError(invalid(at, resource.metadata, error.message)));
  }
}

/** Removes unknown fields of any value; answers their paths, sorted. */
export function pruneUnknown(value: unknown, node: SchemaNode): readonly string[] {
  const unknown: string[] = [];
  pruneValue(value, node, '', unknown);
  return unknown.sort(compareText);
}

const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

function pruneValue(value: unknown, node: SchemaNode | undefined, path: string, unknown: string[]): void {
  if (node?.preservesUnknownFields === true) {
    pruneDescribed(value, node, path, unknown);
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) pruneValue(item, node?.items, `${path}[${index}]`, unknown);
    return;
  }
  if (!isObject(value)) return;
  for (const key of Object.keys(value)) {
    if (node?.isEmbeddedResource === true && META_FIELDS.has(key)) continue;
    const property = node?.properties?.get(key);
    if (property !== undefined) pruneValue(value[key], property, memberPath(path, key), unknown);
    else if (node !== undefined && isOpen(node))
      pruneValue(value[key], findMember(node, key), memberPath(path, key), unknown);
    else {
      if (path !== '' || !META_FIELDS.has(key)) unknown.push(memberPath(path, key));
      delete value[key];
    }
  }
}

/** Below a node that keeps unknown fields, what is described is pruned still. */
function pruneDescribed(value: unknown, node: SchemaNode | undefined, path: string, unknown: string[]): void {
  if (node === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) pruneDescribed(item, node.items, `${path}[${index}]`, unknown);
    return;
  }
  if (!isObject(value)) return;
  for (const key of Object.keys(value)) {
    if (node.isEmbeddedResource && META_FIELDS.has(key)) continue;
    const property = node.properties?.get(key);
    if (property !== undefined) pruneValue(value[key], property, memberPath(path, key), unknown);
    else if (isOpen(node)) pruneValue(value[key], findMember(node, key), memberPath(path, key), unknown);
  }
}

function isOpen(node: SchemaNode): boolean {
  return node.additionalProperties !== undefined;
}

function pruneNulls(value: unknown, node: SchemaNode | undefined): void {
  if (node === undefined) return;
  if (Array.isArray(value)) {
    for (const item of value) pruneNulls(item, node.items);
    return;
  }
  if (!isObject(value)) return;
  for (const key of Object.keys(value)) {
    const member = findMember(node, key);
    if (value[key] === null && member !== undefined && !member.isNullable && member.default === undefined) {
      delete value[key];
    } else {
      pruneNulls(value[key], member);
    }
  }
}

function memberPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
