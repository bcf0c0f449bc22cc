import type { Check } from './checker.ts';
import { at, DESKTOPS, INSTANCES, isOperator, MACHINES, nameOf, namespaceOf, textAt, UNSEEN_MS } from './live.ts';
import type { Live } from './trail.ts';

const HALTED = 'Halted';
const CHILD_PREFIX = 'rdp-';

/**
 * I4, the part that a charge will close by: an end that the operator commands is in the desktop's status before it is carried out, for a guest that is gone cannot be
 * asked when it ended. Not judged: a guest that is too young to have been seen, and a desktop that was removed, which has no status any more.
 */
export const createEndsCheck: Check = (report) => ({
  change(change, world) {
    const { resource, actor, key, before, after, atMs } = change;
    if (!isOperator(actor) || resource !== MACHINES || before === undefined) return;
    if (strategyOf(before) === HALTED || strategyOf(after) !== HALTED) return;
    const guest = world.get(INSTANCES, key);
    if (guest === undefined || !isAlive(guest) || !(bornMs(guest) <= atMs - UNSEEN_MS)) return;
    const desktop = world.get(DESKTOPS, `${namespaceOf(key)}/${nameOf(key).slice(CHILD_PREFIX.length)}`);
    if (desktop === undefined || desktop.metadata.deletionTimestamp !== undefined) return;
    const isRecorded =
      textAt(desktop, 'status', 'epoch', 'vmiUID') === guest.metadata.uid &&
      textAt(desktop, 'status', 'epoch', 'endedAt') !== undefined;
    if (!isRecorded) report('I4', change, `its guest is stopped and no end of guest ${guest.metadata.uid} is recorded`);
  },
});

function strategyOf(machine: Live | undefined): unknown {
  return at(machine, 'spec', 'runStrategy');
}

function isAlive(guest: Live): boolean {
  const phase = textAt(guest, 'status', 'phase');
  return guest.metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed';
}

function bornMs(guest: Live): number {
  return Date.parse(guest.metadata.creationTimestamp ?? '');
}
