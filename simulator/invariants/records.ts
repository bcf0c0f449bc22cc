import type { Check, Report } from './checker.ts';
import {
  annotationOf,
  at,
  CLAIMS,
  CONFIGMAPS,
  DESKTOPS,
  DISKS,
  INSTANCES,
  isRecord,
  LEDGER,
  listAt,
  MACHINES,
  NAMESPACES,
  nameOf,
  namespaceOf,
  OWNER_KIND,
  OWNER_NAME,
  PARENT_ID,
  PATH,
  parseAmount,
  ROOT,
  requestOf,
  SERVICES,
  TENANT_ID,
  TENANTS,
  textAt,
  type World,
} from './live.ts';
import { type Amounts, computeCost, type Grant, readLedger, totalOf } from './money.ts';

/**
 * I4 at rest: what is recorded is what exists. Every record has its desktop or tenant, or what is left of it, and is not more than that; every disk and machine has its
 * record; and what a tenant's namespace holds fits into what its seller recorded for it.
 */
export const createRecordsCheck: Check = (report) => ({
  mark({ type, atMs }, world) {
    if (type !== 'settled') return;
    for (const [key, record] of world.list(CONFIGMAPS)) {
      if (nameOf(key) !== LEDGER) continue;
      for (const [field, grant] of readLedger(record)) judgeEntry({ atMs, key, field, grant }, world, report);
    }
    for (const resource of [DISKS, MACHINES]) judgeRecorded(atMs, resource, world, report);
  },
});

type Entry = { readonly atMs: number; readonly key: string; readonly field: string; readonly grant: Grant };

function judgeEntry(entry: Entry, world: World, report: Report): void {
  const { atMs, key, field } = entry;
  const name = field.slice(field.indexOf('.') + 1);
  const judge = field.startsWith('desktops.') ? judgeDesktop : judgeTenant;
  for (const text of judge(entry, name, world)) report('I4', { atMs, resource: CONFIGMAPS, key }, `${field} ${text}`);
}

const NOTHING = ['is recorded and nothing of it exists'];

function judgeDesktop({ key, grant }: Entry, name: string, world: World): readonly string[] {
  const namespace = namespaceOf(key);
  if (!isDesktopThere(world, namespace, name)) return NOTHING;
  const most = computeMost(world, namespace, name);
  return Object.entries(grant.used).flatMap(([what, amount]) =>
    amount > (most[what] ?? 0n) ? [`has ${amount} of ${what} recorded, and takes ${most[what] ?? 0n}`] : [],
  );
}

function judgeTenant({ key, grant }: Entry, name: string, world: World): readonly string[] {
  const seller = namespaceOf(key);
  const home = findTenantHome(world, seller, name);
  if (home === undefined) return world.get(TENANTS, `${seller}/${name}`) === undefined ? NOTHING : [];
  const inside = totalOf(readLedger(world.get(CONFIGMAPS, `${home}/${LEDGER}`)));
  return Object.entries(inside).flatMap(([what, amount]) => {
    const share = grant.allotted[what] ?? 0n;
    return amount > share ? [`has ${share} of ${what} recorded, and ${amount} are taken below it`] : [];
  });
}

function judgeRecorded(atMs: number, resource: string, world: World, report: Report): void {
  for (const [key, object] of world.list(resource)) {
    if (object.metadata.labels?.[OWNER_KIND] !== 'RDPInstance') continue;
    const field = `desktops.${object.metadata.labels[OWNER_NAME]}`;
    const ledger = readLedger(world.get(CONFIGMAPS, `${namespaceOf(key)}/${LEDGER}`));
    if (!ledger.has(field)) report('I4', { atMs, resource, key }, `it exists and ${field} is not recorded`);
  }
}

function isDesktopThere(world: World, namespace: string, name: string): boolean {
  const child = `${namespace}/rdp-${name}`;
  return [world.get(DESKTOPS, `${namespace}/${name}`), world.get(DISKS, child), world.get(MACHINES, child)].some(
    (object) => object !== undefined,
  );
}

function findTenantHome(world: World, namespace: string, name: string): string | undefined {
  const seller = namespace === ROOT ? 'root' : annotationOf(world.get(NAMESPACES, namespace), TENANT_ID);
  for (const [home, object] of world.list(NAMESPACES)) {
    const path = annotationOf(object, PATH) ?? '';
    if (annotationOf(object, PARENT_ID) === seller && (path === name || path.endsWith(`--${name}`))) return home;
  }
  return undefined;
}

/**
 * The most that a desktop may have recorded. A removed one takes the place of its disk alone. One that its owner stopped takes nothing that only a guest needs, unless it is
 * refused and so left as it is; a suspended one keeps what it had, which is what its machine says.
 */
function computeMost(world: World, namespace: string, name: string): Amounts {
  const child = `${namespace}/rdp-${name}`;
  const desktop = world.get(DESKTOPS, `${namespace}/${name}`);
  const storage = max(...[DISKS, CLAIMS].map((resource) => requestOf(world.get(resource, child))));
  if (desktop === undefined) return { storage };
  const service = world.get(SERVICES, child);
  const addresses = service === undefined ? 0n : (computeCost(SERVICES, service).addresses ?? 0n);
  const guest = world.get(INSTANCES, child);
  const kept = { desktops: 1n, storage, addresses };
  const ready = listAt(desktop, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  if (guest === undefined && textAt(ready, 'reason') === 'Stopped') return kept;
  const machine = at(world.get(MACHINES, child), 'spec', 'template');
  const sizes = [sizeOf(machine), sizeOf(guest)];
  const most = (what: string): bigint => max(...sizes.map((size) => size[what] ?? 0n));
  return { ...kept, vcpu: most('vcpu'), memory: most('memory'), gpus: most('gpus') };
}

/** What a machine's template, or a guest, has of its own. */
function sizeOf(value: unknown): Amounts {
  const domain = at(value, 'spec', 'domain');
  if (!isRecord(domain)) return {};
  return {
    vcpu: parseAmount(at(domain, 'cpu', 'cores') ?? 1),
    memory: parseAmount(textAt(domain, 'memory', 'guest') ?? '0'),
    gpus: BigInt(listAt(domain, 'devices', 'gpus').length),
  };
}

function max(...amounts: readonly bigint[]): bigint {
  return amounts.reduce((most, amount) => (amount > most ? amount : most), 0n);
}
