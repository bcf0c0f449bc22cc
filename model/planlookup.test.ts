import { describe, expect, it } from 'vitest';
import { type DesktopTerms, type PlanLike, resolvePlan, type SellerChain } from './planlookup.ts';

const GI = 1n << 30n;
const provider: SellerChain = { namespace: 'sublet-root' };
const acme: SellerChain = { namespace: 't-acme', seller: provider };
const bob: SellerChain = { namespace: 't-acme--bob', seller: acme };

const SIZE = {
  vcpu: 4,
  memory: '8Gi',
  storage: '100Gi',
  storageClassName: 'fast',
  images: ['ubuntu-24', 'windows-11'],
} as const;

function plan(namespace: string, name: string, spec: Partial<PlanLike['spec']>): PlanLike {
  return { metadata: { name, namespace }, spec: { offers: 'Desktop', currency: 'USD', ...spec } };
}

function store(...plans: readonly PlanLike[]) {
  return new Map(plans.map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one]));
}

const root = plan('sublet-root', 'performance', { desktop: SIZE });

/** What `pro` of acme, based on the provider's `performance`, says about itself with these terms. */
function narrowed(desktop: DesktopTerms, base: PlanLike = root) {
  const found = resolvePlan(store(base, plan('t-acme', 'pro', { basedOn: 'performance', desktop })), acme, 'pro');
  return found.ok ? found.desktop : `${found.problem.reason}: ${found.problem.message}`;
}

