import type { Logger } from 'pino';
import type { Clock } from '../kube/clock.ts';
import { ANNOTATION_REQUESTED_AT } from '../model/flux.ts';
import type { DirectLane } from './direct/lane.ts';
import type { HeadRecordFile } from './direct/record.ts';
import { parseDirectSpec } from './direct/spec.ts';
import type { GitRepository } from './externalartifact.ts';
import type { Tree, TreeLoader } from './tree.ts';

/** The revision to publish, and its folders. */
export type Head = { readonly revision: string; readonly tree: Tree };

export type HeadReader = {
  /** `head` is undefined while there is nothing to publish, or nothing that is not older than what is published. */
  observe(
    repository: GitRepository,
    signal: AbortSignal,
  ): Promise<{ readonly head: Head | undefined; readonly retryAfterMs: number | undefined }>;
};

export type HeadReaderDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  /** What source-controller fetched. */
  readonly artifacts: TreeLoader;
  /** Absent: there is no Git here, and everything comes from source-controller. */
  readonly direct?: { readonly lane: DirectLane; readonly record: HeadRecordFile } | undefined;
};

/**
 * Decides where a revision comes from: from a fetch of our own, where a fetch is all that the GitRepository asks for, and from source-controller's artifact otherwise,
 * or when that is newer because our own fetches fail. Never goes back to what is older than what it gave before, but where the branch itself did.
 */
export function createHeadReader(deps: HeadReaderDeps, environment: string): HeadReader {
  const { clock, log, direct } = deps;
  let shown: Head | undefined;
  let declined: string | undefined;

  const observeArtifact = async ({ status }: GitRepository, signal: AbortSignal): Promise<Head | undefined> => {
    const artifact = status?.artifact;
    return artifact && { revision: artifact.revision, tree: await deps.artifacts.load(artifact, signal) };
  };

  /** Told once for each field. */
  const tellDeclined = (why: string | undefined): void => {
    if (why !== undefined && why !== declined)
      log.info(
        { field: why },
        'the GitRepository asks for more than a fetch; revisions are taken from source-controller',
      );
    declined = why;
  };

  return {
    async observe(repository, signal) {
      if (direct === undefined) return { head: await observeArtifact(repository, signal), retryAfterMs: undefined };
      const spec = parseDirectSpec(repository, environment);
      const isDeclined = 'declined' in spec;
      tellDeclined(isDeclined ? spec.declined : undefined);
      if (isDeclined) {
        shown = await observeArtifact(repository, signal);
        return { head: shown, retryAfterMs: undefined };
      }
      if (repository.spec?.suspend === true && shown !== undefined) return { head: shown, retryAfterMs: undefined };
      const { head, retryAfterMs } = await observeDirect(direct, repository, signal, spec);
      shown = head ?? shown;
      return { head, retryAfterMs };
    },
  };

  async function observeDirect(
    { lane, record }: NonNullable<HeadReaderDeps['direct']>,
    repository: GitRepository,
    signal: AbortSignal,
    spec: Exclude<ReturnType<typeof parseDirectSpec>, { readonly declined: string }>,
  ) {
    const { metadata, status } = repository;
    const artifact = status?.artifact?.revision;
    const requestedAt = metadata.annotations?.[ANNOTATION_REQUESTED_AT];
    const isSuspended = repository.spec?.suspend === true;
    const { fetched, retryAfterMs } = isSuspended
      ? { fetched: undefined, retryAfterMs: undefined }
      : await lane.follow(spec, { requestedAt, generation: metadata.generation, artifact });
    if (fetched === undefined) {
      const last = await record.read();
      const isOlder = last !== undefined && artifact === last.artifactThen && artifact !== last.revision;
      return { head: isOlder ? undefined : await observeArtifact(repository, signal), retryAfterMs };
    }
    const isKnown = artifact === undefined || artifact === fetched.revision || artifact === fetched.artifactThen;
    const isFresh = clock.monotonic() - fetched.atMs < OVERTAKEN_MS;
    const isFetchedNewer = isKnown || (isFresh && (await lane.isBefore(artifact)));
    return { head: isFetchedNewer ? fetched : await observeArtifact(repository, signal), retryAfterMs };
  }
}

/** So long source-controller may take for a revision that we have overtaken; what it has of an older commit later is a branch that went back. */
const OVERTAKEN_MS = 120_000;
