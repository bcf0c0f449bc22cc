import type { Plan } from '../../crds/v1alpha1/plan.ts';
import { addMoney, type Money, multiplyMoney, parseMoney, ZERO } from '../../model/money.ts';
import { resolvePlan } from '../../model/planlookup.ts';
import type { Fleet, FleetTenant } from './model.ts';

/** `Retail`: for what the tenant has itself. `Wholesale`: for what its customers, and theirs, bought from it. */
export type PriceLevel = 'Retail' | 'Wholesale';

/** What a tenant pays to its seller in a whole month, in one currency and at one level. */
export type MonthlyPrice = {
  /** Path of the tenant that pays. */
  readonly tenant: string;
  /** Path of the seller; absent: the provider. */
  readonly seller: string | undefined;
  readonly level: PriceLevel;
  readonly currency: string;
  readonly amount: Money;
};

/**
 * The recurring price of a month in which nothing changes and everything has become Ready: what accrues `Exists` or `Stored`, and `Running` for what is not
 * stopped; a suspended tenant pays what is `Stored`. Trials are over; what is metered depends on use and is no part of it. What has no valid Plan costs
 * nothing here, as it will cost nothing until it has one.
 */
export function computeMonthlyPrices(fleet: Fleet): readonly MonthlyPrice[] {
  const bill = new Map<string, MonthlyPrice>();
  const once = new Set<string>();
  const sold: Sold[] = [...fleet.tenants.values()].flatMap((owner) => listSold(owner));
  // A buyer's own things first: what is charged once for a buyer is then retail where it has both.
  const steps = sold
    .flatMap((one) => listSteps(fleet, one))
    .sort((a, b) => Number(a.level === 'Wholesale') - Number(b.level === 'Wholesale'));
  for (const step of steps) addStep(bill, once, step);
  return [...bill.values()];
}

/** Something that is bought: a desktop, or to be a Tenant at all. */
type Sold = {
  readonly buyer: FleetTenant;
  readonly plan: string;
  readonly offers: 'Desktop' | 'Tenant';
  readonly seats: bigint;
  readonly isRunning: boolean;
  readonly isSuspended: boolean;
};

type Step = Sold & {
  readonly level: PriceLevel;
  readonly terms: Plan;
  readonly seller: FleetTenant;
  readonly key: string;
};

function listSold(owner: FleetTenant): readonly Sold[] {
  const { tenant } = owner;
  if (tenant === undefined) return [];
  const common = { buyer: owner, isSuspended: isSuspended(owner) };
  const seats = BigInt(tenant.value.spec.members?.length ?? 0);
  return [
    { ...common, plan: tenant.value.spec.plan, offers: 'Tenant', seats, isRunning: false },
    ...owner.desktops.map(({ value: { spec } }) => ({
      ...common,
      plan: spec.plan,
      offers: 'Desktop' as const,
      seats: 0n,
      isRunning: spec.power !== 'Stopped',
    })),
  ];
}

/** Once from its seller, and then once a level up to the provider: each reseller buys in turn what it sold. */
function listSteps(fleet: Fleet, sold: Sold): readonly Step[] {
  const { seller } = sold.buyer;
  if (seller === undefined) return [];
  const resolved = resolvePlan(fleet.plans, seller, sold.plan);
  if (!resolved.ok || resolved.plan.spec.offers !== sold.offers) return [];
  const steps: Step[] = [];
  let at: { buyer: FleetTenant; seller: FleetTenant; plan: string } | undefined = {
    buyer: sold.buyer,
    seller,
    plan: sold.plan,
  };
  while (at !== undefined) {
    const key = `${at.seller.namespace}/${at.plan}`;
    const terms = fleet.plans.get(key);
    if (terms === undefined) break;
    steps.push({
      ...sold,
      buyer: at.buyer,
      seller: at.seller,
      terms,
      key,
      level: steps.length === 0 ? 'Retail' : 'Wholesale',
    });
    const next: FleetTenant | undefined = at.seller.seller;
    at =
      next === undefined || terms.spec.basedOn === undefined
        ? undefined
        : { buyer: at.seller, seller: next, plan: terms.spec.basedOn };
  }
  return steps;
}

function addStep(bill: Map<string, MonthlyPrice>, once: Set<string>, step: Step): void {
  const { buyer, seller, level, terms, key } = step;
  for (const item of terms.spec.price ?? []) {
    if (item.recurring === undefined || !accrues(item.accrues, step)) continue;
    const charge = `${buyer.namespace} ${key} ${item.name}`;
    if (item.per === 'Buyer' && once.has(charge)) continue;
    if (item.per === 'Buyer') once.add(charge);
    const { currency } = terms.spec;
    const row = `${buyer.path} ${level} ${currency}`;
    const amount = multiplyMoney(parseMoney(item.recurring.amount), item.per === 'Seat' ? step.seats : 1n);
    const before = bill.get(row)?.amount ?? ZERO;
    bill.set(row, { tenant: buyer.path ?? '', seller: seller.path, level, currency, amount: addMoney(before, amount) });
  }
}

function accrues(when: string | undefined, { isRunning, isSuspended }: Sold): boolean {
  if (when === 'Stored') return true;
  return !isSuspended && (when === 'Exists' || isRunning);
}

/** By itself, by one above it, or held by one above it. */
function isSuspended(owner: FleetTenant): boolean {
  for (let at: FleetTenant | undefined = owner; at?.tenant !== undefined; at = at.seller) {
    const { suspensions = [], holds = [] } = at.tenant.value.spec;
    if (suspensions.length > 0) return true;
    const own = owner.path ?? '';
    const isHeld = holds.some(
      ({ tenant }) => own === `${at?.path}--${tenant}` || own.startsWith(`${at?.path}--${tenant}--`),
    );
    if (isHeld) return true;
  }
  return false;
}
