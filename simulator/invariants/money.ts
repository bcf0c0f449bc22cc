import type { Check, Report } from './checker.ts';
import {
  annotationOf,
  at,
  CONFIGMAPS,
  DISKS,
  findHome,
  isOperator,
  isRecord,
  LEDGER,
  listAt,
  MACHINES,
  NAMESPACES,
  nameOf,
  namespaceOf,
  OWNER_KIND,
  OWNER_NAME,
  PATH,
  PLANS,
  parseAmount,
  QUOTAS,
  ROOT,
  SERVICES,
  TENANTS,
  textAt,
  UNSEEN_MS,
  type World,
} from './live.ts';
import type { Change, Live } from './trail.ts';

export type Amounts = Readonly<Record<string, bigint>>;

/**
 * I4, as far as money exists before billing: shares. What costs something exists only while a share that covers it is recorded, and a record
 * never grows above what Plans and Quotas allow. What is recorded at rest is judged in `records.ts`.
 */
export const createMoneyCheck: Check = (report) => ({
  change(change, world) {
    if (!isOperator(change.actor)) return;
    if (change.resource === CONFIGMAPS && nameOf(change.key) === LEDGER) judgeGrowth(change, world, report);
    else judgeCost(change, world, report);
  },
});

function judgeCost(change: Change, world: World, report: Report): void {
  const { resource, key, before, after } = change;
  if (after?.metadata.labels?.[OWNER_KIND] !== 'RDPInstance') return;
  const cost = computeCost(resource, after);
  const had = before === undefined ? {} : computeCost(resource, before);
  const grown = Object.entries(cost).filter(([name, amount]) => amount > (had[name] ?? 0n));
  if (grown.length === 0) return;
  const desktop = after.metadata.labels[OWNER_NAME] ?? '';
  const grant = readLedger(world.get(CONFIGMAPS, `${namespaceOf(key)}/${LEDGER}`)).get(`desktops.${desktop}`);
  for (const [name, amount] of grown) {
    const recorded = grant?.used[name] ?? 0n;
    if (recorded < amount)
      report('I4', change, `it takes ${amount} of ${name}, of which ${recorded} was recorded before`);
  }
}

/** What an object takes of the limits, by itself. */
export function computeCost(resource: string, object: Live): Amounts {
  switch (resource) {
    case DISKS:
      return {
        desktops: 1n,
        storage: parseAmount(textAt(object, 'spec', 'storage', 'resources', 'requests', 'storage') ?? '0'),
      };
    case MACHINES: {
      if (at(object, 'spec', 'runStrategy') === 'Halted') return { desktops: 1n };
      const domain = at(object, 'spec', 'template', 'spec', 'domain');
      return {
        desktops: 1n,
        vcpu: parseAmount(at(domain, 'cpu', 'cores') ?? 1),
        memory: parseAmount(textAt(domain, 'memory', 'guest') ?? '0'),
        gpus: BigInt(listAt(domain, 'devices', 'gpus').length),
      };
    }
    case SERVICES:
      return at(object, 'spec', 'type') === 'LoadBalancer' ? { addresses: 1n } : {};
    default:
      return {};
  }
}

export type Grant = { readonly used: Amounts; readonly allotted: Amounts };

export function readLedger(record: Live | undefined): ReadonlyMap<string, Grant> {
  const ledger = new Map<string, Grant>();
  const data = record === undefined ? {} : record.data;
  for (const [field, text] of Object.entries(isRecord(data) ? data : {})) {
    try {
      const grant: unknown = JSON.parse(String(text));
      ledger.set(field, { used: readAmounts(at(grant, 'used')), allotted: readAmounts(at(grant, 'allotted')) });
    } catch {
      // Somebody else's garbage; the operator grants nothing from it.
    }
  }
  return ledger;
}

function readAmounts(value: unknown): Amounts {
  return Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).map(([name, amount]) => [name, parseAmount(amount)]),
  );
}

export function totalOf(ledger: ReadonlyMap<string, Grant>): Amounts {
  const total: Record<string, bigint> = {};
  for (const { used, allotted } of ledger.values()) {
    for (const part of [used, allotted])
      for (const [name, amount] of Object.entries(part)) total[name] = (total[name] ?? 0n) + amount;
  }
  return total;
}

function judgeGrowth(change: Change, world: World, report: Report): void {
  if (change.after === undefined) return;
  const namespace = namespaceOf(change.key);
  // A limit that somebody lowered a moment ago may not be known yet: what is granted on the old one is not yet wrong.
  const inputs = [PLANS, QUOTAS, TENANTS].map((kind) => world.kindChangedByOthersAt(kind));
  if (change.atMs - Math.max(...inputs) < UNSEEN_MS && isLowered(world, namespace, change.before)) return;
  const hard = computeHard(world, namespace);
  const [was, is] = [totalOf(readLedger(change.before)), totalOf(readLedger(change.after))];
  for (const [name, limit] of Object.entries(hard)) {
    const [old, total] = [was[name] ?? 0n, is[name] ?? 0n];
    if (total > limit && total > old) report('I4', change, `${total} of ${name} are recorded and ${limit} are allowed`);
  }
}

/** Whether less is allowed than was recorded before: only a limit that was lowered afterwards leaves that. */
function isLowered(world: World, namespace: string, before: Live | undefined): boolean {
  const had = totalOf(readLedger(before));
  return Object.entries(computeHard(world, namespace)).some(([name, limit]) => (had[name] ?? 0n) > limit);
}

/** What may be recorded in a namespace: the lower of Plan and Quota, and no more than the seller recorded where it is limited itself. */
function computeHard(world: World, namespace: string): Amounts {
  if (namespace === ROOT) return {};
  const home = world.get(NAMESPACES, namespace);
  const path = annotationOf(home, PATH);
  if (path === undefined) return {};
  const cut = path.lastIndexOf('--');
  const name = cut < 0 ? path : path.slice(cut + 2);
  const seller = cut < 0 ? ROOT : findHome(world, path.slice(0, cut));
  const tenant = world.get(TENANTS, `${seller}/${name}`);
  if (tenant === undefined) return {};
  const above = computeHard(world, seller);
  const plan = readAmounts(at(world.get(PLANS, `${seller}/${textAt(tenant, 'spec', 'plan')}`), 'spec', 'limits'));
  const quota = readAmounts(at(world.get(QUOTAS, `${seller}/${name}`), 'spec', 'hard'));
  const share = readLedger(world.get(CONFIGMAPS, `${seller}/${LEDGER}`)).get(`tenants.${name}`)?.allotted ?? {};
  const hard: Record<string, bigint> = {};
  for (const limit of new Set([...Object.keys(plan), ...Object.keys(quota), ...Object.keys(above)])) {
    const stated = [plan[limit], quota[limit]].filter((amount) => amount !== undefined);
    const own = stated.length === 0 ? 0n : stated.reduce((a, b) => (a < b ? a : b));
    const passed = above[limit] === undefined ? own : (share[limit] ?? 0n);
    hard[limit] = passed < own ? passed : own;
  }
  return hard;
}
