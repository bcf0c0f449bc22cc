import { DESKTOP_PLANS, type FleetDesktop, filePath, isSold } from './fleet.ts';
import {
  change,
  comesBackAfter,
  commit,
  confirm,
  createDesktop,
  freeName,
  hasRoom,
  isUp,
  isUsable,
  MINUTE_MS,
  pickDesktop,
  pickTenant,
  type Story,
  soon,
  type Told,
  titleOf,
} from './story.ts';

export function stopDesktop(story: Story): Told | undefined {
  const desktop = pickDesktop(story, ({ power }) => power === 'Running');
  if (desktop === undefined) return undefined;
  desktop.power = 'Stopped';
  const switchOn = (): Told | undefined => {
    if (!desktop.present) return undefined;
    desktop.power = 'Running';
    expectStart(story, desktop);
    return change(story, `switch ${titleOf(desktop)} on`, desktop);
  };
  story.later(soon(story), switchOn, () => isUsable(desktop) || !desktop.present);
  return change(story, `switch ${titleOf(desktop)} off`, desktop);
}

export function restartDesktop(story: Story): Told | undefined {
  const desktop = pickDesktop(story, ({ power }) => power === 'Running');
  return desktop && restart(story, desktop);
}

export function restart(story: Story, desktop: FleetDesktop): Told {
  desktop.restartedAt = new Date(story.startMs + story.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  expectStart(story, desktop);
  return change(story, `restart ${titleOf(desktop)}`, desktop);
}

export function shutGuestDown(story: Story): Told | undefined {
  const desktop = pickDesktop(story, isUp);
  if (desktop === undefined) return undefined;
  desktop.guestDown = true;
  const startAgain = (): Told | undefined =>
    desktop.present && desktop.guestDown !== false && desktop.power === 'Running' ? restart(story, desktop) : undefined;
  story.later(soon(story), startAgain, () => isUsable(desktop) || !desktop.present);
  const { name, tenant } = desktop;
  const key = { namespace: tenant.namespace, name };
  return { what: `the guest of ${titleOf(desktop)} shuts itself down`, step: { type: 'guest', key, does: 'shutdown' } };
}

export function changePlan(story: Story): Told | undefined {
  const desktop = pickDesktop(story, () => true);
  if (desktop === undefined) return undefined;
  const [basic, plus, large] = DESKTOP_PLANS;
  const next =
    desktop.plan === large ? undefined : story.random.chance(0.2) ? large : desktop.plan === basic ? plus : basic;
  if (next === undefined) return undefined;
  desktop.plan = next;
  return change(story, `change ${titleOf(desktop)} to plan ${next}`, desktop);
}

export function removeDesktop(story: Story): Told | undefined {
  const desktop = pickDesktop(story, () => true);
  if (desktop === undefined) return undefined;
  return removeOne(story, desktop, () => {
    story.later(comesBackAfter(story, desktop.graceDays), () => {
      if (desktop.present || !isSold(desktop.tenant) || desktop.tenant.broken) return undefined;
      return bringBack(story, desktop);
    });
  });
}

function removeOne(story: Story, desktop: FleetDesktop, then: () => void): Told {
  desktop.present = false;
  desktop.removedAtMs = story.nowMs();
  story.later(10 * MINUTE_MS, confirm);
  then();
  const { name, tenant, inGit } = desktop;
  const what = `remove ${titleOf(desktop)}`;
  if (inGit) return commit(story, what, { [filePath('RDPInstance', tenant.namespace, name)]: null });
  return { what, step: { type: 'delete', kind: 'RDPInstance', key: { namespace: tenant.namespace, name } } };
}

/**
 * A guest that shut itself down is started by what is asked now, at the end of its suspension if there is one. Where something was in the way, nobody knows
 * whether what was asked before has been seen, or in which order.
 */
function expectStart(story: Story, desktop: FleetDesktop): void {
  desktop.guestDown = desktop.guestDown !== false && !story.isCaughtUp() ? 'maybe' : false;
}

export function bringBack(story: Story, desktop: FleetDesktop): Told {
  desktop.present = true;
  desktop.removedAtMs = undefined;
  expectStart(story, desktop);
  return change(story, `order ${titleOf(desktop)} again`, desktop);
}

export function orderByKubectl(story: Story): Told | undefined {
  const tenant = pickTenant(story, hasRoom);
  if (tenant === undefined) return undefined;
  const desktop = createDesktop(story, tenant, freeName(tenant, 'hand'), false);
  tenant.desktops.push(desktop);
  story.later(soon(story) * 3, () => (isUsable(desktop) ? removeOne(story, desktop, () => {}) : undefined));
  return change(story, `order ${titleOf(desktop)} with kubectl`, desktop);
}
