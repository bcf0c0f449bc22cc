import { describe, expect, it } from 'vitest';
import type { DataVolume, DataVolumePhase, VirtualMachineInstance } from '../../kubevirt/index.ts';
import { computeInstancePlan, computeInstanceStatus, type InstanceFacts } from './instance.ts';
import { QUICK_TIMINGS } from './options.ts';
import { renderTime } from './status.ts';
import { VM_FINALIZER, VMI_FINALIZER } from './virtualmachine.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const DELETED = { deletionTimestamp: '2026-11-21T11:59:59Z' };

function instance(phase: string | undefined, meta: object = {}, booted = false): VirtualMachineInstance {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: { name: 'vm', namespace: 'ns', uid: 'i-1', finalizers: [VM_FINALIZER, VMI_FINALIZER], ...meta },
    spec: { domain: { devices: {} }, volumes: [{ name: 'root', dataVolume: { name: 'disk' } }] },
    ...(phase === undefined
      ? {}
      : { status: { phase, conditions: booted ? [{ type: 'AgentConnected', status: 'True' }] : [] } }),
  };
}

const disk = (phase: DataVolumePhase): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { name: 'disk', namespace: 'ns' },
  spec: {},
  status: { phase },
});

function plan(vmi: VirtualMachineInstance, facts: Partial<InstanceFacts> = {}) {
  return computeInstancePlan({
    vmi,
    hasOwner: true,
    dataVolume: () => disk('Succeeded'),
    hasClaim: () => true,
    fault: undefined,
    guestAction: undefined,
    timings: QUICK_TIMINGS,
    remainingMs: () => 0,
    ...facts,
  });
}

const busy = { remainingMs: (_: string, durationMs: number) => durationMs };

describe('computeInstancePlan', () => {
  it.each<[string, VirtualMachineInstance, Partial<InstanceFacts>, object]>([
    ['begins', instance(undefined), {}, { phase: 'Pending' }],
    ['waits for its disk', instance('Pending'), { dataVolume: () => disk('CloneInProgress') }, { phase: 'Pending' }],
    [
      'says that its disk is not there',
      instance('Pending'),
      { dataVolume: () => undefined, hasClaim: () => false },
      { phase: 'Pending', blocked: { type: 'Synchronized', reason: 'FailedPvcNotFound' } },
    ],
    ['takes a claim without DataVolume', instance('Pending'), { dataVolume: () => undefined }, { phase: 'Scheduling' }],
    ['is scheduled in time', instance('Scheduling'), busy, { phase: 'Scheduling', waitMs: QUICK_TIMINGS.scheduleMs }],
    ['is scheduled', instance('Scheduling'), {}, { phase: 'Scheduled' }],
    [
      'finds no node',
      instance('Scheduling'),
      { fault: 'unschedulable' },
      { phase: 'Scheduling', blocked: { type: 'PodScheduled', reason: 'Unschedulable' } },
    ],
    ['starts', instance('Scheduled'), {}, { phase: 'Running' }],
    ['crashes before it runs', instance('Scheduled'), { fault: 'crash-loop' }, { phase: 'Failed' }],
    ['boots', instance('Running'), busy, { phase: 'Running', booted: false, waitMs: QUICK_TIMINGS.bootMs }],
    ['boots slowly', instance('Running'), { ...busy, fault: 'slow-boot' }, { waitMs: QUICK_TIMINGS.slowBootMs }],
    ['is up', instance('Running'), {}, { phase: 'Running', booted: true }],
    ['stays up', instance('Running', {}, true), busy, { phase: 'Running', booted: true }],
    ['crashes', instance('Running', {}, true), { guestAction: 'crash' }, { phase: 'Failed', booted: false }],
    ['is shutting down', instance('Running', {}, true), { ...busy, guestAction: 'shutdown' }, { phase: 'Running' }],
    ['shut down', instance('Running', {}, true), { guestAction: 'shutdown' }, { phase: 'Succeeded', booted: false }],
    ['stays failed', instance('Failed'), {}, { phase: 'Failed', finalizers: [VM_FINALIZER, VMI_FINALIZER] }],
    ['deleted before it ran', instance('Pending', DELETED), {}, { phase: 'Failed' }],
    ['deleted, shutting down', instance('Running', DELETED, true), busy, { phase: 'Running', booted: true }],
    ['deleted, down', instance('Running', DELETED, true), {}, { phase: 'Succeeded' }],
    ['deleted and final', instance('Succeeded', DELETED), {}, { finalizers: [VM_FINALIZER] }],
    ['deleted, final, no owner', instance('Succeeded', DELETED), { hasOwner: false }, { finalizers: [] }],
  ])('%s', (_, vmi, facts, expected) => {
    expect(plan(vmi, facts)).toMatchObject(expected);
  });

  it('is killed, and so fails, when its guest takes longer than its grace', () => {
    const vmi = instance('Running', DELETED, true);
    const hasty = { ...vmi, spec: { ...vmi.spec, terminationGracePeriodSeconds: 0 } };
    expect(plan(hasty)).toMatchObject({ phase: 'Failed' });
  });
});

describe('computeInstanceStatus', () => {
  const statusOf = (vmi: VirtualMachineInstance, facts: Partial<InstanceFacts> = {}, ipAddress?: string) =>
    computeInstanceStatus({
      vmi,
      plan: plan(vmi, facts),
      nowMs: NOW_MS,
      nodeName: 'node-1',
      ipAddress,
      dataVolume: () => disk('Succeeded'),
    });

  it('records each transition once, and the same again writes nothing new', () => {
    const status = statusOf(instance('Scheduled'), {}, '127.64.0.1');
    expect(status.phaseTransitionTimestamps).toEqual([
      { phase: 'Running', phaseTransitionTimestamp: renderTime(NOW_MS) },
    ]);
    const again = statusOf({ ...instance('Running'), status }, busy, '127.64.0.1');
    expect(again).toEqual(status);
  });

  it('has an address and a stable MAC only while it runs', () => {
    const status = statusOf(instance('Running'), {}, '127.64.0.1');
    expect(status.interfaces).toMatchObject([{ name: 'default', ipAddress: '127.64.0.1', interfaceName: 'eth0' }]);
    expect(status.interfaces?.[0]?.mac).toMatch(/^02(:[0-9a-f]{2}){5}$/);
    const down = statusOf({ ...instance('Running', {}, true), status }, { guestAction: 'shutdown' });
    expect(down.interfaces).toBeUndefined();
    expect(down.conditions?.find(({ type }) => type === 'AgentConnected')).toBeUndefined();
    expect(down.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
  });

  it('takes a reason away once it no longer blocks', () => {
    const blocked = statusOf(instance('Scheduling'), { fault: 'unschedulable' });
    expect(blocked.conditions?.find(({ type }) => type === 'PodScheduled')?.reason).toBe('Unschedulable');
    const free = statusOf({ ...instance('Scheduling'), status: blocked });
    expect(free.conditions?.find(({ type }) => type === 'PodScheduled')).toBeUndefined();
  });
});
