import { checkLabel1035, checkPathSegment } from '../names.ts';
import { childPath, type FieldError, indexPath, invalid, keyPath, required } from './fielderror.ts';
import { isObject, type JsonObject } from './json.ts';
import type { SchemaNode } from './node.ts';
import { validateObjectMeta } from './objectmeta.ts';

export type EmbeddedValidator = (object: JsonObject) => readonly FieldError[];

/** Checks type and metadata of objects inside the object, where the schema says `x-kubernetes-embedded-resource`. */
export function compileEmbeddedValidator(node: SchemaNode): EmbeddedValidator {
  const check = compileCheck(node);
  return (object) => {
    const errors: FieldError[] = [];
    check?.(object, '', errors);
    return errors;
  };
}

type Check = (value: unknown, path: string, errors: FieldError[]) => void;

/** Undefined where nothing below is such an object. */
function compileCheck(node: SchemaNode): Check | undefined {
  const items = node.items === undefined ? undefined : compileCheck(node.items);
  const { additionalProperties } = node;
  const other = typeof additionalProperties === 'object' ? compileCheck(additionalProperties) : undefined;
  const properties = new Map<string, Check>();
  for (const [name, member] of node.properties ?? []) {
    const check = compileCheck(member);
    if (check !== undefined) properties.set(name, check);
  }
  const isEmpty = items === undefined && other === undefined && properties.size === 0;
  if (isEmpty && !node.isEmbeddedResource) return undefined;
  return (value, path, errors) => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) items?.(item, indexPath(path, index), errors);
      return;
    }
    if (!isObject(value)) return;
    if (node.isEmbeddedResource) checkResource(value, path, errors);
    for (const key of Object.keys(value)) {
      if (node.properties?.has(key) === true) properties.get(key)?.(value[key], childPath(path, key), errors);
      else other?.(value[key], keyPath(path, key), errors);
    }
  };
}

function checkResource(object: JsonObject, path: string, errors: FieldError[]): void {
  for (const key of ['apiVersion', 'kind']) {
    if (!Object.hasOwn(object, key)) errors.push(required(childPath(path, key), ''));
  }
  for (const key of Object.keys(object)) {
    const at = childPath(path, key);
    const value = object[key];
    if (key === 'apiVersion') errors.push(...checkText(value, at, checkGroupVersion));
    else if (key === 'kind') errors.push(...checkText(value, at, checkKind));
    else if (key === 'metadata' && isObject(value)) {
      const { name, namespace } = value;
      const meta = name === undefined || name === '' ? { ...value, name: 'fakename' } : value;
      const isNamespaced = typeof namespace === 'string' && namespace !== '';
      errors.push(...validateObjectMeta(meta, { isNamespaced, checkName }, at));
    }
  }
}

function checkText(value: unknown, path: string, check: (text: string) => string | undefined): readonly FieldError[] {
  if (typeof value !== 'string') return [invalid(path, value, 'must be a string')];
  const detail = value === '' ? 'must not be empty' : check(value);
  return detail === undefined ? [] : [invalid(path, value, detail)];
}

function checkGroupVersion(text: string): string | undefined {
  return text.split('/').length > 2 ? `unexpected GroupVersion string: ${text}` : undefined;
}

function checkKind(text: string): string | undefined {
  const details = checkLabel1035(text.toLowerCase());
  if (details.length === 0) return undefined;
  return `may have mixed case, but should otherwise match: ${details.join(',')}`;
}

function checkName(name: string, isPrefix: boolean): readonly string[] {
  const details = checkPathSegment(name);
  return isPrefix ? details.filter((detail) => !detail.startsWith('may not be')) : details;
}
