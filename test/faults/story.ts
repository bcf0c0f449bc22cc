import type { Condition } from '../../crds/v1alpha1/conditions.ts';
import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../../crds/v1alpha1/resources.ts';
import { type KubeObject, parseKey, qualifiedName, type Resource } from '../../kube/object.ts';
import { VIRTUALMACHINEINSTANCES, VIRTUALMACHINES } from '../../kubevirt/index.ts';
import { API_VERSION } from '../../model/group.ts';
import type { World } from '../simulation/contract.ts';

/** One thing that has to be so, in plain words, with what was found instead. */
export type Claim = { readonly says: string; readonly found?: string | undefined; readonly holds: boolean };

/** What lives need of a world; a real cluster has it too. */
export type Place = Pick<World, 'admin' | 'peek' | 'list' | 'nowMs' | 'runFor' | 'runUntil' | 'runUntilQuiet'>;

/** What a step may do besides what `admin` does. */
export type Stage<W extends Place = World> = {
  readonly world: W;
  /** Stops the operator as an upgrade does and starts it with these settings, which it keeps. */
  upgrade(settings: Readonly<Record<string, unknown>>): Promise<void>;
};

/** Somebody does something; then everything comes to rest; then the claims have to hold. */
export type Step<W extends Place = World> = {
  readonly does: string;
  act(stage: Stage<W>): Promise<void> | void;
  /** Virtual time that passes beyond coming to rest. */
  readonly thenMs?: number;
  readonly claims?: (world: W) => readonly Claim[];
};

/** A piece of a tenant's or a desktop's life. */
export type Scenario<W extends Place = World> = {
  readonly name: string;
  readonly title: string;
  /** Settings of the operator over the world's. */
  readonly operator?: Readonly<Record<string, unknown>>;
  /** What is there, and at rest, before anything goes wrong. */
  given(world: W): Promise<void>;
  readonly steps: readonly Step<W>[];
};

export const DAY_MS = 86_400_000;

type Loose = KubeObject & {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly address?: string;
    readonly epoch?: Readonly<Record<string, string>>;
    readonly [member: string]: unknown;
  };
};

export function peek(world: Place, resource: Resource, key: string): Loose | undefined {
  return world.peek<Loose>(qualifiedName(resource), key);
}

export function tenant(namespace: string, name: string, spec: Readonly<Record<string, unknown>> = {}): KubeObject {
  return build('Tenant', namespace, name, { id: `${name}-1`, plan: 'team', ...spec });
}

export function desktop(namespace: string, name: string, spec: Readonly<Record<string, unknown>> = {}): KubeObject {
  return build('RDPInstance', namespace, name, { plan: 'small', image: 'ubuntu-24', username: 'anna', ...spec });
}

export function quota(namespace: string, name: string, hard: Readonly<Record<string, unknown>>): KubeObject {
  return build('Quota', namespace, name, { hard });
}

export function plan(namespace: string, name: string, spec: Readonly<Record<string, unknown>>): KubeObject {
  return build('Plan', namespace, name, { title: name, currency: 'USD', price: [], ...spec });
}

function build(kind: string, namespace: string, name: string, spec: Readonly<Record<string, unknown>>) {
  return { apiVersion: API_VERSION, kind, metadata: { namespace, name }, spec };
}

const RESOURCES: Readonly<Record<string, Resource>> = {
  Tenant: TENANTS,
  RDPInstance: RDPINSTANCES,
  Quota: QUOTAS,
  Plan: PLANS,
};

/** Applies what people order, as kubectl does. */
export async function order({ admin }: Pick<Place, 'admin'>, ...objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    const resource = RESOURCES[object.kind];
    if (resource === undefined) throw new TypeError(`nobody orders a ${object.kind}`);
    await admin.apply(resource, object, { fieldManager: 'person', force: true });
  }
}

export async function edit(world: Place, resource: Resource, key: string, spec: unknown): Promise<void> {
  await world.admin.patch(resource, parseKey(key), { type: 'merge', body: { spec } });
}

export async function annotate(
  world: Place,
  resource: Resource,
  key: string,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  await world.admin.patch(resource, parseKey(key), { type: 'merge', body: { metadata: { annotations } } });
}

export async function remove(world: Place, resource: Resource, key: string): Promise<void> {
  await world.admin.delete(resource, parseKey(key));
}

export const SMALL = {
  offers: 'Desktop',
  desktop: { vcpu: 2, memory: '4Gi', storage: '20Gi', images: ['ubuntu-24', 'debian-13'] },
};
export const LARGE = { offers: 'Desktop', desktop: { vcpu: 4, memory: '8Gi', storage: '40Gi', images: ['ubuntu-24'] } };
export const TEAM = {
  offers: 'Tenant',
  limits: { vcpu: 16, memory: '64Gi', storage: '500Gi', gpus: 0, desktops: 10, addresses: 10, tenants: 5 },
};

