import { stringify } from 'yaml';
import { API_VERSION } from '../../model/group.ts';
import { ROOT_NAMESPACE, tenantNamespace, tenantPath } from '../../model/names.ts';
import type { Expectation } from './steps.ts';

/** A tenant as people think of it. */
export type FleetTenant = {
  readonly name: string;
  readonly path: string;
  /** Where it is sold, and what it owns. */
  readonly residence: string;
  readonly namespace: string;
  readonly parent: FleetTenant | undefined;
  readonly type: 'Customer' | 'Reseller';
  readonly graceDays: number;
  id: string;
  plan: string;
  suspensions: readonly string[];
  holds: readonly { readonly tenant: string; readonly reason: string }[];
  present: boolean;
  /** Its folder has a mistake, so nothing that is written there counts until it is mended. */
  broken: boolean;
  /** The branch went back meanwhile, so nobody knows which content of it counts until it is mended. */
  astray: boolean;
  removedAtMs: number | undefined;
  readonly desktops: FleetDesktop[];
};

export type FleetDesktop = {
  readonly name: string;
  readonly tenant: FleetTenant;
  readonly username: string;
  readonly access: 'LoadBalancer' | 'ClusterIP';
  readonly graceDays: number;
  /** False: made by kubectl. */
  readonly inGit: boolean;
  plan: string;
  image: string;
  power: 'Running' | 'Stopped';
  restartedAt: string | undefined;
  present: boolean;
  removedAtMs: number | undefined;
  /** `maybe`: it came and went in between. */
  guestDown: boolean | 'maybe';
  /** A mistake for which it is refused. */
  refused: boolean;
  /** What became of it is not decided by what people did. */
  unclear: boolean;
};

const ENVIRONMENT = 'production';
/** Sizes that people order; each can be reached from the one before without shrinking anything. */
export const DESKTOP_PLANS = ['basic', 'plus', 'large'] as const;
/** Named by every plan, and not there. */
export const MISSING_IMAGE = 'debian-13';
export const IMAGE = 'ubuntu-24';

export function folderPath(namespace: string): string {
  return `tenants/${ENVIRONMENT}/${namespace}/`;
}

/** As the product names new files, so that what people write by hand and what they order through it is in one place. */
export function filePath(kind: 'Tenant' | 'Plan' | 'RDPInstance', namespace: string, name: string): string {
  return `${folderPath(namespace)}${kind.toLowerCase()}-${name}.yaml`;
}

export function createTenant(
  parent: FleetTenant | undefined,
  name: string,
  facts: Pick<FleetTenant, 'type' | 'graceDays' | 'id'>,
): FleetTenant {
  const path = tenantPath(parent?.path, name);
  return {
    ...facts,
    name,
    path,
    parent,
    residence: parent?.namespace ?? ROOT_NAMESPACE,
    namespace: tenantNamespace(path),
    plan: facts.type === 'Reseller' ? 'reseller' : 'team',
    suspensions: [],
    holds: [],
    present: true,
    broken: false,
    astray: false,
    removedAtMs: undefined,
    desktops: [],
  };
}

export function renderTenant(tenant: FleetTenant): string {
  const { name, id, plan, type, suspensions, holds, graceDays } = tenant;
  return renderYaml('Tenant', name, {
    id,
    plan,
    type,
    members: [{ kind: 'User', name: `oidc:${name}`, role: 'Owner' }],
    source: { type: 'Fleet' },
    ...(suspensions.length === 0 ? {} : { suspensions: suspensions.map((reason) => ({ reason })) }),
    ...(holds.length === 0 ? {} : { holds }),
    deletion: { policy: 'Retain', graceDays },
  });
}

export function renderDesktop(desktop: FleetDesktop): string {
  return renderYaml('RDPInstance', desktop.name, desktopSpec(desktop));
}

export function desktopSpec({ plan, image, username, power, restartedAt, access, graceDays }: FleetDesktop) {
  return {
    plan,
    image,
    username,
    power,
    ...(restartedAt === undefined ? {} : { restartedAt }),
    access: { type: access },
    deletion: { policy: 'Retain', graceDays },
  };
}

