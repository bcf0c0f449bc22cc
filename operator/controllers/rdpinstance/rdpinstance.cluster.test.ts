import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Plan } from '../../../crds/v1alpha1/plan.ts';
import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS, NAMESPACES, PERSISTENTVOLUMECLAIMS, SECRETS, SERVICES } from '../../../kube/builtin.ts';
import { type Client, createClient } from '../../../kube/client.ts';
import { realClock, realRandom } from '../../../kube/clock.ts';
import { isNotFound } from '../../../kube/errors.ts';
import { createMetrics } from '../../../kube/metrics.ts';
import type { KubeObject, Resource } from '../../../kube/object.ts';
import {
  DATASOURCES,
  DATAVOLUMES,
  type DataVolume,
  VIRTUALMACHINEINSTANCES,
  VIRTUALMACHINES,
  type VirtualMachine,
  type VirtualMachineInstance,
} from '../../../kubevirt/index.ts';
import { API_VERSION } from '../../../model/group.ts';
import { ANNOTATION_HELD, ANNOTATION_REMOVED_AT } from '../../../model/labels.ts';
import { ANNOTATION_FAULT, ANNOTATION_GUEST, QUICK_TIMINGS } from '../../../simulator/kubevirt/options.ts';
import { type Simulator, startKubeVirtSimulator } from '../../../simulator/kubevirt/simulator.ts';
import { describeWithOwnCluster } from '../../../test/support/cluster.ts';
import { installSublet } from '../../../test/support/install.ts';
import { OperatorConfig } from '../../config.ts';
import { dialTcp } from '../../dial.ts';
import { createOperator } from '../../operator.ts';
import { probeDesktop } from './probe.ts';

const NAMESPACE = 't-bob';
const IMAGES = 'sublet-images';
const OPERATOR = 'system:serviceaccount:sublet-system:sublet-operator';
const POLL = { timeout: 20_000, interval: 50 };
const WRITES = new Set(['create', 'update', 'patch', 'delete']);

type Desktop = RDPInstance & KubeObject;
type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };
type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };
type Claim = KubeObject & {
  readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
};

