import { checkUpdate, renderPath } from '../../crds/rules/index.ts';
import { addAmounts, LIMIT_NAMES, renderAmounts } from '../../model/limits.ts';
import {
  addMoney,
  compareMoney,
  MAX_DECIMALS,
  type Money,
  multiplyMoney,
  renderMoney,
  ZERO,
} from '../../model/money.ts';
import { computeShrink } from '../../source/shrink.ts';
import type { Breathe } from './breath.ts';
import { compareResources, type FieldChange } from './fields.ts';
import { type Finding, listFindings, listOutside } from './findings.ts';
import { type JudgedEnvironment, judgeEnvironment } from './judge.ts';
import { buildFleet, type Fleet, type Placed } from './model.ts';
import { computeMonthlyPrices, type MonthlyPrice } from './price.ts';
import { type FleetTree, listEnvironments } from './tree.ts';
import { computeUsage, listExceeded } from './usage.ts';

export type ResourceChange = {
  readonly action: 'added' | 'changed' | 'removed';
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
  /** For a changed resource what differs; for an added or removed one everything that it states. */
  readonly fields: readonly FieldChange[];
};

/** One limit of a tenant whose numbers the branch moves. Texts as people write them; `hard` absent: unlimited. */
export type QuotaChange = {
  readonly tenant: string;
  readonly limit: string;
  readonly before: { readonly used: string; readonly hard?: string | undefined };
  readonly after: { readonly used: string; readonly hard?: string | undefined };
  readonly exceeded: boolean;
};

/** What a tenant pays a month in one currency at one level; decimal texts, exact. */
export type PriceChange = {
  readonly tenant: string;
  readonly seller: string;
  readonly level: 'Retail' | 'Wholesale';
  readonly currency: string;
  readonly before: string;
  readonly after: string;
  readonly difference: string;
};

export type EnvironmentDiff = {
  readonly name: string;
  readonly resources: readonly ResourceChange[];
  readonly quotas: readonly QuotaChange[];
  readonly prices: readonly PriceChange[];
  /** What the branch brings and did not stand before. */
  readonly problems: readonly Finding[];
};

export type FleetDiff = {
  readonly environments: readonly EnvironmentDiff[];
  readonly errors: number;
  readonly warnings: number;
};

/** How much a revision may remove without asking, as the fleet source has it by default. */
const SHRINK_RULE = { least: 3, percent: 5 };

/** What lies between two states of a fleet. A folder that is held afterwards counts as it was before, because its last good content stays. */
export async function diffFleets(
  before: FleetTree,
  after: FleetTree,
  { only, breathe }: { readonly only: string | undefined; readonly breathe: Breathe },
): Promise<FleetDiff> {
  const names = [...new Set([...listEnvironments(before), ...listEnvironments(after)])].sort();
  const environments: EnvironmentDiff[] = [];
  for (const name of names) {
    if (only !== undefined && name !== only) continue;
    const old = await judgeEnvironment(before, name, { breathe });
    const now = await judgeEnvironment(after, name, { known: old, breathe });
    environments.push(compareEnvironments({ tree: before, judged: old }, { tree: after, judged: now }));
  }
  const known = new Set(listOutside(before).map(keyOf));
  const outside = only === undefined ? listOutside(after).filter((finding) => !known.has(keyOf(finding))) : [];
  const problems = [...outside, ...environments.flatMap((one) => one.problems)];
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const withOutside =
    outside.length === 0
      ? environments
      : [...environments, { name: '', resources: [], quotas: [], prices: [], problems: outside }];
  return { environments: withOutside.filter(hasContent), errors, warnings: problems.length - errors };
}

type Side = { readonly tree: FleetTree; readonly judged: JudgedEnvironment };

function compareEnvironments(before: Side, after: Side): EnvironmentDiff {
  const old = buildFleet(before.judged);
  const now = buildFleet(after.judged, old);
  const known = new Set(listFindings(before.tree, before.judged, old).map(keyOf));
  const problems = [
    ...findShrink(before.judged, after.judged, old, now),
    ...findImmutable(old, now),
    ...listFindings(after.tree, after.judged, now).filter((finding) => !known.has(keyOf(finding))),
  ];
  return {
    name: after.judged.name,
    resources: compareAll(old, now),
    quotas: compareQuotas(old, now),
    prices: comparePrices(old, now),
    problems,
  };
}

function hasContent({ resources, quotas, prices, problems }: EnvironmentDiff): boolean {
  return resources.length + quotas.length + prices.length + problems.length > 0;
}

/** The same finding a few lines further down is no new one. */
function keyOf({ file, rule, message }: Finding): string {
  return `${file} ${rule} ${message}`;
}

function compareAll(old: Fleet, now: Fleet): readonly ResourceChange[] {
  const ids = [...new Set([...old.resources.keys(), ...now.resources.keys()])].sort();
  return ids.flatMap((id): readonly ResourceChange[] => {
    const [before, after] = [old.resources.get(id), now.resources.get(id)];
    if (before === undefined) return after === undefined ? [] : [describe('added', after, listStated(after, 'after'))];
    if (after === undefined) return [describe('removed', before, listStated(before, 'before'))];
    const fields = compareResources(before.value, after.value);
    return fields.length === 0 ? [] : [describe('changed', after, fields)];
  });
}

