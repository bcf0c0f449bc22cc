import type { KubeObject } from '../../kube/object.ts';
import { API_VERSION } from '../../model/group.ts';
import type { SeededRandom } from '../random.ts';
import {
  createTenant,
  DESKTOP_PLANS,
  desktopSpec,
  type FleetDesktop,
  type FleetTenant,
  filePath,
  IMAGE,
  isSold,
  isSuspended,
  MISSING_IMAGE,
  renderDesktop,
  renderPriceList,
  renderTenant,
} from './fleet.ts';
import type { Step } from './steps.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** What has been said and done so far, and where the next thing is put. */
export type Story = {
  readonly random: SeededRandom;
  readonly tenants: FleetTenant[];
  /** The branch as people mean it to be. */
  readonly files: Map<string, string>;
  /** Of the day that begins at 0, by RFC 3339. */
  readonly startMs: number;
  readonly nowMs: () => number;
  /** Something that follows, after a while, once `possible`; it looks anew whether it still makes sense. */
  readonly later: (afterMs: number, deed: Deed, possible?: () => boolean) => void;
};

/** One thing that people do; undefined when it makes no sense now. */
export type Deed = (story: Story) => Told | undefined;
export type Told = { readonly what: string; readonly step: Step };

/** What people do once their desktops are there; the numbers say how often. */
export const DEEDS: readonly (readonly [weight: number, deed: Deed])[] = [
  [30, stopDesktop],
  [14, restartDesktop],
  [8, shutGuestDown],
  [8, changePlan],
  [6, removeDesktop],
  [5, suspendTenant],
  [3, holdTenant],
  [3, removeTenant],
  [3, breakFolder],
  [3, orderUnknownPlan],
  [2, orderMissingImage],
  [2, exceedQuota],
  [4, orderByKubectl],
];

export function orderPriceList(story: Story, seller: FleetTenant | undefined): Told {
  const changes = renderPriceList(seller);
  return commit(story, `${seller?.path ?? 'the provider'} publishes a price list`, changes);
}

export function orderTenant(
  story: Story,
  parent: FleetTenant | undefined,
  name: string,
  type: FleetTenant['type'],
  desktops: number,
): Told {
  const { random } = story;
  const graceDays = random.pick([1, 7, 7]);
  const tenant = createTenant(parent, name, { type, graceDays, id: `${name}-${random.integer(1_000, 9_999)}` });
  story.tenants.push(tenant);
  for (let i = 0; i < desktops; i++) tenant.desktops.push(createDesktop(story, tenant, `desk-${i + 1}`, true));
  const changes: Record<string, string> = { [filePath(tenant.residence, name)]: renderTenant(tenant) };
  if (type === 'Reseller') Object.assign(changes, renderPriceList(tenant));
  for (const desktop of tenant.desktops) changes[filePath(tenant.namespace, desktop.name)] = renderDesktop(desktop);
  return commit(story, `order tenant ${tenant.path} with ${desktops} desktops`, changes);
}

function createDesktop(story: Story, tenant: FleetTenant, name: string, inGit: boolean): FleetDesktop {
  const { random } = story;
  return {
    name,
    tenant,
    inGit,
    username: random.pick(['anna', 'ben', 'carla', 'dora']),
    access: 'LoadBalancer',
    graceDays: random.pick([1, 7, 7]),
    plan: random.pick(DESKTOP_PLANS.slice(0, 2)),
    image: IMAGE,
    power: 'Running',
    restartedAt: undefined,
    present: true,
    removedAtMs: undefined,
    guestDown: false,
    refused: false,
    unclear: false,
  };
}

function stopDesktop(story: Story): Told | undefined {
  const desktop = pickDesktop(story, ({ power }) => power === 'Running');
  if (desktop === undefined) return undefined;
  desktop.power = 'Stopped';
  const switchOn = (): Told | undefined => {
    if (!desktop.present) return undefined;
    desktop.power = 'Running';
    desktop.guestDown = false;
    return change(story, `switch ${titleOf(desktop)} on`, desktop);
  };
  story.later(soon(story), switchOn, () => isUsable(desktop) || !desktop.present);
  return change(story, `switch ${titleOf(desktop)} off`, desktop);
}

