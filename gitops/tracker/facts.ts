import type { CommitId } from '../../git/repository.ts';
import { type Condition, findCondition } from '../../kube/conditions.ts';
import { ORIGIN_REVISION } from '../../model/flux.ts';

/** What the tracker reads of Flux's objects; their owners' types have more. */
export type FluxObject = {
  readonly metadata: { readonly generation?: number | undefined };
  readonly status?:
    | {
        readonly observedGeneration?: number | undefined;
        readonly conditions?: readonly Condition[] | undefined;
        readonly artifact?:
          | { readonly revision: string; readonly metadata?: Readonly<Record<string, string>> | undefined }
          | undefined;
        readonly lastAppliedRevision?: string | undefined;
        readonly lastAppliedOriginRevision?: string | undefined;
        readonly lastAttemptedRevision?: string | undefined;
      }
    | undefined;
};

/** The objects that carry a namespace's folder from Git to the cluster. The last two are absent for a tenant with its own repository. */
export type FolderObjects = {
  readonly gitRepository: FluxObject | undefined;
  readonly kustomization: FluxObject | undefined;
  readonly artifact?: FluxObject | undefined;
  /** The artifact of the provider's folder, which says when a whole revision is held. */
  readonly rootArtifact?: FluxObject | undefined;
};

/** Where a folder's content is, commit by commit, and what keeps it from going on. */
export type FolderFacts = {
  /** Flux has objects for the folder. Without, nobody applies it: not yet, or not any more, as its tenant was removed. */
  readonly isFed: boolean;
  /** What source-controller fetched last. */
  readonly fetched: CommitId | undefined;
  /** What the Kustomization applied last, as a whole and without error. */
  readonly applied: CommitId | undefined;
  /** What it tries to apply, or applied. */
  readonly attempted: CommitId | undefined;
  /** What is published is what is applied, and nothing else was attempted since. It may come from an older commit than what is fetched. */
  readonly isLevel: boolean;
  /** The gate keeps the folder, or the whole revision, at its last good content. */
  readonly held: { readonly reason: string; readonly message: string; readonly sinceMs: number } | undefined;
  /** The Kustomization does not get on with what it attempted. */
  readonly refusal: { readonly reason: string; readonly message: string; readonly sinceMs: number } | undefined;
};

/** Reads the facts off the objects. Pure. */
export function computeFolderFacts(objects: FolderObjects): FolderFacts {
  const { gitRepository, kustomization, artifact, rootArtifact } = objects;
  const fetched = parseCommit(gitRepository?.status?.artifact?.revision);
  const published = artifact?.status?.artifact;
  const status = kustomization?.status;
  const isOwn = artifact === undefined && rootArtifact === undefined;
  const current = isOwn ? gitRepository?.status?.artifact?.revision : published?.revision;
  const applied = parseCommit(isOwn ? status?.lastAppliedRevision : status?.lastAppliedOriginRevision);
  const origin = published?.metadata?.[ORIGIN_REVISION];
  const attempts = status?.lastAttemptedRevision === current ? parseCommit(isOwn ? current : origin) : undefined;
  return {
    isFed: kustomization !== undefined || artifact !== undefined,
    fetched,
    applied,
    attempted: isOwn ? parseCommit(status?.lastAttemptedRevision) : attempts,
    isLevel: current !== undefined && status?.lastAppliedRevision === current && isReady(kustomization),
    held: findHeld(artifact) ?? findHeld(rootArtifact, REVISION),
    refusal: findRefusal(kustomization),
  };
}

/** The commit of a revision as source-controller writes it, `main@sha1:<hash>`; also of a bare hash. */
export function parseCommit(revision: string | undefined): CommitId | undefined {
  const match = /(?:^|[:@])([0-9a-f]{40}|[0-9a-f]{64})$/.exec(revision ?? '');
  return match?.[1];
}

/** The provider's folder says `RevisionHeld` or `RevisionRefused` of everything, and `Held` of itself alone. */
const REVISION = /^Revision/;

function findHeld(object: FluxObject | undefined, reasons = /./): FolderFacts['held'] {
  const condition = findCondition(object?.status?.conditions, 'Held');
  if (condition?.status !== 'True' || !reasons.test(condition.reason)) return undefined;
  const { reason, message, lastTransitionTime } = condition;
  return { reason, message, sinceMs: Date.parse(lastTransitionTime) };
}

function isReady(kustomization: FluxObject | undefined): boolean {
  return findCondition(kustomization?.status?.conditions, 'Ready')?.status === 'True';
}

function findRefusal(kustomization: FluxObject | undefined): FolderFacts['refusal'] {
  const ready = findCondition(kustomization?.status?.conditions, 'Ready');
  if (ready?.status !== 'False') return undefined;
  return { reason: ready.reason, message: ready.message, sinceMs: Date.parse(ready.lastTransitionTime) };
}
