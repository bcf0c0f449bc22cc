import { afterEach, beforeEach, expect, it, test } from 'vitest';
import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import { PLANS, RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS, NAMESPACES, NETWORKPOLICIES, ROLEBINDINGS, SECRETS, SERVICES } from '../../../kube/builtin.ts';
import { ChangedError, StatusError } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { DATASOURCES, DATAVOLUMES, VIRTUALMACHINEINSTANCES, VIRTUALMACHINES } from '../../../kubevirt/index.ts';
import { API_VERSION } from '../../../model/group.ts';
import {
  ANNOTATION_FIRST_BOOT,
  ANNOTATION_OS,
  ANNOTATION_REMOVED_AT,
  ANNOTATION_SWEEP_AT,
  FINALIZER,
  ownerLabels,
  STATUS_FIELD_MANAGER,
} from '../../../model/labels.ts';
import type { OperatorContext } from '../../context.ts';
import { createHarness, DAY_MS, type Harness, tenant, tenantPlan } from '../../testing/harness.ts';
import { changesPower, confirmPower, confirmShare, givesBack, refuseChanged } from './confirm.ts';
import { observeDesktop } from './observe.ts';
import { createDesktopReconcile } from './reconcile.ts';

const signal = new AbortController().signal;
const KEY = 't-bob/desk';
const CHILD = 't-bob/rdp-desk';
const RECORD = 't-bob/sublet-grants';

let harness: Harness;
afterEach(() => harness.stop());

/** A desktop whose guest runs in an epoch that is recorded. */
beforeEach(async () => {
  harness = createHarness();
  const { server } = harness;
  server.put(PLANS, tenantPlan('sublet-root', 'team', { vcpu: 16 }));
  server.put(PLANS, plan('20Gi'));
  server.put(TENANTS, tenant('sublet-root', 'bob'));
  await harness.converge();
  server.put(RDPINSTANCES, order());
  const tenantId = harness.context.tree.owner('t-bob')?.tenantId ?? '';
  const labels = ownerLabels({ tenantId, kind: 'RDPInstance', name: 'desk' });
  const child = { name: 'rdp-desk', namespace: 't-bob', labels };
  const template = { spec: { domain: { devices: {} } } };
  const vm = { kind: 'VirtualMachine', spec: { runStrategy: 'RerunOnFailure', template } };
  server.put(VIRTUALMACHINES, { apiVersion: 'kubevirt.io/v1', metadata: child, ...vm } as KubeObject);
  const instance = server.put(VIRTUALMACHINEINSTANCES, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: child,
    spec: template.spec,
  } as KubeObject);
  const { uid = '', creationTimestamp: startedAt = '' } = instance.metadata;
  const body = { apiVersion: API_VERSION, kind: 'RDPInstance', metadata: { name: 'desk', namespace: 't-bob' } };
  await server.client.apply(RDPINSTANCES, { ...body, status: { epoch: { vmiUID: uid, startedAt } } } as KubeObject, {
    fieldManager: STATUS_FIELD_MANAGER,
    force: true,
    subresource: 'status',
  });
  await harness.converge();
});

function order(): KubeObject {
  const spec = { plan: 'small', image: 'ubuntu-24', username: 'anna' };
  const metadata = { name: 'desk', namespace: 't-bob', finalizers: [FINALIZER] };
  return { apiVersion: API_VERSION, kind: 'RDPInstance', metadata, spec } as KubeObject;
}

