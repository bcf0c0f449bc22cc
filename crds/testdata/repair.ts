import { gitSecretName, parseGitUrl } from '../../model/repository.ts';
import { isRecord } from '../rules/walk.ts';

type Draft = Readonly<Record<string, unknown>>;

/** Makes a spec that fits its shape fit the rules between its members too; what needs no repair is left as it is. */
export function repair(kind: string, spec: unknown): unknown {
  if (!isRecord(spec)) return spec;
  if (kind === 'Tenant') return repairTenant(spec);
  return kind === 'Plan' ? repairPlan(spec) : spec;
}

function repairTenant({ source, ...rest }: Draft): Draft {
  if (!isRecord(source)) return rest;
  if (source.type !== 'Repository') return { ...rest, source: { type: source.type } };
  const repository = isRecord(source.repository) ? source.repository : { url: 'https://git.example.com/a' };
  return { ...rest, source: { type: 'Repository', repository: repairRepository(repository) } };
}

/** The Secret is the one of the URL's host, and there where a key is needed. */
function repairRepository({ secretRef, ...rest }: Draft): Draft {
  const url = parseGitUrl(String(rest.url));
  if (url === undefined || (secretRef === undefined && url.scheme === 'https')) return rest;
  const name = gitSecretName(url);
  return name.length <= 253 ? { ...rest, secretRef: { name } } : { ...rest, url: 'https://git.example.com/a' };
}

function repairPlan(spec: Draft): Draft {
  const { desktop, limits, requests, ...rest } = spec;
  const price = Array.isArray(spec.price) ? { price: spec.price.map((item) => repairItem(item, spec.offers)) } : {};
  if (spec.offers === 'Tenant') {
    return {
      ...rest,
      ...price,
      ...(limits === undefined ? {} : { limits }),
      ...(requests === undefined ? {} : { requests }),
    };
  }
  if (isRecord(desktop) && spec.basedOn !== undefined) {
    const { storageClassName, ...terms } = desktop;
    return { ...rest, ...price, desktop: terms };
  }
  if (spec.basedOn !== undefined) return { ...rest, ...price };
  const sizes = { vcpu: 1, memory: '1Gi', storage: '1Gi', images: ['a'] };
  return { ...rest, ...price, desktop: { ...sizes, ...(isRecord(desktop) ? desktop : {}) } };
}

function repairItem(item: unknown, offers: unknown): unknown {
  if (!isRecord(item)) return item;
  const { recurring, metered, accrues, ...rest } = item;
  if (item.type === 'Recurring') {
    const per = offers === 'Desktop' ? 'Resource' : 'Seat';
    const terms = recurring ?? { amount: '1', interval: 'Month' };
    return {
      ...rest,
      per,
      accrues: accrues === undefined || accrues === 'Running' ? 'Exists' : accrues,
      recurring: terms,
    };
  }
  const per = item.per === 'Seat' ? 'Buyer' : item.per;
  return { ...rest, per, metered: repairMetered(isRecord(metered) ? metered : { meter: 'm', unit: '1' }) };
}

function repairMetered({ amount, tiers, ...rest }: Draft): Draft {
  const terms = Array.isArray(tiers)
    ? { tiers: [{ from: '0', amount: '1' }, ...tiers.filter(startsLater)] }
    : { amount: amount ?? '1' };
  return { ...rest, unit: rest.unit === '0' ? '1' : rest.unit, ...terms };
}

function startsLater(tier: unknown): boolean {
  return isRecord(tier) && tier.from !== '0';
}
