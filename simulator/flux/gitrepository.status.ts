import { ANNOTATION_REQUESTED_AT } from '../../model/flux.ts';
import { findMark, mark, type NewCondition, unmark } from './conditions.ts';
import type { Artifact, GitRepository, GitRepositoryStatus } from './resources.ts';

/** How a look at the repository ended. */
export type FetchOutcome =
  | { readonly outcome: 'stored'; readonly artifact: Artifact }
  | {
      readonly outcome: 'failed';
      readonly reason: string;
      readonly message: string;
      /** Trying again is useless until the object changes. */
      readonly stalled: boolean;
      /** The artifact that the status names is no longer served. */
      readonly lost: boolean;
    }
  | { readonly outcome: 'suspended' };

/** The status that source-controller leaves behind after such a look. */
export function computeGitRepositoryStatus(
  object: GitRepository,
  outcome: FetchOutcome,
  nowIso: string,
): GitRepositoryStatus {
  const requestedAt = object.metadata.annotations?.[ANNOTATION_REQUESTED_AT];
  const handled = requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt };
  const status: GitRepositoryStatus = { ...object.status, ...handled };
  const generation = object.metadata.generation ?? 1;
  const conditions = status.conditions ?? [];
  const set = (list: typeof conditions, condition: NewCondition) => mark(list, condition, { generation, nowIso });
  if (outcome.outcome === 'suspended') {
    const ready = findMark(conditions, 'Ready');
    if (ready === undefined) return status;
    return { ...status, observedGeneration: generation, conditions: set(unmark(conditions, 'Stalled'), ready) };
  }
  if (outcome.outcome === 'stored') {
    const { artifact } = outcome;
    const message = `stored artifact for revision '${artifact.revision}'`;
    const good = { status: 'True', reason: 'Succeeded', message } as const;
    const clean = unmark(conditions, 'FetchFailed', 'Reconciling', 'Stalled');
    return {
      ...status,
      observedGeneration: generation,
      artifact,
      observedIgnore: object.spec.ignore,
      conditions: set(set(clean, { ...good, type: 'ArtifactInStorage' }), { ...good, type: 'Ready' }),
    };
  }
  const { reason, message, stalled, lost } = outcome;
  const bad = { reason, message } as const;
  const kept = unmark(conditions, 'Reconciling', 'Stalled', ...(lost ? ['ArtifactInStorage'] : []));
  const failed = set(set(kept, { ...bad, type: 'FetchFailed', status: 'True' }), {
    ...bad,
    type: 'Ready',
    status: 'False',
  });
  const artifact = lost ? undefined : status.artifact;
  if (stalled) {
    const conditions = set(failed, { ...bad, type: 'Stalled', status: 'True' });
    return { ...status, observedGeneration: generation, artifact, conditions };
  }
  const progress = describeProgress(object, generation, lost);
  const retrying = { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message: progress } as const;
  return { ...status, artifact, conditions: set(failed, retrying) };
}

function describeProgress({ status }: GitRepository, generation: number, lost: boolean): string {
  if (status?.artifact === undefined) return 'building artifact';
  if (lost) return 'building artifact: disappeared from storage';
  const observed = status.observedGeneration ?? 0;
  return observed === generation
    ? 'reconciliation in progress'
    : `processing object: new generation ${observed} -> ${generation}`;
}
