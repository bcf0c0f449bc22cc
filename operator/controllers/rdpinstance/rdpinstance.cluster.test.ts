import { afterAll, beforeAll, expect, it } from 'vitest';
import { CONFIGMAPS, NAMESPACES, PERSISTENTVOLUMECLAIMS, SECRETS, SERVICES } from '../../../kube/builtin.ts';
import { realClock } from '../../../kube/clock.ts';
import type { KubeObject, Resource } from '../../../kube/object.ts';
import {
  DATAVOLUMES,
  VIRTUALMACHINEINSTANCES,
  VIRTUALMACHINES,
  type VirtualMachineInstance,
} from '../../../kubevirt/index.ts';
import { ANNOTATION_HELD, ANNOTATION_REMOVED_AT } from '../../../model/labels.ts';
import { ANNOTATION_FAULT, ANNOTATION_GUEST } from '../../../simulator/kubevirt/options.ts';
import { describeWithOwnCluster } from '../../../test/support/cluster.ts';
import {
  child,
  type Data,
  type DesktopWorld,
  LINUX,
  POLL,
  pause,
  type RunningOperator,
  startDesktopWorld,
} from '../../../test/support/desktops.ts';
import { waitUntilSilent } from '../../../test/support/quiet.ts';
import { dialTcp } from '../../dial.ts';
import { probeDesktop } from './probe.ts';

const OPERATOR = 'system:serviceaccount:sublet-system:sublet-operator';
const WRITES = new Set(['create', 'update', 'patch', 'delete']);

type Claim = KubeObject & {
  readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
};

