import { isObject, type JsonObject } from '../schema/json.ts';
import { failure } from '../status.ts';
import { identityOf, orderItems } from './strategicorder.ts';
import { refuse } from './strategicrules.ts';

type MergeItem = (item: JsonObject, patch: JsonObject) => JsonObject;

/** The items of both lists: those told apart by `key` merged, scalars once each. */
export function mergeLists(
  old: readonly unknown[],
  patch: readonly unknown[],
  key: string | undefined,
  mergeItem: MergeItem,
): readonly unknown[] {
  if (old.length === 0 && patch.length === 0) return old;
  assertOneKind([...old, ...patch]);
  if (!isObject(old[0] ?? patch[0])) return orderItems([...new Set([...old, ...patch])], patch, old, undefined);
  if (key === undefined) throw failure(500, '', 'cannot merge lists without merge key');
  const special = applyDirectives(old, patch as readonly JsonObject[], key);
  return orderItems(mergeByKey(special.old, special.patch, key, mergeItem), special.patch, special.old, key);
}

function assertOneKind(items: readonly unknown[]): void {
  const kindOf = (item: unknown) => (Array.isArray(item) ? 'list' : typeof item);
  const [first] = items;
  if (items.some((item) => kindOf(item) === 'list')) {
    throw failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
  if (items.some((item) => item === null || kindOf(item) !== kindOf(first))) {
    throw failure(500, '', 'list element types are not identical: [map[string]interface {} string]');
  }
}

/** Items that say `$patch` are not merged: `delete` takes away, `replace` takes everything. */
function applyDirectives(
  old: readonly unknown[],
  patch: readonly JsonObject[],
  key: string,
): { readonly old: readonly unknown[]; readonly patch: readonly JsonObject[] } {
  let left = old;
  let replaces = false;
  for (const item of patch) {
    if (!Object.hasOwn(item, '$patch')) continue;
    if (item.$patch === 'replace') replaces = true;
    else if (item.$patch === 'merge') throw failure(500, '', 'merging lists cannot yet be specified in the patch');
    else if (item.$patch !== 'delete') throw refuse('type', item.$patch, item);
    else {
      const gone = identityOf(item, key);
      left = left.filter((other) => !isObject(other) || other[key] !== gone);
    }
  }
  const plain = patch.filter((item) => !Object.hasOwn(item, '$patch'));
  return replaces ? { old: plain, patch: [] } : { old: left, patch: plain };
}

function mergeByKey(
  old: readonly unknown[],
  patch: readonly JsonObject[],
  key: string,
  mergeItem: MergeItem,
): readonly unknown[] {
  const merged = [...old];
  for (const item of patch) {
    const identity = identityOf(item, key);
    const found = merged.findIndex((other) => isObject(other) && other[key] === identity);
    const match = merged[found];
    if (isObject(match)) merged[found] = mergeItem(match, item);
    else merged.push(item);
  }
  return merged;
}

/**
 * What the API server sees in the place of `old` once it merged `patch` into that in place: deleted items leave their places to those after them, and new
 * items take what places became free. It is the order that items beside those of the patch are held to.
 */
export function placesAfter(
  old: readonly unknown[],
  patch: readonly unknown[],
  key: string | undefined,
): readonly unknown[] {
  if (key === undefined || patch.some((item) => isObject(item) && item.$patch === 'replace')) return old;
  const places = [...old];
  let length = old.length;
  const indexOf = (identity: unknown) =>
    places.slice(0, length).findIndex((item) => identityOf(item, key) === identity);
  for (const item of patch) {
    if (!isObject(item) || item.$patch !== 'delete') continue;
    for (let index = indexOf(item[key]); index >= 0; index = indexOf(item[key])) {
      places.copyWithin(index, index + 1, length);
      length -= 1;
    }
  }
  for (const item of patch) {
    if (!isObject(item) || Object.hasOwn(item, '$patch') || indexOf(item[key]) >= 0) continue;
    if (length < old.length) places[length] = item;
    else places.push(item);
    length += 1;
  }
  return places.slice(0, old.length);
}
