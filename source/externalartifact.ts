import { type Condition, removeCondition, setCondition } from '../kube/conditions.ts';
import type { KubeObject } from '../kube/object.ts';
import { EXTERNALARTIFACTS, GITREPOSITORIES, ORIGIN_REVISION } from '../model/flux.ts';
import { GROUP } from '../model/group.ts';

export type Artifact = {
  /** Relative to the server's root. */
  readonly path: string;
  readonly url: string;
  readonly revision: string;
  readonly digest: string;
  readonly lastUpdateTime: string;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
};

export type GitRepository = KubeObject & {
  readonly spec?: Readonly<Record<string, unknown>> | undefined;
  readonly status?: { readonly artifact?: Artifact | undefined } | undefined;
};

export type ExternalArtifactStatus = {
  readonly artifact?: Artifact | undefined;
  readonly conditions?: readonly Condition[] | undefined;
};

export type ExternalArtifact = KubeObject & {
  readonly spec?:
    | { readonly sourceRef?: { readonly apiVersion?: string; readonly kind: string; readonly name: string } }
    | undefined;
  readonly status?: ExternalArtifactStatus | undefined;
};

/** What a folder's ExternalArtifact has to say. */
export type FolderState =
  | {
      readonly state: 'published';
      readonly digest: string;
      readonly sizeBytes: number;
      readonly resources: number;
      /** Where it is served: the path below the server's root, and the whole address. */
      readonly path: string;
      readonly url: string;
      /** The commit that brought this content, as source-controller writes revisions: `main@sha1:<hash>`. */
      readonly revision: string;
    }
  | { readonly state: 'held'; readonly reason: HeldReason; readonly message: string };

/** `Held`: the folder failed the gate. `RevisionHeld`, `RevisionRefused`: the whole revision did. `ArtifactLost`: its archive is gone. */
export type HeldReason = 'Held' | 'RevisionHeld' | 'RevisionRefused' | 'ArtifactLost';

/** Key in `status.artifact.metadata`: how many resources the accepted content has. */
export const RESOURCE_COUNT = `${GROUP}/resources`;

/** The object without its status; one a folder, named as the folder. */
export function buildExternalArtifact(namespace: string, name: string, repository: string): ExternalArtifact {
  return {
    apiVersion: `${EXTERNALARTIFACTS.group}/${EXTERNALARTIFACTS.version}`,
    kind: EXTERNALARTIFACTS.kind,
    metadata: { name, namespace },
    spec: {
      sourceRef: {
        apiVersion: `${GITREPOSITORIES.group}/${GITREPOSITORIES.version}`,
        kind: GITREPOSITORIES.kind,
        name: repository,
      },
    },
  };
}

/** True when the object was made for this repository's folders, so that it may be written. */
export function isOurs(object: ExternalArtifact, repository: string): boolean {
  return object.spec?.sourceRef?.kind === GITREPOSITORIES.kind && object.spec.sourceRef.name === repository;
}

/**
 * The status that the object should have. Returns `current` itself when nothing has to be written: the same content at another commit
 * is no change, and neither is the same refusal seen again.
 */
export function buildStatus(
  current: ExternalArtifactStatus | undefined,
  generation: number,
  state: FolderState,
  nowIso: string,
): ExternalArtifactStatus {
  const before = current?.conditions ?? [];
  if (state.state === 'held') {
    const common = { reason: state.reason, message: state.message, observedGeneration: generation };
    const conditions = (['Ready', 'Stalled', 'Held'] as const).reduce(
      (list, type) => setCondition(list, { ...common, type, status: type === 'Ready' ? 'False' : 'True' }, nowIso),
      before,
    );
    return current !== undefined && conditions === before ? current : { ...current, conditions };
  }
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Succeeded',
    message: describe(state.resources),
    observedGeneration: generation,
  } as const;
  const conditions = setCondition(removeCondition(removeCondition(before, 'Held'), 'Stalled'), ready, nowIso);
  const artifact = buildArtifact(current?.artifact, state, nowIso);
  return current !== undefined && conditions === before && artifact === current.artifact
    ? current
    : { artifact, conditions };
}

function buildArtifact(
  current: Artifact | undefined,
  state: FolderState & { readonly state: 'published' },
  nowIso: string,
): Artifact {
  if (
    current?.digest === state.digest &&
    current.url === state.url &&
    current.metadata?.[RESOURCE_COUNT] === String(state.resources)
  )
    return current;
  return {
    path: state.path,
    url: state.url,
    revision: state.digest,
    digest: state.digest,
    lastUpdateTime: nowIso,
    size: state.sizeBytes,
    metadata: { [ORIGIN_REVISION]: state.revision, [RESOURCE_COUNT]: String(state.resources) },
  };
}

function describe(resources: number): string {
  if (resources === 0) return 'published without resources: the folder is empty or absent';
  return resources === 1 ? 'published 1 resource' : `published ${resources} resources`;
}
