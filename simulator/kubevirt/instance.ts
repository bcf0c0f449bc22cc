import { createHash } from 'node:crypto';
import type {
  DataVolume,
  VirtualMachineInstance,
  VirtualMachineInstanceCondition,
  VirtualMachineInstancePhase,
  VirtualMachineInstanceStatus,
} from '../../kubevirt/index.ts';
import type { Fault, GuestAction, Timings } from './options.ts';
import { findCondition, renderTime, withCondition, withoutCondition } from './status.ts';
import { VM_FINALIZER, VMI_FINALIZER } from './virtualmachine.ts';

export type InstanceFacts = {
  readonly vmi: VirtualMachineInstance;
  /** Whether the VirtualMachine that owns it still exists. */
  readonly hasOwner: boolean;
  readonly dataVolume: (name: string) => DataVolume | undefined;
  readonly hasClaim: (name: string) => boolean;
  readonly fault: Fault | undefined;
  readonly guestAction: GuestAction | undefined;
  readonly timings: Timings;
  /** How long the step still takes; the first question begins it. */
  readonly remainingMs: (step: string, durationMs: number) => number;
};

/** What virt-controller, the scheduler and virt-handler together do next with an instance. */
export type InstancePlan = {
  readonly phase: VirtualMachineInstancePhase;
  /** Look again after this long. */
  readonly waitMs?: number;
  /** Why it is not moving, as a condition. */
  readonly blocked?: {
    readonly type: 'Synchronized' | 'PodScheduled';
    readonly reason: string;
    readonly message: string;
  };
  /** The guest is up: its agent answers and it listens. */
  readonly booted: boolean;
  readonly finalizers: readonly string[];
};

export function computeInstancePlan(facts: InstanceFacts): InstancePlan {
  const { vmi } = facts;
  const phase = vmi.status?.phase ?? '';
  const finalizers = vmi.metadata.finalizers ?? [];
  const stay = { booted: false, finalizers };
  if (vmi.metadata.deletionTimestamp !== undefined) return computeEnd(facts, phase, finalizers);
  switch (phase) {
    case '':
      return { ...stay, phase: 'Pending' };
    case 'Pending':
      return { ...stay, ...computePending(facts) };
    case 'Scheduling':
      return { ...stay, ...computeScheduling(facts) };
    case 'Scheduled': {
      const waitMs = facts.remainingMs('start', facts.timings.startMs);
      if (waitMs > 0) return { ...stay, phase, waitMs };
      return { ...stay, phase: facts.fault === 'crash-loop' ? 'Failed' : 'Running' };
    }
    case 'Running':
      return { ...stay, ...computeRunning(facts) };
    default:
      return { ...stay, phase: phase === 'Succeeded' ? 'Succeeded' : 'Failed' };
  }
}

export type InstanceStatusFacts = {
  readonly vmi: VirtualMachineInstance;
  readonly plan: InstancePlan;
  readonly nowMs: number;
  readonly nodeName: string | undefined;
  readonly ipAddress: string | undefined;
  readonly dataVolume: (name: string) => DataVolume | undefined;
};

export function computeInstanceStatus(facts: InstanceStatusFacts): VirtualMachineInstanceStatus {
  const { vmi, plan, nowMs, nodeName, ipAddress } = facts;
  const { interfaces: _interfaces, ...old } = vmi.status ?? {};
  const transitions = old.phaseTransitionTimestamps ?? [];
  const moved = old.phase !== plan.phase;
  const transition = { phase: plan.phase, phaseTransitionTimestamp: renderTime(nowMs) };
  return {
    ...old,
    phase: plan.phase,
    phaseTransitionTimestamps: moved ? [...transitions, transition] : transitions,
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(plan.phase === 'Running' && ipAddress !== undefined
      ? { interfaces: [buildInterface(vmi, plan, ipAddress)] }
      : {}),
    conditions: computeConditions(facts),
  };
}

function computePending({ vmi, dataVolume, hasClaim }: InstanceFacts): Pick<InstancePlan, 'phase' | 'blocked'> {
  for (const volume of vmi.spec.volumes ?? []) {
    const name = volume.dataVolume?.name ?? volume.persistentVolumeClaim?.claimName;
    if (name === undefined) continue;
    const source = volume.dataVolume === undefined ? undefined : dataVolume(name);
    if (source === undefined && !hasClaim(name)) {
      const message = `PVC ${vmi.metadata.namespace}/${name} does not exist, waiting for it to appear`;
      return { phase: 'Pending', blocked: { type: 'Synchronized', reason: 'FailedPvcNotFound', message } };
    }
    if (source !== undefined && source.status?.phase !== 'Succeeded') return { phase: 'Pending' };
  }
  return { phase: 'Scheduling' };
}

function computeScheduling({ fault, remainingMs, timings }: InstanceFacts) {
  if (fault === 'unschedulable') {
    const message = '0/3 nodes are available: 3 Insufficient devices.kubevirt.io/kvm.';
    const blocked = { type: 'PodScheduled', reason: 'Unschedulable', message } as const;
    return { phase: 'Scheduling', blocked } as const;
  }
  const waitMs = remainingMs('schedule', timings.scheduleMs);
  return waitMs > 0 ? ({ phase: 'Scheduling', waitMs } as const) : ({ phase: 'Scheduled' } as const);
}

