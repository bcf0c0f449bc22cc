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
  /** Since when its guest is down by its own doing, as the operator noted it (RFC 3339). */
  readonly guestDownAt: string | undefined;
  /** KubeVirt itself still knows of a VMI (`status.created`). */
  readonly created: boolean;
  /** Since when KubeVirt says that there is no VMI (RFC 3339); absent while there is one. */
  readonly downAt?: string | undefined;
  /** KubeVirt is about to run it by itself: a start is requested, or it backs off from a crash. */
  readonly starting: boolean;
};

export type ObservedVmi = {
  readonly uid: string;
  readonly createdAt: string;
  /** When the guest reached Succeeded or Failed. */
  readonly finishedAt: string | undefined;
  /** It finished as Failed: KubeVirt runs it again. */
  readonly crashed: boolean;
  readonly deleting: boolean;
};

export type PowerFacts = {
  /** What the spec says. */
  readonly asked: 'Running' | 'Stopped';
  /** Somebody above, or its own Tenant, is suspended: whatever is asked, nothing may run. */
  readonly suspended: boolean;
  /** When the desktop was ordered, or ordered again. */
  readonly orderedAt: string | undefined;
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
  readonly guestDownAt: string | undefined;
  /** True when this pass only records an end that the next one carries out. */
  readonly recordFirst: boolean;
  readonly state: 'Running' | 'Starting' | 'Stopping' | 'Stopped';
  /** The guest is down although it might run, and nobody asked for that: it shut itself down. */
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
 *
 * A guest that shut itself down stays down until somebody asks for a start: by `restartedAt`, by `power: Stopped` and back, or by ordering the
 * desktop again. That it is down is noted on the VM as soon as it is seen, because a suspension halts the VM, and its end has to
 * restore exactly what ran: a halted VM alone does not tell whether its guest ran until then.
 */
export function computePower(facts: PowerFacts): PowerDecision {
  const epoch = computeEpoch(facts);
  const { vm, vmi, asked, suspended } = facts;
  const isStopWanted = suspended || asked === 'Stopped';
  const alive = vmi !== undefined && vmi.finishedAt === undefined && !vmi.deleting;
  const base = {
    epoch,
    endedEpoch: vm?.endedEpoch,
    guestDownAt: undefined,
    recordFirst: false,
    guestShutDown: false,
    dueAt: computeDueAt(facts, isStopWanted),
  };
  if (alive && epoch !== undefined) {
    if (epoch.endedAt !== undefined) {
      // KubeVirt says that it is gone already: what shows it alive is an old view.
      if (vm?.created === false) return { ...base, runStrategy: keep(vm), state: 'Stopping' };
      return { ...base, runStrategy: 'Halted', endedEpoch: epoch.vmiUID, state: 'Stopping' };
    }
    const restart = isRestartDue(facts, epoch);
    const haltedElsewhere = vm?.runStrategy === 'Halted' && vm.created;
    if (isStopWanted || restart || haltedElsewhere) {
      const why = restart ? { restartedAt: facts.restartedAt } : {};
      const ended = { ...epoch, endedAt: computeEnd(epoch, facts.now), ...why };
      return { ...base, epoch: ended, runStrategy: keep(vm), recordFirst: true, state: 'Stopping' };
    }
    return { ...base, runStrategy: 'RerunOnFailure', state: 'Running' };
  }
  return decideDown(facts, epoch, base, isStopWanted);
}

/** No guest runs. What is halted here is over: only another epoch may follow. */
function decideDown(
  facts: PowerFacts,
  epoch: Epoch | undefined,
  base: Omit<PowerDecision, 'runStrategy' | 'state'>,
  isStopWanted: boolean,
): PowerDecision {
  const { vm, vmi, asked } = facts;
  const endedEpoch = epoch?.vmiUID ?? vm?.endedEpoch;
  const stopping = vmi === undefined ? 'Stopped' : 'Stopping';
  const shutDownAt = asked === 'Stopped' ? undefined : findShutdown(facts, epoch);
  const isStartDue = shutDownAt !== undefined && isStartAgainDue(facts, epoch, shutDownAt);
  const guestDownAt = isStartDue ? undefined : shutDownAt;
  if (isStopWanted) return { ...base, endedEpoch, guestDownAt, runStrategy: 'Halted', state: stopping };
  if (guestDownAt !== undefined) {
    return { ...base, guestDownAt, runStrategy: keep(vm), state: stopping, guestShutDown: true };
  }
  if (vm === undefined) return { ...base, runStrategy: 'RerunOnFailure', state: 'Starting' };
  if (vm.runStrategy !== 'RerunOnFailure') {
    const acknowledged = vm.actedOn !== 'RerunOnFailure';
    const again = vmi === undefined && acknowledged && !vm.created;
    return { ...base, runStrategy: again ? 'RerunOnFailure' : 'Halted', state: again ? 'Starting' : 'Stopping' };
  }
  if (isStartDue) return { ...base, endedEpoch, runStrategy: 'Halted', state: 'Starting' };
  const starts = epoch === undefined || epoch.vmiUID === vm.endedEpoch || vm.starting || vmi?.crashed === true;
  return { ...base, runStrategy: 'RerunOnFailure', state: starts ? 'Starting' : 'Stopping' };
}

/**
 * Since when the guest is down by its own doing: as noted on the VM, or as it shows. It shows by a VMI that succeeded although nobody
 * commanded its end, or by one that is gone, once KubeVirt says so too: after a crash it is about to start the VM by then.
 */
function findShutdown({ vm, vmi }: PowerFacts, epoch: Epoch | undefined): string | undefined {
  if (vm?.guestDownAt !== undefined) return vm.guestDownAt;
  if (vm?.runStrategy !== 'RerunOnFailure' || vm.starting || epoch === undefined) return undefined;
  if (epoch.vmiUID === vm.endedEpoch) return undefined;
  const isShown = vmi === undefined ? !vm.created : vmi.finishedAt !== undefined && !vmi.crashed;
  return isShown ? epoch.endedAt : undefined;
}

/**
 * A VMI with another UID begins an epoch, unless it is the older one. An end, once recorded, stays. That none is seen is an end once KubeVirt knows of none
 * either.
 */
function computeEpoch({ epoch, vm, vmi, now }: PowerFacts): Epoch | undefined {
  if (vmi === undefined) {
    if (vm?.created === true) return epoch;
    return epoch === undefined || epoch.endedAt !== undefined
      ? epoch
      : { ...epoch, endedAt: computeLoss(epoch, vm, now) };
  }
  const isOlder = epoch !== undefined && epoch.vmiUID !== vmi.uid && isAfter(epoch.startedAt, vmi.createdAt);
  if (isOlder) return epoch;
  const current = epoch?.vmiUID === vmi.uid ? epoch : beginEpoch(vmi, epoch);
  if (current.endedAt !== undefined) return current;
  if (vmi.finishedAt !== undefined) return { ...current, endedAt: vmi.finishedAt };
  return vmi.deleting ? { ...current, endedAt: computeEnd(current, now) } : current;
}

/** Of a VMI that is gone, the earliest evidence is when KubeVirt took note of it: nobody pays for the time until it was seen. */
function computeLoss(epoch: Epoch, vm: ObservedVm | undefined, now: string): string {
  const lastUpAt = epoch.firstHandshakeAt ?? epoch.startedAt;
  const downAt = vm?.downAt;
  if (downAt === undefined || isAfter(lastUpAt, downAt) || isAfter(downAt, now)) return computeEnd(epoch, now);
  return downAt;
}

/** Now; but an end never precedes its beginning, however wrong the clock is. */
function computeEnd({ startedAt }: Epoch, now: string): string {
  return isAfter(startedAt, now) ? startedAt : now;
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

/** Whether somebody asked for a start since the guest went down; a restart that was not carried out is still asked for. */
function isStartAgainDue(
  { restartedAt, orderedAt, now }: PowerFacts,
  epoch: Epoch | undefined,
  shutDownAt: string,
): boolean {
  if (orderedAt !== undefined && isAfter(orderedAt, shutDownAt)) return true;
  if (restartedAt === undefined || isFuture(restartedAt, now)) return false;
  const isOpen = restartedAt === epoch?.restartedAt && isAfter(restartedAt, epoch.startedAt);
  return isOpen || isAfter(restartedAt, shutDownAt);
}

function computeDueAt({ restartedAt, now }: PowerFacts, isStopWanted: boolean): string | undefined {
  return !isStopWanted && restartedAt !== undefined && isFuture(restartedAt, now) ? restartedAt : undefined;
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
