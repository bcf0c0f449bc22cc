import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import { RDPINSTANCES } from '../../../crds/v1alpha1/resources.ts';
import { removeFinalizer } from '../../../kube/finalizer.ts';
import type { Informer } from '../../../kube/informer.ts';
import { type KubeObject, objectKey } from '../../../kube/object.ts';
import { FINALIZER } from '../../../model/labels.ts';
import type { OperatorContext } from '../../context.ts';
import { applyStatus } from '../../status.ts';
import { DEFAULT_DELETION, type Deletion, parseTombstone, stampRemoval } from '../../tombstone.ts';
import { confirmRemoval } from './confirm.ts';
import { haltVirtualMachine } from './halt.ts';
import { observeStateful, renderNow, type StatefulChildren } from './observe.ts';

/**
 * Absence deletes nothing of value: disk, VM and Secret are stamped and stay for their grace, the VM halted. What goes on
 * from there is the tombstone's (`sweep.ts`). The RDPInstance is released in this one pass, whatever state it is in.
 *
 * The API server is asked first: a desktop of the same name may have come back to what this one left, and once the RDPInstance is gone, nobody knows
 * the grace that it named for what was not seen, nor records the end of its guest.
 */
export async function removeDesktop(
  context: OperatorContext,
  desktop: RDPInstance & KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const found = observeStateful(context, objectKey(desktop));
  await confirmRemoval(context, desktop, found, signal);
  const decision = await buryDesktop(context, found, desktop.spec.deletion ?? DEFAULT_DELETION, signal);
  if (decision === 'stop' && found.virtualMachine !== undefined) {
    await recordEnd(context, desktop, signal);
    const current = observeStateful(context, objectKey(desktop)).virtualMachine;
    if (current !== undefined) {
      await haltVirtualMachine(context, current, found.instance?.metadata.uid, signal);
    }
  }
  await removeFinalizer(context.client, RDPINSTANCES, desktop, FINALIZER, signal);
}

/**
 * Stamps what stays. What is held stays held until a person confirms, whoever is removed meanwhile. Below a removed tenant the breaker is not asked
 * again: the tenant's removal was judged.
 */
export async function buryDesktop(
  context: OperatorContext,
  found: StatefulChildren,
  deletion: Deletion,
  signal: AbortSignal,
): Promise<'stop' | 'hold'> {
  const { informers, tree, breaker } = context;
  const stays: readonly (readonly [Informer<KubeObject>, KubeObject | undefined])[] = [
    [informers.dataVolumes as Informer<KubeObject>, found.disk],
    [informers.secrets, found.secret],
    [informers.virtualMachines as Informer<KubeObject>, found.virtualMachine],
  ];
  if (stays.every(([, object]) => object === undefined)) return 'stop';
  const removedAbove = tree.owner(found.namespace)?.removed === true;
  const isHeld = stays.some(([, object]) => object !== undefined && parseTombstone(object)?.held === true);
  // Whoever stamped all of it has asked.
  const isJudged = stays.every(([, object]) => object === undefined || parseTombstone(object) !== undefined);
  const decided = isHeld ? 'hold' : removedAbove || isJudged ? 'stop' : undefined;
  const decision = decided ?? (await breaker.admit({ kind: 'RDPInstance', key: found.key }, signal));
  for (const [informer, object] of stays) {
    if (object !== undefined) await stampRemoval(context, informer, object, { decision, deletion }, signal);
  }
  return decision;
}

/** An end that Sublet commands is recorded before it is carried out. */
async function recordEnd(
  context: OperatorContext,
  desktop: RDPInstance & KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const epoch = desktop.status?.epoch;
  if (epoch === undefined || epoch.endedAt !== undefined) return;
  const status = { ...desktop.status, epoch: { ...epoch, endedAt: renderNow(context) } };
  await applyStatus(context, context.informers.desktops, desktop, status, signal);
}
