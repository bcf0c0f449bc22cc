import type { JsonObject } from '../schema/json.ts';
import type { WriteInput } from './write.ts';

export type UpdateInput = WriteInput & {
  /** The object as the write leaves it: defaulted, with the `managedFields` that the request sent. */
  readonly next: JsonObject;
};

/**
 * `next` with the `managedFields` that a write other than apply leaves: its manager owns what it changed, and whoever owned that before no longer does.
 * What a request itself says in `managedFields` counts, but for subresources; an empty list, or one with an empty entry, ends all
 * ownership. An object without any stays so until it is applied.
 */
export function updateManagedFields(_input: UpdateInput): JsonObject {
  throw new Error('not there yet');
}
