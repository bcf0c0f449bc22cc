import { createHash } from 'node:crypto';
import { controllerReference } from '../../kube/object.ts';
import type {
  DataVolume,
  RunStrategy,
  StateChangeRequest,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstancePhase,
  VirtualMachineStatus,
} from '../../kubevirt/index.ts';
import { sameJson } from './status.ts';

/** KubeVirt's finalizer on a VirtualMachine, and on an instance until its end was recorded on the VirtualMachine. */
export const VM_FINALIZER = 'kubevirt.io/virtualMachineControllerFinalize';
/** KubeVirt's finalizer on an instance until its machine is gone. */
export const VMI_FINALIZER = 'kubevirt.io/foregroundDeleteVirtualMachine';
const ANNOTATION_GENERATION = 'kubevirt.io/vm-generation';

export type VirtualMachineFacts = {
  readonly vm: VirtualMachine;
  readonly vmi: VirtualMachineInstance | undefined;
  readonly dataVolume: (name: string) => DataVolume | undefined;
  readonly nowMs: number;
};

/** What KubeVirt's VirtualMachine controller does next. At most one of the actions is set. */
export type VirtualMachinePlan = {
  readonly finalizer?: 'add' | 'remove';
  readonly createDataVolumes?: readonly DataVolume[];
  readonly start?: VirtualMachineInstance;
  /** Delete the instance. */
  readonly stop?: true;
  /** Goes before the queue of state changes is written: a failed instance is to be started again. */
  readonly requestStart?: true;
  /** A start waits for the back-off. */
  readonly waitMs?: number;
};

/** Follows `sync` and `syncRunStrategy` of KubeVirt 1.9's `pkg/virt-controller/watch/vm/vm.go`. */
export function computeVirtualMachinePlan(facts: VirtualMachineFacts): VirtualMachinePlan {
  const { vm, vmi } = facts;
  const hasFinalizer = vm.metadata.finalizers?.includes(VM_FINALIZER) ?? false;
  if (vm.metadata.deletionTimestamp !== undefined) {
    if (vmi === undefined) return hasFinalizer ? { finalizer: 'remove' } : {};
    return computeStop(vmi);
  }
  if (!hasFinalizer) return { finalizer: 'add' };
  const missing = missingDataVolumes(facts);
  if (missing.length > 0) return { createDataVolumes: missing };
  const strategy = runStrategyOf(vm);
  if (strategy !== 'Halted' && !templatesPopulated(facts)) return {};
  return computeRun(facts, strategy);
}

/** KubeVirt's rule for `running`, the older way to say `Always` or `Halted`. */
export function runStrategyOf({ spec }: VirtualMachine): RunStrategy {
  const strategies = ['Always', 'RerunOnFailure', 'Manual', 'Halted', 'Once', 'WaitAsReceiver'] as const;
  const strategy = strategies.find((one) => one === spec.runStrategy);
  return strategy ?? (spec.running === true ? 'Always' : 'Halted');
}

export function isFinal(vmi: VirtualMachineInstance | undefined): boolean {
  const phase = phaseOf(vmi);
  return phase === 'Succeeded' || phase === 'Failed';
}

