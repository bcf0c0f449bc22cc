import { compareText } from '../schema/gotext.ts';
import { EMPTY_SET, union } from './fieldset.ts';
import { buildManaged, identify, type Managed, type Managers, secondsOf } from './managed.ts';

const MAX_UPDATERS = 10;
const OLD_UPDATES = 'ancient-changes';

/** At most ten managers that update: the oldest of a version become one. */
export function capManagers(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation === 'Update');
  if (updaters.length <= MAX_UPDATERS) return managers;
  const capped = new Map(managers);
  const firstOf = new Map<string, string>();
  let left = updaters.length;
  for (const [id, managed] of updaters.sort(compareAge)) {
    if (left <= MAX_UPDATERS) break;
    const { apiVersion } = managed;
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, id);
      continue;
    }
    const writer = { manager: OLD_UPDATES, operation: 'Update' as const, apiVersion, subresource: '' };
    const bucket = identify(writer);
    const old = capped.get(bucket) ?? capped.get(first);
    if (!capped.has(bucket)) capped.delete(first);
    capped.delete(id);
    capped.set(bucket, buildManaged(writer, bucket, managed.time, union(managed.set, old?.set ?? EMPTY_SET)));
    left -= 1;
  }
  return capped;
}

function compareAge([idA, a]: [string, Managed], [idB, b]: [string, Managed]): number {
  return secondsOf(a.time) - secondsOf(b.time) || compareText(idA, idB);
}
