import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import type { Reconcile, Result } from '../../../kube/controller.ts';
import { ChangedError, TerminalError } from '../../../kube/errors.ts';
import { ensureFinalizer } from '../../../kube/finalizer.ts';
import { type KubeObject, objectKey } from '../../../kube/object.ts';
import { computeResourceId } from '../../../model/identity.ts';
import { FINALIZER } from '../../../model/labels.ts';
import { renderShortfall } from '../../../model/limits.ts';
import { applyChild, applyChildren, type ChildKind, childInformer, pruneChildren } from '../../children.ts';
import type { OperatorContext } from '../../context.ts';
import { buildDesktop } from '../../desired/rdpinstance/build.ts';
import { buildSecret } from '../../desired/rdpinstance/secret.ts';
import { computeOutcome, type Outcome } from '../../outcome.ts';
import { applyStatus } from '../../status.ts';
import { clearRemoval, isReleased, parseTombstone } from '../../tombstone.ts';
import { waitForKinds } from '../../unread.ts';
import { growClaim } from './claim.ts';
import { changesPower, confirmPower, confirmShare, givesBack, refuseChanged } from './confirm.ts';
import { haltVirtualMachine } from './halt.ts';
import { observeVm, observeVmi } from './machine.ts';
import type { DesktopObservation } from './observation.ts';
import { observeDesktop, renderNow } from './observe.ts';
import { observeProbe } from './observeprobe.ts';
import { generatePassword } from './password.ts';
import { computePower, type PowerDecision } from './power.ts';
import type { Prober } from './prober.ts';
import { applyReaders } from './readers.ts';
import { removeDesktop } from './remove.ts';
import { computeDesktopStatus, readProbeFailure } from './status.ts';
import { grantKey, reconcileTombstone } from './sweep.ts';
import { computeAsk, type ValidDesktop, validateDesktop } from './validate.ts';

/** Kinds that come and go with what is wished; disk, VM and Secret are never pruned. */
const PRUNED: readonly ChildKind[] = ['NetworkPolicy', 'Service', 'RoleBinding', 'Role'];

/** observe -> validate -> build -> grant -> apply -> prune -> status; or the removal, or what a removal left behind. */
export function createDesktopReconcile(context: OperatorContext, prober: Prober): Reconcile {
  return async (key, signal) => {
    const desktop = context.informers.desktops.get(key);
    if (desktop?.metadata.deletionTimestamp !== undefined) {
      prober.forget(key);
      await removeDesktop(context, desktop, signal);
      if (!isReleased(desktop)) return undefined;
    }
    waitForKinds(context);
    if (desktop !== undefined && isReleased(desktop)) return reconcileTombstone(context, key, signal);
    if (desktop !== undefined) return reconcileDesktop(context, prober, desktop, signal);
    prober.forget(key);
    return reconcileTombstone(context, key, signal);
  };
}

async function reconcileDesktop(
  context: OperatorContext,
  prober: Prober,
  desktop: RDPInstance & KubeObject,
  signal: AbortSignal,
): Promise<Result | undefined> {
  const observed = observeDesktop(context, desktop);
  const wish = decidePower(context, observed, 'allowed');
  if (changesPower(observed, wish)) await confirmPower(context, observed, signal);
  const run: Run = { valid: undefined, power: decidePower(context, observed, 'refused') };
  let failure: Outcome | undefined;
  let isOld = false;
  try {
    await makeDesktop(context, observed, wish, run, signal);
    await releaseAddress(context, observed, run.valid, signal);
  } catch (error) {
    failure = computeOutcome(error);
    isOld = error instanceof ChangedError;
    const isRefused = error instanceof TerminalError;
    if (isRefused && (await stopRefused(context, observed, signal)) === 'recorded') return { requeueAfterMs: 0 };
    if (!isOld) await applyReaders(context, observed, signal);
    if (!isRefused || error.reason !== 'TombstoneConflict') throw error;
    return await reconcileTombstone(context, objectKey(desktop), signal);
  } finally {
    const status = describeDesktop(context, prober, desktop, run, failure);
    // Status is bound to the version that was seen.
    if (!isOld) await applyStatus(context, context.informers.desktops, desktop, status, signal);
  }
  return computeRequeue(context, run.power);
}

/** What the steps learn, for the status that is written whatever happens. */
type Run = { valid: ValidDesktop | undefined; power: PowerDecision };

async function makeDesktop(
  context: OperatorContext,
  observed: DesktopObservation,
  wish: PowerDecision,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  await ensureFinalizer(context.client, context.informers.desktops, observed.desktop, FINALIZER, signal);
  const valid = validateDesktop(observed);
  if (isComing(observed)) await confirmPower(context, observed, signal);
  await takeBack(context, observed, signal);
  await grantDesktop(context, valid, observed, signal);
  run.valid = valid;
  run.power = wish;
  const { runStrategy, endedEpoch, guestDownAt, recordFirst } = run.power;
  const children = buildDesktop({ ...valid.input, power: { runStrategy, endedEpoch, guestDownAt } }, context.config);
  if (!isComing(observed) && children.stateless.some((child) => isUnseen(context, child)))
    await confirmPower(context, observed, signal);
  if (observed.children.secret === undefined) await createSecret(context, valid, signal);
  await growClaim(context, valid, signal);
  refuseChanged(context, observed);
  const machine = recordFirst ? [] : [children.virtualMachine];
  await applyChildren(context, [...children.stateless, children.disk, ...machine], signal);
  await pruneChildren(context, ownerKey(valid), PRUNED, children.stateless, signal);
}

