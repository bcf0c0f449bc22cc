import type { JsonObject } from '../schema/json.ts';
import type { TypeNode } from './typenode.ts';

/** What every write that is recorded in `managedFields` knows. */
export type WriteInput = {
  /** The object as it is stored, with its `managedFields`; undefined where there is none yet. */
  readonly live: JsonObject | undefined;
  /**
   * What an object of the kind is before anything was said of it, for kinds of which some members are always there (`spec: {}`, `status: {}`).
   * Default: nothing but `apiVersion` and `kind`.
   */
  readonly empty?: JsonObject;
  readonly type: TypeNode;
  /** Of {@link managerOf}. */
  readonly manager: string;
  /** `v1`, `sublet.dev/v1alpha1`: as the request's path says. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly subresource?: string | undefined;
  /** RFC 3339 in whole seconds. */
  readonly now: string;
  /** Paths of fields that this write does not change, whatever it says of them, and so does not own. */
  readonly resetFields: readonly (readonly string[])[];
};
