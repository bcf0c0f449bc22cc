import { describe, expect, test } from 'vitest';
import { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { API_VERSION } from '../../../model/group.ts';
import type { DesktopLive, DesktopObservation } from './observation.ts';
import type { PowerDecision } from './power.ts';
import type { ProbeState } from './prober.ts';
import { computeDesktopStatus, readProbeFailure, type StatusFacts } from './status.ts';
import type { ValidDesktop } from './validate.ts';

const NOW = '2026-11-21T09:00:00Z';
const META = { name: 'rdp-anna', namespace: 't-bob' };
const EPOCH = { vmiUID: 'a', startedAt: '2026-11-21T08:00:00Z' };
const ANSWERED = { ...EPOCH, firstHandshakeAt: '2026-11-21T08:00:09.250Z' };

const RUNNING: PowerDecision = {
  epoch: ANSWERED,
  runStrategy: 'RerunOnFailure',
  endedEpoch: undefined,
  guestDownAt: undefined,
  recordFirst: false,
  state: 'Running',
  guestShutDown: false,
  dueAt: undefined,
};

const domain = { cpu: { sockets: 1, cores: 2, threads: 1 }, memory: { guest: '4Gi' }, devices: {} };
const instance = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  metadata: { ...META, uid: 'a' },
  spec: { domain },
  status: {
    phase: 'Running',
    phaseTransitionTimestamps: [
      { phase: 'Scheduled', phaseTransitionTimestamp: '2026-11-21T08:00:02Z' },
      { phase: 'Running', phaseTransitionTimestamp: '2026-11-21T08:00:04Z' },
    ],
  },
} as const;
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: META,
  spec: { type: 'LoadBalancer' },
  status: { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } },
} as const;
const disk = {
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: META,
  spec: {},
  status: { phase: 'Succeeded' },
} as const;
const LIVE: DesktopLive = {
  disk,
  claim: undefined,
  virtualMachine: undefined,
  instance,
  secret: { apiVersion: 'v1', kind: 'Secret', metadata: META },
  service,
};

const VALID = {
  input: { size: { vcpu: 2, memoryBytes: 4n << 30n, storageBytes: 20n << 30n, gpus: undefined } },
  plan: { apiVersion: API_VERSION, kind: 'Plan', metadata: { name: 'small', namespace: 'sublet-root' }, spec: {} },
  claim: undefined,
} as unknown as ValidDesktop;

type Change = Partial<StatusFacts> & {
  readonly spec?: object;
  readonly live?: Partial<DesktopLive>;
  readonly suspensions?: DesktopObservation['suspensions'];
  readonly status?: object;
  readonly feed?: DesktopObservation['feed'];
  readonly labels?: Readonly<Record<string, string>>;
};

function compute({ spec, live, suspensions = [], status, feed, labels = {}, ...facts }: Change) {
  const desktop: RDPInstance & KubeObject = RDPInstance.parse({
    apiVersion: API_VERSION,
    kind: 'RDPInstance',
    metadata: { name: 'anna', namespace: 't-bob', generation: 3, creationTimestamp: '2026-11-21T07:59:59Z', labels },
    spec: { plan: 'small', image: 'ubuntu-24', username: 'anna', ...spec },
    ...(status === undefined ? {} : { status }),
  });
  const observed = {
    desktop,
    owner: undefined,
    feed,
    suspensions,
    plan: undefined,
    image: undefined,
    children: { ...LIVE, ...live },
  };
  return computeDesktopStatus({
    observed,
    valid: VALID,
    power: RUNNING,
    probe: { state: 'Answering', answeredAtMs: undefined },
    failure: undefined,
    nodePortAddress: undefined,
    now: NOW,
    ...facts,
  });
}

const reasonOf = (change: Change) => {
  const { conditions } = compute(change);
  return { reason: conditions.find(({ type }) => type === 'Ready')?.reason, types: conditions.map(({ type }) => type) };
};