/** A removal may have taken it away that is not seen yet: nobody would take away again what is made then. */
function isUnseen(context: OperatorContext, child: KubeObject): boolean {
  return childInformer(context, child.kind).get(objectKey(child)) === undefined;
}

/** Whether something that costs is to be made, or taken back. */
function isComing({ desktop, children: { disk, secret, virtualMachine, service } }: DesktopObservation): boolean {
  const isTombstone = [disk, secret, virtualMachine].some(
    (one) => one === undefined || parseTombstone(one) !== undefined,
  );
  const wanted = desktop.spec.access?.type ?? 'LoadBalancer';
  const takesAddress = wanted === 'LoadBalancer' && service?.spec?.type !== wanted;
  return isTombstone || service === undefined || takesAddress;
}

/** The same identity came back: the tombstone is its own again, exactly as it was. */
async function takeBack(
  context: OperatorContext,
  { children }: DesktopObservation,
  signal: AbortSignal,
): Promise<void> {
  const { informers } = context;
  if (children.disk !== undefined) await clearRemoval(context, informers.dataVolumes, children.disk, signal);
  if (children.secret !== undefined) await clearRemoval(context, informers.secrets, children.secret, signal);
  if (children.virtualMachine !== undefined) {
    await clearRemoval(context, informers.virtualMachines, children.virtualMachine, signal);
  }
}

/** Nothing that costs is made before its share is recorded. */
async function grantDesktop(
  context: OperatorContext,
  valid: ValidDesktop,
  observed: DesktopObservation,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = valid.input;
  const ask = { namespace, key: grantKey(`${namespace}/${name}`), used: computeAsk(valid, observed) };
  const recorded = context.grants.recorded(namespace, ask.key);
  if (givesBack(ask.used, recorded?.used)) await confirmShare(context, observed, signal);
  const answer = await context.grants.ensure(ask, signal);
  if (!answer.granted) throw new TerminalError('QuotaExceeded', renderShortfall(answer.shortfall));
}

/** By now the Service has let its address go, if it had one that is not asked for any more. */
async function releaseAddress(
  context: OperatorContext,
  { desktop, children }: DesktopObservation,
  valid: ValidDesktop | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (valid === undefined || valid.input.access.type === 'LoadBalancer') return;
  if (children.service?.spec?.type === 'LoadBalancer')
    await grantDesktop(context, valid, observeDesktop(context, desktop), signal);
}

/** The password is made here and leaves this function only inside the Secret. */
async function createSecret(context: OperatorContext, valid: ValidDesktop, signal: AbortSignal): Promise<void> {
  await applyChild(context, buildSecret(valid.input, generatePassword(context.random)), signal);
}

/**
 * A desktop that is refused, or whose share is not granted, is left as it runs. But it stops when it has to: nobody escapes
 * a suspension by breaking the spec. `recorded`: the end is in the status that this pass writes, and the next one carries it out.
 */
async function stopRefused(
  context: OperatorContext,
  observed: DesktopObservation,
  signal: AbortSignal,
): Promise<'recorded' | 'done'> {
  const { virtualMachine } = observed.children;
  const power = decidePower(context, observed, 'refused');
  if (power.recordFirst) return 'recorded';
  if (virtualMachine === undefined || power.runStrategy !== 'Halted') return 'done';
  const current = context.informers.virtualMachines.get(objectKey(virtualMachine)) ?? virtualMachine;
  await haltVirtualMachine(context, current, power.endedEpoch, signal);
  return 'done';
}

/** A refused desktop is not restarted: it could not come up again. */
function decidePower(context: OperatorContext, observed: DesktopObservation, as: 'allowed' | 'refused'): PowerDecision {
  const { desktop, suspensions, children } = observed;
  return computePower({
    asked: desktop.spec.power,
    suspended: suspensions.length > 0,
    orderedAt: desktop.metadata.creationTimestamp,
    restartedAt: as === 'allowed' ? desktop.spec.restartedAt : undefined,
    epoch: desktop.status?.epoch,
    vm: observeVm(children.virtualMachine),
    vmi: observeVmi(children.instance),
    now: renderNow(context),
  });
}

/** Looks again, because the writes of this pass are in the caches by now. */
function describeDesktop(
  context: OperatorContext,
  prober: Prober,
  desktop: RDPInstance & KubeObject,
  run: Run,
  failure: Outcome | undefined,
) {
  const observed = observeDesktop(context, desktop);
  const sameEpoch = desktop.status?.epoch?.vmiUID === run.power.epoch?.vmiUID;
  const failedBefore = sameEpoch ? readProbeFailure(desktop.status?.conditions ?? []) : undefined;
  const key = objectKey(desktop);
  return computeDesktopStatus({
    observed,
    valid: run.valid,
    power: run.power,
    probe: observeProbe(prober, key, observed.children.instance, run.power.epoch, failedBefore),
    failure,
    nodePortAddress: context.config.nodePortAddress,
    now: renderNow(context),
  });
}

function computeRequeue(context: OperatorContext, power: PowerDecision): Result | undefined {
  if (power.recordFirst) return { requeueAfterMs: 0 };
  if (power.dueAt === undefined) return undefined;
  return { requeueAfterMs: Math.max(0, Date.parse(power.dueAt) - context.clock.now()) };
}

/** The value of the owner index for this desktop's children. */
function ownerKey({ input }: ValidDesktop): string {
  return computeResourceId(input.tenantId, 'RDPInstance', input.name);
}
