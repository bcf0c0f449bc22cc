import { pino } from 'pino';
import { expect } from 'vitest';
import type { Quota } from '../../crds/v1alpha1/quota.ts';
import type { RDPInstance } from '../../crds/v1alpha1/rdpinstance.ts';
import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS } from '../../kube/builtin.ts';
import { type Client, createClient } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { isNotFound } from '../../kube/errors.ts';
import { createMetrics } from '../../kube/metrics.ts';
import type { KubeObject, ObjectKey, Resource } from '../../kube/object.ts';
import {
  DATASOURCES,
  DATAVOLUMES,
  type DataVolume,
  VIRTUALMACHINES,
  type VirtualMachine,
} from '../../kubevirt/index.ts';
import { API_VERSION } from '../../model/group.ts';
import { OperatorConfig } from '../../operator/config.ts';
import { dialTcp } from '../../operator/dial.ts';
import { createOperator } from '../../operator/operator.ts';
import { QUICK_TIMINGS } from '../../simulator/kubevirt/options.ts';
import { startKubeVirtSimulator } from '../../simulator/kubevirt/simulator.ts';
import type { Cluster } from '../cluster/contract.ts';
import { installSublet } from './install.ts';

export const POLL = { timeout: 300_000, interval: 50 };

export type Desktop = RDPInstance & KubeObject;
export type Data = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/** An operator in this process, under its ServiceAccount. */
export type RunningOperator = { stop(): Promise<void> };

/** A tenant `bob` with a small and a large plan, on a cluster where KubeVirt is simulated. No Flux takes part. */
export type DesktopWorld = {
  readonly admin: Client;
  /** The operator's own client: what it is allowed is what its ServiceAccount is. */
  readonly used: Client;
  readonly namespace: string;
  startOperator(settings?: object, client?: Client): Promise<RunningOperator>;
  createImage(name: string, annotations: Readonly<Record<string, string>>): Promise<void>;
  order(name: string, spec?: object): Promise<void>;
  patch(name: string, spec: object): Promise<void>;
  restart(name: string): Promise<void>;
  suspend(suspensions: readonly object[]): Promise<void>;
  limit(hard: object): Promise<void>;
  /** Deletes and waits until it is gone, which has to happen within seconds. */
  remove(name: string): Promise<void>;
  annotate(kind: Resource, name: string, annotations: Readonly<Record<string, string | null>>): Promise<void>;
  get(name: string): Promise<Desktop>;
  waitReady(name: string): Promise<Desktop>;
  readyOf(
    name: string,
  ): Promise<{ readonly status: string; readonly reason: string; readonly message: string } | undefined>;
  machineOf(name: string): Promise<VirtualMachine & KubeObject>;
  diskOf(name: string): Promise<DataVolume & KubeObject>;
  grantOf(name: string): Promise<unknown>;
  exists(kind: Resource, key: ObjectKey): Promise<boolean>;
  stop(): Promise<void>;
};

const NAMESPACE = 't-bob';
const IMAGES = 'sublet-images';

/** Key of the children of a desktop. */
export function child(name: string): { readonly namespace: string; readonly name: string } {
  return { namespace: NAMESPACE, name: `rdp-${name}` };
}