function describe(
  action: ResourceChange['action'],
  { namespace, file, value }: Placed,
  fields: readonly FieldChange[],
): ResourceChange {
  return { action, kind: value.kind, namespace, name: value.metadata.name, file, fields };
}

function listStated({ value }: Placed, side: 'before' | 'after'): readonly FieldChange[] {
  return Object.entries(value.spec).flatMap(([name, stated]) =>
    stated === undefined ? [] : [{ path: `spec.${name}`, [side]: stated }],
  );
}

function compareQuotas(old: Fleet, now: Fleet): readonly QuotaChange[] {
  const [before, after] = [computeUsage(old), computeUsage(now)];
  return [...now.tenants.values()].flatMap(({ namespace, path }) => {
    const current = after.get(namespace);
    if (path === undefined || current === undefined) return [];
    const exceeded = listExceeded(current);
    const [was, is] = [renderUsage(before.get(namespace)), renderUsage(current)];
    return LIMIT_NAMES.flatMap((limit): readonly QuotaChange[] => {
      const pair = {
        before: { used: was.used[limit] ?? '0', hard: was.hard[limit] },
        after: { used: is.used[limit] ?? '0', hard: is.hard[limit] },
      };
      const isSame = pair.before.used === pair.after.used && pair.before.hard === pair.after.hard;
      const isUnlimited = pair.before.hard === undefined && pair.after.hard === undefined;
      return isSame || isUnlimited ? [] : [{ tenant: path, limit, ...pair, exceeded: exceeded.includes(limit) }];
    });
  });
}

function renderUsage(usage: ReturnType<ReturnType<typeof computeUsage>['get']>) {
  return {
    used: renderAmounts(addAmounts(usage?.used ?? {}, usage?.allotted ?? {})),
    hard: renderAmounts(usage?.hard ?? {}),
  };
}

function comparePrices(old: Fleet, now: Fleet): readonly PriceChange[] {
  const keyed = (prices: readonly MonthlyPrice[]) =>
    new Map(prices.map((price) => [`${price.tenant} ${price.level} ${price.currency}`, price]));
  const [before, after] = [keyed(computeMonthlyPrices(old)), keyed(computeMonthlyPrices(now))];
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key): readonly PriceChange[] => {
    const one = after.get(key) ?? before.get(key);
    const [was, is] = [before.get(key)?.amount ?? ZERO, after.get(key)?.amount ?? ZERO];
    if (one === undefined || compareMoney(was, is) === 0) return [];
    const { tenant, seller = PROVIDER, level, currency } = one;
    return [
      {
        tenant,
        seller,
        level,
        currency,
        before: renderExact(was),
        after: renderExact(is),
        difference: renderSigned(addMoney(is, multiplyMoney(was, -1n))),
      },
    ];
  });
}

const PROVIDER = 'the provider';

/** Every digit of a sum of stated amounts, and at least two decimals. */
function renderExact(amount: Money): string {
  return renderMoney(amount, MAX_DECIMALS).replace(/(\.\d\d\d*?)0+$/, '$1');
}

function renderSigned(amount: Money): string {
  return compareMoney(amount, ZERO) > 0 ? `+${renderExact(amount)}` : renderExact(amount);
}

/** Fields that keep their first value: the API server refuses the change, and with it the whole folder. */
function findImmutable(old: Fleet, now: Fleet): readonly Finding[] {
  return [...now.resources.values()].flatMap((after) => {
    const before = old.resources.get(after.id);
    if (before === undefined) return [];
    return checkUpdate(before.value, after.value).map(
      ({ rule, path, message }): Finding => ({
        severity: 'error',
        file: after.file,
        line: after.lineOf(path),
        rule,
        message: `${renderPath(path)} ${message}`,
      }),
    );
  });
}

/** What the fleet source holds as a whole until a person confirms it. */
function findShrink(before: JudgedEnvironment, after: JudgedEnvironment, old: Fleet, now: Fleet): readonly Finding[] {
  const [had, has] = [listIds(old), listIds(now)];
  const accepted = new Map(
    [...before.folders.keys()].map((namespace) => {
      const resources = had.get(namespace) ?? [];
      return [namespace, { count: resources.length, resources }];
    }),
  );
  const next = new Map(
    [...after.folders.values()].map(({ namespace, violations }) => {
      return [namespace, violations.length > 0 ? ('kept' as const) : (has.get(namespace) ?? [])];
    }),
  );
  const shrink = computeShrink(accepted, next, false, SHRINK_RULE);
  if (shrink === undefined) return [];
  const { folders, resources, emptied } = shrink;
  const what = emptied ? 'empties the environment' : 'removes more than may go without asking';
  const message =
    `the branch ${what}: ${folders.removed} of ${folders.of} folders (without asking: ${folders.most}) and ${resources.removed} of ${resources.of} ` +
    `resources (without asking: ${resources.most}); the fleet source holds the whole revision until a person confirms it`;
  return [{ severity: 'error', file: `tenants/${after.name}`, line: 0, rule: 'RevisionHeld', message }];
}

/** Ids of resources by namespace. */
function listIds({ resources }: Fleet): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, string[]>();
  for (const { namespace, id } of resources.values()) {
    const found = ids.get(namespace);
    if (found === undefined) ids.set(namespace, [id]);
    else found.push(id);
  }
  return ids;
}
