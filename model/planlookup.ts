import { parseQuantity, renderQuantity } from '../kube/quantity.ts';
import type { StatedLimits } from './limits.ts';

/** As much of a Plan as the lookup reads. */
export type PlanLike = {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
  readonly spec: {
    readonly offers: string;
    readonly basedOn?: string | undefined;
    readonly currency: string;
    readonly desktop?: DesktopTerms | undefined;
    readonly limits?: StatedLimits | undefined;
    readonly requests?: RequestTerms | undefined;
  };
};

/** How often the API may be called; an absent number is not stated. */
export type RequestTerms = { readonly perMinute?: number | undefined; readonly perHour?: number | undefined };

export type DesktopTerms = {
  readonly vcpu?: number | undefined;
  readonly memory?: string | number | undefined;
  readonly storage?: string | number | undefined;
  readonly storageClassName?: string | undefined;
  readonly images?: readonly string[] | undefined;
  readonly gpus?: { readonly count: number; readonly deviceName: string } | undefined;
};

export type PlanStore<P extends PlanLike = PlanLike> = { get(key: string): P | undefined };

/** A seller's namespace and who sells to that seller, up to the provider. */
export type SellerChain = { readonly namespace: string; readonly seller?: SellerChain | undefined };

/** What a desktop of the plan is, after all narrowing. */
export type DesktopSize = {
  readonly vcpu: number;
  readonly memoryBytes: bigint;
  readonly storageBytes: bigint;
  readonly storageClassName: string | undefined;
  readonly images: readonly string[];
  readonly gpus: { readonly count: number; readonly deviceName: string } | undefined;
};

export type PlanProblem = {
  readonly reason:
    | 'PlanNotFound'
    | 'BasedOnNotFound'
    | 'CurrencyMismatch'
    | 'OffersMismatch'
    | 'Widened'
    | 'Incomplete';
  /** The field of the Plan that was asked for, such as `['spec', 'basedOn']`; empty when there is no such Plan. */
  readonly path: readonly string[];
  /** Begins with the path, except when there is no such Plan. */
  readonly message: string;
};

export type ResolvedPlan<P extends PlanLike = PlanLike> =
  | {
      readonly ok: true;
      readonly plan: P;
      readonly desktop: DesktopSize | undefined;
      /** Of Plans that offer Tenant, with what the Plans below state that it is based on. */
      readonly requests?: RequestTerms | undefined;
    }
  | { readonly ok: false; readonly problem: PlanProblem; readonly plan?: P | undefined };

/**
 * Looks a Plan up at its seller and follows `basedOn` one seller up at a time to the root Plan that states sizes and images.
 * Each step may narrow what it got and never widen it; currency and kind stay. Residence bounds the depth.
 */
export function resolvePlan<P extends PlanLike>(
  plans: PlanStore<P>,
  seller: SellerChain,
  name: string,
): ResolvedPlan<P> {
  const plan = plans.get(`${seller.namespace}/${name}`);
  if (plan === undefined) {
    return fail('PlanNotFound', [], `no Plan ${name} in namespace ${seller.namespace}; create it or name another`);
  }
  const { basedOn, desktop } = plan.spec;
  if (basedOn === undefined) return resolveRoot(plan, seller);
  if (seller.seller === undefined) {
    const message = 'the provider buys from nobody; state sizes and images instead';
    return fail('BasedOnNotFound', BASED_ON, message, plan);
  }
  const base = resolvePlan(plans, seller.seller, basedOn);
  if (!base.ok) {
    const reason = base.problem.reason === 'PlanNotFound' ? 'BasedOnNotFound' : base.problem.reason;
    return fail(reason, BASED_ON, `${basedOn}: ${base.problem.message}`, plan);
  }
  const mismatch = findMismatch(plan, base.plan);
  if (mismatch !== undefined) return { ok: false, problem: mismatch, plan };
  if (base.desktop === undefined) return narrowRequests(plan, base.plan, base.requests);
  const widened = findWidening(desktop, base.desktop);
  if (widened !== undefined) {
    return fail('Widened', ['spec', 'desktop', widened.term], `${widened.message} of Plan ${basedOn}`, plan);
  }
  return { ok: true, plan, desktop: narrow(base.desktop, desktop) };
}

const BASED_ON = ['spec', 'basedOn'];

