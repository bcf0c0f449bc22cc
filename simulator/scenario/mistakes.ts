import { type FleetDesktop, filePath, MISSING_IMAGE, renderDesktop } from './fleet.ts';
import {
  change,
  commit,
  confirm,
  createDesktop,
  freeName,
  hasRoom,
  isMendable,
  isUsable,
  MINUTE_MS,
  pickDesktop,
  pickTenant,
  type Story,
  soon,
  type Told,
  titleOf,
} from './story.ts';

/** The folder stays at its last good content until somebody mends the file. */
export function breakFolder(story: Story): Told | undefined {
  // Otherwise nobody knows which content was the last good one.
  if (!story.isCaughtUp()) return undefined;
  const desktop = pickDesktop(story, ({ inGit }) => inGit);
  if (desktop === undefined) return undefined;
  const { tenant, name } = desktop;
  const path = filePath('RDPInstance', tenant.namespace, name);
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

export function orderUnknownPlan(story: Story): Told | undefined {
  return orderRefused(story, 'a plan that nobody sells', (desktop) => ({ ...desktop, plan: 'gold' }));
}

export function orderMissingImage(story: Story): Told | undefined {
  return orderRefused(story, 'an image that is not there', (desktop) => ({ ...desktop, image: MISSING_IMAGE }));
}

function orderRefused(story: Story, why: string, spoil: (desktop: FleetDesktop) => FleetDesktop): Told | undefined {
  const tenant = pickTenant(story, hasRoom);
  if (tenant === undefined) return undefined;
  const desktop = createDesktop(story, tenant, freeName(tenant, 'new'), true);
  desktop.refused = true;
  tenant.desktops.push(desktop);
  const path = filePath('RDPInstance', tenant.namespace, desktop.name);
  const correct = (): Told | undefined => {
    if (!desktop.present) return undefined;
    desktop.refused = false;
    return change(story, `correct ${titleOf(desktop)}`, desktop);
  };
  story.later(soon(story), correct, () => isUsable(desktop) || !desktop.present);
  return commit(story, `order ${titleOf(desktop)} with ${why}`, { [path]: renderDesktop(spoil(desktop)) });
}

/** More than the plan allows; the last ones are refused until something goes. */
export function exceedQuota(story: Story): Told | undefined {
  const tenant = pickTenant(story, ({ type }) => type === 'Customer');
  if (tenant === undefined) return undefined;
  const there = tenant.desktops.filter(({ present }) => present).length;
  const extra = Array.from({ length: 8 - there + 2 }, (_, i) => createDesktop(story, tenant, `more-${i + 1}`, true));
  if (tenant.desktops.some(({ name }) => name.startsWith('more-'))) return undefined;
  for (const desktop of [...extra, ...tenant.desktops]) desktop.unclear = true;
  const paths = extra.map(({ name }) => filePath('RDPInstance', tenant.namespace, name));
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
