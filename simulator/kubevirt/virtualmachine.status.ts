import type {
  DataVolume,
  PrintableStatus,
  VirtualMachineCondition,
  VirtualMachineInstance,
  VirtualMachineStatus,
} from '../../kubevirt/index.ts';
import type { Timings } from './options.ts';
import { findCondition, renderTime, withCondition, withoutCondition } from './status.ts';
import {
  isFinal,
  isFirstRequestDone,
  isSetToStart,
  observedGeneration,
  phaseOf,
  runStrategyOf,
  templateChanged,
  type VirtualMachineFacts,
  type VirtualMachinePlan,
  wasRunning,
} from './virtualmachine.ts';

export type StatusFacts = VirtualMachineFacts & {
  readonly plan: VirtualMachinePlan;
  /** Whether the claim of that name exists and is not bound. */
  readonly isUnbound: (claimName: string) => boolean;
  readonly timings: Timings;
  /** Uniform in [0, 1). */
  readonly random: () => number;
};

/** Follows `updateStatus` and what it calls in KubeVirt 1.9's `pkg/virt-controller/watch/vm/vm.go`. */
export function computeVirtualMachineStatus(facts: StatusFacts): VirtualMachineStatus {
  const { vm, vmi, plan } = facts;
  const old = vm.status ?? {};
  const { startFailure: _failure, stateChangeRequests: _requests, runStrategy: _strategy, ...kept } = old;
  const created = vmi !== undefined;
  const requests = computeRequests(facts);
  const startFailure = computeStartFailure(facts);
  return {
    ...kept,
    created,
    ready: findCondition(vmi?.status?.conditions, 'Ready')?.status === 'True',
    ...(old.runStrategy !== undefined || created ? { runStrategy: runStrategyOf(vm) } : {}),
    ...(vmi === undefined ? {} : generations(facts, vmi)),
    ...(requests.length === 0 ? {} : { stateChangeRequests: requests }),
    ...(startFailure === undefined ? {} : { startFailure }),
    conditions: computeConditions(facts),
    printableStatus: computePrintableStatus(facts, startFailure !== undefined, plan),
  };
}

/** KubeVirt's square of the failures times the unit, up to half as much again, bounded. */
export function computeStartBackoffMs(failures: number, timings: Timings, random: number): number {
  const delayMs = timings.startBackoffMs * Math.max(1, failures) ** 2;
  return Math.min(delayMs * (1 + random / 2), timings.maxStartBackoffMs);
}

function generations({ vm }: StatusFacts, vmi: VirtualMachineInstance): Partial<VirtualMachineStatus> {
  const observed = observedGeneration(vm, vmi);
  const { generation } = vm.metadata;
  return {
    ...(observed === undefined ? {} : { observedGeneration: observed }),
    ...(generation === undefined ? {} : { desiredGeneration: generation }),
  };
}

function computeRequests({ vm, vmi, plan }: StatusFacts): NonNullable<VirtualMachineStatus['stateChangeRequests']> {
  const queued = vm.status?.stateChangeRequests ?? [];
  const requests = plan.requestStart === true ? [...queued, { action: 'Start' }] : queued;
  return isFirstRequestDone(requests, vmi) ? requests.slice(1) : requests;
}

function computeStartFailure({ vm, vmi, nowMs, timings, random }: StatusFacts): VirtualMachineStatus['startFailure'] {
  const old = vm.status?.startFailure;
  const restarts = ['Always', 'RerunOnFailure', 'Once'].includes(runStrategyOf(vm));
  if (wasRunning(vmi) || !restarts) return undefined;
  const uid = vmi?.metadata.uid;
  if (!isFinal(vmi) || uid === undefined || old?.lastFailedVMIUID === uid) return old;
  const count = (old?.consecutiveFailCount ?? 0) + 1;
  return {
    consecutiveFailCount: count,
    lastFailedVMIUID: uid,
    retryAfterTimestamp: renderTime(nowMs + computeStartBackoffMs(count, timings, random())),
  };
}