export async function startDesktopWorld(cluster: Cluster): Promise<DesktopWorld> {
  const log = pino({ level: process.env.SUBLET_TEST_LOG ?? 'silent' }, pino.destination(2));
  const deps = { clock: realClock, random: realRandom, log };
  const access = await installSublet(cluster);
  const admin = createClient({ ...deps, kubeConfig: cluster.kubeConfig });
  const played = createClient({ ...deps, kubeConfig: access.simulator });
  const used = createClient({ ...deps, kubeConfig: access.operator });
  const simulator = await startKubeVirtSimulator({ ...deps, client: played }, { timings: QUICK_TIMINGS });
  const create = (kind: Resource, object: object) => admin.create(kind, object as KubeObject);
  const at = (name: string) => ({ namespace: NAMESPACE, name });
  const get = (name: string) => admin.get<Desktop>(RDPINSTANCES, at(name));

  const world: DesktopWorld = {
    admin,
    used,
    namespace: NAMESPACE,
    get,
    async startOperator(settings = {}, client = used) {
      const abort = new AbortController();
      const config = OperatorConfig.parse({ ...TEST_CONFIG, ...settings });
      const manager = createOperator({ ...deps, client, metrics: createMetrics(), dial: dialTcp }, config);
      const run = manager.start(abort.signal);
      await Promise.race([manager.ready(), run]);
      return {
        async stop() {
          abort.abort();
          await run;
        },
      };
    },
    async createImage(name, annotations) {
      const metadata = { name, namespace: IMAGES };
      const source = { http: { url: `https://images.example.com/${name}.img` } };
      const storage = { resources: { requests: { storage: '10Gi' } } };
      const apiVersion = 'cdi.kubevirt.io/v1beta1';
      await create(DATAVOLUMES, { apiVersion, kind: 'DataVolume', metadata, spec: { source, storage } });
      const spec = { source: { pvc: metadata } };
      await create(DATASOURCES, { apiVersion, kind: 'DataSource', metadata: { ...metadata, annotations }, spec });
    },
    async order(name, spec = {}) {
      await create(RDPINSTANCES, {
        apiVersion: API_VERSION,
        kind: 'RDPInstance',
        metadata: at(name),
        spec: { plan: 'small', image: 'ubuntu-24', username: 'anna', ...spec },
      });
    },
    async patch(name, spec) {
      await admin.patch(RDPINSTANCES, at(name), { type: 'merge', body: { spec } });
    },
    /** Kubernetes keeps times in whole seconds, so a restart has to lie in a later second than the start. */
    async restart(name) {
      await pause(1_100);
      await world.patch(name, { restartedAt: new Date().toISOString() });
    },
    async suspend(suspensions) {
      const key = { namespace: 'sublet-root', name: 'bob' };
      await admin.patch(TENANTS, key, { type: 'merge', body: { spec: { suspensions } } });
    },
    async limit(hard) {
      const metadata = { name: 'bob', namespace: 'sublet-root' };
      const quota = { apiVersion: API_VERSION, kind: 'Quota', metadata, spec: { hard } };
      await admin.apply(QUOTAS, quota, { fieldManager: 'test', force: true });
      // The operator hears of quotas and of orders by two watches.
      const isSeen = async () => {
        const seen = await admin.get<Quota & KubeObject>(QUOTAS, metadata);
        return seen.status?.observedGeneration === seen.metadata.generation;
      };
      await expect.poll(isSeen, POLL).toBe(true);
    },
    async remove(name) {
      await admin.delete(RDPINSTANCES, at(name));
      await expect.poll(() => world.exists(RDPINSTANCES, at(name)), POLL).toBe(false);
    },
    async annotate(kind, name, annotations) {
      await admin.patch(kind, child(name), { type: 'merge', body: { metadata: { annotations } } });
    },
    async waitReady(name) {
      const settled = async () => {
        const { metadata, status } = await get(name);
        const ready = status?.conditions?.find(({ type }) => type === 'Ready');
        const current = status?.observedGeneration === metadata.generation;
        return { ready: ready?.status, current, message: ready?.message };
      };
      await expect.poll(settled, POLL).toMatchObject({ ready: 'True', current: true });
      return get(name);
    },
    async readyOf(name) {
      return (await get(name)).status?.conditions?.find(({ type }) => type === 'Ready');
    },
    machineOf: (name) => admin.get(VIRTUALMACHINES, child(name)),
    diskOf: (name) => admin.get(DATAVOLUMES, child(name)),
    async grantOf(name) {
      const { data } = await admin.get<Data>(CONFIGMAPS, { namespace: NAMESPACE, name: 'sublet-grants' });
      const text = data?.[`desktops.${name}`];
      return text === undefined ? undefined : JSON.parse(text).used;
    },
    async exists(kind, key) {
      try {
        await admin.get(kind, key);
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    async stop() {
      await simulator.stop();
      for (const client of [used, played, admin]) await client.close();
    },
  };
  await createTenant(create);
  await world.createImage('ubuntu-24', LINUX);
  return world;
}

export const LINUX = { 'sublet.dev/os': 'Linux', 'sublet.dev/first-boot': 'CloudInit' } as const;

const TEST_CONFIG = {
  leaderElection: false,
  bindAddress: '127.0.0.1',
  port: 0,
  probe: { intervalSeconds: 1 },
  breaker: { minimum: 1_000 },
  // Counts of our own kinds are known to the quota controller only minutes after the CRDs were installed.
  objectCounts: { Customer: { pods: 100 }, Reseller: { pods: 100 } },
};

async function createTenant(create: (kind: Resource, object: object) => Promise<unknown>): Promise<void> {
  const plan = (name: string, price: object, terms: object) =>
    create(PLANS, {
      apiVersion: API_VERSION,
      kind: 'Plan',
      metadata: { name, namespace: 'sublet-root' },
      spec: { title: name, currency: 'USD', price: [{ type: 'Recurring', accrues: 'Exists', ...price }], ...terms },
    });
  const base = { name: 'base', per: 'Resource', recurring: { amount: '15.00', interval: 'Month' } };
  const shared = { storageClassName: 'standard', images: ['ubuntu-24', 'windows-11', 'debian-13'] };
  const sizes = [
    { name: 'small', vcpu: 2, memory: '4Gi', storage: '20Gi' },
    { name: 'large', vcpu: 4, memory: '8Gi', storage: '40Gi' },
  ];
  for (const { name, ...size } of sizes) await plan(name, base, { offers: 'Desktop', desktop: { ...size, ...shared } });
  const seat = { name: 'seat', per: 'Seat', recurring: { amount: '35.00', interval: 'Month' } };
  const limits = { vcpu: 8, memory: '32Gi', storage: '200Gi', gpus: 0, desktops: 10, addresses: 10, tenants: 0 };
  await plan('team', seat, { offers: 'Tenant', limits });
  const members = [{ kind: 'User', name: 'oidc:anna', role: 'Developer' }];
  await create(TENANTS, {
    apiVersion: API_VERSION,
    kind: 'Tenant',
    metadata: { name: 'bob', namespace: 'sublet-root' },
    spec: { id: 'bob-7f3k9', plan: 'team', members },
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
