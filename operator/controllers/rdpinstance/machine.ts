import type { VirtualMachine, VirtualMachineInstance } from '../../../kubevirt/index.ts';
import { ANNOTATION_ENDED_EPOCH, ANNOTATION_GUEST_DOWN } from '../../desired/rdpinstance/metadata.ts';
import type { ObservedVm, ObservedVmi } from './power.ts';

/** What the power protocol needs to know of a VirtualMachine. */
export function observeVm(vm: VirtualMachine | undefined): ObservedVm | undefined {
  if (vm === undefined) return undefined;
  const status = vm.status;
  return {
    runStrategy: vm.spec.runStrategy,
    actedOn: status?.runStrategy,
    endedEpoch: vm.metadata.annotations?.[ANNOTATION_ENDED_EPOCH],
    guestDownAt: vm.metadata.annotations?.[ANNOTATION_GUEST_DOWN],
    created: status?.created === true,
    downAt: findDown(status?.conditions ?? []),
    starting:
      status?.printableStatus === 'CrashLoopBackOff' ||
      (status?.stateChangeRequests ?? []).some(({ action }) => action === 'Start'),
  };
}

type Conditions = NonNullable<NonNullable<VirtualMachine['status']>['conditions']>;

/** KubeVirt says of a VM without a VMI that it is not ready, and since when. */
function findDown(conditions: Conditions): string | undefined {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready?.reason === 'VMINotExists' ? (ready.lastTransitionTime ?? undefined) : undefined;
}

/** What the power protocol needs to know of a VirtualMachineInstance. */
export function observeVmi(vmi: VirtualMachineInstance | undefined): ObservedVmi | undefined {
  const { uid, creationTimestamp } = vmi?.metadata ?? {};
  if (vmi === undefined || uid === undefined || creationTimestamp === undefined) return undefined;
  const phase = vmi.status?.phase;
  const finished = phase === 'Succeeded' || phase === 'Failed';
  return {
    uid,
    createdAt: creationTimestamp,
    finishedAt: finished ? (phaseTime(vmi, phase) ?? creationTimestamp) : undefined,
    crashed: phase === 'Failed',
    deleting: vmi.metadata.deletionTimestamp !== undefined,
  };
}

/** When the VMI entered a phase (RFC 3339). */
export function phaseTime(vmi: VirtualMachineInstance, phase: string): string | undefined {
  const found = vmi.status?.phaseTransitionTimestamps?.find((transition) => transition.phase === phase);
  return found?.phaseTransitionTimestamp;
}