/** Kept by the VirtualMachine itself; every other condition mirrors the instance's. */
const OWN_CONDITIONS: readonly string[] = ['Ready', 'Failure', 'RestartRequired'];

function computeConditions({ vm, vmi, plan, nowMs }: StatusFacts): readonly VirtualMachineCondition[] {
  const now = renderTime(nowMs);
  const old = vm.status?.conditions ?? [];
  const own = withCondition<VirtualMachineCondition>(
    old.filter(({ type }) => vmi === undefined || OWN_CONDITIONS.includes(type)),
    readyCondition(vmi),
    now,
  );
  const mirrored = (vmi?.status?.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.includes(type));
  const starts = plan.start !== undefined || plan.stop !== undefined || vmi === undefined;
  if (starts || !templateChanged(vm, vmi)) return [...withoutCondition(own, 'RestartRequired'), ...mirrored];
  const message = 'a non-live-updatable field was changed in the template spec';
  return [
    ...withCondition<VirtualMachineCondition>(own, { type: 'RestartRequired', status: 'True', message }, now),
    ...mirrored,
  ];
}

function readyCondition(vmi: VirtualMachineInstance | undefined) {
  if (vmi === undefined)
    return { type: 'Ready', status: 'False', reason: 'VMINotExists', message: 'VMI does not exist' };
  const ready = findCondition(vmi.status?.conditions, 'Ready');
  if (ready !== undefined) {
    const { lastTransitionTime: _time, ...rest } = ready;
    return rest;
  }
  return {
    type: 'Ready',
    status: 'False',
    reason: 'VMIConditionMissing',
    message: 'VMI is missing the Ready condition',
  };
}

/** First match wins, in KubeVirt's order. */
function computePrintableStatus(
  facts: StatusFacts,
  hasStartFailure: boolean,
  plan: VirtualMachinePlan,
): PrintableStatus {
  const { vm, vmi } = facts;
  const phase = phaseOf(vmi);
  const conditions = vmi?.status?.conditions;
  const volumes = facts.vm.spec.template.spec?.volumes ?? [];
  const dataVolumes = volumes.flatMap(({ dataVolume }) => facts.dataVolume(dataVolume?.name ?? '') ?? []);
  const stopping = vmi?.metadata.deletionTimestamp !== undefined || plan.stop === true;
  if (vm.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (vmi !== undefined && !isFinal(vmi) && stopping) return 'Stopping';
  if (phase === 'Running') return 'Running';
  if (findCondition(conditions, 'Synchronized')?.reason === 'FailedPvcNotFound') return 'ErrorPvcNotFound';
  if (dataVolumes.some(hasFailed)) return 'DataVolumeError';
  if (findCondition(conditions, 'PodScheduled')?.reason === 'Unschedulable') return 'ErrorUnschedulable';
  if (dataVolumes.some(isProvisioning)) return 'Provisioning';
  const claims = volumes.flatMap((volume) => volume.dataVolume?.name ?? volume.persistentVolumeClaim?.claimName ?? []);
  if (isSetToStart(vm, vmi) && claims.some(facts.isUnbound)) return 'WaitingForVolumeBinding';
  if (vmi === undefined ? plan.start !== undefined : !isFinal(vmi)) return 'Starting';
  if (hasStartFailure) return 'CrashLoopBackOff';
  return runStrategyOf(vm) === 'WaitAsReceiver' ? 'WaitingForReceiver' : 'Stopped';
}

function hasFailed({ status }: DataVolume): boolean {
  if (status?.phase === 'Failed') return true;
  const running = findCondition(status?.conditions, 'Running');
  return running?.status === 'False' && (running.reason === 'Error' || running.reason === 'ImagePullFailed');
}

function isProvisioning({ status }: DataVolume): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'PendingPopulation') return false;
  return status?.phase !== 'WaitForFirstConsumer' || findCondition(status.conditions, 'Bound')?.status === 'True';
}
