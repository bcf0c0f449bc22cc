import type { KubeObject } from '../../kube/object.ts';
import { API_VERSION } from '../../model/group.ts';
import type { SeededRandom } from '../random.ts';
import {
  DESKTOP_PLANS,
  desktopSpec,
  type FleetDesktop,
  type FleetTenant,
  filePath,
  IMAGE,
  isSold,
  isSuspended,
  renderDesktop,
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
  /** Whether what was pushed last has surely been applied: nothing has been wrong with the way there for a while. */
  readonly isCaughtUp: () => boolean;
  /** Something that follows, after a while, once `possible`; it looks anew whether it still makes sense. */
  readonly later: (afterMs: number, deed: Deed, possible?: () => boolean) => void;
};

/** One thing that people do; undefined when it makes no sense now. */
export type Deed = (story: Story) => Told | undefined;
export type Told = { readonly what: string; readonly step: Step };

export function createDesktop(story: Story, tenant: FleetTenant, name: string, inGit: boolean): FleetDesktop {
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

export function change(story: Story, what: string, desktop: FleetDesktop): Told {
  const { tenant, name, inGit } = desktop;
  if (inGit) return commit(story, what, { [filePath('RDPInstance', tenant.namespace, name)]: renderDesktop(desktop) });
  const metadata = { namespace: tenant.namespace, name };
  const object: KubeObject & { readonly spec: unknown } = {
    apiVersion: API_VERSION,
    kind: 'RDPInstance',
    metadata,
    spec: desktopSpec(desktop),
  };
  return { what, step: { type: 'apply', object } };
}

export function changeTenant(story: Story, what: string, tenant: FleetTenant): Told {
  return commit(story, what, { [filePath('Tenant', tenant.residence, tenant.name)]: renderTenant(tenant) });
}

export function commit(story: Story, what: string, changes: Readonly<Record<string, string | null>>): Told {
  for (const [path, text] of Object.entries(changes)) {
    if (text === null) story.files.delete(path);
    else story.files.set(path, text);
  }
  return { what, step: { type: 'commit', changes } };
}

/** One of those that people can do something with now. */
export function pickDesktop(story: Story, wanted: (desktop: FleetDesktop) => boolean): FleetDesktop | undefined {
  const tenant = pickTenant(story, ({ desktops }) => desktops.length > 0);
  const found = tenant?.desktops.filter((desktop) => isUsable(desktop) && !desktop.refused && wanted(desktop)) ?? [];
  return found.length === 0 ? undefined : story.random.pick(found);
}

export function pickTenant(story: Story, wanted: (tenant: FleetTenant) => boolean): FleetTenant | undefined {
  if (story.tenants.length === 0) return undefined;
  const tenant = story.random.pick(story.tenants);
  return isMendable(tenant) && wanted(tenant) ? tenant : undefined;
}

export function isMendable(tenant: FleetTenant): boolean {
  return isSold(tenant) && !tenant.broken && isMendableParent(tenant);
}

/** Folders above that are broken hide what is written there. */
export function isMendableParent({ parent }: FleetTenant): boolean {
  return parent === undefined || isMendable(parent);
}

export function isUsable(desktop: FleetDesktop): boolean {
  return desktop.present && !desktop.unclear && isMendable(desktop.tenant);
}

export function isUp(desktop: FleetDesktop): boolean {
  const { power, guestDown, tenant } = desktop;
  return power === 'Running' && guestDown === false && !isSuspended(tenant);
}

export function hasRoom({ type, desktops }: FleetTenant): boolean {
  const fits = desktops.filter(({ present }) => present).length < 6 && desktops.every(({ unclear }) => !unclear);
  return type === 'Customer' && fits;
}

export function freeName(tenant: FleetTenant, base: string): string {
  for (let i = 1; ; i++) {
    const name = `${base}-${i}`;
    if (!tenant.desktops.some((desktop) => desktop.name === name)) return name;
  }
}

export function titleOf({ tenant, name }: FleetDesktop): string {
  return `desktop ${tenant.path}/${name}`;
}

/** Half an hour to two days. */
export function soon({ random }: Story): number {
  return random.chance(0.5) ? random.integer(30, 6 * 60) * MINUTE_MS : random.integer(6, 48) * HOUR_MS;
}

/** Within the grace as often as after it. */
export function comesBackAfter({ random }: Story, graceDays: number): number {
  const share = random.chance(0.5) ? 0.1 + 0.8 * random.next() : 1.1 + random.next();
  return Math.round(share * graceDays * DAY_MS);
}

export function confirm(): Told {
  return { what: 'a person looks for what is held, and confirms it', step: { type: 'confirm' } };
}
