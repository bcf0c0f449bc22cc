import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { CUSTOMRESOURCEDEFINITIONS, NAMESPACES, PERSISTENTVOLUMECLAIMS, SERVICES } from '../../kube/builtin.ts';
import { type Client, createClient } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import {
  DATASOURCES,
  DATAVOLUMES,
  type DataVolume,
  VIRTUALMACHINEINSTANCES,
  VIRTUALMACHINES,
  type VirtualMachine,
  type VirtualMachineInstance,
} from '../../kubevirt/index.ts';
import { loadUpstreamValidators, type UpstreamValidators } from '../../kubevirt/validate.ts';
import { createHandshake, type HandshakeVerdict } from '../../rdp/index.ts';
import { describeWithOwnCluster } from '../../test/support/cluster.ts';
import { waitUntilSilent } from '../../test/support/quiet.ts';
import { isAllowed } from '../../test/support/rights.ts';
import type { Claim } from './datavolume.ts';
import type { Service } from './loadbalancer.controller.ts';
import { ANNOTATION_FAULT, ANNOTATION_GUEST, type Fault, QUICK_TIMINGS } from './options.ts';
import { type Simulator, startKubeVirtSimulator } from './simulator.ts';
import { findCondition } from './status.ts';

const IMAGES = 'images';
const NAMESPACE = 'desks';
const POLL = { timeout: 300_000, interval: 50 };
/** Beyond what an answer takes on a machine that does many other things. */
const SILENCE_MS = 5_000;
const SIMULATOR = 'system:serviceaccount:kubevirt:kubevirt-simulator';

