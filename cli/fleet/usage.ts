import type { RDPInstance } from '../../crds/v1alpha1/rdpinstance.ts';
import {
  type Amounts,
  addAmounts,
  computeEffectiveLimits,
  LIMIT_NAMES,
  type LimitName,
  type Limits,
  maxAmounts,
} from '../../model/limits.ts';
import { resolvePlan } from '../../model/planlookup.ts';
import type { Fleet, FleetTenant } from './model.ts';

/** What a tenant may use and what the fleet declares of it. */
export type TenantUsage = {
  /** The lower of Plan and Quota, name by name; an absent name is unlimited. Undefined: the Plan is not known here. */
  readonly hard: Limits | undefined;
  readonly used: Amounts;
  /** Passed on to the tenants that it sold to. */
  readonly allotted: Amounts;
};

/** Limits and use of every tenant, by namespace, as the operator would grant them if nothing ran yet. The provider has no limits. */
export function computeUsage(fleet: Fleet): ReadonlyMap<string, TenantUsage> {
  const usage = new Map<string, TenantUsage>();
  computeBelow(fleet, fleet.root, {}, usage);
  return usage;
}

/** The names in which used + allotted is more than hard. */
export function listExceeded({ hard, used, allotted }: TenantUsage): readonly LimitName[] {
  const total = addAmounts(used, allotted);
  return LIMIT_NAMES.filter((name) => hard?.[name] !== undefined && (total[name] ?? 0n) > hard[name]);
}

/** Gives the tenant's share, as its seller passes it on. */
function computeBelow(
  fleet: Fleet,
  owner: FleetTenant,
  hard: Limits | undefined,
  usage: Map<string, TenantUsage>,
): Amounts {
  let used: Amounts = owner.children.length === 0 ? {} : { tenants: BigInt(owner.children.length) };
  for (const { value } of owner.desktops) used = addAmounts(used, computeDesktop(fleet, owner, value));
  const own: { hard: Limits | undefined; used: Amounts; allotted: Amounts } = { hard, used, allotted: {} };
  usage.set(owner.namespace, own);
  for (const child of owner.children) {
    const share = computeBelow(
      fleet,
      child,
      hard === undefined ? undefined : computeHard(fleet, owner, child, hard),
      usage,
    );
    own.allotted = addAmounts(own.allotted, share);
  }
  return maxAmounts(hard ?? {}, addAmounts(used, own.allotted));
}

function computeHard(fleet: Fleet, owner: FleetTenant, child: FleetTenant, parent: Limits): Limits | undefined {
  const name = child.tenant?.value.metadata.name;
  const plan = fleet.plans.get(`${owner.namespace}/${child.tenant?.value.spec.plan}`);
  if (plan?.spec.offers !== 'Tenant') return undefined;
  const quota = owner.quotas.find(({ value }) => value.metadata.name === name)?.value.spec.hard;
  return computeEffectiveLimits({ plan: plan.spec.limits, quota, parent });
}

/** What the operator asks to have granted for a desktop: a stopped one keeps its disk, its address and its place. */
function computeDesktop(fleet: Fleet, owner: FleetTenant, { spec }: RDPInstance): Amounts {
  const place = { desktops: 1n, addresses: spec.access.type === 'LoadBalancer' ? 1n : 0n };
  if (owner.seller === undefined) return place;
  const resolved = resolvePlan(fleet.plans, owner.seller, spec.plan);
  if (!resolved.ok || resolved.desktop === undefined) return place;
  const { vcpu, memoryBytes, storageBytes, gpus } = resolved.desktop;
  const disk = { ...place, storage: storageBytes };
  return spec.power === 'Stopped'
    ? disk
    : { ...disk, vcpu: BigInt(vcpu), memory: memoryBytes, gpus: BigInt(gpus?.count ?? 0) };
}
