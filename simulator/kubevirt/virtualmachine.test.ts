import { describe, expect, it } from 'vitest';
import type {
  DataVolume,
  DataVolumePhase,
  RunStrategy,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstancePhase,
  VirtualMachineInstanceStatus,
  VirtualMachineStatus,
} from '../../kubevirt/index.ts';
import { QUICK_TIMINGS } from './options.ts';
import { renderTime } from './status.ts';
import { computeStartBackoffMs, computeVirtualMachineStatus } from './virtualmachine.status.ts';
import { computeVirtualMachinePlan, type VirtualMachineFacts, VM_FINALIZER } from './virtualmachine.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const DELETED = { deletionTimestamp: '2026-11-21T11:59:59Z' };

type MachineParts = { readonly strategy?: RunStrategy; readonly status?: VirtualMachineStatus; readonly meta?: object };

function machine({ strategy = 'RerunOnFailure', status, meta }: MachineParts = {}): VirtualMachine {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name: 'vm', namespace: 'ns', uid: 'vm-1', generation: 3, finalizers: [VM_FINALIZER], ...meta },
    spec: {
      runStrategy: strategy,
      template: {
        metadata: { labels: { desk: 'a' }, annotations: { note: 'n' } },
        spec: { domain: { devices: {} }, volumes: [{ name: 'root', dataVolume: { name: 'disk' } }] },
      },
    },
    ...(status === undefined ? {} : { status }),
  };
}

function instance(
  phase: VirtualMachineInstancePhase,
  meta: object = {},
  passed: readonly VirtualMachineInstancePhase[] = [],
): VirtualMachineInstance {
  const { start } = computeVirtualMachinePlan(factsOf(machine()));
  if (start === undefined) throw new Error('a new machine starts');
  const phaseTransitionTimestamps = passed.map((one) => ({ phase: one, phaseTransitionTimestamp: renderTime(0) }));
  return {
    ...start,
    metadata: { ...start.metadata, uid: 'i-1', ...meta },
    status: { phase, phaseTransitionTimestamps },
  };
}

function factsOf(
  vm: VirtualMachine,
  vmi?: VirtualMachineInstance,
  phase: DataVolumePhase = 'Succeeded',
): VirtualMachineFacts {
  const disk: DataVolume = {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name: 'disk', namespace: 'ns' },
    spec: {},
    status: { phase },
  };
  return { vm, vmi, dataVolume: (name) => (name === 'disk' ? disk : undefined), nowMs: NOW_MS };
}

const plan = (vm: VirtualMachine, vmi?: VirtualMachineInstance) => computeVirtualMachinePlan(factsOf(vm, vmi));

