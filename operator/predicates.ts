import { isDeepStrictEqual } from 'node:util';
import type { Predicate } from '../kube/controller.ts';
import type { KubeObject } from '../kube/object.ts';

/** Lets everything but an update that changed nothing pass. */
export const always: Predicate<KubeObject> = {
  onUpdate: (old, object) => old.metadata.resourceVersion !== object.metadata.resourceVersion,
};

/**
 * Lets an update pass when the spec, the labels, the annotations, the finalizers or the removal changed: not when only the
 * status did, which is mostly our own write.
 */
export const onSpecChange: Predicate<KubeObject> = {
  onUpdate: (old, object) => {
    const [before, after] = [old.metadata, object.metadata];
    return (
      before.uid !== after.uid ||
      before.generation !== after.generation ||
      before.deletionTimestamp !== after.deletionTimestamp ||
      !isDeepStrictEqual(before.finalizers, after.finalizers) ||
      !isDeepStrictEqual(before.labels, after.labels) ||
      !isDeepStrictEqual(before.annotations, after.annotations)
    );
  },
};
