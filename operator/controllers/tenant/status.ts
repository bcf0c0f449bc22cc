import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import { findCondition, removeCondition, setCondition } from '../../../kube/conditions.ts';
import type { Outcome } from '../../outcome.ts';
import { computeConditions } from '../../outcome.ts';
import type { Suspension } from '../../tree.ts';
import { computeRepositoryState, type RepositoryState } from './repository.ts';
import type { TenantObservation } from './validate.ts';

/** The status that follows from what was observed and how the reconcile ended. Pure. */
export function computeTenantStatus(
  observed: TenantObservation,
  outcome: Outcome,
  suspensions: readonly Suspension[],
  nowIso: string,
) {
  const { tenant, seller } = observed;
  const observedGeneration = tenant.metadata.generation ?? 0;
  const previous = tenant.status?.conditions ?? [];
  const conditions = computeConditions(previous, outcome, observedGeneration, nowIso);
  const placed = seller === undefined ? {} : { namespace: observed.namespace, path: observed.path };
  return {
    observedGeneration,
    ...placed,
    conditions: withRepository(
      withSuspension(conditions, suspensions, observedGeneration, nowIso),
      observed.repository && computeRepositoryState(observed.repository),
      observedGeneration,
      nowIso,
    ),
  };
}

/** `Suspended` is there only while true, and names every reason with the tenant whose Tenant object states it. */
function withSuspension(
  conditions: readonly Condition[],
  suspensions: readonly Suspension[],
  observedGeneration: number,
  nowIso: string,
): readonly Condition[] {
  if (suspensions.length === 0) return conditions.filter(({ type }) => type !== 'Suspended');
  const message = suspensions.map(({ reason, by }) => `${reason} (stated by ${by})`).join(', ');
  const condition = { type: 'Suspended', status: 'True', reason: 'Suspended', message, observedGeneration } as const;
  return setCondition(conditions, condition, nowIso);
}

/** `RepositoryFailed` is there only while true. Ready does not depend on it: the tenant is there, and takes orders in other ways. */
function withRepository(
  conditions: readonly Condition[],
  found: RepositoryState | undefined,
  observedGeneration: number,
  nowIso: string,
): readonly Condition[] {
  if (found?.state === 'failed') {
    const { reason, message } = found;
    const condition = { type: 'RepositoryFailed', status: 'True', reason, message, observedGeneration } as const;
    return setCondition(conditions, condition, nowIso);
  }
  const told = findCondition(conditions, 'RepositoryFailed');
  const isKept = found?.state === 'unsettled' && found.keeps.some((reason) => reason === told?.reason);
  return isKept ? conditions : removeCondition(conditions, 'RepositoryFailed');
}
