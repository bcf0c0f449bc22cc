import type { JsonObject } from '../schema/json.ts';
import type { WriteInput } from './write.ts';

export type ApplyInput = WriteInput & {
  /** What the request states. */
  readonly applied: JsonObject;
  /** Takes over what others own and the request states otherwise, instead of refusing. */
  readonly force: boolean;
};

export type ApplyResult = {
  /** The object with its new `managedFields`, before defaults are set. */
  readonly object: JsonObject;
};

/**
 * Server-side apply. Throws what the API server answers: 409 with a cause for each conflict, 400 for another kind or stated
 * `managedFields`, 500 for what does not fit the type.
 */
export function applyServerSide(_input: ApplyInput): ApplyResult {
  throw new Error('not there yet');
}
