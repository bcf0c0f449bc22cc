import { compareText } from './gotext.ts';
import { isObject, type JsonObject } from './json.ts';
import { findMember, type SchemaNode } from './node.ts';

/**
 * Removes from a root object every field that the schema does not know, and every null that is neither allowed nor replaced by a default.
 * Changes `object`. Answers the paths of the unknown fields, sorted, as `unknown field "..."` names them. `apiVersion`, `kind` and `metadata` of the
 * root and of embedded resources are left alone.
 */
export function prune(object: JsonObject, node: SchemaNode): readonly string[] {
  const unknown = pruneUnknown(object, node.isEmbeddedResource ? node : { ...node, isEmbeddedResource: true });
  pruneNulls(object, node);
  return unknown;
}

/** The part of {@link prune} that is about unknown fields, of any value. */
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