function restartDesktop(story: Story): Told | undefined {
  const desktop = pickDesktop(story, ({ power }) => power === 'Running');
  return desktop && restart(story, desktop);
}

function restart(story: Story, desktop: FleetDesktop): Told {
  desktop.restartedAt = new Date(story.startMs + story.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  if (!isSuspended(desktop.tenant)) desktop.guestDown = false;
  return change(story, `restart ${titleOf(desktop)}`, desktop);
}

function shutGuestDown(story: Story): Told | undefined {
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

function changePlan(story: Story): Told | undefined {
  const desktop = pickDesktop(story, () => true);
  if (desktop === undefined) return undefined;
  const [basic, plus, large] = DESKTOP_PLANS;
  const next =
    desktop.plan === large ? undefined : story.random.chance(0.2) ? large : desktop.plan === basic ? plus : basic;
  if (next === undefined) return undefined;
  desktop.plan = next;
  return change(story, `change ${titleOf(desktop)} to plan ${next}`, desktop);
}

function removeDesktop(story: Story): Told | undefined {
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
  if (inGit) return commit(story, what, { [filePath(tenant.namespace, name)]: null });
  return { what, step: { type: 'delete', kind: 'RDPInstance', key: { namespace: tenant.namespace, name } } };
}

function bringBack(story: Story, desktop: FleetDesktop): Told {
  desktop.present = true;
  desktop.removedAtMs = undefined;
  desktop.guestDown = false;
  return change(story, `order ${titleOf(desktop)} again`, desktop);
}

function suspendTenant(story: Story): Told | undefined {
  const tenant = pickTenant(story, ({ suspensions }) => suspensions.length === 0);
  if (tenant === undefined) return undefined;
  const reason = story.random.pick(['Payment', 'Request', 'Maintenance']);
  tenant.suspensions = [reason];
  const resume = (): Told => {
    tenant.suspensions = [];
    startBelow(story, tenant);
    return changeTenant(story, `resume ${tenant.path}`, tenant);
  };
  story.later(soon(story) * 2, resume, () => isMendable(tenant));
  return changeTenant(story, `suspend ${tenant.path} for ${reason}`, tenant);
}

function holdTenant(story: Story): Told | undefined {
  const tenant = pickTenant(
    story,
    ({ parent }) => parent !== undefined && isMendable(parent) && parent.holds.length === 0,
  );
  const above = tenant?.parent;
  if (tenant === undefined || above === undefined) return undefined;
  above.holds = [{ tenant: tenant.name, reason: 'Abuse' }];
  const release = (): Told => {
    above.holds = [];
    startBelow(story, tenant);
    return changeTenant(story, `${above.path} no longer holds ${tenant.path}`, above);
  };
  story.later(soon(story) * 2, release, () => isMendable(above));
  return changeTenant(story, `${above.path} holds ${tenant.path}`, above);
}

/** What a suspension stopped is started by its end, also what its guest had shut down before. */
function startBelow(story: Story, tenant: FleetTenant): void {
  for (const below of story.tenants) {
    if (below !== tenant && !below.path.startsWith(`${tenant.path}--`)) continue;
    if (!isSuspended(below)) for (const desktop of below.desktops) desktop.guestDown = false;
  }
}

function removeTenant(story: Story): Told | undefined {
  const tenant = pickTenant(story, (one) => one.type === 'Customer' && one.desktops.every(({ inGit }) => inGit));
  if (tenant === undefined) return undefined;
  const changes: Record<string, string | null> = { [filePath(tenant.residence, tenant.name)]: null };
  const folder = filePath(tenant.namespace, '').replace(/\.yaml$/, '');
  for (const path of story.files.keys()) if (path.startsWith(folder)) changes[path] = null;
  tenant.present = false;
  tenant.removedAtMs = story.nowMs();
  if (story.random.chance(0.6)) {
    story.later(comesBackAfter(story, tenant.graceDays), () => {
      if (tenant.present || !isMendableParent(tenant)) return undefined;
      return tenantComesBack(story, tenant);
    });
  }
  story.later(10 * MINUTE_MS, confirm);
  return commit(story, `remove tenant ${tenant.path} and its folder`, changes);
}

function tenantComesBack(story: Story, tenant: FleetTenant): Told {
  tenant.present = true;
  tenant.removedAtMs = undefined;
  const changes: Record<string, string> = { [filePath(tenant.residence, tenant.name)]: renderTenant(tenant) };
  for (const desktop of tenant.desktops) {
    if (!desktop.present) continue;
    desktop.guestDown = false;
    changes[filePath(tenant.namespace, desktop.name)] = renderDesktop(desktop);
  }
  return commit(story, `tenant ${tenant.path} comes back`, changes);
}

/** The folder stays at its last good content until somebody mends the file. */
function breakFolder(story: Story): Told | undefined {
  const desktop = pickDesktop(story, ({ inGit }) => inGit);
  if (desktop === undefined) return undefined;
  const { tenant, name } = desktop;
  const path = filePath(tenant.namespace, name);
  const good = renderDesktop(desktop);
  const broken = story.random.pick([
    `${good}  - not: [yaml\n`,
    good.replace(/username: .*/, 'username: root'),
    `${good}---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: stolen\n`,
    good.replace('spec:', 'spec:\n  privileged: true'),
  ]);
  tenant.broken = true;
  story.later(soon(story), () => {
    tenant.broken = false;
    tenant.astray = false;
    return commit(story, `mend ${path}`, { [path]: good });
  });
  return commit(story, `break ${path}`, { [path]: broken });
}

function orderUnknownPlan(story: Story): Told | undefined {
  return orderRefused(story, 'a plan that nobody sells', (desktop) => ({ ...desktop, plan: 'gold' }));
}

function orderMissingImage(story: Story): Told | undefined {
  return orderRefused(story, 'an image that is not there', (desktop) => ({ ...desktop, image: MISSING_IMAGE }));
}

function orderRefused(story: Story, why: string, spoil: (desktop: FleetDesktop) => FleetDesktop): Told | undefined {
  const tenant = pickTenant(story, hasRoom);
  if (tenant === undefined) return undefined;
  const desktop = createDesktop(story, tenant, freeName(tenant, 'new'), true);
  desktop.refused = true;
  tenant.desktops.push(desktop);
  const path = filePath(tenant.namespace, desktop.name);
  const correct = (): Told | undefined => {
    if (!desktop.present) return undefined;
    desktop.refused = false;
    return change(story, `correct ${titleOf(desktop)}`, desktop);
  };
  story.later(soon(story), correct, () => isUsable(desktop) || !desktop.present);
  return commit(story, `order ${titleOf(desktop)} with ${why}`, { [path]: renderDesktop(spoil(desktop)) });
}

/** More than the plan allows; the last ones are refused until something goes. */
function exceedQuota(story: Story): Told | undefined {
  const tenant = pickTenant(story, ({ type }) => type === 'Customer');
  if (tenant === undefined) return undefined;
  const there = tenant.desktops.filter(({ present }) => present).length;
  const extra = Array.from({ length: 8 - there + 2 }, (_, i) => createDesktop(story, tenant, `more-${i + 1}`, true));
  if (tenant.desktops.some(({ name }) => name.startsWith('more-'))) return undefined;
  for (const desktop of [...extra, ...tenant.desktops]) desktop.unclear = true;
  const paths = extra.map(({ name }) => filePath(tenant.namespace, name));
  const giveUp = (): Told => {
    for (const desktop of tenant.desktops) desktop.unclear = false;
    story.later(10 * MINUTE_MS, confirm);
    const changes = Object.fromEntries(paths.map((path) => [path, null]));
    return commit(story, `${tenant.path} gives up what does not fit`, changes);
  };
  story.later(soon(story), giveUp, () => isMendable(tenant));
  const changes = Object.fromEntries(extra.map((desktop, i) => [paths[i] ?? '', renderDesktop(desktop)]));
  return commit(story, `${tenant.path} orders ${extra.length} desktops more than its plan has`, changes);
}

function orderByKubectl(story: Story): Told | undefined {
  const tenant = pickTenant(story, hasRoom);
  if (tenant === undefined) return undefined;
  const desktop = createDesktop(story, tenant, freeName(tenant, 'hand'), false);
  tenant.desktops.push(desktop);
  story.later(soon(story) * 3, () => (isUsable(desktop) ? removeOne(story, desktop, () => {}) : undefined));
  return change(story, `order ${titleOf(desktop)} with kubectl`, desktop);
}

export function confirm(): Told {
  return { what: 'a person looks for what is held, and confirms it', step: { type: 'confirm' } };
}

function change(story: Story, what: string, desktop: FleetDesktop): Told {
  const { tenant, name, inGit } = desktop;
  if (inGit) return commit(story, what, { [filePath(tenant.namespace, name)]: renderDesktop(desktop) });
  const metadata = { namespace: tenant.namespace, name };
  const object: KubeObject & { readonly spec: unknown } = {
    apiVersion: API_VERSION,
    kind: 'RDPInstance',
    metadata,
    spec: desktopSpec(desktop),
  };
  return { what, step: { type: 'apply', object } };
}

function changeTenant(story: Story, what: string, tenant: FleetTenant): Told {
  return commit(story, what, { [filePath(tenant.residence, tenant.name)]: renderTenant(tenant) });
}

export function commit(story: Story, what: string, changes: Readonly<Record<string, string | null>>): Told {
  for (const [path, text] of Object.entries(changes)) {
    if (text === null) story.files.delete(path);
    else story.files.set(path, text);
  }
  return { what, step: { type: 'commit', changes } };
}

/** One of those that people can do something with now. */
function pickDesktop(story: Story, wanted: (desktop: FleetDesktop) => boolean): FleetDesktop | undefined {
  const tenant = pickTenant(story, ({ desktops }) => desktops.length > 0);
  const found = tenant?.desktops.filter((desktop) => isUsable(desktop) && !desktop.refused && wanted(desktop)) ?? [];
  return found.length === 0 ? undefined : story.random.pick(found);
}

function pickTenant(story: Story, wanted: (tenant: FleetTenant) => boolean): FleetTenant | undefined {
  if (story.tenants.length === 0) return undefined;
  const tenant = story.random.pick(story.tenants);
  return isMendable(tenant) && wanted(tenant) ? tenant : undefined;
}

function isMendable(tenant: FleetTenant): boolean {
  return isSold(tenant) && !tenant.broken && isMendableParent(tenant);
}

/** Folders above that are broken hide what is written there. */
function isMendableParent({ parent }: FleetTenant): boolean {
  return parent === undefined || isMendable(parent);
}

function isUsable(desktop: FleetDesktop): boolean {
  return desktop.present && !desktop.unclear && isMendable(desktop.tenant);
}

export function isUp(desktop: FleetDesktop): boolean {
  const { power, guestDown, tenant } = desktop;
  return power === 'Running' && guestDown === false && !isSuspended(tenant);
}

function hasRoom({ type, desktops }: FleetTenant): boolean {
  const fits = desktops.filter(({ present }) => present).length < 6 && desktops.every(({ unclear }) => !unclear);
  return type === 'Customer' && fits;
}

function freeName(tenant: FleetTenant, base: string): string {
  for (let i = 1; ; i++) {
    const name = `${base}-${i}`;
    if (!tenant.desktops.some((desktop) => desktop.name === name)) return name;
  }
}

function titleOf({ tenant, name }: FleetDesktop): string {
  return `desktop ${tenant.path}/${name}`;
}

/** Half an hour to two days. */
function soon({ random }: Story): number {
  return random.chance(0.5) ? random.integer(30, 6 * 60) * MINUTE_MS : random.integer(6, 48) * HOUR_MS;
}

/** Within the grace as often as after it. */
function comesBackAfter({ random }: Story, graceDays: number): number {
  const share = random.chance(0.5) ? 0.1 + 0.8 * random.next() : 1.1 + random.next();
  return Math.round(share * graceDays * DAY_MS);
}
