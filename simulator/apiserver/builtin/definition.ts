import { CLEANUP, setConditions } from '../conditions.ts';
import { type ApiObject, objectAt, withMeta } from '../object.ts';
import { validateCrd } from '../schema/crd/index.ts';
import type { FieldError } from '../schema/index.ts';
import { isObject } from '../schema/json.ts';

/** A new definition has accepted nothing yet. */
export function prepareDefinition(object: ApiObject, old: ApiObject | undefined): ApiObject {
  if (old !== undefined) return object;
  const { versions } = objectAt(object, 'spec');
  const stored = Array.isArray(versions) ? versions.filter(isObject).filter(({ storage }) => storage === true) : [];
  const storedVersions = stored.map(({ name }) => name);
  return {
    ...object,
    status: {
      conditions: null,
      acceptedNames: { plural: '', kind: '' },
      ...(storedVersions.length === 0 ? {} : { storedVersions }),
    },
  };
}

export function validateDefinition(object: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  return validateCrd(object, old);
}

/** The objects of a definition go before it. */
export function terminateDefinition(object: ApiObject, now: string): ApiObject {
  const { finalizers = [] } = object.metadata;
  const added = finalizers.includes(CLEANUP) ? finalizers : [...finalizers, CLEANUP];
  const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon';
  const terminating = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message };
  const status = objectAt(object, 'status');
  const conditions = setConditions(status.conditions, [terminating], now);
  return { ...withMeta(object, { finalizers: added }), status: { ...status, conditions } };
}
