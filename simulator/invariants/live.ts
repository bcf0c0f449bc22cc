import type { Actor, Change, Live, RequestSent } from './trail.ts';

export const TENANTS = 'tenants.sublet.dev';
export const PLANS = 'plans.sublet.dev';
export const QUOTAS = 'quotas.sublet.dev';
export const DESKTOPS = 'rdpinstances.sublet.dev';
export const MACHINES = 'virtualmachines.kubevirt.io';
export const INSTANCES = 'virtualmachineinstances.kubevirt.io';
export const DISKS = 'datavolumes.cdi.kubevirt.io';
export const NAMESPACES = 'namespaces';
export const SECRETS = 'secrets';
export const CLAIMS = 'persistentvolumeclaims';
export const CONFIGMAPS = 'configmaps';
export const SERVICES = 'services';

export const ROOT = 'sublet-root';
export const SYSTEM = 'sublet-system';
export const FLEET = 'sublet-fleet';
export const LEDGER = 'sublet-grants';
export const BREAKER = 'sublet-breaker';

export const OWNER_ID = 'sublet.dev/tenant-id';
export const OWNER_KIND = 'sublet.dev/owner-kind';
export const OWNER_NAME = 'sublet.dev/owner-name';
export const TENANT_ID = 'sublet.dev/tenant-id';
export const PARENT_ID = 'sublet.dev/parent-id';
export const PATH = 'sublet.dev/path';
export const REMOVED_AT = 'sublet.dev/removed-at';
export const SWEEP_AT = 'sublet.dev/sweep-at';
export const HELD = 'sublet.dev/held';

/**
 * How long the operator may not know of a change that somebody else made: the longest that a watch which lies dead stays unnoticed,
 * and the reconcile that follows.
 */
export const UNSEEN_MS = 40_000;

export function isOperator(actor: Actor): boolean {
  return actor.startsWith('operator/');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of members; `undefined` where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const member of path) {
    if (Array.isArray(found) && typeof member === 'number') found = found[member];
    else if (isRecord(found) && typeof member === 'string') found = found[member];
    else return undefined;
  }
  return found;
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** Whose an object says that it is, by its labels; `undefined` when it is nobody's. */
export function ownerOf(object: Live | undefined): string | undefined {
  const labels = object?.metadata.labels;
  const [id, kind, name] = [labels?.[OWNER_ID], labels?.[OWNER_KIND], labels?.[OWNER_NAME]];
  return id === undefined || kind === undefined || name === undefined ? undefined : `${id}/${kind}/${name}`;
}

export function annotationOf(object: Live | undefined, name: string): string | undefined {
  return object?.metadata.annotations?.[name];
}

export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export function namespaceOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? '' : key.slice(0, slash);
}

export function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

/** The namespace of the tenant at a path; empty when it has none. */
export function findHome(world: World, path: string): string {
  for (const [name, object] of world.list(NAMESPACES)) if (annotationOf(object, PATH) === path) return name;
  return '';
}

/** Of a Tenant another identity may have come under the same name; then what the older left is removed all the same. */
export function isSameOrder(resource: string, live: Live, left: Live | undefined): boolean {
  if (resource !== TENANTS) return true;
  return annotationOf(left, TENANT_ID)?.startsWith(`${textAt(live, 'spec', 'id')}-`) === true;
}

/** Somebody changed it so recently that the operator may not know. */
export function isRecent(
  world: World,
  { resource, key }: { readonly resource: string; readonly key: string },
  atMs: number,
): boolean {
  return atMs - (world.changedByOthersAt(resource, key) ?? Number.NEGATIVE_INFINITY) < UNSEEN_MS;
}

/** The changes so far, as objects. Handed to checks with the state just before the event that they judge. */
export type World = {
  get(resource: string, key: string): Live | undefined;
  list(resource: string): Iterable<readonly [key: string, object: Live]>;
  /** When an object was last changed by somebody other than the operator; undefined when never. */
  changedByOthersAt(resource: string, key: string): number | undefined;
  /** When anything of a kind was last changed by somebody other than the operator. */
  kindChangedByOthersAt(resource: string): number;
};

export type Replay = World & { apply(change: Change): void };

export function createReplay(): Replay {
  const kinds = new Map<string, Map<string, Live>>();
  const touched = new Map<string, number>();
  const touchedKinds = new Map<string, number>();
  const kindOf = (resource: string): Map<string, Live> => {
    const found = kinds.get(resource) ?? new Map<string, Live>();
    kinds.set(resource, found);
    return found;
  };
  return {
    get: (resource, key) => kinds.get(resource)?.get(key),
    list: (resource) => kindOf(resource).entries(),
    changedByOthersAt: (resource, key) => touched.get(`${resource} ${key}`),
    kindChangedByOthersAt: (resource) => touchedKinds.get(resource) ?? Number.NEGATIVE_INFINITY,
    apply: ({ resource, key, after, actor, atMs }) => {
      if (after === undefined) kindOf(resource).delete(key);
      else kindOf(resource).set(key, after);
      if (isOperator(actor)) return;
      touched.set(`${resource} ${key}`, atMs);
      touchedKinds.set(resource, atMs);
    },
  };
}

/** `operator/1 delete virtualmachines.kubevirt.io t-bob/rdp-desk`. */
export function renderRequest({ actor, verb, resource, key, subresource }: RequestSent): string {
  return `${actor} ${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} ${key}`;
}

const UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1_000n,
  M: 1_000_000n,
  G: 1_000_000_000n,
  T: 1_000_000_000_000n,
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
};

/** Whole quantities as Sublet and KubeVirt write them: `4`, `8Gi`. Throws on anything else. */
export function parseAmount(value: unknown): bigint {
  const match = /^(\d+)([a-zA-Z]{0,2})$/.exec(String(value));
  const unit = UNITS[match?.[2] ?? '?'];
  if (match?.[1] === undefined || unit === undefined) throw new Error(`${String(value)} is no whole quantity`);
  return BigInt(match[1]) * unit;
}

/** Bytes that a disk or its claim asks for. */
export function requestOf(disk: Live | undefined): bigint {
  const ofDisk = textAt(disk, 'spec', 'storage', 'resources', 'requests', 'storage');
  return parseAmount(ofDisk ?? textAt(disk, 'spec', 'resources', 'requests', 'storage') ?? '0');
}