describe('resolvePlan', () => {
  it('gives what a root Plan states', () => {
    expect(resolvePlan(store(root), provider, 'performance')).toEqual({
      ok: true,
      plan: root,
      desktop: {
        vcpu: 4,
        memoryBytes: 8n * GI,
        storageBytes: 100n * GI,
        storageClassName: 'fast',
        images: ['ubuntu-24', 'windows-11'],
        gpus: undefined,
      },
    });
  });

  it('follows basedOn one seller up a step and narrows at each', () => {
    const plans = store(
      root,
      plan('t-acme', 'pro', { basedOn: 'performance', desktop: { vcpu: 3 } }),
      plan('t-acme--bob', 'mini', { basedOn: 'pro', desktop: { memory: '4Gi', images: ['ubuntu-24'] } }),
    );
    expect(resolvePlan(plans, bob, 'mini')).toMatchObject({
      ok: true,
      plan: { metadata: { namespace: 't-acme--bob' } },
      desktop: {
        vcpu: 3,
        memoryBytes: 4n * GI,
        storageBytes: 100n * GI,
        storageClassName: 'fast',
        images: ['ubuntu-24'],
      },
    });
  });

  it('gives the requests of the Plan that it is based on where none are stated, and refuses more', () => {
    const sold = (requests: { readonly perMinute?: number; readonly perHour?: number } | undefined) => {
      const base = plan('sublet-root', 'team', { offers: 'Tenant', requests: { perMinute: 100 } });
      const own = plan('t-acme', 'crew', { offers: 'Tenant', basedOn: 'team', requests });
      const found = resolvePlan(store(base, own), acme, 'crew');
      return found.ok ? found.requests : `${found.problem.reason}: ${found.problem.message}`;
    };
    expect(sold(undefined)).toEqual({ perMinute: 100 });
    expect(sold({ perMinute: 99, perHour: 300 })).toEqual({ perMinute: 99, perHour: 300 });
    expect(sold({ perMinute: 101 })).toBe('Widened: spec.requests.perMinute: 101 is more than the 100 of Plan team');
  });

  it('finds a Plan at its seller and nowhere else', () => {
    const plans = store(root, plan('t-other', 'pro', { basedOn: 'performance' }));
    expect(resolvePlan(plans, acme, 'pro')).toMatchObject({
      ok: false,
      problem: { reason: 'PlanNotFound', message: 'no Plan pro in namespace t-acme; create it or name another' },
    });
    expect(resolvePlan(plans, acme, 'performance')).toMatchObject({ ok: false });
  });

  it('needs no sizes of a Plan that offers Tenant', () => {
    const team = plan('t-acme', 'team', { offers: 'Tenant' });
    expect(resolvePlan(store(team), acme, 'team')).toEqual({ ok: true, plan: team, desktop: undefined });
  });

  describe('narrowing', () => {
    it('takes less of everything', () => {
      const terms = {
        vcpu: 1,
        memory: '1Gi',
        storage: 20_000_000_000,
        images: ['windows-11'],
        storageClassName: 'fast',
      };
      expect(narrowed(terms)).toMatchObject({
        vcpu: 1,
        memoryBytes: GI,
        storageBytes: 20_000_000_000n,
        images: ['windows-11'],
      });
    });

    it('takes as much as there is, however it is written', () => {
      expect(narrowed({ vcpu: 4, memory: '8192Mi', storage: '107374182400', images: SIZE.images })).toMatchObject({
        vcpu: 4,
        memoryBytes: 8n * GI,
      });
    });

    it('takes fewer GPUs of the same device', () => {
      const base = plan('sublet-root', 'performance', {
        desktop: { ...SIZE, gpus: { count: 2, deviceName: 'nvidia.com/A2' } },
      });
      expect(narrowed({ gpus: { count: 1, deviceName: 'nvidia.com/A2' } }, base)).toMatchObject({ gpus: { count: 1 } });
      expect(narrowed({ gpus: { count: 3, deviceName: 'nvidia.com/A2' } }, base)).toBe(
        'Widened: spec.desktop.gpus: 3 of nvidia.com/A2 is not among the GPUs of Plan performance',
      );
      expect(narrowed({ gpus: { count: 1, deviceName: 'nvidia.com/L40' } }, base)).toContain(
        'Widened: spec.desktop.gpus',
      );
    });
  });

  describe('widening is refused with the field and both numbers', () => {
    it.each<[DesktopTerms, string]>([
      [{ vcpu: 8 }, 'vcpu: 8 is more than the 4'],
      [{ memory: '16Gi' }, 'memory: 16Gi is more than the 8Gi'],
      [{ storage: '101Gi' }, 'storage: 101Gi is more than the 100Gi'],
      [{ gpus: { count: 1, deviceName: 'nvidia.com/A2' } }, 'gpus: 1 of nvidia.com/A2 is not among the GPUs'],
      [{ storageClassName: 'faster' }, 'storageClassName: faster differs from that'],
      [{ images: ['ubuntu-24', 'macos'] }, 'images: macos is not among the images'],
    ])('%j', (terms, message) => {
      expect(narrowed(terms)).toBe(`Widened: spec.desktop.${message} of Plan performance`);
    });

    it('also against what a Plan in between narrowed', () => {
      const plans = store(
        root,
        plan('t-acme', 'pro', { basedOn: 'performance', desktop: { vcpu: 2 } }),
        plan('t-acme--bob', 'mini', { basedOn: 'pro', desktop: { vcpu: 3 } }),
      );
      expect(resolvePlan(plans, bob, 'mini')).toMatchObject({
        problem: { reason: 'Widened', message: 'spec.desktop.vcpu: 3 is more than the 2 of Plan pro' },
      });
    });
  });

  describe('what a chain can lack', () => {
    it('a base, at each level', () => {
      const mini = plan('t-acme--bob', 'mini', { basedOn: 'pro' });
      const pro = plan('t-acme', 'pro', { basedOn: 'performance' });
      expect(resolvePlan(store(mini), bob, 'mini')).toMatchObject({
        plan: mini,
        problem: {
          reason: 'BasedOnNotFound',
          message: 'spec.basedOn: pro: no Plan pro in namespace t-acme; create it or name another',
        },
      });
      expect(resolvePlan(store(mini, pro), bob, 'mini')).toMatchObject({
        problem: {
          reason: 'BasedOnNotFound',
          message:
            'spec.basedOn: pro: spec.basedOn: performance: no Plan performance in namespace sublet-root; create it or name another',
        },
      });
    });

    it('basedOn below the provider', () => {
      const own = plan('t-acme', 'own', { desktop: SIZE });
      expect(resolvePlan(store(own), acme, 'own')).toMatchObject({
        problem: {
          reason: 'BasedOnNotFound',
          message: 'spec.basedOn: required below the provider; name the Plan that you buy',
        },
      });
    });

    it('somebody whom the provider could buy from', () => {
      expect(resolvePlan(store(plan('sublet-root', 'x', { basedOn: 'y' })), provider, 'x')).toMatchObject({
        problem: {
          reason: 'BasedOnNotFound',
          message: 'spec.basedOn: the provider buys from nobody; state sizes and images instead',
        },
      });
    });

    it.each(['vcpu', 'memory', 'storage', 'images'] as const)('%s of a root Plan', (field) => {
      const { [field]: _, ...rest } = SIZE;
      expect(resolvePlan(store(plan('sublet-root', 'x', { desktop: rest })), provider, 'x')).toMatchObject({
        problem: {
          reason: 'Incomplete',
          message: 'spec.desktop: vcpu, memory, storage and images are required on a root Plan',
        },
      });
    });

    it('the same currency', () => {
      const plans = store(root, plan('t-acme', 'pro', { basedOn: 'performance', currency: 'EUR' }));
      expect(resolvePlan(plans, acme, 'pro')).toMatchObject({
        problem: {
          reason: 'CurrencyMismatch',
          message: 'spec.currency: EUR, but the Plan performance that it is based on is in USD',
        },
      });
    });

    it('the same kind', () => {
      const plans = store(
        plan('sublet-root', 'team', { offers: 'Tenant' }),
        plan('t-acme', 'pro', { basedOn: 'team' }),
      );
      expect(resolvePlan(plans, acme, 'pro')).toMatchObject({
        problem: {
          reason: 'OffersMismatch',
          message: 'spec.offers: Desktop, but the Plan team that it is based on offers Tenant',
        },
      });
    });

    it('a sound base: its problem is passed on with its reason', () => {
      const plans = store(
        root,
        plan('t-acme', 'pro', { basedOn: 'performance', desktop: { vcpu: 9 } }),
        plan('t-acme--bob', 'mini', { basedOn: 'pro' }),
      );
      expect(resolvePlan(plans, bob, 'mini')).toMatchObject({
        problem: {
          reason: 'Widened',
          message: 'spec.basedOn: pro: spec.desktop.vcpu: 9 is more than the 4 of Plan performance',
        },
      });
    });
  });
});
