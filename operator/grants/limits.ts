import type { Tenant } from '../../crds/v1alpha1/tenant.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Amounts, Limits } from '../../model/limits.ts';
import { computeEffectiveLimits, LIMIT_NAMES } from '../../model/limits.ts';
import type { Informers } from '../context.ts';
import type { Seller, TenantTree } from '../tree.ts';
import type { Grant } from './ledger.ts';

/** Which limits hold where, computed from Plans and Quotas up the tree at each call. */
export type LimitLookup = {
  /** What Plan and Quota say for a Tenant below its seller, before its seller's share is looked at. */
  effective(seller: Seller, tenant: Tenant & KubeObject): Limits;
  /** What may be used in a namespace now: the effective limits, and no more than the seller recorded as allotted. */
  inNamespace(namespace: string): Limits;
};

export function createLimitLookup(
  informers: Pick<Informers, 'plans' | 'quotas'>,
  tree: TenantTree,
  recorded: (namespace: string, key: string) => Grant | undefined,
): LimitLookup {
  const effective = (seller: Seller, tenant: Tenant & KubeObject): Limits => {
    const plan = informers.plans.get(`${seller.namespace}/${tenant.spec.plan}`);
    if (plan?.spec.offers !== 'Tenant') return NOTHING;
    const quota = informers.quotas.get(`${seller.namespace}/${tenant.metadata.name}`)?.spec.hard;
    return computeEffectiveLimits({ plan: plan.spec.limits, quota, parent: ofOwner(seller) });
  };

  const ofOwner = (owner: Seller | undefined): Limits => {
    if (owner?.seller === undefined) return {};
    if (owner.tenant === undefined) return owner.removed ? {} : NOTHING;
    const own = effective(owner.seller, owner.tenant);
    if (owner.seller.seller === undefined) return own;
    const share = recorded(owner.seller.namespace, `tenants/${owner.tenant.metadata.name}`)?.allotted ?? {};
    return capByShare(own, share, ofOwner(owner.seller));
  };

  return { effective, inNamespace: (namespace) => ofOwner(tree.owner(namespace)) };
}

/** For a Tenant that is not there, or whose Plan is gone or sells something else: it keeps what it has and gets no more. */
const NOTHING: Limits = Object.fromEntries(LIMIT_NAMES.map((name) => [name, 0n]));

/** In names in which the seller is limited itself, only what it recorded may be used. */
function capByShare(own: Limits, share: Amounts, seller: Limits): Limits {
  const capped: { [name in (typeof LIMIT_NAMES)[number]]?: bigint } = {};
  for (const name of LIMIT_NAMES) {
    const limit = own[name];
    if (limit === undefined) continue;
    const allotted = share[name] ?? 0n;
    capped[name] = seller[name] !== undefined && allotted < limit ? allotted : limit;
  }
  return capped;
}
