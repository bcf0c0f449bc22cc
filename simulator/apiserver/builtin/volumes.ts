import { parseQuantityNanos } from '../../../kube/quantity.ts';
import { type ApiObject, objectAt } from '../object.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../schema/index.ts';
import { equalJson, isObject, type JsonObject } from '../schema/json.ts';

/** Both names of what a claim is filled from are set when one is. */
export function prepareClaim(object: ApiObject): ApiObject {
  const spec = objectAt(object, 'spec');
  const { dataSource, dataSourceRef } = spec;
  if (dataSourceRef === undefined && isObject(dataSource))
    return { ...object, spec: { ...spec, dataSourceRef: dataSource } };
  return object;
}

export function validateClaim(object: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = objectAt(object, 'spec');
  const errors: FieldError[] = [];
  if (!Array.isArray(spec.accessModes) || spec.accessModes.length === 0) {
    errors.push(required('spec.accessModes', 'at least 1 access mode is required'));
  }
  for (const mode of Array.isArray(spec.accessModes) ? spec.accessModes : []) {
    if (!MODES.includes(String(mode))) errors.push(notSupported('spec.accessModes', mode, MODES));
  }
  const requests = objectAt(objectAt(spec, 'resources'), 'requests');
  if (requests.storage === undefined) errors.push(required('spec.resources[storage]', ''));
  else if (parseQuantityNanos(String(requests.storage)) <= 0n) {
    errors.push(invalid('spec.resources[storage]', requests.storage, 'must be greater than zero'));
  }
  if (old === undefined) return errors;
  const was = objectAt(old, 'spec');
  if (!equalJson(withoutMutable(spec, was), withoutMutable(was, was))) {
    const why =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbidden('spec', why));
  }
  return errors;
}

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

/** A claim may be bound once, and asked to grow. */
function withoutMutable(spec: JsonObject, old: JsonObject): JsonObject {
  const { resources: _, volumeAttributesClassName: __, volumeName, storageClassName, ...rest } = spec;
  return {
    ...rest,
    volumeName: old.volumeName === undefined ? undefined : volumeName,
    storageClassName: old.storageClassName === undefined ? undefined : storageClassName,
  };
}
