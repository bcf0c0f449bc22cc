import {
  createTenant,
  type FleetTenant,
  filePath,
  folderPath,
  renderDesktop,
  renderPriceList,
  renderTenant,
} from './fleet.ts';
import {
  changeTenant,
  comesBackAfter,
  commit,
  confirm,
  createDesktop,
  isMendable,
  isMendableParent,
  MINUTE_MS,
  pickTenant,
  type Story,
  soon,
  type Told,
} from './story.ts';

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
  const changes: Record<string, string> = { [filePath('Tenant', tenant.residence, name)]: renderTenant(tenant) };
  if (type === 'Reseller') Object.assign(changes, renderPriceList(tenant));
  for (const desktop of tenant.desktops)
    changes[filePath('RDPInstance', tenant.namespace, desktop.name)] = renderDesktop(desktop);
  return commit(story, `order tenant ${tenant.path} with ${desktops} desktops`, changes);
}

export function suspendTenant(story: Story): Told | undefined {
  const tenant = pickTenant(story, ({ suspensions }) => suspensions.length === 0);
  if (tenant === undefined) return undefined;
  const reason = story.random.pick(['Payment', 'Request', 'Maintenance']);
  tenant.suspensions = [reason];
  stopBelow(story, tenant);
  const resume = (): Told => {
    tenant.suspensions = [];
    return changeTenant(story, `resume ${tenant.path}`, tenant);
  };
  story.later(soon(story) * 2, resume, () => isMendable(tenant));
  return changeTenant(story, `suspend ${tenant.path} for ${reason}`, tenant);
}

export function holdTenant(story: Story): Told | undefined {
  const tenant = pickTenant(
    story,
    ({ parent }) => parent !== undefined && isMendable(parent) && parent.holds.length === 0,
  );
  const above = tenant?.parent;
  if (tenant === undefined || above === undefined) return undefined;
  above.holds = [{ tenant: tenant.name, reason: 'Abuse' }];
  stopBelow(story, tenant);
  const release = (): Told => {
    above.holds = [];
    return changeTenant(story, `${above.path} no longer holds ${tenant.path}`, above);
  };
  story.later(soon(story) * 2, release, () => isMendable(above));
  return changeTenant(story, `${above.path} holds ${tenant.path}`, above);
}

/** A guest that had shut itself down stays down through a suspension, if it was seen to be down before. */
function stopBelow(story: Story, tenant: FleetTenant): void {
  if (story.isCaughtUp()) return;
  for (const below of story.tenants) {
    if (below !== tenant && !below.path.startsWith(`${tenant.path}--`)) continue;
    for (const desktop of below.desktops) if (desktop.guestDown) desktop.guestDown = 'maybe';
  }
}

export function removeTenant(story: Story): Told | undefined {
  const tenant = pickTenant(story, (one) => one.type === 'Customer' && one.desktops.every(({ inGit }) => inGit));
  if (tenant === undefined) return undefined;
  const changes: Record<string, string | null> = { [filePath('Tenant', tenant.residence, tenant.name)]: null };
  const folder = folderPath(tenant.namespace);
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
  const changes: Record<string, string> = { [filePath('Tenant', tenant.residence, tenant.name)]: renderTenant(tenant) };
  for (const desktop of tenant.desktops) {
    if (!desktop.present) continue;
    // It is ordered as it should have been.
    desktop.refused = false;
    // Whether it was removed as well, or merely stopped with its tenant, depends on who was first.
    if (desktop.guestDown) desktop.guestDown = 'maybe';
    changes[filePath('RDPInstance', tenant.namespace, desktop.name)] = renderDesktop(desktop);
  }
  return commit(story, `tenant ${tenant.path} comes back`, changes);
}