function image(): KubeObject {
  const annotations = { [ANNOTATION_OS]: 'Linux', [ANNOTATION_FIRST_BOOT]: 'CloudInit' };
  const metadata = { name: 'ubuntu-24', namespace: 'sublet-images', annotations };
  const spec = { source: { pvc: { name: 'ubuntu-24', namespace: 'sublet-images' } } };
  return { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataSource', metadata, spec } as KubeObject;
}

function plan(storage: string): KubeObject {
  const desktop = { vcpu: 2, memory: '4Gi', storage, images: ['ubuntu-24'] };
  const spec = { title: 'small', offers: 'Desktop', currency: 'USD', price: [], desktop };
  return {
    apiVersion: API_VERSION,
    kind: 'Plan',
    metadata: { name: 'small', namespace: 'sublet-root' },
    spec,
  } as KubeObject;
}

const observe = (context: OperatorContext = harness.context) => {
  const desktop = context.informers.desktops.get(KEY);
  if (desktop === undefined) throw new Error('the desktop is not in the cache');
  return observeDesktop(context, desktop);
};

/** The same operator, to which one kind is shown without anything in it. */
function without(kind: 'virtualMachineInstances' | 'virtualMachines' | 'dataVolumes'): OperatorContext {
  const { context } = harness;
  const informer = { ...context.informers[kind], get: () => undefined };
  return { ...context, informers: { ...context.informers, [kind]: informer } };
}

const epoch = () => harness.server.get<RDPInstance & KubeObject>(RDPINSTANCES, KEY)?.status?.epoch;

const prober = { observe: () => ({ state: 'Probing', why: undefined }) as const, forget: () => {}, stop: () => {} };

it('an end that only one late view shows is not recorded', async () => {
  const late = without('virtualMachineInstances');
  const before = epoch();
  harness.server.writes.length = 0;
  await expect(createDesktopReconcile(late, prober)(KEY, signal)).rejects.toBeInstanceOf(ChangedError);
  expect(before).toBeDefined();
  expect(epoch()).toEqual(before);
  expect(harness.server.writes).toEqual([]);
});

it('a removal waits for what is not seen yet, and for nothing of another owner', async () => {
  const { server, context } = harness;
  const metadata = { name: 'rdp-desk', namespace: 't-bob' };
  server.put(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata } as KubeObject);
  change(RDPINSTANCES, KEY, { deletion: { policy: 'Delete', graceDays: 0 } });
  server.remove(RDPINSTANCES, KEY);
  await harness.converge();
  server.writes.length = 0;
  const late = createDesktopReconcile(without('virtualMachines'), prober);
  await expect(late(KEY, signal)).rejects.toThrow('VirtualMachine t-bob/rdp-desk changed');
  expect(server.writes).toEqual([]);
  await createDesktopReconcile(context, prober)(KEY, signal);
  expect(server.get(RDPINSTANCES, KEY)).toBeUndefined();
  const stamps = server.get(VIRTUALMACHINES, CHILD)?.metadata.annotations ?? {};
  expect(stamps[ANNOTATION_REMOVED_AT]).toBeDefined();
  expect(stamps[ANNOTATION_SWEEP_AT]).toBe(stamps[ANNOTATION_REMOVED_AT]);
});

it('what a removal left is swept although somebody else keeps the order from going', async () => {
  const { server, context, clock } = harness;
  server.put(DATASOURCES, image());
  const reconcile = async (): Promise<void> => {
    await harness.converge();
    await createDesktopReconcile(context, prober)(KEY, signal);
  };
  for (let look = 0; look < 2; look++) await reconcile();
  change(RDPINSTANCES, KEY, {}, { finalizers: [FINALIZER, 'example.com/kept'] });
  server.remove(RDPINSTANCES, KEY);
  for (let look = 0; look < 3; look++) await reconcile();
  expect(server.get(RDPINSTANCES, KEY)?.metadata.finalizers).toEqual(['example.com/kept']);
  expect(server.get(SERVICES, CHILD)).toBeUndefined();
  expect(server.get(VIRTUALMACHINES, CHILD)).toBeDefined();
  clock.step(8 * DAY_MS);
  server.remove(VIRTUALMACHINEINSTANCES, CHILD);
  for (let look = 0; look < 3; look++) await reconcile();
  for (const resource of [VIRTUALMACHINES, DATAVOLUMES, SECRETS]) expect(server.get(resource, CHILD)).toBeUndefined();
  expect(server.get<KubeObject & { data?: object }>(CONFIGMAPS, RECORD)?.data ?? {}).toEqual({});
});

it('nothing of a desktop that came back is stamped for the one before it', async () => {
  const { server, context } = harness;
  server.remove(RDPINSTANCES, KEY);
  await harness.converge();
  const removed = context.informers.desktops.get(KEY);
  expect(removed?.metadata.deletionTimestamp).toBeDefined();
  change(RDPINSTANCES, KEY, {}, { finalizers: [] });
  server.put(RDPINSTANCES, order());
  const informer = { ...context.informers.desktops, get: () => removed };
  const late = { ...context, informers: { ...context.informers, desktops: informer } };
  server.writes.length = 0;
  await expect(createDesktopReconcile(late, prober)(KEY, signal)).rejects.toBeInstanceOf(ChangedError);
  expect(server.writes).toEqual([]);
});

