import { realClock } from '../../kube/clock.ts';
import { probeDesktop } from '../../operator/controllers/rdpinstance/probe.ts';
import { dialTcp } from '../../operator/dial.ts';
import type { AuditEvent } from '../cluster/audit.ts';
import { actingUser, isWrite } from '../cluster/audit.ts';
import { renderEvent, waitUntilQuiet } from '../support/quiet.ts';
import type { World } from '../support/world.ts';

const POLL_MS = 100;
const EVENTUALLY_MS = 300_000;

/** An object as the API server gives it, as far as stories look into it. */
export type Live = {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly generation?: number;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>> & { readonly conditions?: readonly Condition[] };
  readonly data?: Readonly<Record<string, string>>;
};
export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
};

const PATHS = {
  Tenant: 'apis/sublet.dev/v1alpha1/tenants',
  Plan: 'apis/sublet.dev/v1alpha1/plans',
  Quota: 'apis/sublet.dev/v1alpha1/quotas',
  RDPInstance: 'apis/sublet.dev/v1alpha1/rdpinstances',
  Namespace: 'api/v1/namespaces',
  Secret: 'api/v1/secrets',
  ConfigMap: 'api/v1/configmaps',
  Service: 'api/v1/services',
  VirtualMachine: 'apis/kubevirt.io/v1/virtualmachines',
  VirtualMachineInstance: 'apis/kubevirt.io/v1/virtualmachineinstances',
  DataVolume: 'apis/cdi.kubevirt.io/v1beta1/datavolumes',
  DataSource: 'apis/cdi.kubevirt.io/v1beta1/datasources',
  Kustomization: 'apis/kustomize.toolkit.fluxcd.io/v1/kustomizations',
  ExternalArtifact: 'apis/source.toolkit.fluxcd.io/v1/externalartifacts',
  GitRepository: 'apis/source.toolkit.fluxcd.io/v1/gitrepositories',
} as const;
export type Kind = keyof typeof PATHS;

/** What a story does with the world: reads as the administrator, waits, and asks that nothing more is written. */
export type Stage = {
  readonly world: World;
  get(kind: Kind, namespace: string, name: string): Promise<Live | undefined>;
  list(kind: Kind, namespace: string): Promise<readonly Live[]>;
  patch(kind: Kind, namespace: string, name: string, body: unknown): Promise<void>;
  /** Polls until `check` gives something; throws with what it saw last. */
  eventually<T>(what: string, check: () => Promise<T | undefined>, timeoutMs?: number): Promise<T>;
  /** Waits until the object's condition has the status, and the reason if one is given, for its present generation. */
  condition(
    kind: Kind,
    at: readonly [namespace: string, name: string],
    wanted: { readonly type?: string; readonly status: string; readonly reason?: string },
    timeoutMs?: number,
  ): Promise<Condition>;
  gone(kind: Kind, namespace: string, name: string, timeoutMs?: number): Promise<void>;
  handshake(host: string, port: number): Promise<string>;
  /** Waits until our programs stop writing. */
  settled(): Promise<void>;
  /** Waits until our programs stop writing, restarts them, and gives the writes that the second pass made. */
  secondPass(): Promise<readonly string[]>;
};

export function createStage(world: World): Stage {
  const { cluster } = world;
  const get: Stage['get'] = async (kind, namespace, name) => {
    const deadline = Date.now() + EVENTUALLY_MS;
    for (;;) {
      const { status, body } = await cluster.admin.call('GET', pathOf(kind, namespace, name));
      if (status === 200) return body as Live;
      // That the API server is in trouble does not say that there is no such object.
      if (status < 500) return undefined;
      if (Date.now() > deadline) throw new Error(`${kind} ${namespace}/${name}: ${JSON.stringify(body)}`);
      await sleep(POLL_MS);
    }
  };
  const eventually: Stage['eventually'] = async (what, check, timeoutMs = EVENTUALLY_MS) => {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      const found = await check();
      if (found !== undefined) return found;
      await sleep(POLL_MS);
    }
    throw new Error(`not within ${timeoutMs / 1_000} s: ${what}`);
  };
  return {
    world,
    get,
    eventually,
    list: async (kind, namespace) => {
      const body = (await cluster.admin.ask('GET', pathOf(kind, namespace, ''))) as { readonly items: readonly Live[] };
      return body.items;
    },
    patch: async (kind, namespace, name, body) => {
      await cluster.admin.ask('PATCH', pathOf(kind, namespace, name), body, 'application/merge-patch+json');
    },
    condition: async (kind, [namespace, name], { type = 'Ready', status, reason }, timeoutMs = EVENTUALLY_MS) => {
      let seen: unknown = 'no object';
      const matches = async () => {
        const live = await get(kind, namespace, name);
        const found = live?.status?.conditions?.find((condition) => condition.type === type);
        seen = found ?? live?.status ?? 'no status';
        const current =
          live?.metadata.generation === undefined || live.status?.observedGeneration === live.metadata.generation;
        return current && found?.status === status && (reason === undefined || found.reason === reason)
          ? found
          : undefined;
      };
      const what = `${kind} ${namespace}/${name}: ${type}=${status}${reason === undefined ? '' : ` (${reason})`}`;
      try {
        return await eventually(what, matches, timeoutMs);
      } catch (error) {
        throw new Error(`${what} did not come; last seen ${JSON.stringify(seen)}`, { cause: error });
      }
    },
    gone: async (kind, namespace, name, timeoutMs) => {
      const isGone = async () => ((await get(kind, namespace, name)) === undefined ? true : undefined);
      await eventually(`${kind} ${namespace}/${name} is gone`, isGone, timeoutMs);
    },
    handshake,
    settled: async () => void (await waitUntilQuiet(cluster, isOurWrite)),
    secondPass: () => secondPass(world),
  };
}

function pathOf(kind: Kind, namespace: string, name: string): string {
  const at = PATHS[kind].lastIndexOf('/');
  const [group, plural] = [PATHS[kind].slice(0, at), PATHS[kind].slice(at + 1)];
  return kind === 'Namespace' ? `/${group}/${plural}/${name}` : `/${group}/namespaces/${namespace}/${plural}/${name}`;
}

async function handshake(host: string, port: number): Promise<string> {
  const options = { timeoutMs: 60_000, signal: new AbortController().signal };
  const result = await probeDesktop({ dial: dialTcp, clock: realClock }, { host, port }, options);
  if (result.answered) return result.selectedProtocol;
  throw new Error(`no handshake with ${host}:${port}: ${result.why}`);
}

async function secondPass(world: World): Promise<readonly string[]> {
  const fromByte = await waitUntilQuiet(world.cluster, isOurWrite);
  for (const role of ['operator', 'source'] as const) {
    await world.kill(role, 'SIGTERM');
    await world.startAgain(role);
  }
  await world.ready();
  await waitUntilQuiet(world.cluster, isOurWrite, { fromByte });
  const { events } = await world.cluster.auditEvents(fromByte);
  return events.filter(isOurWrite).map(renderEvent);
}

const OURS: ReadonlySet<string> = new Set([
  'system:serviceaccount:sublet-system:sublet-operator',
  'system:serviceaccount:sublet-system:sublet-source',
]);

/** A write of the operator or the fleet source, but for leader election. */
export function isOurWrite(event: AuditEvent): boolean {
  return isWrite(event) && OURS.has(actingUser(event)) && event.objectRef?.resource !== 'leases';
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