describeWithOwnCluster('desktops on a real API server', { flux: true, audit: true }, (cluster) => {
  const log = pino({ level: process.env.SUBLET_TEST_LOG ?? 'silent' }, pino.destination(2));
  const deps = { clock: realClock, random: realRandom, log };
  let admin: Client;
  let played: Client;
  let used: Client;
  let simulator: Simulator;
  let stopOperator: () => Promise<void>;
  let access: Awaited<ReturnType<typeof installSublet>>;

  beforeAll(async () => {
    access = await installSublet(cluster());
    admin = createClient({ ...deps, kubeConfig: cluster().kubeConfig });
    played = createClient({ ...deps, kubeConfig: access.simulator });
    used = createClient({ ...deps, kubeConfig: access.operator });
    simulator = await startKubeVirtSimulator({ ...deps, client: played }, { timings: QUICK_TIMINGS });
    await startOperator();
    await createImage('ubuntu-24', { 'sublet.dev/os': 'Linux', 'sublet.dev/first-boot': 'CloudInit' });
    await createImage('windows-11', { 'sublet.dev/os': 'Windows', 'sublet.dev/first-boot': 'Sysprep' });
    await createPlan('small', { vcpu: 2, memory: '4Gi', storage: '20Gi' });
    await createPlan('large', { vcpu: 4, memory: '8Gi', storage: '40Gi' });
    await admin.create(PLANS, {
      apiVersion: API_VERSION,
      kind: 'Plan',
      metadata: { name: 'team', namespace: 'sublet-root' },
      spec: {
        title: 'Team',
        offers: 'Tenant',
        currency: 'USD',
        price: [
          {
            name: 'seat',
            type: 'Recurring',
            per: 'Seat',
            accrues: 'Exists',
            recurring: { amount: '35.00', interval: 'Month' },
          },
        ],
        limits: { vcpu: 8, memory: '32Gi', storage: '200Gi', gpus: 0, desktops: 10, addresses: 10, tenants: 0 },
      },
    } as KubeObject);
    await admin.create(TENANTS, {
      apiVersion: API_VERSION,
      kind: 'Tenant',
      metadata: { name: 'bob', namespace: 'sublet-root' },
      spec: { id: 'bob-7f3k9', plan: 'team', members: [{ kind: 'User', name: 'oidc:anna', role: 'Developer' }] },
    } as KubeObject);
  });

  afterAll(async () => {
    await stopOperator?.();
    await simulator?.stop();
    for (const client of [used, played, admin]) await client?.close();
  });

  it('a desktop that is ordered answers RDP at its address, and says when it did what', async () => {
    await expect.poll(() => exists(NAMESPACES, { name: NAMESPACE }), POLL).toBe(true);
    await order('anna');
    const { status } = await waitReady('anna');
    expect(status).toMatchObject({ origin: 'Outside', port: 3389, power: 'Running', plan: { name: 'small' } });
    expect(status?.credentials).toEqual({ secretRef: { name: 'rdp-anna' } });
    expect(await shake(status?.address ?? '')).toMatchObject({ answered: true });
    const { orderedAt, scheduledAt, runningAt, readyAt } = status?.timings ?? {};
    const times = [orderedAt, scheduledAt, runningAt, readyAt].map((time) => Date.parse(time ?? ''));
    expect(times.every((time) => !Number.isNaN(time))).toBe(true);
    expect(status?.epoch?.firstHandshakeAt).toBe(readyAt);
    const secret = await admin.get<Secret>(SECRETS, child('anna'));
    const { password = '', userdata = '', username = '' } = secret.data ?? {};
    expect(decode(username)).toBe('anna');
    expect(decode(userdata)).toContain(JSON.stringify(decode(password)));
    expect(JSON.stringify(await machineOf('anna'))).not.toContain(decode(password));
    expect(JSON.stringify(status)).not.toContain(decode(password));
  });

  it('a Developer of the tenant may read that one Secret, and no other', async () => {
    const read = (name: string) => cluster().kubectl(['get', 'secret', name, '-n', NAMESPACE], { as: 'oidc:anna' });
    expect((await read('rdp-anna')).code).toBe(0);
    expect((await read('rdp-other')).stderr).toContain('forbidden');
    expect((await cluster().kubectl(['get', 'secrets', '-n', NAMESPACE], { as: 'oidc:anna' })).code).not.toBe(0);
  });

  it('a stop ends the epoch and gives compute back; a start begins another on the same disk', async () => {
    const before = await waitReady('anna');
    const disk = (await diskOf('anna')).metadata.uid;
    await patch('anna', { power: 'Stopped' });
    await expect.poll(() => readyOf('anna'), POLL).toMatchObject({ status: 'False', reason: 'Stopped' });
    await expect.poll(() => exists(VIRTUALMACHINEINSTANCES, child('anna')), POLL).toBe(false);
    await expect.poll(async () => (await get('anna')).status?.power, POLL).toBe('Stopped');
    await expect.poll(() => grantOf('anna'), POLL).toEqual({ storage: '20Gi', desktops: '1', addresses: '1' });
    const stopped = await get('anna');
    expect(stopped.status?.epoch?.endedAt).toBeDefined();
    expect(stopped.status?.conditions?.map(({ type }) => type)).toEqual(['Ready']);
    await patch('anna', { power: 'Running' });
    const after = await waitReady('anna');
    expect(after.status?.epoch?.vmiUID).not.toBe(before.status?.epoch?.vmiUID);
    expect((await diskOf('anna')).metadata.uid).toBe(disk);
    expect(await grantOf('anna')).toMatchObject({ vcpu: '2', memory: '4Gi' });
  });

  it('restartedAt restarts once', async () => {
    const before = await waitReady('anna');
    await restart('anna');
    await expect
      .poll(async () => (await get('anna')).status?.epoch?.vmiUID, POLL)
      .not.toBe(before.status?.epoch?.vmiUID);
    const after = await waitReady('anna');
    await pause(500);
    expect((await get('anna')).status?.epoch).toEqual(after.status?.epoch);
  });

  it('a guest that shuts itself down stays down until restartedAt', async () => {
    await waitReady('anna');
    await annotate(VIRTUALMACHINEINSTANCES, 'anna', { [ANNOTATION_GUEST]: 'shutdown' });
    await expect.poll(() => readyOf('anna'), POLL).toMatchObject({ status: 'False', reason: 'GuestShutDown' });
    await expect.poll(() => exists(VIRTUALMACHINEINSTANCES, child('anna')), POLL).toBe(false);
    await pause(500);
    expect(await exists(VIRTUALMACHINEINSTANCES, child('anna'))).toBe(false);
    expect((await get('anna')).status?.power).toBe('Stopped');
    await restart('anna');
    await waitReady('anna');
  });

  it('a crash is restarted by KubeVirt and is a new epoch', async () => {
    const before = await waitReady('anna');
    await annotate(VIRTUALMACHINEINSTANCES, 'anna', { [ANNOTATION_GUEST]: 'crash' });
    await expect
      .poll(async () => (await get('anna')).status?.epoch?.vmiUID, POLL)
      .not.toBe(before.status?.epoch?.vmiUID);
    await waitReady('anna');
  });

  it('three failed probes in a row are ProbeFailed; an answer ends that', async () => {
    const before = await waitReady('anna');
    await annotate(VIRTUALMACHINEINSTANCES, 'anna', { [ANNOTATION_FAULT]: 'garbage' });
    await expect.poll(() => readyOf('anna'), POLL).toMatchObject({ status: 'False', reason: 'ProbeFailed' });
    await annotate(VIRTUALMACHINEINSTANCES, 'anna', { [ANNOTATION_FAULT]: null });
    const after = await waitReady('anna');
    expect(after.status?.epoch).toEqual(before.status?.epoch);
  });

  it('a larger plan grows the disk at once and says what waits for a restart', async () => {
    await patch('anna', { plan: 'large' });
    const required = async () => (await get('anna')).status?.conditions?.find(({ type }) => type === 'RestartRequired');
    await expect.poll(required, POLL).toMatchObject({ status: 'True', message: /vcpu 2 to 4, memory 4Gi to 8Gi/ });
    const requested = async () =>
      (await admin.get<Claim>(PERSISTENTVOLUMECLAIMS, child('anna'))).spec.resources.requests.storage;
    await expect.poll(requested, POLL).not.toBe('20Gi');
    expect((await diskOf('anna')).spec.storage?.resources?.requests?.storage).toBe('20Gi');
    expect(await grantOf('anna')).toMatchObject({ vcpu: '4', memory: '8Gi', storage: '40Gi' });
    await restart('anna');
    await expect.poll(required, POLL).toBeUndefined();
    await waitReady('anna');
    const vmi = await admin.get<VirtualMachineInstance & KubeObject>(VIRTUALMACHINEINSTANCES, child('anna'));
    expect(vmi.spec.domain).toMatchObject({ cpu: { cores: 4 }, memory: { guest: '8Gi' } });
  });

  it('a smaller disk is refused by number, and what runs goes on', async () => {
    const before = await waitReady('anna');
    await patch('anna', { plan: 'small' });
    await expect
      .poll(() => readyOf('anna'), POLL)
      .toMatchObject({
        status: 'False',
        reason: 'StorageShrink',
        message:
          'spec.plan: Plan small gives 20Gi of storage and the disk has 40Gi; a disk never shrinks, choose a plan with at least 40Gi',
      });
    expect((await get('anna')).status?.conditions?.map(({ type }) => type)).toEqual(['Ready', 'Stalled']);
    expect((await get('anna')).status?.epoch).toEqual(before.status?.epoch);
    await patch('anna', { plan: 'large' });
    await waitReady('anna');
  });

  it('what does not fit is not started and says the numbers; it goes on when there is room', async () => {
    await limit({ vcpu: 5 });
    await order('big', { plan: 'large' });
    await expect
      .poll(() => readyOf('big'), POLL)
      .toMatchObject({ reason: 'QuotaExceeded', message: 'vcpu: asked 4, used 4 of 5' });
    for (const kind of [VIRTUALMACHINES, DATAVOLUMES, SERVICES]) expect(await exists(kind, child('big'))).toBe(false);
    await limit({ vcpu: 8 });
    await waitReady('big');
    await patch('big', { deletion: { policy: 'Delete', graceDays: 0 } });
    await remove('big');
    await expect.poll(() => remainsOf('big'), POLL).toEqual([]);
    await expect.poll(() => grantOf('big'), POLL).toBeUndefined();
  });

  it('a suspension stops what runs, even when its spec is refused, and lifting it starts it again', async () => {
    await waitReady('anna');
    await patch('anna', { plan: 'nowhere' });
    await expect.poll(() => readyOf('anna'), POLL).toMatchObject({ reason: 'PlanNotFound' });
    await suspend([{ reason: 'Payment' }]);
    await expect.poll(() => exists(VIRTUALMACHINEINSTANCES, child('anna')), POLL).toBe(false);
    await patch('anna', { plan: 'large' });
    await expect
      .poll(() => readyOf('anna'), POLL)
      .toMatchObject({ reason: 'Suspended', message: 'suspended: Payment (stated by bob)' });
    await suspend([]);
    await waitReady('anna');
  });

  it('an image that is missing is waited for', async () => {
    await order('eve', { plan: 'small', image: 'debian-13' });
    await expect.poll(() => readyOf('eve'), POLL).toMatchObject({ reason: 'ImageNotFound' });
    await createImage('debian-13', { 'sublet.dev/os': 'Linux', 'sublet.dev/first-boot': 'CloudInit' });
    await waitReady('eve');
  });

  it('removal leaves a tombstone within seconds; the same identity takes its disk and password back', async () => {
    await waitReady('anna');
    const disk = await diskOf('anna');
    const machine = await machineOf('anna');
    const { data } = await admin.get<Secret>(SECRETS, child('anna'));
    await remove('anna');
    await expect.poll(() => exists(VIRTUALMACHINEINSTANCES, child('anna')), POLL).toBe(false);
    await expect.poll(() => exists(SERVICES, child('anna')), POLL).toBe(false);
    expect((await machineOf('anna')).spec.runStrategy).toBe('Halted');
    for (const kind of [DATAVOLUMES, VIRTUALMACHINES, SECRETS]) {
      const { metadata } = await admin.get(kind, child('anna'));
      expect(metadata.annotations?.[ANNOTATION_REMOVED_AT]).toBeDefined();
    }
    await expect.poll(() => grantOf('anna'), POLL).toEqual({ storage: '40Gi' });
    await order('anna', { plan: 'large' });
    await waitReady('anna');
    expect((await diskOf('anna')).metadata.uid).toBe(disk.metadata.uid);
    expect((await machineOf('anna')).spec.template.spec?.domain.firmware).toEqual(
      machine.spec.template.spec?.domain.firmware,
    );
    expect((await admin.get<Secret>(SECRETS, child('anna'))).data).toEqual(data);
    expect((await diskOf('anna')).metadata.annotations?.[ANNOTATION_REMOVED_AT]).toBeUndefined();
  });

  it('coming back as something else is TombstoneConflict; the tombstone stays as it is', async () => {
    await remove('anna');
    await order('anna', { plan: 'large', image: 'windows-11' });
    await expect
      .poll(() => readyOf('anna'), POLL)
      .toMatchObject({ reason: 'TombstoneConflict', message: /made from ubuntu-24/ });
    const { spec, metadata } = await diskOf('anna');
    expect(spec.sourceRef?.name).toBe('ubuntu-24');
    expect(metadata.annotations?.[ANNOTATION_REMOVED_AT]).toBeDefined();
    await remove('anna');
    await order('anna', { plan: 'large' });
    await waitReady('anna');
  });

  it("a child of that name that is somebody else's is never touched", async () => {
    const foreign = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'rdp-carl', namespace: NAMESPACE },
      spec: { ports: [{ port: 80 }] },
    };
    const before = await admin.create<KubeObject>(SERVICES, foreign);
    await order('carl');
    await expect
      .poll(() => readyOf('carl'), POLL)
      .toMatchObject({ reason: 'NameConflict', message: /Service t-bob\/rdp-carl/ });
    expect((await admin.get(SERVICES, child('carl'))).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    await patch('carl', { deletion: { policy: 'Delete', graceDays: 0 } });
    await remove('carl');
    await expect.poll(() => exists(DATAVOLUMES, child('carl')), POLL).toBe(false);
    expect(await exists(SERVICES, child('carl'))).toBe(true);
  });

  it('a restart with everything converged writes nothing', async () => {
    await waitReady('anna');
    await waitReady('eve');
    await pause(1_500);
    await stopOperator();
    const { nextByte } = await cluster().auditEvents();
    await startOperator();
    await pause(3_000);
    const { events } = await cluster().auditEvents(nextByte);
    const writes = events.filter(({ verb, user }) => user.username === OPERATOR && WRITES.has(verb));
    expect(writes.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
    expect(events.some(({ user }) => user.username === OPERATOR)).toBe(true);
  });

  it('while the breaker is tripped a removed desktop runs on, and stops once a person confirmed', async () => {
    await stopOperator();
    await startOperator({ breaker: { minimum: 0, percent: 0 } });
    await remove('eve');
    const held = async () => (await machineOf('eve')).metadata.annotations?.[ANNOTATION_HELD];
    await expect.poll(held, POLL).toBeDefined();
    await pause(500);
    expect((await machineOf('eve')).spec.runStrategy).toBe('RerunOnFailure');
    expect(await exists(VIRTUALMACHINEINSTANCES, child('eve'))).toBe(true);
    const key = { namespace: 'sublet-system', name: 'sublet-breaker' };
    const { data } = await admin.get<ConfigMap>(CONFIGMAPS, key);
    const body = { metadata: { annotations: { 'sublet.dev/confirm': data?.id } } };
    await admin.patch(CONFIGMAPS, key, { type: 'merge', body });
    await expect.poll(held, POLL).toBeUndefined();
    await expect.poll(() => exists(VIRTUALMACHINEINSTANCES, child('eve')), POLL).toBe(false);
    expect((await machineOf('eve')).spec.runStrategy).toBe('Halted');
  });

  async function startOperator(settings: object = {}): Promise<void> {
    const config = OperatorConfig.parse({
      leaderElection: false,
      bindAddress: '127.0.0.1',
      port: 0,
      probe: { intervalSeconds: 1, timeoutSeconds: 1 },
      breaker: { minimum: 1_000 },
      // Counts of our own kinds are known to the quota controller only minutes after the CRDs were installed.
      objectCounts: { Customer: { pods: 100 }, Reseller: { pods: 100 } },
      ...settings,
    });
    const abort = new AbortController();
    const manager = createOperator({ ...deps, client: used, metrics: createMetrics(), dial: dialTcp }, config);
    const run = manager.start(abort.signal);
    stopOperator = async () => {
      abort.abort();
      await run;
    };
    await Promise.race([manager.ready(), run]);
  }

  async function createImage(name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
    const metadata = { name, namespace: IMAGES };
    await admin.create(DATAVOLUMES, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata,
      spec: {
        source: { http: { url: `https://images.example.com/${name}.img` } },
        storage: { resources: { requests: { storage: '10Gi' } } },
      },
    } as KubeObject);
    await admin.create(DATASOURCES, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataSource',
      metadata: { ...metadata, annotations },
      spec: { source: { pvc: { name, namespace: IMAGES } } },
    } as KubeObject);
  }

  async function createPlan(name: string, size: object): Promise<void> {
    await admin.create(PLANS, {
      apiVersion: API_VERSION,
      kind: 'Plan',
      metadata: { name, namespace: 'sublet-root' },
      spec: {
        title: name,
        offers: 'Desktop',
        currency: 'USD',
        price: [
          {
            name: 'base',
            type: 'Recurring',
            per: 'Resource',
            accrues: 'Exists',
            recurring: { amount: '15.00', interval: 'Month' },
          },
        ],
        desktop: { ...size, storageClassName: 'standard', images: ['ubuntu-24', 'windows-11', 'debian-13'] },
      },
    } as unknown as Plan & KubeObject);
  }

  async function order(name: string, spec: object = {}): Promise<void> {
    await admin.create(RDPINSTANCES, {
      apiVersion: API_VERSION,
      kind: 'RDPInstance',
      metadata: { name, namespace: NAMESPACE },
      spec: { plan: 'small', image: 'ubuntu-24', username: 'anna', ...spec },
    } as KubeObject);
  }

  async function patch(name: string, spec: object): Promise<void> {
    await admin.patch(RDPINSTANCES, { namespace: NAMESPACE, name }, { type: 'merge', body: { spec } });
  }

  /** Kubernetes keeps times in whole seconds, so a restart has to lie in a later second than the start. */
  async function restart(name: string): Promise<void> {
    await pause(1_100);
    await patch(name, { restartedAt: new Date().toISOString() });
  }

  async function suspend(suspensions: readonly object[]): Promise<void> {
    await admin.patch(
      TENANTS,
      { namespace: 'sublet-root', name: 'bob' },
      { type: 'merge', body: { spec: { suspensions } } },
    );
  }

  async function limit(hard: object): Promise<void> {
    const quota = {
      apiVersion: API_VERSION,
      kind: 'Quota',
      metadata: { name: 'bob', namespace: 'sublet-root' },
      spec: { hard },
    };
    await admin.apply(QUOTAS, quota as KubeObject, { fieldManager: 'test', force: true });
  }

  async function remove(name: string): Promise<void> {
    await admin.delete(RDPINSTANCES, { namespace: NAMESPACE, name });
    await expect
      .poll(() => exists(RDPINSTANCES, { namespace: NAMESPACE, name }), { ...POLL, timeout: 5_000 })
      .toBe(false);
  }

  async function annotate(
    kind: Resource,
    name: string,
    annotations: Readonly<Record<string, string | null>>,
  ): Promise<void> {
    await admin.patch(kind, child(name), { type: 'merge', body: { metadata: { annotations } } });
  }

  async function waitReady(name: string): Promise<Desktop> {
    const settled = async () => {
      const { metadata, status } = await get(name);
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return {
        ready: ready?.status,
        current: status?.observedGeneration === metadata.generation,
        message: ready?.message,
      };
    };
    await expect.poll(settled, POLL).toMatchObject({ ready: 'True', current: true });
    return get(name);
  }

  async function readyOf(name: string) {
    return (await get(name)).status?.conditions?.find(({ type }) => type === 'Ready');
  }

  function get(name: string): Promise<Desktop> {
    return admin.get<Desktop>(RDPINSTANCES, { namespace: NAMESPACE, name });
  }

  function machineOf(name: string): Promise<VirtualMachine & KubeObject> {
    return admin.get(VIRTUALMACHINES, child(name));
  }

  function diskOf(name: string): Promise<DataVolume & KubeObject> {
    return admin.get(DATAVOLUMES, child(name));
  }

  async function remainsOf(name: string): Promise<readonly string[]> {
    const kinds = [VIRTUALMACHINES, VIRTUALMACHINEINSTANCES, DATAVOLUMES, SECRETS, SERVICES];
    const found = await Promise.all(kinds.map(async (kind) => ((await exists(kind, child(name))) ? [kind.kind] : [])));
    return found.flat();
  }

  async function grantOf(name: string): Promise<unknown> {
    const { data } = await admin.get<ConfigMap>(CONFIGMAPS, { namespace: NAMESPACE, name: 'sublet-grants' });
    const text = data?.[`desktops.${name}`];
    return text === undefined ? undefined : JSON.parse(text).used;
  }

  async function exists(kind: Resource, key: { readonly namespace?: string; readonly name: string }): Promise<boolean> {
    try {
      await admin.get(kind, key);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
});

function child(name: string) {
  return { namespace: NAMESPACE, name: `rdp-${name}` };
}

function shake(host: string) {
  const options = { timeoutMs: 5_000, signal: new AbortController().signal };
  return probeDesktop({ dial: dialTcp, clock: realClock }, { host, port: 3389 }, options);
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
