import { CLEANUP } from '../definitions.ts';
import { type ApiObject, objectAt, withMeta } from '../object.ts';
import { type FieldError, invalid } from '../schema/index.ts';
import { isObject } from '../schema/json.ts';

/** A new definition waits for its objects when it is deleted, and has accepted nothing yet. */
export function prepareDefinition(object: ApiObject, old: ApiObject | undefined): ApiObject {
  if (old !== undefined) return object;
  const { finalizers = [] } = object.metadata;
  const added = finalizers.includes(CLEANUP) ? finalizers : [...finalizers, CLEANUP];
  const { versions } = objectAt(object, 'spec');
  const storage = Array.isArray(versions)
    ? versions.filter(isObject).find((version) => version.storage === true)
    : undefined;
  const status = {
    acceptedNames: { plural: '', kind: '' },
    storedVersions: storage === undefined ? [] : [storage.name],
  };
  return { ...withMeta(object, { finalizers: added }), status };
}

export function validateDefinition(object: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = objectAt(object, 'spec');
  const errors: FieldError[] = [];
  const expected = `${objectAt(spec, 'names').plural}.${spec.group}`;
  if (object.metadata.name !== expected) {
    errors.push(invalid('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (old === undefined) return errors;
  const was = objectAt(old, 'spec');
  if (spec.scope !== was.scope) errors.push(invalid('spec.scope', spec.scope, 'field is immutable'));
  if (spec.group !== was.group) errors.push(invalid('spec.group', spec.group, 'field is immutable'));
  return errors;
}
