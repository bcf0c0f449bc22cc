import type { Plan } from '../crds/v1alpha1/plan.ts';
import type { KubeObject } from '../kube/object.ts';
import { type PlanStore, resolvePlan } from '../model/planlookup.ts';
import { DEFAULT_PER_HOUR, DEFAULT_PER_MINUTE, DEFAULT_POLICIES, type Policy } from './ratelimit.ts';
import { type Owner, sellerChain } from './tree.ts';

/**
 * How often each user and key may call about what an owner has: as its Plan says, by default where none does or there is no such Plan, and never more than its
 * seller may. The provider's is the default, and bounds nobody.
 */
export function computePolicies(plans: PlanStore<Plan & KubeObject>, owner: Owner): readonly Policy[] {
  const { perMinute, perHour } = computeRates(plans, owner);
  if (perMinute === DEFAULT_RATES.perMinute && perHour === DEFAULT_RATES.perHour) return DEFAULT_POLICIES;
  const key = `${perMinute}/${perHour}`;
  const known = interned.get(key);
  if (known !== undefined) return known;
  const policies: readonly Policy[] = [
    { name: 'minute', quota: perMinute, windowSeconds: 60 },
    { name: 'hour', quota: perHour, windowSeconds: 3_600 },
  ];
  if (interned.size < MAX_INTERNED) interned.set(key, policies);
  return policies;
}

type Rates = { readonly perMinute: number; readonly perHour: number };

const DEFAULT_RATES: Rates = { perMinute: DEFAULT_PER_MINUTE, perHour: DEFAULT_PER_HOUR };

/** The same value for the same numbers, so that their header is rendered once. */
const interned = new Map<string, readonly Policy[]>();
const MAX_INTERNED = 1_000;

function computeRates(plans: PlanStore<Plan & KubeObject>, { tenant, seller }: Owner): Rates {
  if (seller === undefined) return DEFAULT_RATES;
  const bought = tenant === undefined ? undefined : resolvePlan(plans, sellerChain(seller), tenant.spec.plan);
  const stated = bought?.ok === true ? bought.requests : undefined;
  const own = {
    perMinute: stated?.perMinute ?? DEFAULT_RATES.perMinute,
    perHour: stated?.perHour ?? DEFAULT_RATES.perHour,
  };
  if (seller.seller === undefined) return own;
  const most = computeRates(plans, seller);
  return { perMinute: Math.min(own.perMinute, most.perMinute), perHour: Math.min(own.perHour, most.perHour) };
}