it('an address is not taken on an old record of shares', async () => {
  const { server, context } = harness;
  server.put(DATASOURCES, image());
  const reconcile = async (as: OperatorContext = context): Promise<void> => {
    await harness.converge();
    await createDesktopReconcile(as, prober)(KEY, signal);
  };
  await reconcile();
  const old = server.get(CONFIGMAPS, RECORD);
  change(RDPINSTANCES, KEY, { access: { type: 'ClusterIP' } });
  await reconcile();
  change(RDPINSTANCES, KEY, { access: { type: 'LoadBalancer' } });
  const { grants, informers } = harness.another().context;
  if (old !== undefined) informers.grants.observeWrite(old);
  server.writes.length = 0;
  await reconcile({ ...context, grants });
  const kinds = server.writes.map(({ kind }) => kind).filter((kind) => kind === 'ConfigMap' || kind === 'Service');
  expect(kinds).toEqual(['ConfigMap', 'Service']);
});

it('who is no member any more reads no password, though the desktop is refused', async () => {
  const { server, context } = harness;
  server.put(DATASOURCES, image());
  const hire = (...names: readonly string[]): void =>
    change(TENANTS, 'sublet-root/bob', {
      members: names.map((name) => ({ kind: 'User', name, role: 'Developer' })),
    });
  const readers = () =>
    server
      .get<KubeObject & { subjects?: readonly { name: string }[] }>(ROLEBINDINGS, CHILD)
      ?.subjects?.map(({ name }) => name);
  const reconcile = async (): Promise<void> => {
    await harness.converge();
    await createDesktopReconcile(context, prober)(KEY, signal);
  };
  hire('oidc:anna', 'oidc:eve');
  for (let look = 0; look < 2; look++) await reconcile();
  expect(readers()).toEqual(['oidc:anna', 'oidc:eve']);
  change(RDPINSTANCES, KEY, { image: 'none-such' });
  hire('oidc:anna');
  await expect(reconcile()).rejects.toThrow('spec.image');
  expect(readers()).toEqual(['oidc:anna']);
  hire();
  await expect(reconcile()).rejects.toThrow('spec.image');
  expect(readers()).toBeUndefined();
});

test.each([
  ['an address', 'addresses', 'Service', { access: { type: 'ClusterIP' } }],
  ['what a guest needs', 'vcpu', 'VirtualMachine', { power: 'Stopped' }],
] as const)('%s is given back once nothing takes it any more, and not before', async (_, name, child, spec) => {
  const { server, context } = harness;
  server.put(DATASOURCES, image());
  server.remove(VIRTUALMACHINEINSTANCES, CHILD);
  const reconcile = async (): Promise<void> => {
    await harness.converge();
    await createDesktopReconcile(context, prober)(KEY, signal);
  };
  for (let look = 0; look < 2; look++) await reconcile();
  const recorded = () => context.grants.recorded('t-bob', 'desktops/desk')?.used[name] ?? 0n;
  const before = recorded();
  expect(before).toBeGreaterThan(0n);
  change(RDPINSTANCES, KEY, spec);
  server.intercept = ({ kind }) => {
    if (kind === child) throw new StatusError({ code: 503, message: 'no' });
  };
  await expect(reconcile()).rejects.toThrow('no');
  expect(recorded()).toBe(before);
  server.intercept = undefined;
  server.writes.length = 0;
  for (let look = 0; look < 2; look++) await reconcile();
  expect(recorded()).toBe(0n);
  const kinds = server.writes.map(({ kind }) => kind).filter((kind) => kind === 'ConfigMap' || kind === child);
  expect([...new Set(kinds)]).toEqual([child, 'ConfigMap']);
});

it('what a removal took away is not made again by who does not know of it', async () => {
  const { server, context } = harness;
  const { desktops, networkPolicies } = context.informers;
  server.put(DATASOURCES, image());
  for (let look = 0; look < 2; look++) {
    await harness.converge();
    await createDesktopReconcile(context, prober)(KEY, signal);
  }
  await harness.converge();
  const seen = desktops.get(KEY);
  server.remove(NETWORKPOLICIES, CHILD);
  change(RDPINSTANCES, KEY, { power: 'Stopped' });
  await harness.sync();
  server.writes.length = 0;
  const late = {
    ...context.informers,
    desktops: { ...desktops, get: () => seen },
    networkPolicies: { ...networkPolicies, get: () => undefined },
  };
  const reconcile = createDesktopReconcile({ ...context, informers: late }, prober);
  await expect(reconcile(KEY, signal)).rejects.toBeInstanceOf(ChangedError);
  expect(server.writes).toEqual([]);
});

it('what is as it was seen is confirmed', async () => {
  await confirmPower(harness.context, observe(), signal);
  await confirmShare(harness.context, observe(), signal);
});

