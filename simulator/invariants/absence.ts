import type { Check, Report } from './checker.ts';
import {
  annotationOf,
  at,
  BREAKER,
  CLAIMS,
  CONFIGMAPS,
  DESKTOPS,
  DISKS,
  findHome,
  HELD,
  isOperator,
  isRecent,
  isRecord,
  isSameOrder,
  MACHINES,
  NAMESPACES,
  namespaceOf,
  OWNER_KIND,
  OWNER_NAME,
  PATH,
  REMOVED_AT,
  ROOT,
  requestOf,
  SECRETS,
  SWEEP_AT,
  SYSTEM,
  TENANTS,
  textAt,
  UNSEEN_MS,
  type World,
} from './live.ts';
import type { Change, Live } from './trail.ts';

/** What holds a customer's data or identity. */
const VALUED: ReadonlySet<string> = new Set([NAMESPACES, DISKS, MACHINES, SECRETS, CLAIMS]);
const DAY_MS = 86_400_000;
/** The operator goes by the API server's time, which answers tell it to a second or so; and times are kept in whole seconds here and there. */
const APART_MS = 5_000;
/** How long a stamp may be on its way: as long as a call is tried. */
const SENT_MS = 120_000;
const SECOND_MS = 1_000;

/**
 * I7: absence deletes nothing. The operator deletes what holds data only at the end of a grace that it stamped, never while it is
 * held, the breaker is tripped, or whoever ordered it has come back. It stamps only what somebody removed, with the grace that was stated. Disks are neither made over
 * nor made smaller. What stops a machine is judged in `halts.ts`, what Git takes away in `pruning.ts`.
 */
export const createAbsenceCheck: Check = (report) => {
  /** What was last stated of a removal's grace, by `resource key`. */
  const graces = new Map<string, number>();
  /** When an order went or was asked to go, by `resource key`. */
  const removals = new Map<string, number>();
  /** The image that a desktop's disk was made from, also after it is gone. */
  const images = new Map<string, string>();
  return {
    change(change, world) {
      const { resource, key, actor } = change;
      if (resource === DISKS)
        images.set(key, textAt(change.after, 'spec', 'sourceRef', 'name') ?? images.get(key) ?? '');
      if (resource === TENANTS || resource === DESKTOPS) {
        remember(change, graces, removals);
      }
      if (!isOperator(actor) || !VALUED.has(resource)) return;
      if (resource === SECRETS && change.before?.metadata.labels?.[OWNER_KIND] !== 'RDPInstance') return;
      if (isDeletion(change)) judgeDeletion(change, world, images, report);
      else if (isStamping(change)) judgeStamp(change, world, { graces, removals }, report);
      if (resource === DISKS || resource === CLAIMS) judgeDisk(change, report);
    },
  };
};

function remember(
  { resource, key, before, after, atMs }: Change,
  graces: Map<string, number>,
  removals: Map<string, number>,
): void {
  const id = `${resource} ${key}`;
  if (after !== undefined && after.metadata.deletionTimestamp === undefined) {
    removals.delete(id);
    graces.set(id, graceOf(after));
  } else if (before !== undefined && before.metadata.deletionTimestamp === undefined) {
    graces.set(id, graceOf(before));
    removals.set(id, atMs);
  }
}

function graceOf(order: Live): number {
  const days = at(order, 'spec', 'deletion', 'graceDays');
  if (at(order, 'spec', 'deletion', 'policy') === 'Delete') return 0;
  return (typeof days === 'number' ? days : 7) * DAY_MS;
}

/** It is gone, or on its way. */
export function isDeletion({ before, after }: Change): boolean {
  if (before === undefined || before.metadata.deletionTimestamp !== undefined) return false;
  return after === undefined || after.metadata.deletionTimestamp !== undefined;
}

function isStamping({ before, after }: Change): boolean {
  return (
    before !== undefined &&
    annotationOf(before, REMOVED_AT) === undefined &&
    annotationOf(after, REMOVED_AT) !== undefined
  );
}

