import type { Logger } from 'pino';
import type { Clock, Random } from '../../kube/clock.ts';
import type { Result } from '../../kube/controller.ts';
import { renderError, TransientError } from '../../kube/errors.ts';
import { ensureFinalizer, removeFinalizer } from '../../kube/finalizer.ts';
import type { Informer } from '../../kube/informer.ts';
import { GITREPOSITORIES } from '../../model/flux.ts';
import { renderArchive } from './archive.ts';
import type { ArtifactHost } from './artifacts.ts';
import { renderTime } from './conditions.ts';
import { parseDuration } from './duration.ts';
import { type GitAccess, type GitReader, type Head, renderRevision } from './git/reader.ts';
import { AccessError, readAccess } from './gitaccess.ts';
import { computeGitRepositoryStatus, type FetchOutcome } from './gitrepository.status.ts';
import { jittered } from './jitter.ts';
import type { FluxSettings } from './options.ts';
import { type Artifact, FINALIZER, type GitRepository } from './resources.ts';
import { buildIgnoreFilter, IGNORE_FILE } from './sourceignore.ts';
import { findUnsupported, GITREPOSITORY_FIELDS } from './unsupported.ts';
import { applyStatus, type Writer } from './write.ts';

export type GitRepositoryDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: FluxSettings;
  readonly git: GitReader;
  readonly host: ArtifactHost;
  readonly repositories: Informer<GitRepository>;
  /** Keys of those that were looked at. */
  readonly lookedAt: Set<string>;
};

const MANAGER = 'source-controller';

/** Plays source-controller for one GitRepository: looks at the remote, and packs a revision that is new. */
export async function reconcileGitRepository(
  deps: GitRepositoryDeps,
  writer: Writer,
  key: string,
): Promise<Result | undefined> {
  const object = deps.repositories.get(key);
  if (object === undefined) {
    deps.lookedAt.delete(key);
    return undefined;
  }
  if (object.metadata.deletionTimestamp !== undefined) {
    deps.host.keepOnly(folderOf(object), []);
    await removeFinalizer(writer.client, GITREPOSITORIES, object, FINALIZER, writer.signal);
    return undefined;
  }
  const held = await ensureFinalizer(writer.client, deps.repositories, object, FINALIZER, writer.signal);
  const outcome = await computeOutcome(deps, writer, held);
  writer.signal.throwIfAborted();
  const status = computeGitRepositoryStatus(held, outcome, renderTime(deps.clock.now()));
  await applyStatus(writer, deps.repositories, held, status, MANAGER);
  deps.lookedAt.add(key);
  if (outcome.outcome === 'failed') {
    if (outcome.stalled) return undefined;
    throw new TransientError(outcome.message);
  }
  if (outcome.outcome === 'suspended') return undefined;
  return { requeueAfterMs: jittered(deps, parseDuration(held.spec.interval)) };
}

async function computeOutcome(
  deps: GitRepositoryDeps,
  { client, signal }: Writer,
  object: GitRepository,
): Promise<FetchOutcome> {
  if (object.spec.suspend === true) return { outcome: 'suspended' };
  const { artifact } = object.status ?? {};
  const lost = artifact === undefined || deps.host.get(artifact.path) === undefined;
  const failed = (reason: string, message: string, stalled = false): FetchOutcome => {
    return { outcome: 'failed', reason, message, stalled, lost };
  };
  const unsupported = findUnsupported(object.spec, GITREPOSITORY_FIELDS);
  if (unsupported !== undefined) return failed('NotSupported', unsupported, true);
  try {
    const access = await readAccess(client, object, signal);
    const head = await deps.git.resolve(object.spec.url, object.spec.ref ?? {}, signal, access);
    if (head === undefined) return failed('EmptyGitRepository', 'git repository is empty');
    const unchanged =
      !lost && artifact.revision === renderRevision(head) && object.status?.observedIgnore === object.spec.ignore;
    if (unchanged) return { outcome: 'stored', artifact: { ...artifact, url: urlOf(deps, artifact.path) } };
    return { outcome: 'stored', artifact: await storeArtifact(deps, object, { head, access }, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AccessError) return failed('AuthenticationFailed', error.message);
    return failed('GitOperationFailed', `failed to checkout and determine revision: ${renderError(error)}`);
  }
}

/** Packs what the patterns leave of the commit. Packing the same again changes no time stamp. */
async function storeArtifact(
  { git, host, clock }: GitRepositoryDeps,
  object: GitRepository,
  { head, access }: { readonly head: Head; readonly access: GitAccess | undefined },
  signal: AbortSignal,
): Promise<Artifact> {
  const { url, ignore } = object.spec;
  const all = await git.listFiles(url, head, signal, access);
  const ignoreFiles = all.filter(({ path }) => path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`));
  const texts = await git.readFiles(url, head, ignoreFiles, signal, access);
  const isIgnored = buildIgnoreFilter(
    ignoreFiles.map(({ path }, index) => {
      return { folder: path.slice(0, -IGNORE_FILE.length - 1), text: texts[index]?.toString('utf8') ?? '' };
    }),
    ignore,
  );
  const files = all.filter(({ path }) => !isIgnored(path, false));
  const contents = await git.readFiles(url, head, files, signal, access);
  const folders = new Set(all.flatMap(({ path }) => foldersAbove(path)));
  const { bytes, digest } = renderArchive(
    files.map(({ path, executable }, index) => ({ path, executable, bytes: contents[index] ?? Buffer.alloc(0) })),
    [...folders].filter((folder) => !isIgnored(folder, true)),
  );
  const path = `${folderOf(object)}/${head.commit}.tar.gz`;
  host.put(path, bytes);
  const before = object.status?.artifact;
  // Readers may still be on their way to the one before.
  host.keepOnly(folderOf(object), [path, ...(before === undefined ? [] : [before.path])]);
  const revision = renderRevision(head);
  const same = before?.digest === digest && before.revision === revision;
  const lastUpdateTime = same ? before.lastUpdateTime : renderTime(clock.now());
  return { digest, lastUpdateTime, path, revision, size: bytes.length, url: urlOf({ host }, path) };
}

function folderOf({ metadata }: GitRepository): string {
  return `gitrepository/${metadata.namespace}/${metadata.name}`;
}

function urlOf({ host }: { readonly host: ArtifactHost }, path: string): string {
  return `${host.baseUrl}/${path}`;
}

function foldersAbove(path: string): readonly string[] {
  const segments = path.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}
