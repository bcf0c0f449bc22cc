import type { JsonObject } from '../schema/json.ts';
import { difference, EMPTY_SET, type FieldSet, intersection, isSubset, union, withNamedFields } from './fieldset.ts';
import type { Managers } from './managed.ts';
import { removeItems } from './removeitems.ts';
import { toFieldSet } from './tofieldset.ts';
import type { TypeNode } from './typenode.ts';

/**
 * What was applied on top of an object, without what its manager stated the last time, states no more, and nobody else owns. `stated` is what it states
 * now; `managers` holds that already.
 */
export function pruneApplied(
  merged: JsonObject,
  type: TypeNode,
  last: FieldSet,
  stated: FieldSet,
  managers: Managers,
): JsonObject {
  if (isSubset(last, stated)) return merged;
  let owned = EMPTY_SET;
  for (const { set } of managers.values()) owned = union(owned, set);
  const named = (set: FieldSet) => withNamedFields(set, type);
  const all = named(toFieldSet(merged, type));
  const stripped = removeItems(merged, type, named(last));
  const keep = union(named(toFieldSet(stripped, type)), named(owned));
  const restored = removeItems(merged, type, difference(all, keep));
  const gone = difference(all, named(toFieldSet(restored, type)));
  return removeItems(merged, type, intersection(gone, named(last))) as JsonObject;
}