describeWithOwnCluster('a simulated KubeVirt', { audit: true }, (cluster) => {
  const log = pino({ level: 'warn' }, pino.destination(2));
  const deps = { clock: realClock, random: realRandom, log };
  let admin: Client;
  let played: Client;
  let simulator: Simulator;
  let validators: UpstreamValidators | undefined;

  beforeAll(async () => {
    const schemas = process.env.SUBLET_UPSTREAM_SCHEMAS;
    validators = schemas === undefined ? undefined : await loadUpstreamValidators(schemas);
    await cluster().installManifests(new URL('./rbac.yaml', import.meta.url).pathname);
    admin = createClient({ ...deps, kubeConfig: cluster().kubeConfig });
    const kubeConfig = await cluster().serviceAccountKubeConfig('kubevirt', 'kubevirt-simulator');
    played = createClient({ ...deps, kubeConfig });
    const installs = { verb: 'create', group: 'storage.k8s.io', resource: 'storageclasses' } as const;
    await vi.waitFor(async () => expect(await isAllowed(cluster().admin, SIMULATOR, installs)).toBe(true), POLL);
    simulator = await startKubeVirtSimulator({ ...deps, client: played }, { timings: QUICK_TIMINGS });
    for (const name of [IMAGES, NAMESPACE]) {
      await admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
    await createImage('ubuntu');
  });

  afterAll(async () => {
    await simulator?.stop();
    await played?.close();
    await admin?.close();
  });

  it('imports an image, clones it, boots a desktop, and answers RDP at its address and through the load balancer', async () => {
    await orderDesktop('anna');
    await admin.create<Service>(SERVICES, buildService('anna'));
    await waitForStatus('anna', 'Running');
    const dataVolume = await admin.get<DataVolume>(DATAVOLUMES, at('anna'));
    expect(dataVolume.status).toMatchObject({ phase: 'Succeeded', progress: '100.0%', claimName: 'anna' });
    expect(findCondition(dataVolume.status?.conditions, 'Bound')).toMatchObject({ status: 'True', reason: 'Bound' });
    const claim = await admin.get<Claim>(PERSISTENTVOLUMECLAIMS, at('anna'));
    expect(claim.status).toMatchObject({ phase: 'Bound', capacity: { storage: '20Gi' } });
    expect(claim.metadata.ownerReferences).toMatchObject([{ kind: 'DataVolume', name: 'anna' }]);
    const vmi = await instanceOf('anna');
    expect(vmi.metadata.ownerReferences).toMatchObject([{ kind: 'VirtualMachine', name: 'anna', controller: true }]);
    expect(vmi.status?.phaseTransitionTimestamps?.map(({ phase }) => phase)).toEqual([
      'Pending',
      'Scheduling',
      'Scheduled',
      'Running',
    ]);
    expect(vmi.status?.nodeName).toMatch(/^node-/);
    const address = vmi.status?.interfaces?.[0]?.ipAddress ?? '';
    await expect.poll(() => shake(address), POLL).toMatchObject({ kind: 'answered', selectedProtocol: 'NLA' });
    await expect.poll(() => ingressOf('anna'), POLL).toMatch(/^127\./);
    await expect.poll(async () => kindOf(await shake(await ingressOf('anna'))), POLL).toBe('answered');
    const vm = await machineOf('anna');
    expect(vm.status).toMatchObject({ created: true, ready: true, runStrategy: 'RerunOnFailure' });
    if (validators === undefined) return;
    expect(validators.validateVirtualMachine(vm)).toEqual([]);
    expect(validators.validateVirtualMachineInstance(await instanceOf('anna'))).toEqual([]);
  });

  it('admits only the source ranges of a load balancer', async () => {
    await patch(SERVICES, 'anna', { spec: { loadBalancerSourceRanges: ['127.0.0.9/32'] } });
    const ip = await ingressOf('anna');
    await expect.poll(() => shake(ip).then(kindOf), POLL).toBe('refused');
    await expect.poll(() => shake(ip, { localAddress: '127.0.0.9' }).then(kindOf), POLL).toBe('answered');
  });

  it('says that a restart is required when the template changes under a running machine', async () => {
    await patch(VIRTUALMACHINES, 'anna', { spec: { template: { spec: { domain: { cpu: { cores: 8 } } } } } });
    await expect.poll(() => conditionOf('anna', 'RestartRequired'), POLL).toMatchObject({ status: 'True' });
    await patch(VIRTUALMACHINES, 'anna', { spec: { template: { spec: { domain: { cpu: { cores: 2 } } } } } });
    await expect.poll(() => conditionOf('anna', 'RestartRequired'), POLL).toBeUndefined();
  });

  it('stays down after a guest shutdown, and starts through Halted', async () => {
    const before = await instanceOf('anna');
    await patch(VIRTUALMACHINES, 'anna', { metadata: { annotations: { [ANNOTATION_GUEST]: 'shutdown' } } });
    await waitUntilOff('anna');
    await expect
      .poll(async () => (await machineOf('anna')).metadata.annotations?.[ANNOTATION_GUEST], POLL)
      .toBeUndefined();
    const address = before.status?.interfaces?.[0]?.ipAddress ?? '';
    await expect.poll(() => shake(address), POLL).toMatchObject({ kind: 'refused', reason: 'Closed' });
    await patch(VIRTUALMACHINES, 'anna', { spec: { runStrategy: 'Halted' } });
    await expect.poll(async () => (await machineOf('anna')).status?.runStrategy, POLL).toBe('Halted');
    await patch(VIRTUALMACHINES, 'anna', { spec: { runStrategy: 'RerunOnFailure' } });
    await waitForStatus('anna', 'Running');
    expect((await instanceOf('anna')).metadata.uid).not.toBe(before.metadata.uid);
  });

  it('stays down when its instance is deleted under RerunOnFailure', async () => {
    await admin.delete(VIRTUALMACHINEINSTANCES, at('anna'));
    await waitUntilOff('anna');
    await powerCycle('anna');
  });

  it('comes back by itself after a guest crash', async () => {
    const { uid } = (await instanceOf('anna')).metadata;
    await patch(VIRTUALMACHINEINSTANCES, 'anna', { metadata: { annotations: { [ANNOTATION_GUEST]: 'crash' } } });
    await expect.poll(async () => (await findInstance('anna'))?.metadata.uid !== uid, POLL).toBe(true);
    await waitForStatus('anna', 'Running');
  });

  it('deletes the instance when halted, and grows the disk meanwhile', async () => {
    await patch(VIRTUALMACHINES, 'anna', { spec: { runStrategy: 'Halted' } });
    await waitUntilOff('anna');
    await patch(PERSISTENTVOLUMECLAIMS, 'anna', { spec: { resources: { requests: { storage: '30Gi' } } } });
    await expect
      .poll(async () => (await admin.get<Claim>(PERSISTENTVOLUMECLAIMS, at('anna'))).status?.capacity?.storage, POLL)
      .toBe('30Gi');
    const dataVolume = await admin.get<DataVolume>(DATAVOLUMES, at('anna'));
    const spec = { ...dataVolume.spec, storage: { resources: { requests: { storage: '30Gi' } } } };
    await expect(admin.update(DATAVOLUMES, { ...dataVolume, spec })).rejects.toThrow(/cannot be changed/);
  });

  it('backs off when a machine fails before it runs', async () => {
    await orderDesktop('crashy', 'crash-loop');
    await waitForStatus('crashy', 'CrashLoopBackOff');
    expect((await machineOf('crashy')).status?.startFailure?.consecutiveFailCount).toBeGreaterThanOrEqual(1);
    await patch(VIRTUALMACHINES, 'crashy', {
      metadata: { annotations: { [ANNOTATION_FAULT]: null } },
    });
    await waitForStatus('crashy', 'Running');
    await expect.poll(async () => (await machineOf('crashy')).status?.startFailure, POLL).toBeUndefined();
  });

  it('waits for an image that is missing and goes on once it is there', async () => {
    await orderDesktop('early', undefined, 'later');
    await expect
      .poll(async () => (await admin.get<DataVolume>(DATAVOLUMES, at('early'))).status?.phase, POLL)
      .toBe('Pending');
    await waitForStatus('early', 'Provisioning');
    const boundOf = async () =>
      findCondition((await admin.get<DataVolume>(DATAVOLUMES, at('early'))).status?.conditions, 'Bound');
    await expect.poll(boundOf, POLL).toMatchObject({ status: 'False', reason: 'NotFound' });
    await createImage('later');
    await waitForStatus('early', 'Running');
  });

  it.each([
    ['never-answers', 'silence'],
    ['garbage', 'refused'],
    ['refuses', 'refused'],
    ['no-listener', 'refused'],
  ] as const)('plays the fault %s while the machine runs', async (fault, kind) => {
    await orderDesktop(fault, fault);
    await waitForStatus(fault, 'Running');
    await expect.poll(() => agentOf(fault), POLL).toBe('True');
    const address = (await instanceOf(fault)).status?.interfaces?.[0]?.ipAddress ?? '';
    await expect.poll(() => shake(address).then(kindOf), POLL).toBe(kind);
  });

  it('plays a machine that no node takes', async () => {
    await orderDesktop('nowhere', 'unschedulable');
    await waitForStatus('nowhere', 'ErrorUnschedulable');
    await patch(VIRTUALMACHINES, 'nowhere', { metadata: { annotations: { [ANNOTATION_FAULT]: null } } });
    await waitForStatus('nowhere', 'Running');
  });

  it('removes a machine with its instance, its load balancer, its disk', async () => {
    const ip = await ingressOf('anna');
    await admin.delete(SERVICES, at('anna'));
    await admin.delete(VIRTUALMACHINES, at('anna'));
    await admin.delete(DATAVOLUMES, at('anna'));
    for (const resource of [VIRTUALMACHINES, VIRTUALMACHINEINSTANCES, DATAVOLUMES]) {
      await expect.poll(() => exists(resource, 'anna'), POLL).toBe(false);
    }
    // The garbage collector learns of new kinds every 30 s.
    await expect.poll(() => exists(PERSISTENTVOLUMECLAIMS, 'anna'), POLL).toBe(false);
    await expect.poll(() => shake(ip).then(kindOf), POLL).toBe('refused');
  });

  it('writes nothing when it starts again over what converged, and answers at the same addresses', async () => {
    const before = (await instanceOf('early')).status?.interfaces?.[0]?.ipAddress ?? '';
    await waitUntilSilent(cluster(), SIMULATOR);
    await simulator.stop();
    expect(await shake(before)).toMatchObject({ kind: 'refused', reason: 'Closed' });
    const { nextByte } = await cluster().auditEvents();
    simulator = await startKubeVirtSimulator({ ...deps, client: played }, { timings: QUICK_TIMINGS });
    await expect.poll(() => shake(before).then(kindOf), POLL).toBe('answered');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { events } = await cluster().auditEvents(nextByte);
    const writes = events.filter(
      ({ user, verb }) => user?.username === SIMULATOR && ['create', 'update', 'patch', 'delete'].includes(verb),
    );
    expect(writes).toEqual([]);
  });

  it('leaves a cluster alone that has a KubeVirt of its own', async () => {
    const name = 'datavolumes.cdi.kubevirt.io';
    const labels = { 'app.kubernetes.io/managed-by': 'cdi-operator' };
    await admin.patch(CUSTOMRESOURCEDEFINITIONS, { name }, { type: 'merge', body: { metadata: { labels } } });
    await expect(startKubeVirtSimulator({ ...deps, client: played })).rejects.toThrow(
      `${name} exists and is not the simulator's: is KubeVirt installed here? Use another cluster.`,
    );
  });

  const at = (name: string) => ({ namespace: NAMESPACE, name });
  const machineOf = (name: string) => admin.get<VirtualMachine>(VIRTUALMACHINES, at(name));
  const instanceOf = (name: string) => admin.get<VirtualMachineInstance>(VIRTUALMACHINEINSTANCES, at(name));
  const patch = (resource: Resource, name: string, body: unknown) =>
    admin.patch(resource, at(name), { type: 'merge', body });
  const conditionOf = async (name: string, type: string) =>
    findCondition((await machineOf(name)).status?.conditions, type);
  const agentOf = async (name: string) =>
    findCondition((await instanceOf(name)).status?.conditions, 'AgentConnected')?.status;
  const waitForStatus = (name: string, status: string) =>
    expect.poll(async () => (await machineOf(name)).status?.printableStatus, POLL).toBe(status);

  /** `Stopped` is shown as soon as the instance is final; it is over when the machine says that none exists. */
  async function waitUntilOff(name: string): Promise<void> {
    await waitForStatus(name, 'Stopped');
    await expect.poll(() => exists(VIRTUALMACHINEINSTANCES, name), POLL).toBe(false);
    await expect.poll(async () => (await machineOf(name)).status?.created, POLL).toBe(false);
  }

  async function ingressOf(name: string): Promise<string> {
    const { status } = await admin.get<Service>(SERVICES, at(name));
    return status?.loadBalancer?.ingress?.[0]?.ip ?? '';
  }

  async function findInstance(name: string): Promise<VirtualMachineInstance | undefined> {
    return (await exists(VIRTUALMACHINEINSTANCES, name)) ? instanceOf(name) : undefined;
  }

  async function exists(resource: Resource, name: string): Promise<boolean> {
    try {
      await admin.get(resource, at(name));
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async function powerCycle(name: string): Promise<void> {
    await patch(VIRTUALMACHINES, name, { spec: { runStrategy: 'Halted' } });
    await expect.poll(async () => (await machineOf(name)).status?.runStrategy, POLL).toBe('Halted');
    await patch(VIRTUALMACHINES, name, { spec: { runStrategy: 'RerunOnFailure' } });
    await waitForStatus(name, 'Running');
  }

  async function createImage(name: string): Promise<void> {
    const source = { registry: { url: `docker://registry.example.com/${name}` } };
    const storage = { resources: { requests: { storage: '10Gi' } } };
    await admin.create<KubeObject>(DATAVOLUMES, {
      ...buildObject(DATAVOLUMES, IMAGES, name),
      spec: { source, storage },
    } as KubeObject);
    await admin.create<KubeObject>(DATASOURCES, {
      ...buildObject(DATASOURCES, IMAGES, name),
      spec: { source: { pvc: { namespace: IMAGES, name } } },
    } as KubeObject);
  }

  async function orderDesktop(name: string, fault?: Fault, image = 'ubuntu'): Promise<void> {
    await admin.create<DataVolume>(DATAVOLUMES, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: at(name),
      spec: {
        sourceRef: { kind: 'DataSource', namespace: IMAGES, name: image },
        storage: { resources: { requests: { storage: '20Gi' } } },
      },
    });
    await admin.create<VirtualMachine>(VIRTUALMACHINES, buildMachine(name, fault));
  }

  function buildMachine(name: string, fault: Fault | undefined): VirtualMachine {
    return {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: { ...at(name), annotations: fault === undefined ? {} : { [ANNOTATION_FAULT]: fault } },
      spec: {
        runStrategy: 'RerunOnFailure',
        template: {
          metadata: { labels: { desk: name } },
          spec: {
            domain: {
              cpu: { cores: 2 },
              devices: {
                disks: [{ name: 'root', disk: { bus: 'virtio' } }],
                interfaces: [{ name: 'default', masquerade: {} }],
              },
            },
            networks: [{ name: 'default', pod: {} }],
            volumes: [{ name: 'root', dataVolume: { name } }],
          },
        },
      },
    };
  }

  function buildService(name: string): Service {
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: at(name),
      spec: { type: 'LoadBalancer', selector: { desk: name }, ports: [{ port: 3389, targetPort: 3389 }] },
    };
  }
});

function buildObject({ group, version, kind }: Resource, namespace: string, name: string): KubeObject {
  return { apiVersion: `${group}/${version}`, kind, metadata: { namespace, name } };
}

type Outcome = HandshakeVerdict | { readonly kind: 'silence' };

const kindOf = ({ kind }: Outcome): string => kind;

/** One handshake by the product's own client; `silence` when nothing comes. */
async function shake(host: string, { localAddress }: { readonly localAddress?: string } = {}): Promise<Outcome> {
  const handshake = createHandshake();
  const socket = connect({ host, port: 3389, ...(localAddress === undefined ? {} : { localAddress }) });
  const closed = once(socket, 'close').catch(() => undefined);
  socket.on('error', () => undefined);
  socket.on('connect', () => socket.write(handshake.request));
  socket.on('data', (chunk) => {
    if (handshake.push(chunk).kind !== 'more') socket.destroy();
  });
  const timer = setTimeout(() => socket.destroy(new Error('silence')), SILENCE_MS);
  let silent = false;
  socket.on('error', (error) => {
    silent = error.message === 'silence';
  });
  await closed;
  clearTimeout(timer);
  const verdict = handshake.end();
  return silent ? { kind: 'silence' } : verdict;
}
