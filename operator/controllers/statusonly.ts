import type { Condition } from '../../crds/v1alpha1/conditions.ts';
import type { Reconcile } from '../../kube/controller.ts';
import type { Informer } from '../../kube/informer.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { OperatorContext } from '../context.ts';
import type { Outcome } from '../outcome.ts';
import { computeConditions, computeOutcome, nowSeconds } from '../outcome.ts';
import { applyStatus } from '../status.ts';

type WithStatus = KubeObject & {
  readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined;
};

export type StatusOnly<T extends WithStatus> = {
  readonly informer: Informer<T>;
  /** What the Ready condition says when nothing is wrong. */
  readonly readyMessage: string;
  /** Throws what is wrong with the object. */
  check(object: T): void;
  /** Status fields beside the conditions; the old ones stay when it throws. */
  fields(object: T): Readonly<Record<string, unknown>>;
};

/** The reconcile of a kind without children: its status says whether it is in order, and its numbers. */
export function createStatusReconcile<T extends WithStatus>(context: OperatorContext, kind: StatusOnly<T>): Reconcile {
  return async (key, signal) => {
    const object = kind.informer.get(key);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    let outcome: Outcome = { kind: 'ready', message: kind.readyMessage };
    let fields: Readonly<Record<string, unknown>> = object.status ?? {};
    try {
      fields = kind.fields(object);
      kind.check(object);
    } catch (error) {
      outcome = computeOutcome(error);
      throw error;
    } finally {
      const observedGeneration = object.metadata.generation ?? 0;
      const previous = object.status?.conditions ?? [];
      const conditions = computeConditions(previous, outcome, observedGeneration, nowSeconds(context.clock));
      const status = { ...fields, observedGeneration, conditions };
      await applyStatus(context, kind.informer, object, status, signal);
    }
  };
}