function resolveRoot<P extends PlanLike>(plan: P, seller: SellerChain): ResolvedPlan<P> {
  const { offers, desktop } = plan.spec;
  if (offers !== 'Desktop') return { ok: true, plan, desktop: undefined, requests: plan.spec.requests };
  if (seller.seller !== undefined) {
    return fail('BasedOnNotFound', BASED_ON, 'required below the provider; name the Plan that you buy', plan);
  }
  const { vcpu, memory, storage, images } = desktop ?? {};
  if (vcpu === undefined || memory === undefined || storage === undefined || images === undefined) {
    const message = 'vcpu, memory, storage and images are required on a root Plan';
    return fail('Incomplete', ['spec', 'desktop'], message, plan);
  }
  const size: DesktopSize = {
    vcpu,
    memoryBytes: parseQuantity(memory),
    storageBytes: parseQuantity(storage),
    storageClassName: desktop?.storageClassName,
    images,
    gpus: desktop?.gpus,
  };
  return { ok: true, plan, desktop: size };
}

/** What the Plan does not state is as in its base; more than there is refused. */
function narrowRequests<P extends PlanLike>(plan: P, base: P, given: RequestTerms | undefined): ResolvedPlan<P> {
  const requests = { ...given, ...plan.spec.requests };
  for (const term of ['perMinute', 'perHour'] as const) {
    const [own, most] = [requests[term], given?.[term]];
    if (own === undefined || most === undefined || own <= most) continue;
    const message = `${own} is more than the ${most} of Plan ${base.metadata.name}`;
    return fail('Widened', ['spec', 'requests', term], message, plan);
  }
  return { ok: true, plan, desktop: undefined, requests };
}

function findMismatch({ spec }: PlanLike, base: PlanLike): PlanProblem | undefined {
  const because = `but the Plan ${base.metadata.name} that it is based on`;
  if (spec.offers !== base.spec.offers) {
    const message = `${spec.offers}, ${because} offers ${base.spec.offers}`;
    return buildProblem('OffersMismatch', ['spec', 'offers'], message);
  }
  if (spec.currency !== base.spec.currency) {
    const message = `${spec.currency}, ${because} is in ${base.spec.currency}`;
    return buildProblem('CurrencyMismatch', ['spec', 'currency'], message);
  }
  return undefined;
}

type Widening = { readonly term: keyof DesktopTerms; readonly message: string };

/** The first term that gives more than the base has, with both numbers. */
function findWidening(terms: DesktopTerms | undefined, base: DesktopSize): Widening | undefined {
  const { vcpu, memory, storage, images, gpus, storageClassName } = terms ?? {};
  if (vcpu !== undefined && vcpu > base.vcpu) return { term: 'vcpu', message: `${vcpu} is more than the ${base.vcpu}` };
  if (memory !== undefined && parseQuantity(memory) > base.memoryBytes) {
    return { term: 'memory', message: `${memory} is more than the ${renderQuantity(base.memoryBytes)}` };
  }
  if (storage !== undefined && parseQuantity(storage) > base.storageBytes) {
    return { term: 'storage', message: `${storage} is more than the ${renderQuantity(base.storageBytes)}` };
  }
  if (gpus !== undefined && (gpus.count > (base.gpus?.count ?? 0) || gpus.deviceName !== base.gpus?.deviceName)) {
    return { term: 'gpus', message: `${gpus.count} of ${gpus.deviceName} is not among the GPUs` };
  }
  if (storageClassName !== undefined && storageClassName !== base.storageClassName) {
    return { term: 'storageClassName', message: `${storageClassName} differs from that` };
  }
  const extra = images?.find((image) => !base.images.includes(image));
  return extra === undefined ? undefined : { term: 'images', message: `${extra} is not among the images` };
}

function narrow(base: DesktopSize, terms: DesktopTerms | undefined): DesktopSize {
  return {
    vcpu: terms?.vcpu ?? base.vcpu,
    memoryBytes: terms?.memory === undefined ? base.memoryBytes : parseQuantity(terms.memory),
    storageBytes: terms?.storage === undefined ? base.storageBytes : parseQuantity(terms.storage),
    storageClassName: base.storageClassName,
    images: terms?.images ?? base.images,
    gpus: terms?.gpus ?? base.gpus,
  };
}

function fail<P extends PlanLike>(
  reason: PlanProblem['reason'],
  path: readonly string[],
  message: string,
  plan?: P,
): ResolvedPlan<P> {
  return { ok: false, problem: buildProblem(reason, path, message), ...(plan === undefined ? {} : { plan }) };
}

function buildProblem(reason: PlanProblem['reason'], path: readonly string[], message: string): PlanProblem {
  return { reason, path, message: path.length === 0 ? message : `${path.join('.')}: ${message}` };
}