function computeRunning(facts: InstanceFacts): Pick<InstancePlan, 'phase' | 'waitMs' | 'booted'> {
  const { vmi, fault, guestAction, remainingMs, timings } = facts;
  if (guestAction === 'crash') return { phase: 'Failed', booted: false };
  if (guestAction === 'shutdown') {
    const waitMs = remainingMs('shutdown', timings.shutdownMs);
    return waitMs > 0 ? { phase: 'Running', waitMs, booted: isBooted(vmi) } : { phase: 'Succeeded', booted: false };
  }
  if (isBooted(vmi)) return { phase: 'Running', booted: true };
  const waitMs = remainingMs('boot', fault === 'slow-boot' ? timings.slowBootMs : timings.bootMs);
  return waitMs > 0 ? { phase: 'Running', waitMs, booted: false } : { phase: 'Running', booted: true };
}

/** A machine is told to shut down and is killed when its grace is over; what never ran just fails. Then the finalizers go. */
function computeEnd(facts: InstanceFacts, phase: string, finalizers: readonly string[]): InstancePlan {
  const { vmi, hasOwner, timings, remainingMs } = facts;
  if (phase === 'Succeeded' || phase === 'Failed') {
    const released = finalizers.filter((one) => one !== VMI_FINALIZER && (hasOwner || one !== VM_FINALIZER));
    return { phase, booted: false, finalizers: released };
  }
  if (phase !== 'Running' && phase !== 'Scheduled') return { phase: 'Failed', booted: false, finalizers };
  const graceMs = 1_000 * (vmi.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS);
  const waitMs = remainingMs('stop', Math.min(timings.shutdownMs, graceMs));
  if (waitMs > 0) return { phase, waitMs, booted: isBooted(vmi), finalizers };
  return { phase: timings.shutdownMs > graceMs ? 'Failed' : 'Succeeded', booted: false, finalizers };
}

const DEFAULT_GRACE_SECONDS = 30;

function isBooted(vmi: VirtualMachineInstance): boolean {
  return findCondition(vmi.status?.conditions, 'AgentConnected')?.status === 'True';
}

function computeConditions(facts: InstanceStatusFacts): readonly VirtualMachineInstanceCondition[] {
  const { vmi, plan, nowMs } = facts;
  const now = renderTime(nowMs);
  const set = (
    list: readonly VirtualMachineInstanceCondition[],
    condition: VirtualMachineInstanceCondition | string,
  ) => (typeof condition === 'string' ? withoutCondition(list, condition) : withCondition(list, condition, now));
  const { blocked } = plan;
  return [
    readyCondition(vmi, plan),
    volumesCondition(facts) ?? 'DataVolumesReady',
    blocked?.type === 'Synchronized' ? { ...blocked, status: 'False' } : 'Synchronized',
    blocked?.type === 'PodScheduled' ? { ...blocked, status: 'False' } : 'PodScheduled',
    plan.phase === 'Running' ? LIVE_MIGRATABLE : 'LiveMigratable',
    plan.booted ? { type: 'AgentConnected', status: 'True' } : 'AgentConnected',
  ].reduce(set, vmi.status?.conditions ?? []);
}

const LIVE_MIGRATABLE: VirtualMachineInstanceCondition = {
  type: 'LiveMigratable',
  status: 'False',
  reason: 'DisksNotLiveMigratable',
  message: 'cannot migrate VMI: the volume is not shared (ReadWriteMany)',
};

function readyCondition(vmi: VirtualMachineInstance, { phase }: InstancePlan): VirtualMachineInstanceCondition {
  const notReady = (reason: string, message: string) => ({ type: 'Ready', status: 'False', reason, message });
  switch (phase) {
    case 'Pending':
      return notReady('PodNotExists', 'virt-launcher pod has not yet been scheduled');
    case 'Running':
      if (vmi.metadata.deletionTimestamp === undefined) return { type: 'Ready', status: 'True' };
      return notReady('PodTerminating', 'virt-launcher pod is terminating');
    case 'Scheduling':
    case 'Scheduled':
      return notReady('GuestNotRunning', 'Guest VM is not reported as running');
    default:
      return notReady('PodTerminating', 'virt-launcher pod is terminating');
  }
}

function volumesCondition({ vmi, dataVolume }: InstanceStatusFacts): VirtualMachineInstanceCondition | undefined {
  const dataVolumes = (vmi.spec.volumes ?? []).flatMap((volume) => dataVolume(volume.dataVolume?.name ?? '') ?? []);
  if (dataVolumes.length === 0) return undefined;
  const ready = dataVolumes.every(({ status }) => findCondition(status?.conditions, 'Ready')?.status === 'True');
  return ready
    ? {
        type: 'DataVolumesReady',
        status: 'True',
        reason: 'AllDVsReady',
        message: "All of the VMI's DVs are bound and ready",
      }
    : {
        type: 'DataVolumesReady',
        status: 'False',
        reason: 'NotAllDVsReady',
        message: "Not all of the VMI's DVs are ready",
      };
}

function buildInterface(vmi: VirtualMachineInstance, plan: InstancePlan, ipAddress: string) {
  const digits = createHash('sha256')
    .update(vmi.metadata.uid ?? '')
    .digest('hex');
  const mac = ['02', ...[0, 2, 4, 6, 8].map((at) => digits.slice(at, at + 2))].join(':');
  return {
    name: vmi.spec.networks?.[0]?.name ?? 'default',
    ipAddress,
    ipAddresses: [ipAddress],
    mac,
    infoSource: plan.booted ? 'domain, guest-agent' : 'domain',
    ...(plan.booted ? { interfaceName: 'eth0' } : {}),
  };
}