describe('the origin of a desktop', () => {
  const by = (name: string, namespace: string) => ({
    'kustomize.toolkit.fluxcd.io/name': name,
    'kustomize.toolkit.fluxcd.io/namespace': namespace,
  });
  const fleet = { name: 't-bob', namespace: 'sublet-fleet' };
  const own = { name: 'sublet-repository', namespace: 't-bob' };

  test.each<[string, Pick<Change, 'labels' | 'feed'>, 'Git' | 'Outside']>([
    ['in the fleet', { feed: fleet, labels: by('t-bob', 'sublet-fleet') }, 'Git'],
    ["in the tenant's own repository", { feed: own, labels: by('sublet-repository', 't-bob') }, 'Git'],
    ['applied by hand', { feed: fleet }, 'Outside'],
    ['left from the fleet', { feed: own, labels: by('t-bob', 'sublet-fleet') }, 'Outside'],
    ["left from the tenant's own repository", { feed: fleet, labels: by('sublet-repository', 't-bob') }, 'Outside'],
    ['left from any', { labels: by('t-bob', 'sublet-fleet') }, 'Outside'],
    ['of a tenant that is not there', { feed: 'Unknown', labels: by('t-bob', 'sublet-fleet') }, 'Git'],
  ])('%s', (_, change, origin) => {
    expect(compute(change).origin).toBe(origin);
  });
});