/** The price list of a seller: its own for the provider, what it resells for everybody else. */
export function renderPriceList(seller: FleetTenant | undefined): Readonly<Record<string, string>> {
  const namespace = seller?.namespace ?? ROOT_NAMESPACE;
  const desktop = (name: string, vcpu: number, storage: string) =>
    plan(name, 'Desktop', 'Resource', {
      ...(seller === undefined
        ? { desktop: { vcpu, memory: '4Gi', storage, images: [IMAGE, MISSING_IMAGE] } }
        : { basedOn: name }),
    });
  const tenants = seller === undefined ? 200 : 30;
  const limits = (desktops: number, below: number) => ({
    limits: {
      vcpu: desktops * 4,
      memory: `${desktops * 4}Gi`,
      // Tombstones count as well.
      storage: `${desktops * 120}Gi`,
      gpus: 0,
      desktops,
      addresses: desktops,
      tenants: below,
    },
  });
  const [basic, plus, large] = DESKTOP_PLANS;
  const plans: readonly (readonly [name: string, text: string])[] = [
    [basic, desktop(basic, 2, '20Gi')],
    [plus, desktop(plus, 4, '20Gi')],
    [large, desktop(large, 4, '40Gi')],
    ['team', plan('team', 'Tenant', 'Seat', limits(8, 0))],
    ['reseller', plan('reseller', 'Tenant', 'Buyer', limits(20 + tenants * 10, tenants))],
  ];
  return Object.fromEntries(plans.map(([name, text]) => [filePath('Plan', namespace, name), text]));
}

function plan(name: string, offers: string, per: string, terms: object): string {
  const price = [
    { name: 'base', type: 'Recurring', per, accrues: 'Exists', recurring: { amount: '15.00', interval: 'Month' } },
  ];
  return renderYaml('Plan', name, { title: `Plan ${name}`, offers, currency: 'USD', price, ...terms });
}

function renderYaml(kind: string, name: string, spec: object): string {
  const object = { apiVersion: API_VERSION, kind, metadata: { name }, spec };
  return stringify(object, { compat: 'yaml-1.1', lineWidth: 0 });
}

/** Whether the tenant and all above it are there. */
export function isSold(tenant: FleetTenant | undefined): boolean {
  return tenant === undefined || (tenant.present && isSold(tenant.parent));
}

function isAstray(tenant: FleetTenant | undefined): boolean {
  return tenant !== undefined && (tenant.astray || isAstray(tenant.parent));
}

export function isSuspended(tenant: FleetTenant): boolean {
  for (let at: FleetTenant | undefined = tenant; at !== undefined; at = at.parent) {
    if (at.suspensions.length > 0) return true;
    for (let above = at.parent; above !== undefined; above = above.parent) {
      const relative = at.path.slice(above.path.length + 2);
      if (above.holds.some((hold) => hold.tenant === relative)) return true;
    }
  }
  return false;
}

export function expectTenant(tenant: FleetTenant): Expectation {
  const base = { kind: 'Tenant', namespace: tenant.residence, name: tenant.name } as const;
  if (!isSold(tenant.parent) || isAstray(tenant.parent)) return { ...base, expect: 'Unclear' };
  if (!tenant.present) return { ...base, expect: 'Gone' };
  return { ...base, expect: isSuspended(tenant) ? 'Suspended' : 'Ready' };
}

export function expectDesktop(desktop: FleetDesktop): Expectation {
  const { tenant, name } = desktop;
  return { kind: 'RDPInstance', namespace: tenant.namespace, name, expect: decide(desktop) };
}

function decide(desktop: FleetDesktop): Expectation['expect'] {
  const { tenant } = desktop;
  if (!isSold(tenant) || isAstray(tenant)) return 'Unclear';
  if (!desktop.present) return 'Gone';
  if (desktop.unclear) return 'Unclear';
  if (desktop.refused) return 'Refused';
  if (isSuspended(tenant)) return 'Suspended';
  if (desktop.power === 'Stopped') return 'Stopped';
  if (desktop.guestDown === 'maybe') return 'Unclear';
  return desktop.guestDown ? 'GuestShutDown' : 'Ready';
}
