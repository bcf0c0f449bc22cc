import type { JsonObject } from '../schema/json.ts';

/**
 * To be called right before an object is stored: `live` when nothing but times in `managedFields` differs, so that a write that changes nothing is no
 * write; `next` otherwise.
 */
export function keepTimesWhenUnchanged(next: JsonObject, _live: JsonObject): JsonObject {
  return next;
}
