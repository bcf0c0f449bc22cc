import { parseQuantity, renderQuantity } from '../kube/quantity.ts';

/** What can be limited. `memory` and `storage` are bytes, everything else a count. Units are what the customer bought. */
export const LIMIT_NAMES = ['vcpu', 'memory', 'storage', 'gpus', 'desktops', 'addresses', 'tenants'] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** Amounts by name; an absent name is zero. */
export type Amounts = { readonly [name in LimitName]?: bigint | undefined };

/** Limits by name; an absent name is unlimited. */
export type Limits = { readonly [name in LimitName]?: bigint | undefined };

/** Limits as a Plan's `limits` or a Quota's `hard` state them: numbers or quantities by name. */
export type StatedLimits = { readonly [name in LimitName]?: string | number | undefined };

const QUANTITIES: ReadonlySet<LimitName> = new Set<LimitName>(['memory', 'storage']);

/** Throws on a text that is no quantity; schemas refuse such before. */
export function parseLimits(stated: StatedLimits | undefined): Limits {
  return mapNames((name) => {
    const value = stated?.[name];
    return value === undefined ? undefined : parseQuantity(value);
  });
}

/**
 * The limits that hold for a tenant: the lower of its Plan and its Quota, name by name. What neither states is 0 below a
 * parent that is limited in that name, and unlimited otherwise.
 */
export function computeEffectiveLimits(input: {
  readonly plan?: StatedLimits | undefined;
  readonly quota?: StatedLimits | undefined;
  readonly parent: Limits;
}): Limits {
  const plan = parseLimits(input.plan);
  const quota = parseLimits(input.quota);
  return mapNames((name) => lower(plan[name], quota[name]) ?? (input.parent[name] === undefined ? undefined : 0n));
}

export type Shortfall = {
  readonly name: LimitName;
  readonly asked: bigint;
  /** What others hold already: used and allotted. */
  readonly used: bigint;
  readonly hard: bigint;
};

/**
 * What does not fit: used + allotted + asked above hard. A name of which no more is asked than is held already never falls short, so
 * that a lowered limit stops growth and not what runs.
 */
export function computeShortfall(input: {
  readonly hard: Limits;
  readonly used: Amounts;
  readonly allotted: Amounts;
  readonly ask: Amounts;
  readonly held?: Amounts | undefined;
}): readonly Shortfall[] {
  return LIMIT_NAMES.flatMap((name) => {
    const hard = input.hard[name];
    const asked = input.ask[name] ?? 0n;
    if (hard === undefined || asked <= (input.held?.[name] ?? 0n)) return [];
    const used = (input.used[name] ?? 0n) + (input.allotted[name] ?? 0n);
    return used + asked > hard ? [{ name, asked, used, hard }] : [];
  });
}

/** `vcpu: asked 4, used 14 of 16`, one name after the other. */
export function renderShortfall(shortfall: readonly Shortfall[]): string {
  return shortfall
    .map(({ name, asked, used, hard }) => {
      const show = (amount: bigint) => renderAmount(name, amount);
      return `${name}: asked ${show(asked)}, used ${show(used)} of ${show(hard)}`;
    })
    .join('; ');
}

export function addAmounts(a: Amounts, b: Amounts): Amounts {
  return mapNames((name) => (a[name] === undefined ? b[name] : a[name] + (b[name] ?? 0n)));
}

/** The higher of two, name by name. */
export function maxAmounts(a: Amounts, b: Amounts): Amounts {
  return mapNames((name) => {
    const [x, y] = [a[name], b[name]];
    return x === undefined || (y !== undefined && y > x) ? y : x;
  });
}

/** Texts by name, as a person writes them: `{"vcpu":"4","memory":"8Gi"}`. Zeros are kept, absent names left out. */
export function renderAmounts(amounts: Amounts): Readonly<Partial<Record<LimitName, string>>> {
  const rendered: Partial<Record<LimitName, string>> = {};
  for (const name of LIMIT_NAMES) {
    const amount = amounts[name];
    if (amount !== undefined) rendered[name] = renderAmount(name, amount);
  }
  return rendered;
}

/** The inverse of {@link renderAmounts}; `undefined` on anything that it cannot have written. */
export function parseAmounts(value: unknown): Amounts | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const amounts: { [name in LimitName]?: bigint } = {};
  for (const [name, text] of Object.entries(value)) {
    if (!isLimitName(name) || typeof text !== 'string' || !/^[0-9]{1,30}([KMGTPE]i)?$/.test(text)) return undefined;
    amounts[name] = parseQuantity(text);
  }
  return amounts;
}

export function isLimitName(name: string): name is LimitName {
  return (LIMIT_NAMES as readonly string[]).includes(name);
}

function renderAmount(name: LimitName, amount: bigint): string {
  return QUANTITIES.has(name) ? renderQuantity(amount) : String(amount);
}

function lower(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** Absent names stay absent, so that results compare as plain values. */
function mapNames(compute: (name: LimitName) => bigint | undefined): Amounts {
  const result: { [name in LimitName]?: bigint } = {};
  for (const name of LIMIT_NAMES) {
    const value = compute(name);
    if (value !== undefined) result[name] = value;
  }
  return result;
}