/** What somebody else does that no watch has shown yet. */
const CHANGES: Readonly<Record<string, () => void>> = {
  'the order is another': () => change(RDPINSTANCES, KEY, { power: 'Stopped' }),
  'the order is gone': () => {
    change(RDPINSTANCES, KEY, {}, { finalizers: [] });
    harness.server.remove(RDPINSTANCES, KEY);
  },
  'the Tenant is suspended': () => change(TENANTS, 'sublet-root/bob', { suspensions: [{ reason: 'Payment' }] }),
  'the namespace is stamped': () =>
    change(NAMESPACES, 't-bob', {}, (metadata) => ({
      annotations: { ...metadata.annotations, 'sublet.dev/removed-at': '2026-01-01T00:00:00Z' },
    })),
  'the machine is halted': () => change(VIRTUALMACHINES, CHILD, { runStrategy: 'Halted' }),
  'the guest is gone': () => harness.server.remove(VIRTUALMACHINEINSTANCES, CHILD),
};

test.each(Object.entries(CHANGES))('a decision about power is refused when %s', async (_, act) => {
  const seen = observe();
  act();
  await expect(confirmPower(harness.context, seen, signal)).rejects.toBeInstanceOf(ChangedError);
});

it('a share is not given back on an old Plan, nor for a disk that is not seen', async () => {
  const seen = observe();
  harness.server.put(PLANS, plan('30Gi'));
  await expect(confirmShare(harness.context, seen, signal)).rejects.toThrow('Plan sublet-root/small changed');
  await harness.converge();
  const labels = observe().children.virtualMachine?.metadata.labels;
  const sourceRef = { kind: 'DataSource', name: 'ubuntu-24' };
  const disk = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', spec: { sourceRef, storage: {} } };
  harness.server.put(DATAVOLUMES, {
    ...disk,
    metadata: { name: 'rdp-desk', namespace: 't-bob', labels },
  } as KubeObject);
  await harness.converge();
  const late = without('dataVolumes');
  await expect(confirmShare(late, observe(late), signal)).rejects.toThrow('DataVolume t-bob/rdp-desk changed');
});

it('nothing is applied on what came into the cache after the look', async () => {
  const seen = observe();
  refuseChanged(harness.context, seen);
  change(VIRTUALMACHINES, CHILD, { runStrategy: 'Halted' });
  await harness.converge();
  expect(() => refuseChanged(harness.context, seen)).toThrow(ChangedError);
});

it('an ask gives back when it names less of anything', () => {
  expect(givesBack({ vcpu: 2n }, undefined)).toBe(false);
  expect(givesBack({ vcpu: 2n }, { vcpu: 2n })).toBe(false);
  expect(givesBack({ vcpu: 4n, storage: 1n }, { vcpu: 2n })).toBe(false);
  expect(givesBack({ vcpu: 4n }, { vcpu: 2n, storage: 1n })).toBe(true);
  expect(givesBack({ vcpu: 1n }, { vcpu: 2n })).toBe(true);
});

it('power changes by another end, strategy or note, and by nothing else', () => {
  const seen = observe();
  const recorded = seen.desktop.status?.epoch;
  const same = {
    epoch: recorded,
    runStrategy: 'RerunOnFailure',
    endedEpoch: undefined,
    guestDownAt: undefined,
    recordFirst: false,
    state: 'Running',
    guestShutDown: false,
    dueAt: undefined,
  } as const;
  expect(changesPower(seen, same)).toBe(false);
  expect(changesPower(seen, { ...same, runStrategy: 'Halted' })).toBe(true);
  expect(changesPower(seen, { ...same, guestDownAt: '2026-01-01T00:00:00Z' })).toBe(true);
  const ended = recorded && { ...recorded, endedAt: '2026-01-01T00:00:00Z' };
  expect(changesPower(seen, { ...same, epoch: ended })).toBe(true);
});

type Stored = KubeObject & { readonly spec?: Readonly<Record<string, unknown>> };

function change(
  resource: Parameters<Harness['server']['put']>[0],
  key: string,
  spec: Readonly<Record<string, unknown>>,
  metadata: Partial<KubeObject['metadata']> | ((of: KubeObject['metadata']) => Partial<KubeObject['metadata']>) = {},
): void {
  const live = harness.server.get<Stored>(resource, key);
  if (live === undefined) throw new Error(`${key} is not there`);
  const more = typeof metadata === 'function' ? metadata(live.metadata) : metadata;
  const next = { ...live, spec: { ...live.spec, ...spec }, metadata: { ...live.metadata, ...more } };
  harness.server.put(resource, next as KubeObject);
}