describe('computeVirtualMachinePlan', () => {
  it('puts its finalizer on a new machine before anything else', () => {
    expect(plan(machine({ meta: { finalizers: [] } }))).toEqual({ finalizer: 'add' });
  });

  it('starts an instance from the template, owned by the machine', () => {
    const { start } = plan(machine());
    expect(start?.metadata).toMatchObject({
      name: 'vm',
      namespace: 'ns',
      labels: { desk: 'a' },
      annotations: { note: 'n', 'kubevirt.io/vm-generation': '3' },
      finalizers: ['kubevirt.io/virtualMachineControllerFinalize', 'kubevirt.io/foregroundDeleteVirtualMachine'],
      ownerReferences: [
        { kind: 'VirtualMachine', name: 'vm', uid: 'vm-1', controller: true, blockOwnerDeletion: true },
      ],
    });
    expect(start?.spec.domain.firmware?.uuid).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  const started = { runStrategy: 'RerunOnFailure' } as const;
  const halted = { runStrategy: 'Halted' } as const;
  const startRequest = { stateChangeRequests: [{ action: 'Start' }] } as const;
  const stopRequest = { stateChangeRequests: [{ action: 'Stop', uid: 'i-1' }] } as const;
  const otherStop = { stateChangeRequests: [{ action: 'Stop', uid: 'i-0' }] } as const;

  it.each<[string, VirtualMachine, VirtualMachineInstance | undefined, string]>([
    ['RerunOnFailure, first start', machine(), undefined, 'start'],
    ['RerunOnFailure, seen before, no instance', machine({ status: started }), undefined, ''],
    ['RerunOnFailure, from Halted', machine({ status: halted }), undefined, 'start'],
    ['RerunOnFailure, start request', machine({ status: { ...started, ...startRequest } }), undefined, 'start'],
    ['RerunOnFailure, running', machine({ status: started }), instance('Running'), ''],
    ['RerunOnFailure, shut down', machine({ status: started }), instance('Succeeded'), 'stop'],
    ['RerunOnFailure, failed', machine({ status: started }), instance('Failed'), 'stop requestStart'],
    [
      'RerunOnFailure, failed and already asked',
      machine({ status: { ...started, ...startRequest } }),
      instance('Failed'),
      'stop',
    ],
    ['RerunOnFailure, failed while being deleted', machine({ status: started }), instance('Failed', DELETED), ''],
    ['RerunOnFailure, stop request', machine({ status: { ...started, ...stopRequest } }), instance('Running'), 'stop'],
    ['RerunOnFailure, stop of another', machine({ status: { ...started, ...otherStop } }), instance('Running'), ''],
    ['Always, no instance', machine({ strategy: 'Always', status: { runStrategy: 'Always' } }), undefined, 'start'],
    ['Always, shut down', machine({ strategy: 'Always' }), instance('Succeeded'), 'stop'],
    ['Halted, running', machine({ strategy: 'Halted' }), instance('Running'), 'stop'],
    ['Halted, being deleted', machine({ strategy: 'Halted' }), instance('Running', DELETED), ''],
    ['Halted, none', machine({ strategy: 'Halted' }), undefined, ''],
    ['Manual, none', machine({ strategy: 'Manual' }), undefined, ''],
    ['Manual, start request', machine({ strategy: 'Manual', status: startRequest }), undefined, 'start'],
    ['Manual, shut down', machine({ strategy: 'Manual' }), instance('Succeeded'), ''],
    ['Manual, stop request', machine({ strategy: 'Manual', status: stopRequest }), instance('Running'), 'stop'],
    ['Once, failed', machine({ strategy: 'Once' }), instance('Failed'), ''],
    ['deleted, running', machine({ meta: DELETED }), instance('Running'), 'stop'],
    ['deleted, none', machine({ meta: DELETED }), undefined, 'finalizer'],
  ])('%s', (_, vm, vmi, actions) => {
    expect(Object.keys(plan(vm, vmi)).join(' ')).toBe(actions);
  });

  it('waits out the back-off of a failed start', () => {
    const startFailure = { consecutiveFailCount: 1, retryAfterTimestamp: '2026-11-21T12:00:07Z' };
    expect(plan(machine({ status: { ...halted, startFailure } }))).toEqual({ waitMs: 7_000 });
  });

  it('makes the DataVolumes of its templates, owned by it, and waits for them', () => {
    const vm = machine();
    const templates = [
      { metadata: { name: 'disk' }, spec: {} },
      { metadata: { name: 'other' }, spec: {} },
    ];
    const withTemplates = { ...vm, spec: { ...vm.spec, dataVolumeTemplates: templates } };
    expect(plan(withTemplates).createDataVolumes).toMatchObject([
      { kind: 'DataVolume', metadata: { name: 'other', ownerReferences: [{ uid: 'vm-1' }] } },
    ]);
    const one = { ...vm, spec: { ...vm.spec, dataVolumeTemplates: templates.slice(0, 1) } };
    expect(computeVirtualMachinePlan(factsOf(one, undefined, 'CloneInProgress'))).toEqual({});
    expect(computeVirtualMachinePlan(factsOf(one)).start).toBeDefined();
  });
});

describe('computeVirtualMachineStatus', () => {
  const statusOf = (vm: VirtualMachine, vmi?: VirtualMachineInstance, dataVolume: DataVolumePhase = 'Succeeded') => {
    const facts = factsOf(vm, vmi, dataVolume);
    const parts = { isUnbound: () => false, timings: QUICK_TIMINGS, random: () => 0 };
    return computeVirtualMachineStatus({ ...facts, ...parts, plan: computeVirtualMachinePlan(facts) });
  };
  const condition = (type: string, reason: string): VirtualMachineInstanceStatus => ({
    phase: 'Pending',
    conditions: [{ type, status: 'False', reason }],
  });

  it.each<[string, VirtualMachine, VirtualMachineInstance | undefined, DataVolumePhase]>([
    ['Terminating', machine({ meta: DELETED }), instance('Running'), 'Succeeded'],
    ['Stopping', machine(), instance('Running', DELETED), 'Succeeded'],
    ['Running', machine(), instance('Running'), 'Succeeded'],
    [
      'ErrorPvcNotFound',
      machine(),
      { ...instance('Pending'), status: condition('Synchronized', 'FailedPvcNotFound') },
      'Pending',
    ],
    ['DataVolumeError', machine(), instance('Pending'), 'Failed'],
    [
      'ErrorUnschedulable',
      machine(),
      { ...instance('Scheduling'), status: condition('PodScheduled', 'Unschedulable') },
      'Succeeded',
    ],
    ['Provisioning', machine(), instance('Pending'), 'CloneInProgress'],
    ['Starting', machine(), instance('Scheduled'), 'Succeeded'],
    ['Starting', machine(), undefined, 'Succeeded'],
    ['CrashLoopBackOff', machine(), instance('Failed'), 'Succeeded'],
    ['Stopped', machine(), instance('Failed', {}, ['Running']), 'Succeeded'],
    ['Stopped', machine({ strategy: 'Halted' }), undefined, 'Succeeded'],
  ])('prints %s', (printed, vm, vmi, dataVolume) => {
    expect(statusOf(vm, vmi, dataVolume).printableStatus).toBe(printed);
  });

  it('records the run strategy only once an instance was made', () => {
    expect(statusOf(machine({ strategy: 'Halted' })).runStrategy).toBeUndefined();
    expect(statusOf(machine(), instance('Running')).runStrategy).toBe('RerunOnFailure');
    expect(statusOf(machine({ strategy: 'Halted', status: { runStrategy: 'RerunOnFailure' } })).runStrategy).toBe(
      'Halted',
    );
  });

  it('forgets a change to RerunOnFailure that comes while the old instance is still going', () => {
    const vm = machine({ status: { runStrategy: 'Halted' } });
    const status = statusOf(vm, instance('Running', DELETED));
    expect(computeVirtualMachinePlan(factsOf({ ...vm, status }))).toEqual({});
  });

  it('queues a start for a failed instance and drops it once the next one lives', () => {
    const queued = statusOf(machine(), instance('Failed'));
    expect(queued.stateChangeRequests).toEqual([{ action: 'Start' }]);
    expect(statusOf(machine({ status: queued }), instance('Pending')).stateChangeRequests).toBeUndefined();
  });

  it('counts a failed start once an instance, and forgets all when one runs', () => {
    const first = statusOf(machine(), instance('Failed'));
    expect(first.startFailure).toEqual({
      consecutiveFailCount: 1,
      lastFailedVMIUID: 'i-1',
      retryAfterTimestamp: renderTime(NOW_MS + QUICK_TIMINGS.startBackoffMs),
    });
    expect(statusOf(machine({ status: first }), instance('Failed')).startFailure).toEqual(first.startFailure);
    const second = statusOf(machine({ status: first }), instance('Failed', { uid: 'i-2' }));
    expect(second.startFailure?.consecutiveFailCount).toBe(2);
    expect(statusOf(machine({ status: second }), instance('Running', {}, ['Running'])).startFailure).toBeUndefined();
  });

  it('says that a restart is required while the template differs, and not after', () => {
    const running = instance('Running');
    const old = { ...running, spec: { ...running.spec, hostname: 'old' } };
    const status = statusOf(machine(), old);
    expect(status.conditions).toContainEqual({
      type: 'RestartRequired',
      status: 'True',
      message: 'a non-live-updatable field was changed in the template spec',
      lastTransitionTime: renderTime(NOW_MS),
    });
    expect(statusOf(machine({ status }), running).conditions?.map(({ type }) => type)).toEqual(['Ready']);
  });

  it('says the same again when nothing changed', () => {
    for (const vmi of [undefined, instance('Running'), instance('Failed'), instance('Succeeded')]) {
      const status = statusOf(machine(), vmi);
      expect(statusOf(machine({ status }), vmi)).toEqual(status);
    }
  });
});

describe('computeStartBackoffMs', () => {
  const timings = { ...QUICK_TIMINGS, startBackoffMs: 10_000, maxStartBackoffMs: 300_000 };
  it.each([
    [1, 0, 10_000],
    [1, 1, 15_000],
    [3, 0, 90_000],
    [9, 0.5, 300_000],
  ])('after %i failures with %f: %i ms', (failures, random, ms) => {
    expect(computeStartBackoffMs(failures, timings, random)).toBe(ms);
  });
});
