import type { Check } from './checker.ts';
import {
  annotationOf,
  DESKTOPS,
  findHome,
  HELD,
  INSTANCES,
  isOperator,
  isRecent,
  isSameOrder,
  listAt,
  MACHINES,
  NAMESPACES,
  namespaceOf,
  OWNER_NAME,
  PATH,
  ROOT,
  TENANTS,
  textAt,
  UNSEEN_MS,
  type World,
} from './live.ts';
import type { Live } from './trail.ts';

/** A creation is kept in whole seconds, and who asks for a restart has a clock of his own. */
const APART_MS = 5_000;

/**
 * I7, the part of machines: one that runs is stopped only for a reason that is, or a moment ago was, stated in the cluster for it or for somebody above it; and never while
 * the breaker holds its removal.
 */
export const createHaltCheck: Check = (report) => ({
  change(change, world) {
    const { resource, actor, before, after, key, atMs } = change;
    if (!isOperator(actor) || resource !== MACHINES || after === undefined) return;
    const wasRunning = textAt(before, 'spec', 'runStrategy') === 'RerunOnFailure';
    if (!wasRunning || textAt(after, 'spec', 'runStrategy') !== 'Halted') return;
    const order = { resource: DESKTOPS, key: `${namespaceOf(key)}/${after.metadata.labels?.[OWNER_NAME]}` };
    const desktop = world.get(order.resource, order.key);
    if (desktop === undefined || desktop.metadata.deletionTimestamp !== undefined) {
      if (annotationOf(after, HELD) !== undefined) report('I7', change, 'it was stopped although the breaker holds it');
      return;
    }
    if (isRecent(world, order, atMs) || textAt(desktop, 'spec', 'power') === 'Stopped') return;
    if (isRestartDue(desktop, world.get(INSTANCES, key), atMs) || hasSuspension(world, namespaceOf(key), atMs)) return;
    report(
      'I7',
      change,
      'it was stopped and nobody asked for it: not its power, no restart, no suspension, no removal',
    );
  },
});

/** A restart ends the guest that was there when it was asked for, and no later one. */
function isRestartDue(desktop: Live, guest: Live | undefined, atMs: number): boolean {
  const askedMs = Date.parse(textAt(desktop, 'spec', 'restartedAt') ?? '');
  if (!(askedMs <= atMs + APART_MS)) return false;
  const bornMs = Date.parse(guest?.metadata.creationTimestamp ?? '');
  return Number.isNaN(bornMs) || bornMs <= askedMs + APART_MS || atMs - bornMs < UNSEEN_MS;
}

/** Whether anybody up the tree suspends, holds, or is removed; or was changed so recently that nobody can tell. */
function hasSuspension(world: World, namespace: string, atMs: number): boolean {
  /** From the tenant that is looked at down to the machine's own. */
  let below = '';
  for (let home = namespace; home !== ROOT; ) {
    const live = world.get(NAMESPACES, home);
    const path = annotationOf(live, PATH);
    if (path === undefined) return true;
    const cut = path.lastIndexOf('--');
    const name = path.slice(cut < 0 ? 0 : cut + 2);
    const seller = cut < 0 ? ROOT : findHome(world, path.slice(0, cut));
    const order = { resource: TENANTS, key: `${seller}/${name}` };
    const tenant = world.get(order.resource, order.key);
    if (tenant === undefined || tenant.metadata.deletionTimestamp !== undefined) return true;
    if (isRecent(world, order, atMs) || !isSameOrder(TENANTS, tenant, live)) return true;
    if (listAt(tenant, 'spec', 'suspensions').length > 0) return true;
    const holds = listAt(tenant, 'spec', 'holds').map((hold) => textAt(hold, 'tenant'));
    if (holds.some((held) => below === held || below.startsWith(`${held}--`))) return true;
    below = below === '' ? name : `${name}--${below}`;
    home = seller;
  }
  return false;
}
