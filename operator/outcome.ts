import type { Condition, Reason } from '../crds/v1alpha1/conditions.ts';
import type { Clock } from '../kube/clock.ts';
import { removeCondition, setCondition } from '../kube/conditions.ts';
import { renderError, TerminalError, WaitingError } from '../kube/errors.ts';

/** How one reconcile ended. */
export type Outcome =
  | { readonly kind: 'ready'; readonly message: string }
  | { readonly kind: 'waiting' | 'stalled' | 'retrying'; readonly reason: Reason; readonly message: string };

/** What a thrown error means for the status. The queue's answer to it is `kube/controller.ts`'s. */
export function computeOutcome(error: unknown): Outcome {
  const message = renderError(error);
  if (error instanceof TerminalError) return { kind: 'stalled', reason: error.reason as Reason, message };
  if (error instanceof WaitingError) return { kind: 'waiting', reason: 'Progressing', message };
  return { kind: 'retrying', reason: 'Retrying', message };
}

/**
 * The kstatus conditions of an outcome: `Ready` always, `Reconciling` and `Stalled` only while true. A passing error takes nothing
 * back from a resource that is Ready at this generation.
 */
export function computeConditions(
  previous: readonly Condition[],
  outcome: Outcome,
  observedGeneration: number,
  nowIso: string,
): readonly Condition[] {
  const ready = previous.find(({ type }) => type === 'Ready');
  if (outcome.kind === 'retrying' && ready?.status === 'True' && ready.observedGeneration === observedGeneration) {
    return previous;
  }
  const base = { observedGeneration, message: outcome.message };
  if (outcome.kind === 'ready') {
    const settled = removeCondition(removeCondition(previous, 'Reconciling'), 'Stalled');
    return setCondition(settled, { ...base, type: 'Ready', status: 'True', reason: 'Succeeded' }, nowIso);
  }
  const [set, cleared] =
    outcome.kind === 'stalled' ? (['Stalled', 'Reconciling'] as const) : (['Reconciling', 'Stalled'] as const);
  const failed = setCondition(
    removeCondition(previous, cleared),
    { ...base, type: 'Ready', status: 'False', reason: outcome.reason },
    nowIso,
  );
  return setCondition(failed, { ...base, type: set, status: 'True', reason: outcome.reason }, nowIso);
}

/** Now as conditions state times: RFC 3339 in whole seconds. */
export function nowSeconds(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
}
