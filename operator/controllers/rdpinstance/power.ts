import type { RunStrategy } from '../../desired/rdpinstance/build.ts';

/** The life of one VMI, as status records it. Times are RFC 3339. */
export type Epoch = {
  readonly vmiUID: string;
  readonly startedAt: string;
  readonly firstHandshakeAt?: string | undefined;
  readonly endedAt?: string | undefined;
  /** The `spec.restartedAt` for which this epoch was ended. */
  readonly restartedAt?: string | undefined;
};

export type ObservedVm = {
  readonly runStrategy: string | undefined;
  /** The run strategy that KubeVirt last acted on (`status.runStrategy`). */
  readonly actedOn: string | undefined;
  /** UID of the VMI that the operator last brought to an end. */
  readonly endedEpoch: string | undefined;
  /** KubeVirt itself still knows of a VMI (`status.created`). */
  readonly created: boolean;
  /** KubeVirt is about to run it by itself: a start is requested, or it backs off from a crash. */
  readonly starting: boolean;
};

export type ObservedVmi = {
  readonly uid: string;
  readonly createdAt: string;
  /** When the guest reached Succeeded or Failed. */
  readonly finishedAt: string | undefined;
  readonly deleting: boolean;
};

export type PowerFacts = {
  /** What spec and suspension say together. */
  readonly wanted: 'Running' | 'Stopped';
  readonly restartedAt: string | undefined;
  readonly epoch: Epoch | undefined;
  readonly vm: ObservedVm | undefined;
  readonly vmi: ObservedVmi | undefined;
  readonly now: string;
};

export type PowerDecision = {
  readonly epoch: Epoch | undefined;
  readonly runStrategy: RunStrategy;
  readonly endedEpoch: string | undefined;
  /** True when this pass only records an end that the next one carries out. */
  readonly recordFirst: boolean;
  readonly state: 'Running' | 'Starting' | 'Stopping' | 'Stopped';
  /** The guest is down although it should run, and nobody asked for that: it shut itself down. */
  readonly guestShutDown: boolean;
  /** When a `restartedAt` of the future falls due. */
  readonly dueAt: string | undefined;
};

/**
 * Decides the run strategy and keeps the epoch. The protocol with KubeVirt, whose `RerunOnFailure` starts a VM only when it
 * crashed or when it comes from another strategy: to end an epoch, `Halted` until the VMI is gone; to begin one, back to
 * `RerunOnFailure`. Gone means that KubeVirt says so too: were it told to run while its own cache still holds the old VMI, it
 * would take note of the strategy, start nothing, and never come back to it. An end that Sublet commands is recorded in one pass and carried out in the next. `endedEpoch` on the VM
 * tells a cycle that was carried out from one that is still to come.
 */
export function computePower(facts: PowerFacts): PowerDecision {
  const epoch = computeEpoch(facts);
  const { vm, vmi, wanted } = facts;
  const endedEpoch = vm?.endedEpoch;
  const alive = vmi !== undefined && vmi.finishedAt === undefined && !vmi.deleting;
  const dueAt = computeDueAt(facts);
  const base = { epoch, endedEpoch, recordFirst: false, guestShutDown: false, dueAt };
  if (alive && epoch !== undefined) {
    if (epoch.endedAt !== undefined) {
      return { ...base, runStrategy: 'Halted', endedEpoch: epoch.vmiUID, state: 'Stopping' };
    }
    const restart = isRestartDue(facts, epoch);
    const haltedElsewhere = vm?.runStrategy === 'Halted';
    if (wanted === 'Stopped' || restart || haltedElsewhere) {
      const ended = { ...epoch, endedAt: facts.now, ...(restart ? { restartedAt: facts.restartedAt } : {}) };
      return { ...base, epoch: ended, runStrategy: keep(vm), recordFirst: true, state: 'Stopping' };
    }
    return { ...base, runStrategy: 'RerunOnFailure', state: 'Running' };
  }
  const stopping = vmi === undefined ? 'Stopped' : 'Stopping';
  if (wanted === 'Stopped') return { ...base, runStrategy: 'Halted', state: stopping };
  if (vm === undefined) return { ...base, runStrategy: 'RerunOnFailure', state: 'Starting' };
  if (vm.runStrategy !== 'RerunOnFailure') {
    const acknowledged = vm.actedOn !== 'RerunOnFailure';
    const again = vmi === undefined && acknowledged && !vm.created;
    return { ...base, runStrategy: again ? 'RerunOnFailure' : 'Halted', state: again ? 'Starting' : 'Stopping' };
  }
  if (epoch === undefined || epoch.vmiUID === endedEpoch || vm.starting) {
    return { ...base, runStrategy: 'RerunOnFailure', state: 'Starting' };
  }
  if (isStartAgainDue(facts, epoch)) {
    return { ...base, runStrategy: 'Halted', endedEpoch: epoch.vmiUID, state: 'Starting' };
  }
  return { ...base, runStrategy: 'RerunOnFailure', state: stopping, guestShutDown: true };
}

/** A VMI with another UID begins an epoch. An end, once recorded, stays. */
function computeEpoch({ epoch, vmi, now }: PowerFacts): Epoch | undefined {
  if (vmi === undefined) return epoch === undefined || epoch.endedAt !== undefined ? epoch : { ...epoch, endedAt: now };
  const current = epoch?.vmiUID === vmi.uid ? epoch : beginEpoch(vmi, epoch);
  if (current.endedAt !== undefined) return current;
  if (vmi.finishedAt !== undefined) return { ...current, endedAt: vmi.finishedAt };
  return vmi.deleting ? { ...current, endedAt: now } : current;
}

/**
 * A restart that was carried out is remembered only while it still looks newer than the epoch that it began, which
 * happens when the clocks of the API server and of whoever wrote it disagree.
 */
function beginEpoch(vmi: ObservedVmi, previous: Epoch | undefined): Epoch {
  const handled = previous?.restartedAt;
  const carried = handled !== undefined && isAfter(handled, vmi.createdAt);
  return { vmiUID: vmi.uid, startedAt: vmi.createdAt, ...(carried ? { restartedAt: handled } : {}) };
}

function isRestartDue({ restartedAt, now }: PowerFacts, epoch: Epoch): boolean {
  if (restartedAt === undefined || restartedAt === epoch.restartedAt) return false;
  return isAfter(restartedAt, epoch.startedAt) && !isFuture(restartedAt, now);
}

function isStartAgainDue({ restartedAt, now }: PowerFacts, epoch: Epoch): boolean {
  if (restartedAt === undefined || epoch.endedAt === undefined || isFuture(restartedAt, now)) return false;
  return (
    isAfter(restartedAt, epoch.endedAt) || (restartedAt === epoch.restartedAt && isAfter(restartedAt, epoch.startedAt))
  );
}

function computeDueAt({ restartedAt, now, wanted }: PowerFacts): string | undefined {
  return wanted === 'Running' && restartedAt !== undefined && isFuture(restartedAt, now) ? restartedAt : undefined;
}

/** In whole seconds, because that is what Kubernetes keeps of a creation. */
function isAfter(a: string, b: string): boolean {
  return Math.floor(Date.parse(a) / 1000) > Math.floor(Date.parse(b) / 1000);
}

/** Like every comparison here in whole seconds: `now` has no more, and a time within its second would be waited for in vain. */
function isFuture(time: string, now: string): boolean {
  return isAfter(time, now);
}

function keep(vm: ObservedVm | undefined): RunStrategy {
  return vm?.runStrategy === 'Halted' ? 'Halted' : 'RerunOnFailure';
}
