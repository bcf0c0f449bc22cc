import type { Condition } from '../../../kube/conditions.ts';
import type { Intent } from '../../intent.ts';
import type { Change } from '../../journal.ts';
import type { FluxObject, FolderObjects } from '../facts.ts';
import type { LiveObject, Patience } from '../progress.ts';

export const NOW_MS = Date.UTC(2026, 10, 26, 9);
export const COMMIT = 'a'.repeat(40);
export const OLDER = '0'.repeat(40);
export const PATIENCE: Patience = { graceMs: 30_000, applyMs: 86_400_000, readyMs: 3_600_000 };

export function condition(
  type: string,
  status: Condition['status'],
  reason: string,
  message = '',
  ageMs = 0,
): Condition {
  return {
    type,
    status,
    reason,
    message,
    lastTransitionTime: new Date(NOW_MS - ageMs).toISOString(),
    observedGeneration: 1,
  };
}

/** Flux's objects of a fleet folder whose published content came from `published`, with what is applied and fetched. */
export function buildFolder(options: {
  readonly fetched?: string;
  readonly published?: string;
  readonly applied?: string;
  readonly attempted?: boolean;
  readonly held?: string;
  readonly heldAgeMs?: number;
  readonly rootHeld?: string;
  readonly refusal?: Condition;
}): FolderObjects {
  const {
    fetched = COMMIT,
    published = COMMIT,
    applied = published,
    attempted = true,
    held,
    heldAgeMs,
    rootHeld,
    refusal,
  } = options;
  const digest = (commit: string): string => `sha256:${commit.slice(0, 40)}`;
  const object = (status: FluxObject['status']): FluxObject => ({ metadata: { generation: 1 }, status });
  return {
    gitRepository: object({ artifact: { revision: `main@sha1:${fetched}` } }),
    kustomization: object({
      observedGeneration: 1,
      conditions: [refusal ?? condition('Ready', 'True', 'ReconciliationSucceeded')],
      lastAppliedRevision: digest(applied),
      lastAppliedOriginRevision: `main@sha1:${applied}`,
      lastAttemptedRevision: digest(attempted ? published : applied),
    }),
    artifact: object({
      artifact: {
        revision: digest(published),
        metadata: { 'org.opencontainers.image.revision': `main@sha1:${published}` },
      },
      conditions:
        held === undefined
          ? [condition('Ready', 'True', 'Succeeded')]
          : [condition('Held', 'True', 'Held', held, heldAgeMs)],
    }),
    rootArtifact: object({
      conditions: rootHeld === undefined ? [] : [condition('Held', 'True', 'RevisionHeld', rootHeld)],
    }),
  };
}

export function buildDesktop(
  spec: Record<string, unknown>,
  conditions: readonly Condition[],
  generation = 1,
): LiveObject {
  return { metadata: { generation }, spec, status: { observedGeneration: generation, conditions } };
}

export const POWER_EDIT: Intent = {
  type: 'Edit',
  target: { kind: 'RDPInstance', namespace: 't-acme--bob', name: 'anna-desk' },
  edits: [{ path: ['spec', 'power'], from: 'Running', to: 'Stopped' }],
};

export function buildTracked(options: Partial<Change> = {}): Change {
  return {
    id: `I${'1'.repeat(40)}`,
    repository: 'fleet',
    intent: POWER_EDIT,
    mode: 'Commit',
    author: { subject: 'oidc:anna', name: 'Anna', email: 'anna@example.com' },
    requestId: 'req-1',
    sequence: 1n,
    state: 'Committed',
    commit: COMMIT,
    acceptedAtMs: NOW_MS,
    updatedAtMs: NOW_MS,
    ...options,
  };
}