describeWithOwnCluster('desktops on a real API server', { flux: true, audit: true }, (cluster) => {
  let world: DesktopWorld;
  let operator: RunningOperator;

  beforeAll(async () => {
    world = await startDesktopWorld(cluster());
    operator = await world.startOperator();
    await world.createImage('windows-11', { 'sublet.dev/os': 'Windows', 'sublet.dev/first-boot': 'Sysprep' });
  });

  afterAll(async () => {
    await operator?.stop();
    await world?.stop();
  });

  it('a desktop that is ordered answers RDP at its address, and says when it did what', async () => {
    await expect.poll(() => world.exists(NAMESPACES, { name: world.namespace }), POLL).toBe(true);
    await world.order('anna');
    const { status } = await world.waitReady('anna');
    expect(status).toMatchObject({ origin: 'Outside', port: 3389, power: 'Running', plan: { name: 'small' } });
    expect(status?.credentials).toEqual({ secretRef: { name: 'rdp-anna' } });
    expect(await shake(status?.address ?? '')).toMatchObject({ answered: true });
    const { orderedAt, scheduledAt, runningAt, readyAt } = status?.timings ?? {};
    const times = [orderedAt, scheduledAt, runningAt, readyAt].map((time) => Date.parse(time ?? ''));
    expect(times.every((time) => !Number.isNaN(time))).toBe(true);
    expect(status?.epoch?.firstHandshakeAt).toBe(readyAt);
    const secret = await world.admin.get<Data>(SECRETS, child('anna'));
    const { password = '', userdata = '', username = '' } = secret.data ?? {};
    expect(decode(username)).toBe('anna');
    expect(decode(userdata)).toContain(JSON.stringify(decode(password)));
    expect(JSON.stringify(await world.machineOf('anna'))).not.toContain(decode(password));
    expect(JSON.stringify(status)).not.toContain(decode(password));
  });

  it('a Developer of the tenant may read that one Secret, and no other', async () => {
    const read = (name: string) =>
      cluster().kubectl(['get', 'secret', name, '-n', world.namespace], { as: 'oidc:anna' });
    // The API server judges by a cache of its own.
    await expect.poll(async () => (await read('rdp-anna')).code, POLL).toBe(0);
    expect((await read('rdp-other')).stderr).toContain('forbidden');
    expect((await cluster().kubectl(['get', 'secrets', '-n', world.namespace], { as: 'oidc:anna' })).code).not.toBe(0);
  });

  it('a stop ends the epoch and gives compute back; a start begins another on the same disk', async () => {
    const before = await world.waitReady('anna');
    const disk = (await world.diskOf('anna')).metadata.uid;
    await world.patch('anna', { power: 'Stopped' });
    await expect.poll(() => world.readyOf('anna'), POLL).toMatchObject({ status: 'False', reason: 'Stopped' });
    await expect.poll(() => world.exists(VIRTUALMACHINEINSTANCES, child('anna')), POLL).toBe(false);
    await expect.poll(async () => (await world.get('anna')).status?.power, POLL).toBe('Stopped');
    await expect.poll(() => world.grantOf('anna'), POLL).toEqual({ storage: '20Gi', desktops: '1', addresses: '1' });
    const stopped = async () => {
      const { status } = await world.get('anna');
      return { ended: status?.epoch?.endedAt !== undefined, conditions: status?.conditions?.map(({ type }) => type) };
    };
    await expect.poll(stopped, POLL).toEqual({ ended: true, conditions: ['Ready'] });
    await world.patch('anna', { power: 'Running' });
    const after = await world.waitReady('anna');
    expect(after.status?.epoch?.vmiUID).not.toBe(before.status?.epoch?.vmiUID);
    expect((await world.diskOf('anna')).metadata.uid).toBe(disk);
    expect(await world.grantOf('anna')).toMatchObject({ vcpu: '2', memory: '4Gi' });
  });

  it('restartedAt restarts once', async () => {
    const before = await world.waitReady('anna');
    await world.restart('anna');
    await expect
      .poll(async () => (await world.get('anna')).status?.epoch?.vmiUID, POLL)
      .not.toBe(before.status?.epoch?.vmiUID);
    const after = await world.waitReady('anna');
    await pause(500);
    expect((await world.get('anna')).status?.epoch).toEqual(after.status?.epoch);
  });

  it('a guest that shuts itself down stays down until restartedAt', async () => {
    await world.waitReady('anna');
    await world.annotate(VIRTUALMACHINEINSTANCES, 'anna', { [ANNOTATION_GUEST]: 'shutdown' });
    await expect.poll(() => world.readyOf('anna'), POLL).toMatchObject({ status: 'False', reason: 'GuestShutDown' });
    await expect.poll(() => world.exists(VIRTUALMACHINEINSTANCES, child('anna')), POLL).toBe(false);
    await expect.poll(async () => (await world.get('anna')).status?.power, POLL).toBe('Stopped');
    await pause(500);
    expect(await world.exists(VIRTUALMACHINEINSTANCES, child('anna'))).toBe(false);
    await world.restart('anna');
    await world.waitReady('anna');
  });

  it('a crash is restarted by KubeVirt and is a new epoch', async () => {
    const before = await world.waitReady('anna');
    await world.annotate(VIRTUALMACHINEINSTANCES, 'anna', { [ANNOTATION_GUEST]: 'crash' });
    await expect
      .poll(async () => (await world.get('anna')).status?.epoch?.vmiUID, POLL)
      .not.toBe(before.status?.epoch?.vmiUID);
    await world.waitReady('anna');
  });

  it('three failed probes in a row are ProbeFailed; an answer ends that', async () => {
    const before = await world.waitReady('anna');
    await world.annotate(VIRTUALMACHINEINSTANCES, 'anna', { [ANNOTATION_FAULT]: 'garbage' });
    await expect.poll(() => world.readyOf('anna'), POLL).toMatchObject({ status: 'False', reason: 'ProbeFailed' });
    await world.annotate(VIRTUALMACHINEINSTANCES, 'anna', { [ANNOTATION_FAULT]: null });
    const after = await world.waitReady('anna');
    expect(after.status?.epoch).toEqual(before.status?.epoch);
  });

  it('a larger plan grows the disk at once and says what waits for a restart', async () => {
    await world.patch('anna', { plan: 'large' });
    const required = async () =>
      (await world.get('anna')).status?.conditions?.find(({ type }) => type === 'RestartRequired');
    await expect.poll(required, POLL).toMatchObject({ status: 'True', message: /vcpu 2 to 4, memory 4Gi to 8Gi/ });
    const requested = async () =>
      (await world.admin.get<Claim>(PERSISTENTVOLUMECLAIMS, child('anna'))).spec.resources.requests.storage;
    await expect.poll(requested, POLL).not.toBe('20Gi');
    expect((await world.diskOf('anna')).spec.storage?.resources?.requests?.storage).toBe('20Gi');
    expect(await world.grantOf('anna')).toMatchObject({ vcpu: '4', memory: '8Gi', storage: '40Gi' });
    await world.restart('anna');
    await expect.poll(required, POLL).toBeUndefined();
    await world.waitReady('anna');
    const vmi = await world.admin.get<VirtualMachineInstance & KubeObject>(VIRTUALMACHINEINSTANCES, child('anna'));
    expect(vmi.spec.domain).toMatchObject({ cpu: { cores: 4 }, memory: { guest: '8Gi' } });
  });

  it('a smaller disk is refused by number, and what runs goes on', async () => {
    const before = await world.waitReady('anna');
    await world.patch('anna', { plan: 'small' });
    await expect
      .poll(() => world.readyOf('anna'), POLL)
      .toMatchObject({
        status: 'False',
        reason: 'StorageShrink',
        message:
          'spec.plan: Plan small gives 20Gi of storage and the disk has 40Gi; a disk never shrinks, choose a plan with at least 40Gi',
      });
    expect((await world.get('anna')).status?.conditions?.map(({ type }) => type)).toEqual(['Ready', 'Stalled']);
    expect((await world.get('anna')).status?.epoch).toEqual(before.status?.epoch);
    await world.patch('anna', { plan: 'large' });
    await world.waitReady('anna');
  });

  it('what does not fit is not started and says the numbers; it goes on when there is room', async () => {
    await world.limit({ vcpu: 5 });
    await world.order('big', { plan: 'large' });
    await expect
      .poll(() => world.readyOf('big'), POLL)
      .toMatchObject({ reason: 'QuotaExceeded', message: 'vcpu: asked 4, used 4 of 5' });
    for (const kind of [VIRTUALMACHINES, DATAVOLUMES, SERVICES])
      expect(await world.exists(kind, child('big'))).toBe(false);
    await world.limit({ vcpu: 8 });
    await world.waitReady('big');
    await world.patch('big', { deletion: { policy: 'Delete', graceDays: 0 } });
    await world.remove('big');
    await expect.poll(() => remainsOf('big'), POLL).toEqual([]);
    await expect.poll(() => world.grantOf('big'), POLL).toBeUndefined();
  });

  it('a suspension stops what runs, even when its spec is refused, and lifting it starts it again', async () => {
    await world.waitReady('anna');
    await world.patch('anna', { plan: 'nowhere' });
    await expect.poll(() => world.readyOf('anna'), POLL).toMatchObject({ reason: 'PlanNotFound' });
    await world.suspend([{ reason: 'Payment' }]);
    await expect.poll(() => world.exists(VIRTUALMACHINEINSTANCES, child('anna')), POLL).toBe(false);
    await world.patch('anna', { plan: 'large' });
    await expect
      .poll(() => world.readyOf('anna'), POLL)
      .toMatchObject({ reason: 'Suspended', message: 'suspended: Payment (stated by bob)' });
    await world.suspend([]);
    await world.waitReady('anna');
  });

  it('an image that is missing is waited for', async () => {
    await world.order('eve', { plan: 'small', image: 'debian-13' });
    await expect.poll(() => world.readyOf('eve'), POLL).toMatchObject({ reason: 'ImageNotFound' });
    await world.createImage('debian-13', LINUX);
    await world.waitReady('eve');
  });

  it('removal leaves a tombstone within seconds; the same identity takes its disk and password back', async () => {
    await world.waitReady('anna');
    const disk = await world.diskOf('anna');
    const machine = await world.machineOf('anna');
    const { data } = await world.admin.get<Data>(SECRETS, child('anna'));
    await world.remove('anna');
    await expect.poll(() => world.exists(VIRTUALMACHINEINSTANCES, child('anna')), POLL).toBe(false);
    await expect.poll(() => world.exists(SERVICES, child('anna')), POLL).toBe(false);
    expect((await world.machineOf('anna')).spec.runStrategy).toBe('Halted');
    for (const kind of [DATAVOLUMES, VIRTUALMACHINES, SECRETS]) {
      await expect.poll(() => removedAt(kind), POLL).toBeDefined();
    }
    await expect.poll(() => world.grantOf('anna'), POLL).toEqual({ storage: '40Gi' });
    await world.order('anna', { plan: 'large' });
    await world.waitReady('anna');
    expect((await world.diskOf('anna')).metadata.uid).toBe(disk.metadata.uid);
    expect((await world.machineOf('anna')).spec.template.spec?.domain.firmware).toEqual(
      machine.spec.template.spec?.domain.firmware,
    );
    expect((await world.admin.get<Data>(SECRETS, child('anna'))).data).toEqual(data);
    await expect.poll(() => removedAt(DATAVOLUMES), POLL).toBeUndefined();
  });

  it('coming back as something else is TombstoneConflict; the tombstone stays as it is', async () => {
    await world.remove('anna');
    await world.order('anna', { plan: 'large', image: 'windows-11' });
    await expect
      .poll(() => world.readyOf('anna'), POLL)
      .toMatchObject({ reason: 'TombstoneConflict', message: /made from ubuntu-24/ });
    expect((await world.diskOf('anna')).spec.sourceRef?.name).toBe('ubuntu-24');
    await expect.poll(() => removedAt(DATAVOLUMES), POLL).toBeDefined();
    await world.remove('anna');
    await world.order('anna', { plan: 'large' });
    await world.waitReady('anna');
  });

  it("a child of that name that is somebody else's is never touched", async () => {
    const foreign = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'rdp-carl', namespace: world.namespace },
      spec: { ports: [{ port: 80 }] },
    };
    const before = await world.admin.create<KubeObject>(SERVICES, foreign);
    await world.order('carl');
    await expect
      .poll(() => world.readyOf('carl'), POLL)
      .toMatchObject({ reason: 'NameConflict', message: /Service t-bob\/rdp-carl/ });
    expect((await world.admin.get(SERVICES, child('carl'))).metadata.resourceVersion).toBe(
      before.metadata.resourceVersion,
    );
    await world.patch('carl', { deletion: { policy: 'Delete', graceDays: 0 } });
    await world.remove('carl');
    await expect.poll(() => world.exists(DATAVOLUMES, child('carl')), POLL).toBe(false);
    expect(await world.exists(SERVICES, child('carl'))).toBe(true);
  });

  it('a restart with everything converged writes nothing', async () => {
    await world.waitReady('anna');
    await world.waitReady('eve');
    await waitUntilSilent(cluster(), OPERATOR);
    await operator.stop();
    const { nextByte } = await cluster().auditEvents();
    operator = await world.startOperator();
    await pause(3_000);
    const { events } = await cluster().auditEvents(nextByte);
    const writes = events.filter(({ verb, user }) => user.username === OPERATOR && WRITES.has(verb));
    expect(writes.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
    expect(events.some(({ user }) => user.username === OPERATOR)).toBe(true);
  });

  it('while the breaker is tripped a removed desktop runs on, and stops once a person confirmed', async () => {
    await operator.stop();
    operator = await world.startOperator({ breaker: { minimum: 0, percent: 0 } });
    await world.remove('eve');
    const held = async () => (await world.machineOf('eve')).metadata.annotations?.[ANNOTATION_HELD];
    await expect.poll(held, POLL).toBeDefined();
    await pause(500);
    expect((await world.machineOf('eve')).spec.runStrategy).toBe('RerunOnFailure');
    expect(await world.exists(VIRTUALMACHINEINSTANCES, child('eve'))).toBe(true);
    const key = { namespace: 'sublet-system', name: 'sublet-breaker' };
    const idOf = async () => (await world.admin.get<Data>(CONFIGMAPS, key)).data?.id;
    await expect.poll(idOf, POLL).toBeDefined();
    const body = { metadata: { annotations: { 'sublet.dev/confirm': await idOf() } } };
    await world.admin.patch(CONFIGMAPS, key, { type: 'merge', body });
    await expect.poll(held, POLL).toBeUndefined();
    await expect.poll(() => world.exists(VIRTUALMACHINEINSTANCES, child('eve')), POLL).toBe(false);
    expect((await world.machineOf('eve')).spec.runStrategy).toBe('Halted');
  });

  async function removedAt(kind: Resource): Promise<string | undefined> {
    return (await world.admin.get(kind, child('anna'))).metadata.annotations?.[ANNOTATION_REMOVED_AT];
  }

  async function remainsOf(name: string): Promise<readonly string[]> {
    const kinds = [VIRTUALMACHINES, VIRTUALMACHINEINSTANCES, DATAVOLUMES, SECRETS, SERVICES];
    const found = await Promise.all(
      kinds.map(async (kind) => ((await world.exists(kind, child(name))) ? [kind.kind] : [])),
    );
    return found.flat();
  }
});

function shake(host: string) {
  const options = { timeoutMs: 60_000, signal: new AbortController().signal };
  return probeDesktop({ dial: dialTcp, clock: realClock }, { host, port: 3389 }, options);
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
