import { nowOf, type WriteCall } from './core.ts';
import { finishApplied } from './decode.ts';
import { apiVersionOf } from './kinds.ts';
import type { ApiObject } from './object.ts';
import {
  applyServerSide,
  copyButManagedFields,
  keepTimesWhenUnchanged,
  typeOf,
  updateManagedFields,
} from './patch/index.ts';
import type { JsonObject } from './schema/json.ts';

/** `object` with what a create, update or patch changed noted in its `managedFields`. */
export function trackUpdate(call: WriteCall, live: ApiObject | undefined, object: ApiObject): ApiObject {
  return updateManagedFields({ ...writeOf(call, live), next: object }) as ApiObject;
}

/** What server-side apply makes of the present object and what is applied, decoded. */
export function applyFields(call: WriteCall, live: ApiObject | undefined, applied: JsonObject): ApiObject {
  const { force = false } = call.options;
  const { object } = applyServerSide({ ...writeOf(call, live), applied, force });
  if (object === live) return live;
  return finishApplied(copyButManagedFields(object), call.kind);
}

/** When nothing but times in `managedFields` changed, nothing changed. */
export function keepTimestamps(object: ApiObject, old: ApiObject): ApiObject {
  return keepTimesWhenUnchanged(object, old) as ApiObject;
}

function writeOf(call: WriteCall, live: ApiObject | undefined) {
  const { kind, subresource, manager } = call;
  const { strategy } = kind;
  return {
    live,
    ...(kind.empty === undefined ? {} : { empty: kind.empty }),
    type: typeOf(kind.schema.node),
    manager,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    isCustom: kind.custom,
    otherVersions: [apiVersionOf({ group: kind.group, version: kind.storageVersion })],
    subresource,
    now: nowOf(call.core),
    resetFields: subresource === 'status' ? strategy.statusResetFields : strategy.resetFields,
  };
}
