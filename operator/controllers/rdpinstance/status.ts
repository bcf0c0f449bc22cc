import { computePlanRevision } from '../../../crds/rules/revision.ts';
import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import { findCondition, setCondition } from '../../../kube/conditions.ts';
import { FLUX_NAME_LABEL, FLUX_NAMESPACE_LABEL } from '../../../model/labels.ts';
import { computeConditions, type Outcome } from '../../outcome.ts';
import { type Address, computeAddress } from './address.ts';
import { phaseTime } from './machine.ts';
import type { DesktopObservation } from './observation.ts';
import type { Epoch, PowerDecision } from './power.ts';
import type { ProbeState } from './prober.ts';
import { computeRestartRequired } from './restart.ts';
import type { ValidDesktop } from './validate.ts';

export type StatusFacts = {
  readonly observed: DesktopObservation;
  /** Absent when the desktop was refused. */
  readonly valid: ValidDesktop | undefined;
  readonly power: PowerDecision;
  readonly probe: ProbeState | undefined;
  /** How the reconcile failed; absent when it did not. */
  readonly failure: Outcome | undefined;
  readonly nodePortAddress: string | undefined;
  readonly now: string;
};

const PROBE_FAILED = 'the desktop answered before and does not now: ';

/** Why a desktop failed its probes, as its status says; undefined when it says no such thing. */
export function readProbeFailure(conditions: readonly Condition[]): string | undefined {
  const ready = findCondition(conditions, 'Ready');
  return ready?.reason === 'ProbeFailed' ? ready.message.replaceAll(PROBE_FAILED, '') : undefined;
}

/** The status that follows from what was observed, decided and done. Pure. */
export function computeDesktopStatus(facts: StatusFacts) {
  const { observed, valid, power, now } = facts;
  const { desktop, children } = observed;
  const observedGeneration = desktop.metadata.generation ?? 0;
  const epoch = computeEpochStatus(facts);
  const address = computeAddress(children.service, facts.nodePortAddress);
  const secretName = children.secret?.metadata.name;
  const previous = desktop.status?.conditions ?? [];
  const progress = computeToldProgress(facts, computeProgress(facts, epoch, address));
  const conditions = settle(computeConditions(previous, progress, observedGeneration, now), progress);
  return {
    observedGeneration,
    origin: isFromGit(observed) ? 'Git' : 'Outside',
    ...address,
    ...(secretName === undefined ? {} : { credentials: { secretRef: { name: secretName } } }),
    power: valid === undefined && power.state === 'Starting' ? 'Stopped' : power.state,
    ...(valid === undefined ? keepPlan(desktop) : { plan: describePlan(valid) }),
    ...(epoch === undefined ? {} : { epoch }),
    timings: computeTimings(facts, epoch),
    conditions: addDomainConditions(conditions, facts, observedGeneration),
  } as const;
}

/** What another Kustomization applied before the tenant's source changed is in Git no more, or not in this one. */
function isFromGit({ desktop, feed }: DesktopObservation): boolean {
  const { labels } = desktop.metadata;
  const name = labels?.[FLUX_NAME_LABEL];
  if (feed === 'Unknown') return name !== undefined;
  return name !== undefined && name === feed?.name && labels?.[FLUX_NAMESPACE_LABEL] === feed.namespace;
}

/** The first handshake is the one fact that status itself is trusted for; it is recorded once an epoch. */
function computeEpochStatus({ power, probe }: StatusFacts): Epoch | undefined {
  const { epoch } = power;
  if (epoch === undefined || epoch.firstHandshakeAt !== undefined || epoch.endedAt !== undefined) return epoch;
  if (probe?.state !== 'Answering' || probe.answeredAtMs === undefined) return epoch;
  return { ...epoch, firstHandshakeAt: new Date(probe.answeredAtMs).toISOString() };
}

type Progress = Outcome & { readonly settled?: true };

/** How the reconcile failed, else what the desktop lacks. An error that passes hides nothing from a desktop that is called Ready and is not. */
function computeToldProgress({ failure, observed: { desktop } }: StatusFacts, progress: Progress): Progress {
  if (failure?.kind !== 'retrying' || progress.kind === 'ready') return failure ?? progress;
  const told = findCondition(desktop.status?.conditions, 'Ready');
  const isKept = told?.status === 'True' && told.observedGeneration === desktop.metadata.generation;
  return isKept ? progress : failure;
}

/** What the desktop lacks until it is Ready: the first that applies. `settled`: nothing will happen by itself. */
function computeProgress(facts: StatusFacts, epoch: Epoch | undefined, address: Address | undefined): Progress {
  const { observed, power, probe } = facts;
  const { suspensions, desktop, children } = observed;
  const waiting = (reason: WaitReason, message: string): Progress => ({ kind: 'waiting', reason, message });
  const idle = power.state === 'Stopped' ? ({ settled: true } as const) : {};
  if (suspensions.length > 0) {
    const why = suspensions.map(({ reason, by }) => `${reason} (stated by ${by})`).join(', ');
    return { ...waiting('Suspended', `suspended: ${why}`), ...idle };
  }
  if (desktop.spec.power === 'Stopped') return { ...waiting('Stopped', 'spec.power is Stopped'), ...idle };
  if (power.guestShutDown) {
    const message = 'the guest shut itself down; set spec.restartedAt to the present time to start it again';
    return { ...waiting('GuestShutDown', message), ...idle };
  }
  if (power.state === 'Stopping') return waiting('Progressing', 'the power epoch is being ended');
  if (children.instance?.status?.phase !== 'Running') return computeBootProgress(observed, waiting);
  if (probe === undefined) return waiting('WaitingForVM', 'the guest runs and has no address in the cluster yet');
  if (probe.state === 'Failing') {
    return { ...waiting('ProbeFailed', `${PROBE_FAILED}${probe.why}`), settled: true };
  }
  if (probe.state === 'Probing' || epoch?.firstHandshakeAt === undefined) {
    const why = probe.state === 'Probing' && probe.why !== undefined ? `: ${probe.why}` : '';
    return waiting('Probing', `the guest runs and has not answered RDP yet${why}`);
  }
  if (address === undefined) return waiting('WaitingForAddress', explainAddress(facts));
  return { kind: 'ready', message: `answers RDP at ${renderEndpoint(address)}` };
}

