import { isDeepStrictEqual } from 'node:util';
import { findCondition } from '../kube/conditions.ts';
import type { Predicate } from '../kube/controller.ts';
import type { KubeObject } from '../kube/object.ts';
import type { FluxObject } from './context.ts';

/** Lets everything but an update that changed nothing pass. */
export const always: Predicate<KubeObject> = {
  onUpdate: (old, object) => old.metadata.resourceVersion !== object.metadata.resourceVersion,
};

/**
 * Lets an update pass when the spec, the labels, the annotations, the finalizers or the removal changed: not when only the
 * status did, which is mostly our own write, but when that was lost.
 */
export const onSpecChange: Predicate<KubeObject> = { onUpdate: isSpecChange };

/** Beside a changed spec, lets a changed outcome of Flux's work pass: not that it works, nor that it found the same again. */
export const onFluxChange: Predicate<FluxObject> = {
  onUpdate: (old, object) => {
    if (isSpecChange(old, object)) return true;
    const outcome = readOutcome(object);
    return outcome !== undefined && !isDeepStrictEqual(readOutcome(old), outcome);
  },
};

/** Nobody reads more of an object than that it is there. */
export const onPresence: Predicate<KubeObject> = { onUpdate: () => false };

function isSpecChange(old: KubeObject, object: KubeObject): boolean {
  const [before, after] = [old.metadata, object.metadata];
  return (
    before.uid !== after.uid ||
    before.generation !== after.generation ||
    before.deletionTimestamp !== after.deletionTimestamp ||
    isStatusLost(old, object) ||
    !isDeepStrictEqual(before.finalizers, after.finalizers) ||
    !isDeepStrictEqual(before.labels, after.labels) ||
    !isDeepStrictEqual(before.annotations, after.annotations)
  );
}

/** What reports conditions always has some; whoever empties a status may leave what the schema defaults. */
function isStatusLost(old: FluxObject, { status }: FluxObject): boolean {
  return (old.status?.conditions?.length ?? 0) > 0 && (status?.conditions?.length ?? 0) === 0;
}

/** Undefined while Flux has not come to an end. A success says no more than that it is one, whatever the revision. */
function readOutcome({ status }: FluxObject): unknown {
  const ready = findCondition(status?.conditions, 'Ready');
  const failed = findCondition(status?.conditions, 'FetchFailed');
  if (failed?.status === 'True') return [failed.reason, failed.message, failed.observedGeneration];
  if (ready === undefined || ready.status === 'Unknown') return undefined;
  const { reason, message, observedGeneration } = ready;
  return ready.status === 'True' ? observedGeneration : [reason, message, observedGeneration];
}