describe('computeDesktopStatus', () => {
  test('a desktop that answered and has its address is Ready, with all times', () => {
    expect(compute({})).toEqual({
      observedGeneration: 3,
      origin: 'Outside',
      address: '198.51.100.7',
      port: 3389,
      credentials: { secretRef: { name: 'rdp-anna' } },
      power: 'Running',
      plan: { name: 'small', revision: expect.stringMatching(/^[0-9a-f]{16}$/) },
      epoch: ANSWERED,
      timings: {
        orderedAt: '2026-11-21T07:59:59Z',
        scheduledAt: '2026-11-21T08:00:02Z',
        runningAt: '2026-11-21T08:00:04Z',
        readyAt: '2026-11-21T08:00:09.250Z',
      },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Succeeded',
          message: 'answers RDP at 198.51.100.7:3389',
          lastTransitionTime: NOW,
          observedGeneration: 3,
        },
      ],
    });
  });

  test('computing again from its own outcome changes nothing', () => {
    for (const change of [{}, { suspensions: [{ reason: 'Payment', by: 'bob' }] }, { live: { service: undefined } }]) {
      const first = compute(change);
      expect(compute({ ...change, status: first, now: '2026-11-21T10:00:00Z' })).toEqual(first);
    }
  });

  const probing: ProbeState = { state: 'Probing', why: 'connect ECONNREFUSED' };
  const failing: ProbeState = { state: 'Failing', why: 'no answer within 5000 ms' };
  const stopped: PowerDecision = { ...RUNNING, state: 'Stopped', epoch: { ...ANSWERED, endedAt: NOW } };
  const nodePort = { ...service, spec: { type: 'NodePort', ports: [{ port: 3389, nodePort: 31_000 }] } };
  test.each<[string, Change, string, readonly string[]]>([
    [
      'no VM before its disk',
      { live: { instance: undefined, disk: undefined } },
      'WaitingForDisk',
      ['Ready', 'Reconciling'],
    ],
    ['a disk and no VMI', { live: { instance: undefined } }, 'WaitingForVM', ['Ready', 'Reconciling']],
    ['a guest without an address', { probe: undefined }, 'WaitingForVM', ['Ready', 'Reconciling']],
    ['no answer yet', { power: { ...RUNNING, epoch: EPOCH }, probe: probing }, 'Probing', ['Ready', 'Reconciling']],
    ['an answer and no address', { live: { service: undefined } }, 'WaitingForAddress', ['Ready', 'Reconciling']],
    [
      'a NodePort without a node address',
      { live: { service: nodePort } },
      'WaitingForAddress',
      ['Ready', 'Reconciling'],
    ],
    ['no answer any more', { probe: failing }, 'ProbeFailed', ['Ready']],
    [
      'stopped by its owner',
      { spec: { power: 'Stopped' }, power: stopped, live: { instance: undefined } },
      'Stopped',
      ['Ready'],
    ],
    ['on its way down', { power: { ...RUNNING, state: 'Stopping' } }, 'Progressing', ['Ready', 'Reconciling']],
    ['shut down from inside', { power: { ...stopped, guestShutDown: true } }, 'GuestShutDown', ['Ready']],
    [
      'suspended',
      { suspensions: [{ reason: 'Abuse', by: 'acme' }], power: stopped },
      'Suspended',
      ['Ready', 'Suspended'],
    ],
    [
      'refused',
      { valid: undefined, failure: { kind: 'stalled', reason: 'PlanNotFound', message: 'x' } },
      'PlanNotFound',
      ['Ready', 'Stalled'],
    ],
  ])('%s', (_name, change, reason, types) => {
    expect(reasonOf(change)).toEqual({ reason, types });
  });

  test.each([
    ['57.3%', ' (50%)'],
    ['100.0%', ' (100%)'],
    ['N/A', ''],
    [undefined, ''],
  ])('a disk at %s is told in steps of ten', (progress, told) => {
    const cloning = {
      ...disk,
      status: { phase: 'CloneInProgress', ...(progress === undefined ? {} : { progress }) },
    } as const;
    const { conditions } = compute({ live: { instance: undefined, disk: cloning } });
    expect(conditions[0]?.message).toBe(`the disk is CloneInProgress${told}`);
  });

  test('the first answer of an epoch is recorded once, with milliseconds', () => {
    const at = Date.parse('2026-11-21T08:00:09.250Z');
    const power = { ...RUNNING, epoch: EPOCH };
    expect(compute({ power, probe: { state: 'Answering', answeredAtMs: at } }).epoch).toEqual(ANSWERED);
    expect(compute({ probe: { state: 'Answering', answeredAtMs: at + 60_000 } }).epoch).toEqual(ANSWERED);
  });

  test('an epoch that has ended gets no first answer any more', () => {
    const power = { ...RUNNING, epoch: { ...EPOCH, endedAt: NOW } };
    expect(compute({ power, probe: { state: 'Answering', answeredAtMs: 1 } }).epoch?.firstHandshakeAt).toBeUndefined();
  });

  test('a NodePort is reached at the address before the nodes', () => {
    const { address, port } = compute({ live: { service: nodePort }, nodePortAddress: 'nodes.example.com' });
    expect({ address, port }).toEqual({ address: 'nodes.example.com', port: 31_000 });
  });

  test('a passing error takes nothing back from a desktop that is Ready', () => {
    const ready = compute({});
    const failure = { kind: 'retrying', reason: 'Retrying', message: 'HTTP 500' } as const;
    expect(compute({ status: ready, failure, now: '2026-11-21T10:00:00Z' })).toEqual(ready);
  });

  test.each<[string, Change, string]>([
    ['whose guest is gone', { live: { instance: undefined } }, 'WaitingForVM'],
    ['that does not answer any more', { probe: failing }, 'ProbeFailed'],
    ['that has no address any more', { live: { service: undefined } }, 'WaitingForAddress'],
  ])('a passing error does not keep a desktop Ready %s', (_, change, reason) => {
    const failure = { kind: 'retrying', reason: 'Retrying', message: 'HTTP 500' } as const;
    const told = compute({ ...change, status: compute({}), failure });
    expect(told.conditions[0]).toMatchObject({ type: 'Ready', status: 'False', reason });
  });
});

test('why a desktop failed its probes is read from its status as it was, however often that is written', () => {
  const failing = { state: 'Failing', why: 'no answer within 5000 ms' } as const;
  const first = compute({ probe: failing }).conditions;
  const why = readProbeFailure(first);
  expect(why).toBe('no answer within 5000 ms');
  const again = compute({ probe: { state: 'Failing', why: why ?? '' } }).conditions;
  expect(again).toEqual(first);
  expect(readProbeFailure([])).toBeUndefined();
});
