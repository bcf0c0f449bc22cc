/**
 * What a CustomResourceDefinition's schema means, as functions over JSON values. `prune` and `applyDefaults` change the object that they are
 * given, which must be the caller's own; everything else only reads.
 */
import { applyDefaults } from './defaults.ts';
import type { FieldError } from './fielderror.ts';
import type { JsonObject } from './json.ts';
import { parseNode, type SchemaNode } from './node.ts';
import { checkSubdomainName } from './objectmeta.ts';
import { compilePruner } from './prune.ts';
import { compileResourceValidator } from './resource.ts';

export { validateCrd } from './crd/index.ts';
export * from './fielderror.ts';
export type { JsonObject } from './json.ts';
export { DecodeError } from './metadata.ts';
export { findMember, type SchemaNode, type SchemaType, type ValidationRule } from './node.ts';

/** The kind that a schema belongs to, as one version of a CRD states it. */
export type CompileOptions = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** What is wrong with a name; custom resources are named by subdomains, the default. `isPrefix`: it is a `generateName`. */
  readonly checkName?: (name: string, isPrefix: boolean) => readonly string[];
};

export type ValidateOptions = {
  /** The object as it is stored; absent on create. Must be pruned and defaulted, like `object`. */
  readonly old?: JsonObject;
  /** `status`: only the status is held by the schema, as a write to the subresource is. Rules in CEL hold the whole object. */
  readonly subresource?: 'status';
};

export type CompiledSchema = {
  /** Of the root: type `object`. */
  readonly node: SchemaNode;
  /**
   * Removes unknown fields and nulls that are not allowed, also of metadata. Answers the paths of the fields removed:
   * {@link renderStrictDecodingError} makes of them what `fieldValidation=Strict` refuses and `Warn` warns of. Throws DecodeError where metadata
   * cannot be read at all, which the API server answers with 400.
   */
  readonly prune: (object: JsonObject) => readonly string[];
  /** To be called after `prune`. */
  readonly applyDefaults: (object: JsonObject) => void;
  /**
   * Everything that the API server checks of a custom resource, in its order: type, metadata (with changes to immutable parts on update),
   * schema, embedded resources, keys of lists, rules in CEL. What is unchanged on update is not held against the object, where the real one ratchets.
   */
  readonly validate: (object: JsonObject, options?: ValidateOptions) => readonly FieldError[];
};

/**
 * Compiles the schema of one version of a CRD; to be kept as long as the CRD is unchanged. Throws a TypeError on a schema that
 * `validateCrd` would have refused.
 */
export function compileSchema(openAPIV3Schema: unknown, options: CompileOptions): CompiledSchema {
  const { group, version, kind, isNamespaced, checkName = checkSubdomainName } = options;
  const node = parseNode(openAPIV3Schema);
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const validate = compileResourceValidator(node, { apiVersion, kind }, { isNamespaced, checkName });
  return {
    node,
    prune: compilePruner(node),
    applyDefaults: (object) => applyDefaults(object, node),
    validate: (object, { old, subresource } = {}) => validate(object, old, subresource === 'status'),
  };
}

/** What a field that is unknown, or that was there twice, is called in errors and warnings. */
export function renderUnknownField(path: string): string {
  return `unknown field "${path}"`;
}

/** The detail of the answer 400 to `fieldValidation=Strict`. `problems`: first duplicate fields, then unknown ones. */
export function renderStrictDecodingError(problems: readonly string[]): string {
  return `strict decoding error: ${problems.join(', ')}`;
}
