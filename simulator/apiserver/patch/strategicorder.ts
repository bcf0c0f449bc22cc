import { isObject } from '../schema/json.ts';
import { failure } from '../status.ts';
import { renderPlain } from './gojson.ts';
import { refuse } from './strategicrules.ts';

/** What tells an item from the others: the value of its key, or the item itself. Throws 500 where the key is missing. */
export function identityOf(item: unknown, key: string | undefined): unknown {
  if (key === undefined) return item;
  if (!isObject(item)) throw failure(500, '', 'expected a map[string]interface {}, but received another type');
  if (!Object.hasOwn(item, key)) throw refuse('key', key, item);
  return item[key];
}

/** Items named by the patch in its order; the others where they were in relation to those. */
export function orderItems(
  items: readonly unknown[],
  patchOrder: readonly unknown[],
  liveOrder: readonly unknown[],
  key: string | undefined,
): readonly unknown[] {
  const [patched, live] = [rank(patchOrder, key), rank(liveOrder, key)];
  const placeIn = (ranks: ReadonlyMap<unknown, number>, item: unknown) => ranks.get(identityOf(item, key)) ?? -1;
  const byPlace = (ranks: ReadonlyMap<unknown, number>) => (a: unknown, b: unknown) =>
    placeIn(ranks, a) - placeIn(ranks, b);
  const stated = items.filter((item) => patched.has(identityOf(item, key))).sort(byPlace(patched));
  const others = items.filter((item) => !patched.has(identityOf(item, key))).sort(byPlace(live));
  const ordered: unknown[] = [];
  let [next, other] = [0, 0];
  while (next < stated.length && other < others.length) {
    const [left, right] = [placeIn(live, others[other]), placeIn(live, stated[next])];
    if (left >= 0 && right >= 0 && left < right) ordered.push(others[other++]);
    else ordered.push(stated[next++]);
  }
  return [...ordered, ...stated.slice(next), ...others.slice(other)];
}

function rank(items: readonly unknown[], key: string | undefined): ReadonlyMap<unknown, number> {
  const ranks = new Map<unknown, number>();
  for (const [index, item] of items.entries()) {
    const identity = identityOf(item, key);
    if (!ranks.has(identity)) ranks.set(identity, index);
  }
  return ranks;
}

/** Throws 500 when the items of a patch are not in the order that it states, or not among those that the order names. */
export function validateOrder(stated: readonly unknown[], order: readonly unknown[], key: string | undefined): void {
  if (stated.length === 0 || order.length === 0) return;
  const named = stated.filter((item) => !isObject(item) || !Object.hasOwn(item, '$patch'));
  let place = 0;
  for (const entry of order) {
    const item = named[place];
    if (place < named.length && identityOf(item, key) === identityOf(entry, key)) place += 1;
  }
  if (place === named.length) return;
  const lists = `The order in patch list:\n${renderPlain(stated)}\n doesn't match $setElementOrder list:\n${renderPlain(order)}\n`;
  throw failure(500, '', lists);
}
