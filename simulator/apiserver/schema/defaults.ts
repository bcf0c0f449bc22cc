import { cloneJson, isObject, type JsonObject, setOwn } from './json.ts';
import { findMember, type SchemaNode } from './node.ts';

/**
 * Sets the defaults of fields that are absent, or null where null is not allowed. Changes `object`; the defaults set are copies of their own.
 * An absent object without a default stays absent, and so do the defaults inside it.
 */
export function applyDefaults(object: JsonObject, node: SchemaNode): void {
  applyToMembers(object, node);
}

function applyToValue(value: unknown, node: SchemaNode | undefined): void {
  if (node === undefined) return;
  if (isObject(value)) applyToMembers(value, node);
  else if (Array.isArray(value) && node.items !== undefined) applyToItems(value, node.items);
}

function applyToMembers(object: JsonObject, node: SchemaNode): void {
  for (const [key, property] of node.properties ?? []) {
    if (property.default === undefined) continue;
    const isSet = Object.hasOwn(object, key);
    if (!isSet || (object[key] === null && !property.isNullable)) setOwn(object, key, cloneJson(property.default));
  }
  for (const key of Object.keys(object)) {
    const member = findMember(node, key);
    if (member !== undefined && object[key] === null && isReplaced(node, key, member)) {
      setOwn(object, key, cloneJson(member.default ?? null));
    }
    applyToValue(object[key], member);
  }
}

function isReplaced(node: SchemaNode, key: string, member: SchemaNode): boolean {
  return node.properties?.has(key) !== true && !member.isNullable;
}

function applyToItems(items: unknown[], node: SchemaNode): void {
  for (const [index, item] of items.entries()) {
    if (item === null && !node.isNullable) items[index] = cloneJson(node.default ?? null);
    applyToValue(items[index], node);
  }
}
