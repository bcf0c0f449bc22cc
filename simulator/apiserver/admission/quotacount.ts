import { type KubeObject, qualifiedName, type Resource } from '../../../kube/object.ts';
import { parseQuantity } from '../../../kube/quantity.ts';

/** Native ResourceQuota, as far as it counts objects. */

export type ResourceQuota = KubeObject & {
  readonly spec?: { readonly hard?: Hard };
  readonly status?: { readonly hard?: Hard; readonly used?: Hard };
};

/** Quantities by name, such as `count/tenants.sublet.dev` and `configmaps`. */
export type Hard = Readonly<Record<string, string>>;

/** Kinds of the core group that may be limited by their bare name as well. */
const BARE: ReadonlySet<string> = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);
const IGNORED: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io']);

/** The names under which objects of a kind are counted; none for what no quota counts. */
export function quotaNames(resource: Pick<Resource, 'group' | 'plural' | 'namespaced'>): readonly string[] {
  const { group, plural, namespaced } = resource;
  const name = group === '' ? plural : `${plural}.${group}`;
  if (!namespaced || IGNORED.has(name)) return [];
  return BARE.has(name) ? [`count/${name}`, name] : [`count/${name}`];
}

/** Whether a name counts objects. Others, such as `requests.cpu`, are not for this server to enforce. */
export function countsObjects(name: string): boolean {
  return name.startsWith('count/') || BARE.has(name);
}

/** What a quota's status should say; undefined where it says so already. Names of kinds that are not served keep what was used. */
export function computeQuotaStatus(
  quota: ResourceQuota,
  kinds: readonly Resource[],
  countOf: (resource: Resource) => number,
): { readonly hard: Hard; readonly used: Hard } | undefined {
  const hard = quota.spec?.hard ?? {};
  const present = quota.status?.used ?? {};
  const used: Record<string, string> = {};
  const byName = indexKinds(kinds);
  for (const name of Object.keys(hard)) {
    const resource = byName.get(name);
    const count = resource === undefined ? present[name] : renderCount(BigInt(countOf(resource)));
    if (count !== undefined) used[name] = count;
  }
  const { status } = quota;
  const isSame = status?.hard !== undefined && isEqual(status.hard, hard) && isEqual(status.used, used);
  return isSame ? undefined : { hard, used };
}

/** Kinds by the names under which they are counted. */
function indexKinds(kinds: readonly Resource[]): ReadonlyMap<string, Resource> {
  const known = indexes.get(kinds);
  if (known !== undefined) return known;
  const index = new Map(kinds.flatMap((resource) => quotaNames(resource).map((name) => [name, resource] as const)));
  indexes.set(kinds, index);
  return index;
}

const indexes = new WeakMap<readonly Resource[], ReadonlyMap<string, Resource>>();

function isEqual(a: Hard | undefined, b: Hard): boolean {
  if (a === undefined || Object.keys(a).length !== Object.keys(b).length) return false;
  return Object.entries(b).every(([name, value]) => {
    const other = Object.hasOwn(a, name) ? a[name] : undefined;
    return other !== undefined && parseQuantity(other) === parseQuantity(value);
  });
}

/** One object more of a kind, as one quota sees it: nothing to it, a refusal in the API server's words, or the new numbers. */
export type Charge = { readonly refusal: string } | { readonly used: Hard } | undefined;

export function computeCharge(quota: ResourceQuota, resource: Resource): Charge {
  const { hard = {}, used = {} } = quota.status ?? {};
  const names = quotaNames(resource)
    .filter((name) => Object.hasOwn(hard, name))
    .sort();
  if (names.length === 0) return undefined;
  const { name } = quota.metadata;
  if (names.some((one) => !Object.hasOwn(used, one))) {
    return { refusal: `status unknown for quota: ${name}, resources: ${names.join(',')}` };
  }
  const usedOf = (one: string): bigint => parseQuantity(used[one] ?? '0');
  const exceeded = names.filter((one) => usedOf(one) + 1n > parseQuantity(hard[one] ?? '0'));
  if (exceeded.length > 0) {
    const list = (countOf: (one: string) => bigint) =>
      exceeded.map((one) => `${one}=${renderCount(countOf(one))}`).join(',');
    const limited = list((one) => parseQuantity(hard[one] ?? '0'));
    return {
      refusal: `exceeded quota: ${name}, requested: ${list(() => 1n)}, used: ${list(usedOf)}, limited: ${limited}`,
    };
  }
  return { used: { ...used, ...Object.fromEntries(names.map((one) => [one, renderCount(usedOf(one) + 1n)])) } };
}

/** The canonical text of a whole number: `5000` is `5k`. */
export function renderCount(count: bigint): string {
  let rest = count;
  let suffix = 0;
  while (rest !== 0n && rest % 1_000n === 0n && suffix < SUFFIXES.length - 1) {
    rest /= 1_000n;
    suffix += 1;
  }
  return `${rest}${SUFFIXES[suffix]}`;
}

const SUFFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;

/** The kinds that a removal frees in a quota's count are those that its status names. */
export function concerns(quota: ResourceQuota, resource: Pick<Resource, 'group' | 'plural' | 'namespaced'>): boolean {
  const hard = quota.spec?.hard ?? {};
  return quotaNames(resource).some((name) => Object.hasOwn(hard, name));
}

export const isQuota = (resource: Resource): boolean => qualifiedName(resource) === 'resourcequotas';