/** The provider's price list. */
export async function givenPlans(world: Place): Promise<void> {
  await order(
    world,
    plan('sublet-root', 'small', SMALL),
    plan('sublet-root', 'large', LARGE),
    plan('sublet-root', 'team', TEAM),
  );
}

/** The price list, and a customer. */
export async function givenTenant(world: Place): Promise<void> {
  await givenPlans(world);
  await order(world, tenant('sublet-root', 'bob', { members: [{ kind: 'User', name: 'oidc:bob', role: 'Owner' }] }));
}

/** A customer whose desktop runs. */
export async function givenDesktop(world: Place): Promise<void> {
  await givenTenant(world);
  await world.runUntilQuiet({ what: 'the tenant is there' });
  await order(world, desktop('t-bob', 'desk'));
}

/** A reseller with a price list of its own, a customer below it, and that one's running desktop. */
export async function givenReseller(world: Place): Promise<void> {
  await givenPlans(world);
  await order(world, tenant('sublet-root', 'acme', { type: 'Reseller' }));
  await world.runUntilQuiet({ what: 'the reseller is there' });
  await orderBelowReseller(world);
  await world.runUntilQuiet({ what: 'the customer is there' });
  await order(world, desktop('t-acme--eve', 'desk', { plan: 'pro' }));
}

export async function orderBelowReseller(world: Place): Promise<void> {
  const limits = { vcpu: 4, memory: '8Gi', storage: '60Gi', gpus: 0, desktops: 2, addresses: 2, tenants: 0 };
  await order(
    world,
    plan('t-acme', 'pro', { offers: 'Desktop', basedOn: 'small' }),
    plan('t-acme', 'seat', { offers: 'Tenant', basedOn: 'team', limits }),
    tenant('t-acme', 'eve', { plan: 'seat' }),
  );
}

export function claim(says: string, holds: boolean, found?: unknown): Claim {
  return { says, holds, found: found === undefined ? undefined : JSON.stringify(found) };
}

/** `Ready` is True for what is asked now. */
export function isReady(world: Place, resource: Resource, key: string): Claim {
  const ready = readyOf(peek(world, resource, key));
  const current = ready?.observedGeneration === peek(world, resource, key)?.metadata.generation;
  return claim(`${resource.kind} ${key} is Ready`, ready?.status === 'True' && current, ready ?? 'no condition');
}

/** `Ready` is not True, for this reason. */
export function isWaiting(world: Place, resource: Resource, key: string, reason: string): Claim {
  const ready = readyOf(peek(world, resource, key));
  const holds = ready !== undefined && ready.status !== 'True' && ready.reason === reason;
  return claim(`${resource.kind} ${key} is not Ready: ${reason}`, holds, ready ?? 'no condition');
}

export function exists(world: Place, resource: Resource, key: string): Claim {
  return claim(`${resource.kind} ${key} exists`, peek(world, resource, key) !== undefined);
}

export function isGone(world: Place, resource: Resource, key: string): Claim {
  return claim(`${resource.kind} ${key} is gone`, peek(world, resource, key) === undefined);
}

/** The guest of a desktop runs, or there is none. `key` is the desktop's. */
export function guestRuns(world: Place, key: string): Claim {
  const guest = peek(world, VIRTUALMACHINEINSTANCES, childKey(key));
  return claim(`the guest of ${key} runs`, guest?.status?.phase === 'Running', guest?.status?.phase ?? 'none');
}

export function isDown(world: Place, key: string): Claim {
  const guest = peek(world, VIRTUALMACHINEINSTANCES, childKey(key));
  const down = guest === undefined || guest.status?.phase === 'Succeeded' || guest.status?.phase === 'Failed';
  return claim(`${key} has no running guest`, down, guest?.status?.phase ?? 'none');
}

export function hasStrategy(world: Place, key: string, strategy: string): Claim {
  const machine = peek(world, VIRTUALMACHINES, childKey(key));
  return claim(
    `the machine of ${key} is ${strategy}`,
    machine?.spec?.runStrategy === strategy,
    machine?.spec?.runStrategy ?? 'none',
  );
}

export function hasAnnotation(world: Place, resource: Resource, key: string, name: string, wanted: boolean): Claim {
  const has = peek(world, resource, key)?.metadata.annotations?.[name] !== undefined;
  return claim(`${resource.kind} ${key} ${wanted ? 'carries' : 'does not carry'} ${name}`, has === wanted);
}

/** The key of a desktop's children. */
export function childKey(key: string): string {
  return key.replace('/', '/rdp-');
}

export function readyOf(object: Loose | undefined): Condition | undefined {
  return object?.status?.conditions?.find(({ type }) => type === 'Ready');
}