/** The grace ends when its stamp says, and `judgeStamp` sees to it that stamps tell the time. What came back meanwhile keeps what it left. */
function judgeDeletion(change: Change, world: World, images: ReadonlyMap<string, string>, report: Report): void {
  const { before, atMs, resource, key } = change;
  const sweepAt = Date.parse(annotationOf(before, SWEEP_AT) ?? '');
  const say = (text: string): void => report('I7', change, text);
  if (annotationOf(before, REMOVED_AT) === undefined) say('it was deleted and had never been stamped as removed');
  else if (Number.isNaN(sweepAt)) say('it was deleted and its stamp names no end of the grace');
  else if (sweepAt > atMs + APART_MS)
    say(`it was deleted ${Math.ceil((sweepAt - atMs) / SECOND_MS)} s before its grace was over`);
  if (annotationOf(before, HELD) !== undefined) say('it was deleted although the breaker held it');
  const breaker = world.get(CONFIGMAPS, `${SYSTEM}/${BREAKER}`)?.data;
  const tripped = isRecord(breaker) && breaker.id !== undefined && breaker.confirmedAt === undefined;
  const trippedAt = isRecord(breaker) ? Date.parse(String(breaker.trippedAt)) : Number.NaN;
  if (tripped && atMs - trippedAt > UNSEEN_MS) say('it was deleted while the breaker was tripped');
  const order = findOrder(resource, key, before, world);
  if (order === undefined) return;
  const live = world.get(order.resource, order.key);
  const isLive = live !== undefined && live.metadata.deletionTimestamp === undefined;
  if (!isLive || isRecent(world, order, atMs) || !isSameOrder(order.resource, live, before)) return;
  // Whoever asks for another image waits until what is left of the old one is swept.
  if (order.resource === DESKTOPS && images.get(key) !== textAt(live, 'spec', 'image')) return;
  say(`it was deleted although ${order.resource} ${order.key} is there`);
}

type Memory = { readonly graces: ReadonlyMap<string, number>; readonly removals: ReadonlyMap<string, number> };

function judgeStamp(change: Change, world: World, { graces, removals }: Memory, report: Report): void {
  const { after, resource, key } = change;
  const order = findOrder(resource, key, after, world);
  const say = (text: string): void => report('I7', change, text);
  const removedAt = Date.parse(annotationOf(after, REMOVED_AT) ?? '');
  const sweepAt = Date.parse(annotationOf(after, SWEEP_AT) ?? '');
  const lateMs = change.atMs - removedAt;
  if (lateMs > SENT_MS || lateMs < -APART_MS) say(`it is stamped as removed at ${new Date(removedAt).toISOString()}`);
  if (order === undefined) return;
  const id = `${order.resource} ${order.key}`;
  const live = world.get(order.resource, order.key);
  if (live !== undefined && live.metadata.deletionTimestamp === undefined && !removals.has(id)) {
    if (isSameOrder(order.resource, live, after)) say(`it was stamped as removed, and ${id} is there`);
    return;
  }
  const stated = graces.get(id);
  if (stated !== undefined && sweepAt - removedAt < stated - SECOND_MS) {
    say(`its grace is ${(sweepAt - removedAt) / DAY_MS} days, and ${stated / DAY_MS} were stated`);
  }
}

/** The order that something of value belongs to. */
function findOrder(
  resource: string,
  key: string,
  object: Live | undefined,
  world: World,
): { readonly resource: string; readonly key: string } | undefined {
  if (resource !== NAMESPACES) {
    const name = object?.metadata.labels?.[OWNER_NAME];
    return name === undefined ? undefined : { resource: DESKTOPS, key: `${namespaceOf(key)}/${name}` };
  }
  const path = annotationOf(object, PATH);
  if (path === undefined) return undefined;
  const cut = path.lastIndexOf('--');
  const seller = cut < 0 ? ROOT : findHome(world, path.slice(0, cut));
  return { resource: TENANTS, key: `${seller}/${cut < 0 ? path : path.slice(cut + 2)}` };
}

/** A disk's data lives as long as its request does not shrink; a new one in its place would be empty. */
function judgeDisk({ before, after, resource, atMs, key }: Change, report: Report): void {
  if (before === undefined || after === undefined) return;
  const say = (text: string): void => report('I7', { atMs, resource, key }, text);
  const old = textAt(before, 'spec', 'sourceRef', 'name');
  if (old !== undefined && old !== textAt(after, 'spec', 'sourceRef', 'name'))
    say('the disk was made over from another image');
  if (requestOf(after) < requestOf(before)) say('the disk was made smaller');
}