type WaitReason =
  | 'Suspended'
  | 'Stopped'
  | 'GuestShutDown'
  | 'Progressing'
  | 'WaitingForDisk'
  | 'WaitingForVM'
  | 'WaitingForAddress'
  | 'Probing'
  | 'ProbeFailed';

/** Before the guest runs: the disk first, in steps of ten percent so that not every step of CDI's is a write of ours; then the VM. */
function computeBootProgress(
  { children }: DesktopObservation,
  waiting: (reason: WaitReason, message: string) => Progress,
): Progress {
  const { disk, instance, virtualMachine } = children;
  const phase = disk?.status?.phase;
  if (instance === undefined && phase !== 'Succeeded' && phase !== 'WaitForFirstConsumer') {
    const percent = Number.parseFloat(disk?.status?.progress ?? '');
    const detail = Number.isNaN(percent) ? '' : ` (${Math.floor(percent / 10) * 10}%)`;
    return waiting('WaitingForDisk', `the disk is ${phase ?? 'Pending'}${detail}`);
  }
  const troubled = virtualMachine?.status?.printableStatus;
  const unscheduled = instance?.status?.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  );
  const what = unscheduled?.message ?? `the virtual machine is ${instance?.status?.phase ?? troubled ?? 'starting'}`;
  return waiting('WaitingForVM', what);
}

function explainAddress({ observed, nodePortAddress }: StatusFacts): string {
  const type = observed.children.service?.spec?.type;
  if (type === 'NodePort' && nodePortAddress === undefined) {
    return 'spec.access.type: NodePort, and the provider offers no node address; use LoadBalancer or ClusterIP';
  }
  return `the ${type ?? 'Service'} has no address yet`;
}

function renderEndpoint({ address, port }: Address): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What waits for nobody is not reconciling, though it is not Ready. */
function settle(conditions: readonly Condition[], progress: Progress): readonly Condition[] {
  return progress.settled === true ? conditions.filter(({ type }) => type !== 'Reconciling') : conditions;
}

function describePlan({ plan }: ValidDesktop) {
  return { name: plan.metadata.name, revision: computePlanRevision(plan.spec) };
}

/** While it is refused, the plan by which the desktop was last built. */
function keepPlan(desktop: RDPInstance) {
  const plan = desktop.status?.plan;
  return plan === undefined ? {} : { plan };
}

function computeTimings({ observed }: StatusFacts, epoch: Epoch | undefined) {
  const { desktop, children } = observed;
  const { instance } = children;
  const current = instance !== undefined && instance.metadata.uid === epoch?.vmiUID ? instance : undefined;
  const known = desktop.status?.epoch?.vmiUID === epoch?.vmiUID ? desktop.status?.timings : undefined;
  const scheduledAt = current === undefined ? known?.scheduledAt : phaseTime(current, 'Scheduled');
  const runningAt = current === undefined ? known?.runningAt : phaseTime(current, 'Running');
  const readyAt = epoch?.firstHandshakeAt;
  const orderedAt = desktop.metadata.creationTimestamp;
  return {
    ...(orderedAt === undefined ? {} : { orderedAt }),
    ...(scheduledAt === undefined ? {} : { scheduledAt }),
    ...(runningAt === undefined ? {} : { runningAt }),
    ...(readyAt === undefined ? {} : { readyAt }),
  };
}

/** `Suspended` and `RestartRequired` are there only while true. The order is fixed: Ready, then by name. */
function addDomainConditions(
  conditions: readonly Condition[],
  { observed, valid, now }: StatusFacts,
  observedGeneration: number,
): readonly Condition[] {
  const { suspensions, desktop } = observed;
  const why = suspensions.map(({ reason, by }) => `${reason} (stated by ${by})`).join(', ');
  const restart = valid === undefined ? undefined : computeRestartRequired(valid, observed);
  const facts = [
    { type: 'Suspended', reason: 'Suspended', message: why === '' ? undefined : why },
    { type: 'RestartRequired', reason: 'RestartRequired', message: restart },
  ] as const;
  let list = conditions.filter(({ type }) => facts.every((fact) => fact.type !== type));
  for (const { type, reason, message } of facts) {
    if (message === undefined) continue;
    const before = desktop.status?.conditions?.filter((condition) => condition.type === type) ?? [];
    list = [
      ...setCondition([...list, ...before], { type, status: 'True', reason, message, observedGeneration }, now),
    ] as Condition[];
  }
  return list.toSorted((a, b) => rank(a.type) - rank(b.type) || (a.type < b.type ? -1 : 1));
}

function rank(type: string): number {
  return type === 'Ready' ? 0 : 1;
}
