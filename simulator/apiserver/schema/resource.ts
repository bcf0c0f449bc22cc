import { compileRuleValidator } from './cel/validate.ts';
import { UNCORRELATED } from './correlation.ts';
import { compileEmbeddedValidator } from './embedded.ts';
import { type FieldError, invalid, NO_FIELD } from './fielderror.ts';
import { getOwn, isObject, type JsonObject } from './json.ts';
import { compileListValidator } from './lists.ts';
import type { SchemaNode } from './node.ts';
import { type MetaRules, validateObjectMeta, validateObjectMetaUpdate } from './objectmeta.ts';
import { compileValidator } from './value/check.ts';

export type ResourceType = { readonly apiVersion: string; readonly kind: string };
export type ResourceValidator = (
  object: JsonObject,
  old: JsonObject | undefined,
  isStatus: boolean,
) => readonly FieldError[];

/** Everything that is checked of a custom resource, in the order of the API server's strategies for create, update and status. */
export function compileResourceValidator(node: SchemaNode, type: ResourceType, rules: MetaRules): ResourceValidator {
  const validateRoot = compileValidator(node);
  const statusNode = node.properties?.get('status');
  const validateStatus = statusNode === undefined ? undefined : compileValidator(statusNode);
  const validateEmbedded = compileEmbeddedValidator(node);
  const validateLists = compileListValidator(node);
  const validateRules = compileRuleValidator(node);

  const validateSchema = (object: JsonObject, old: JsonObject | undefined, isStatus: boolean) => {
    if (!isStatus) return validateRoot(object, old ?? UNCORRELATED, '');
    if (validateStatus === undefined || !Object.hasOwn(object, 'status')) return [];
    const before = old !== undefined && Object.hasOwn(old, 'status') ? old.status : UNCORRELATED;
    return validateStatus(object.status, before, 'status');
  };

  return (object, old, isStatus) => {
    const typeErrors = validateType(object, type);
    if (typeErrors.length > 0) return typeErrors;
    const errors: FieldError[] = [];
    const meta = metaOf(object);
    errors.push(
      ...(old === undefined
        ? validateObjectMeta(meta, rules, 'metadata')
        : validateObjectMetaUpdate(meta, metaOf(old), 'metadata')),
    );
    errors.push(...validateSchema(object, old, isStatus));
    if (!isStatus) errors.push(...validateEmbedded(object));
    const listErrors = validateLists(object);
    if (listErrors.length > 0 && (old === undefined || validateLists(old).length === 0)) errors.push(...listErrors);
    if (validateRules === undefined) return errors;
    if (errors.some(({ type: kind }) => BLOCKING.has(kind))) errors.push(invalid(NO_FIELD, null, UNCHECKED));
    else errors.push(...validateRules(object, old ?? UNCORRELATED));
    return errors;
  };
}

/** Errors after which rules in CEL are not asked. */
const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const UNCHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

function validateType(object: JsonObject, type: ResourceType): readonly FieldError[] {
  return (['kind', 'apiVersion'] as const).flatMap((key) => {
    const value = getOwn(object, key) ?? '';
    return value === type[key] ? [] : [invalid(key, value, `must be ${type[key]}`)];
  });
}

function metaOf(object: JsonObject): JsonObject {
  return isObject(object.metadata) ? object.metadata : {};
}
