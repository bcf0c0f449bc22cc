import { CLEANUP, setConditions } from '../conditions.ts';
import { type ApiObject, objectAt, withMeta } from '../object.ts';
import { validateCrd } from '../schema/crd/index.ts';
import type { FieldError } from '../schema/index.ts';
import { isObject } from '../schema/json.ts';

/** A new definition has accepted nothing yet. The version that is stored from now on is noted. */
export function prepareDefinition(object: ApiObject, old: ApiObject | undefined): ApiObject {
  const { versions } = objectAt(object, 'spec');
  const storage = Array.isArray(versions)
    ? versions.filter(isObject).find((version) => version.storage === true)
    : undefined;
  const status = objectAt(old === undefined ? {} : object, 'status');
  const known = Array.isArray(status.storedVersions) ? status.storedVersions : [];
  const isKnown = storage === undefined || known.includes(storage.name);
  if (old !== undefined && isKnown) return object;
  const storedVersions = isKnown ? known : [...known, storage.name];
  const fresh = { conditions: null, acceptedNames: { plural: '', kind: '' } };
  return {
    ...object,
    status: { ...(old === undefined ? fresh : status), ...(storedVersions.length === 0 ? {} : { storedVersions }) },
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