export function phaseOf(vmi: VirtualMachineInstance | undefined): VirtualMachineInstancePhase | undefined {
  const phases = ['Pending', 'Scheduling', 'Scheduled', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;
  return phases.find((phase) => phase === vmi?.status?.phase);
}

export function wasRunning(vmi: VirtualMachineInstance | undefined): boolean {
  return vmi?.status?.phaseTransitionTimestamps?.some(({ phase }) => phase === 'Running') ?? false;
}

/** Whether the template differs from what the instance was started with. */
export function templateChanged(vm: VirtualMachine, vmi: VirtualMachineInstance): boolean {
  return !sameJson(instanceSpec(vm), vmi.spec);
}

/** The VirtualMachine's generation that the instance runs, as far as its template goes. */
export function observedGeneration(vm: VirtualMachine, vmi: VirtualMachineInstance): number | undefined {
  if (!templateChanged(vm, vmi)) return vm.metadata.generation;
  const recorded = Number(vmi.metadata.annotations?.[ANNOTATION_GENERATION]);
  return Number.isInteger(recorded) ? recorded : undefined;
}

export function isSetToStart(vm: VirtualMachine, vmi: VirtualMachineInstance | undefined): boolean {
  switch (runStrategyOf(vm)) {
    case 'Always':
      return true;
    case 'RerunOnFailure':
      return vmi === undefined ? mayStartRerunOnFailure(vm) : phaseOf(vmi) !== 'Succeeded';
    case 'Manual':
      return vmi === undefined ? hasRequest(vm.status, 'Start') : !hasStopRequestFor(vm, vmi);
    case 'Once':
      return vmi === undefined;
    default:
      return false;
  }
}

/** Whether the first queued state change was carried out and leaves the queue. */
export function isFirstRequestDone(
  requests: readonly StateChangeRequest[],
  vmi: VirtualMachineInstance | undefined,
): boolean {
  const [first] = requests;
  if (first?.action === 'Stop') return vmi === undefined || first.uid !== vmi.metadata.uid;
  if (first?.action === 'Start')
    return vmi !== undefined && vmi.metadata.deletionTimestamp === undefined && !isFinal(vmi);
  return false;
}

function computeRun(facts: VirtualMachineFacts, strategy: RunStrategy): VirtualMachinePlan {
  const { vm, vmi } = facts;
  switch (strategy) {
    case 'Always':
      if (vmi === undefined) return computeStart(facts);
      return hasStopRequestFor(vm, vmi) || isFinal(vmi) ? computeStop(vmi) : {};
    case 'RerunOnFailure':
      if (vmi === undefined) return mayStartRerunOnFailure(vm) ? computeStart(facts) : {};
      if (vmi.metadata.deletionTimestamp !== undefined) return {};
      if (phaseOf(vmi) === 'Failed') {
        return hasRequest(vm.status, 'Start') ? { stop: true } : { stop: true, requestStart: true };
      }
      return hasStopRequestFor(vm, vmi) || isFinal(vmi) ? { stop: true } : {};
    case 'Manual':
      if (vmi === undefined) return hasRequest(vm.status, 'Start') ? computeStart(facts) : {};
      return hasStopRequestFor(vm, vmi) ? computeStop(vmi) : {};
    case 'Once':
      return vmi === undefined ? computeStart(facts) : {};
    case 'Halted':
      return vmi === undefined ? {} : computeStop(vmi);
    case 'WaitAsReceiver':
      return {};
  }
}

/**
 * Without an instance this strategy starts only what was asked for: by a queued request, or by a strategy that differs from
 * the last one seen. So neither a guest shutdown nor a deleted instance brings the machine back.
 */
function mayStartRerunOnFailure(vm: VirtualMachine): boolean {
  return hasRequest(vm.status, 'Start') || vm.status?.runStrategy !== 'RerunOnFailure';
}

function hasRequest(status: VirtualMachineStatus | null | undefined, action: 'Start' | 'Stop'): boolean {
  return status?.stateChangeRequests?.[0]?.action === action;
}

function hasStopRequestFor(vm: VirtualMachine, vmi: VirtualMachineInstance): boolean {
  return hasRequest(vm.status, 'Stop') && vm.status?.stateChangeRequests?.[0]?.uid === vmi.metadata.uid;
}

function computeStop(vmi: VirtualMachineInstance): VirtualMachinePlan {
  return vmi.metadata.deletionTimestamp === undefined ? { stop: true } : {};
}

function computeStart({ vm, nowMs }: VirtualMachineFacts): VirtualMachinePlan {
  const retryAfter = vm.status?.startFailure?.retryAfterTimestamp;
  const waitMs = retryAfter === undefined ? 0 : Date.parse(retryAfter) - nowMs;
  return waitMs > 0 ? { waitMs } : { start: buildInstance(vm) };
}

function missingDataVolumes({ vm, dataVolume }: VirtualMachineFacts): readonly DataVolume[] {
  return (vm.spec.dataVolumeTemplates ?? []).flatMap(({ metadata, spec }) => {
    const { name } = metadata ?? {};
    if (name === undefined || dataVolume(name) !== undefined) return [];
    return [
      {
        apiVersion: 'cdi.kubevirt.io/v1beta1',
        kind: 'DataVolume',
        metadata: {
          name,
          ...inNamespaceOf(vm),
          labels: { ...metadata?.labels },
          annotations: { ...metadata?.annotations },
          ownerReferences: [ownerReference(vm)],
        },
        spec,
      } satisfies DataVolume,
    ];
  });
}

function templatesPopulated({ vm, dataVolume }: VirtualMachineFacts): boolean {
  return (vm.spec.dataVolumeTemplates ?? []).every(
    ({ metadata }) => dataVolume(metadata?.name ?? '')?.status?.phase === 'Succeeded',
  );
}

function buildInstance(vm: VirtualMachine): VirtualMachineInstance {
  const template = vm.spec.template.metadata;
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      name: vm.metadata.name,
      ...inNamespaceOf(vm),
      labels: { ...template?.labels },
      annotations: { ...template?.annotations, [ANNOTATION_GENERATION]: String(vm.metadata.generation ?? 0) },
      finalizers: [VM_FINALIZER, VMI_FINALIZER],
      ownerReferences: [ownerReference(vm)],
    },
    spec: instanceSpec(vm),
  };
}

function instanceSpec(vm: VirtualMachine): VirtualMachineInstance['spec'] {
  const spec = vm.spec.template.spec ?? { domain: { devices: {} } };
  const uuid = spec.domain.firmware?.uuid ?? stableUuid(vm.metadata.name);
  return { ...spec, domain: { ...spec.domain, firmware: { ...spec.domain.firmware, uuid } } };
}

/** Like KubeVirt's, the firmware UUID that nobody chose depends on the name only. */
function stableUuid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function inNamespaceOf({ metadata }: VirtualMachine): { readonly namespace?: string } {
  return metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
}

function ownerReference(vm: VirtualMachine) {
  const { apiVersion, kind, metadata } = vm;
  const reference = controllerReference({ apiVersion, kind, metadata: { ...metadata, uid: metadata.uid ?? '' } });
  return { ...reference, controller: true, blockOwnerDeletion: true };
}
