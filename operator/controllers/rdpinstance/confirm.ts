import { isDeepStrictEqual } from 'node:util';
import type { Plan } from '../../../crds/v1alpha1/plan.ts';
import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import { ChangedError } from '../../../kube/errors.ts';
import type { Informer } from '../../../kube/informer.ts';
import { type KubeObject, objectKey } from '../../../kube/object.ts';
import { type Amounts, maxAmounts } from '../../../model/limits.ts';
import { desktopChildName } from '../../../model/names.ts';
import { confirmSight, viewMarks, viewSpec } from '../../confirm.ts';
import type { OperatorContext } from '../../context.ts';
import type { Seller } from '../../tree.ts';
import { observeVm, observeVmi } from './machine.ts';
import type { DesktopObservation } from './observation.ts';
import { observeDesktop, ownByLabels, type StatefulChildren } from './observe.ts';
import type { PowerDecision } from './power.ts';
import { computeDiskBytes } from './validate.ts';

/** Whether a decision records an end, or has the machine, or what is noted on it, be other than it is. */
export function changesPower({ desktop, children }: DesktopObservation, decision: PowerDecision): boolean {
  const { epoch, runStrategy, endedEpoch, guestDownAt } = decision;
  const isEnd = epoch?.endedAt !== undefined && !isDeepStrictEqual(epoch, desktop.status?.epoch);
  const vm = observeVm(children.virtualMachine);
  const isTold = vm?.runStrategy === runStrategy && vm.endedEpoch === endedEpoch && vm.guestDownAt === guestDownAt;
  return isEnd || (vm !== undefined && !isTold);
}

/** The order, who is above it, its share, the machine and its guest. Throws `ChangedError` when one is not as it was seen. */
export async function confirmPower(
  context: OperatorContext,
  observed: DesktopObservation,
  signal: AbortSignal,
): Promise<void> {
  const { desktop } = observed;
  const { informers, tree, grants } = context;
  const { namespace = '' } = desktop.metadata;
  const child = childKey(desktop);
  const above = listAbove(tree.owner(namespace)).flatMap((owner) => [
    confirm(context, informers.namespaces, { name: owner.namespace }, viewMarks, signal, true),
    ...(owner.tenant === undefined
      ? []
      : [confirm(context, informers.tenants, owner.tenant.metadata, viewSpec, signal)]),
  ]);
  const isMade = observed.children.virtualMachine !== undefined || desktop.status?.epoch !== undefined;
  const guest = isMade
    ? [
        confirm(context, informers.virtualMachines, child, observeVm, signal),
        confirm(context, informers.virtualMachineInstances, child, observeVmi, signal),
      ]
    : [];
  await Promise.all([
    confirm(context, informers.desktops, desktop.metadata, viewSpec, signal),
    ...above,
    ...guest,
    grants.refresh(namespace, signal),
  ]);
  refuseChanged(context, observed);
}

/** Whether an ask gives back something of what is recorded. */
export function givesBack(ask: Amounts, recorded: Amounts | undefined): boolean {
  return recorded !== undefined && !isDeepStrictEqual(maxAmounts(ask, recorded), maxAmounts(ask, {}));
}

/** The order, its Plans, the disk and the guest: what decides how large the share is. Throws `ChangedError` when one is not as it was seen. */
export async function confirmShare(
  context: OperatorContext,
  observed: DesktopObservation,
  signal: AbortSignal,
): Promise<void> {
  const { desktop } = observed;
  const { informers, tree } = context;
  const child = childKey(desktop);
  const seller = tree.owner(child.namespace)?.seller;
  await Promise.all([
    confirm(context, informers.desktops, desktop.metadata, viewSpec, signal),
    ...listPlans(context, seller, desktop.spec.plan).map(({ metadata }) =>
      confirm(context, informers.plans, metadata, viewSpec, signal),
    ),
    confirm(context, informers.dataVolumes, child, viewMarks, signal),
    confirm(context, informers.virtualMachineInstances, child, observeVmi, signal),
  ]);
  refuseChanged(context, observed);
}

/**
 * That the desktop is being removed still, and that what of its stateful children is not seen is not there either; nothing is asked of children that are seen. Throws `ChangedError`
 * when it is not so.
 */
export async function confirmRemoval(
  context: OperatorContext,
  desktop: RDPInstance & KubeObject,
  found: StatefulChildren,
  signal: AbortSignal,
): Promise<void> {
  const { desktops, dataVolumes, secrets, virtualMachines } = context.informers;
  const key = { namespace: found.namespace, name: desktopChildName(found.name) };
  const isOwn = (object: KubeObject | undefined): boolean => ownByLabels(object, found.name) !== undefined;
  const children: readonly (readonly [Informer<KubeObject>, KubeObject | undefined])[] = [
    [dataVolumes as Informer<KubeObject>, found.disk],
    [secrets, found.secret],
    [virtualMachines as Informer<KubeObject>, found.virtualMachine],
  ];
  const absent = children.filter(([, seen]) => seen === undefined).map(([informer]) => informer);
  await Promise.all([
    confirmSight(context, { informer: desktops, key: desktop.metadata, seen: desktop, view: viewSpec }, signal),
    ...absent.map((informer) =>
      confirmSight(
        context,
        { informer, key, seen: undefined, view: isOwn, metadataOnly: informer === secrets },
        signal,
      ),
    ),
  ]);
}

/**
 * What is applied is bound to the version in the cache, which may have come after the look on which everything was decided. Throws `ChangedError` when a look now would show
 * something else.
 */
export function refuseChanged(context: OperatorContext, observed: DesktopObservation): void {
  const key = objectKey(observed.desktop);
  const desktop = context.informers.desktops.get(key);
  const isSame =
    desktop !== undefined && isDeepStrictEqual(viewAll(observeDesktop(context, desktop)), viewAll(observed));
  if (!isSame) throw new ChangedError(`RDPInstance ${key}, or what decides about it, changed since it was looked at`);
}

function viewAll({ desktop, owner, suspensions, plan, children }: DesktopObservation): unknown {
  const { virtualMachine, instance, disk } = children;
  const power = [observeVm(virtualMachine), observeVmi(instance), suspensions];
  return [viewSpec(desktop), owner, plan?.ok === true && plan.desktop, computeDiskBytes(disk), ...power];
}

/** A look at the cache, for what is asked right after it was observed. */
function confirm<T extends KubeObject>(
  context: OperatorContext,
  informer: Informer<T>,
  key: { readonly namespace?: string | undefined; readonly name: string },
  view: (object: T | undefined) => unknown,
  signal: AbortSignal,
  metadataOnly?: boolean,
): Promise<void> {
  const seen = informer.get(objectKey({ metadata: key }));
  return confirmSight(context, { informer, key, seen, view, metadataOnly }, signal);
}

function childKey({ metadata: { namespace = '', name } }: KubeObject) {
  return { namespace, name: desktopChildName(name) };
}

/** Those whose namespace it is and who sold to them, without the provider. */
function listAbove(owner: Seller | undefined): readonly Seller[] {
  return owner?.path === undefined ? [] : [owner, ...listAbove(owner.seller)];
}

/** A Plan and those that it is based on. */
function listPlans(
  context: OperatorContext,
  seller: Seller | undefined,
  name: string | undefined,
): readonly (Plan & KubeObject)[] {
  const plan = context.informers.plans.get(`${seller?.namespace}/${name}`);
  return plan === undefined ? [] : [plan, ...listPlans(context, seller?.seller, plan.spec.basedOn)];
}
