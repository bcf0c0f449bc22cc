import { ANNOTATION_REQUESTED_AT } from '../../model/flux.ts';
import { findMark, isMarked, mark, type NewCondition, unmark } from './conditions.ts';
import type { InventoryEntry, Kustomization, KustomizationStatus } from './resources.ts';

/** How far a reconcile came and how it ended. */
export type KustomizationOutcome = {
  /** What became of `Ready`; absent while suspended, when nothing is looked at. */
  readonly ready?: Pick<NewCondition, 'status' | 'reason' | 'message'> | undefined;
  /** What was being done when it ended, once the source was there. */
  readonly progress?: string | undefined;
  /** Trying again is useless until the object changes. */
  readonly stalled?: boolean | undefined;
  readonly attemptedRevision?: string | undefined;
  readonly applied?: { readonly revision: string; readonly originRevision: string | undefined } | undefined;
  readonly inventory?: readonly InventoryEntry[] | undefined;
};

/** The status that kustomize-controller leaves behind after such a reconcile. */
export function computeKustomizationStatus(
  object: Kustomization,
  outcome: KustomizationOutcome,
  nowIso: string,
): KustomizationStatus {
  const requestedAt = object.metadata.annotations?.[ANNOTATION_REQUESTED_AT];
  const { ready, attemptedRevision, applied, inventory } = outcome;
  const status: KustomizationStatus = {
    ...object.status,
    ...(requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt }),
    ...(attemptedRevision === undefined ? {} : { lastAttemptedRevision: attemptedRevision }),
    ...(applied === undefined
      ? {}
      : { lastAppliedRevision: applied.revision, lastAppliedOriginRevision: applied.originRevision }),
    ...(inventory === undefined ? {} : { inventory: { entries: inventory } }),
  };
  const generation = object.metadata.generation ?? 1;
  const before = status.conditions ?? [];
  if (ready === undefined) {
    if (!isMarked(before, 'Ready')) return status;
    return { ...status, observedGeneration: generation, conditions: unmark(before, 'Reconciling') };
  }
  const set = (list: typeof before, condition: NewCondition) => mark(list, condition, { generation, nowIso });
  const marked = set(unmark(before, 'Stalled', 'Healthy'), { ...ready, type: 'Ready' });
  if (ready.status === 'True') {
    return { ...status, observedGeneration: generation, conditions: unmark(marked, 'Reconciling') };
  }
  if (outcome.stalled === true) {
    const { reason, message } = ready;
    const conditions = set(unmark(marked, 'Reconciling'), { type: 'Stalled', status: 'True', reason, message });
    return { ...status, conditions };
  }
  const message = outcome.progress ?? findMark(before, 'Reconciling')?.message;
  if (message === undefined) return { ...status, conditions: marked };
  const retrying = { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message } as const;
  return { ...status, conditions: set(marked, retrying) };
}
