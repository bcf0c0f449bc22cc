import type { Client } from '../../kube/client.ts';
import { renderError } from '../../kube/errors.ts';
import { qualifiedName, renderKey } from '../../kube/object.ts';
import { KUSTOMIZATIONS, ORIGIN_REVISION } from '../../model/flux.ts';
import { applyManifests } from './apply.ts';
import { parseArchive } from './archive.ts';
import { ArtifactGoneError, readArtifact } from './artifacts.ts';
import { buildManifests, normalisePath } from './build.ts';
import { isMarked } from './conditions.ts';
import { parseDuration, renderDuration } from './duration.ts';
import { findStale } from './inventory.ts';
import type { KustomizationDeps } from './kustomization.controller.ts';
import type { KustomizationOutcome } from './kustomization.status.ts';
import type { Manifest } from './manifest.ts';
import { pruneObjects } from './prune.ts';
import type { Artifact, Kustomization } from './resources.ts';
import { findUnsupported, KUSTOMIZATION_FIELDS } from './unsupported.ts';

/** What need not be found out again while it is known. */
export type Memory = {
  /** The objects of the last content that was built. */
  build: { readonly key: string; readonly manifests: readonly Manifest[] } | undefined;
  /** See `ApplyDeps`. */
  readonly verdicts: Map<string, string>;
};

export type Attempt = {
  /** Acts as the Kustomization's account. */
  readonly client: Client;
  readonly memory: Memory;
  readonly object: Kustomization;
};

export type AttemptResult = {
  readonly outcome: KustomizationOutcome;
  /** Until the next try; absent: the interval. */
  readonly retryAfterMs?: number | undefined;
};

/** Source, dependencies, build, apply, prune: one whole pass, without a word about it in the status yet. */
export async function attemptReconcile(
  deps: KustomizationDeps,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { spec } = attempt.object;
  const retryIntervalMs = parseDuration(spec.retryInterval ?? spec.interval);
  const { requeueDependencyMs } = deps.settings;
  const unsupported = findUnsupported(spec, KUSTOMIZATION_FIELDS);
  if (unsupported !== undefined) return fail('NotSupported', unsupported, { stalled: true });
  const source = findSource(deps, attempt.object);
  if (source.state !== 'found') {
    return source.state === 'denied'
      ? fail('AccessDenied', source.message, { stalled: true })
      : fail('ArtifactFailed', source.message, {}, retryIntervalMs);
  }
  if (source.artifact === undefined) {
    const message = `Source artifact not found, retrying in ${renderDuration(requeueDependencyMs)}`;
    return fail('ArtifactFailed', message, {}, requeueDependencyMs);
  }
  const unready = checkDependencies(deps, attempt.object, source.artifact);
  if (unready !== undefined) return fail('DependencyNotReady', unready, {}, requeueDependencyMs);
  try {
    return await applyRevision(deps, attempt, source.artifact, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof StepError)) throw error;
    const { reason, message, progress, retryAfterMs = retryIntervalMs } = error;
    return fail(reason, message, { progress, ...error.partial }, retryAfterMs);
  }
}

function fail(
  reason: string,
  message: string,
  rest: Omit<KustomizationOutcome, 'ready'>,
  retryAfterMs?: number,
): AttemptResult {
  return { outcome: { ...rest, ready: { status: 'False', reason, message } }, retryAfterMs };
}

/** A step after the source was found went wrong. */
class StepError extends Error {
  override readonly name = 'StepError';
  readonly reason: string;
  readonly progress: string;
  readonly partial: Pick<KustomizationOutcome, 'attemptedRevision' | 'inventory'>;
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: string,
    message: string,
    progress: string,
    partial: StepError['partial'] = {},
    retryAfterMs?: number,
  ) {
    super(message);
    this.reason = reason;
    this.progress = progress;
    this.partial = partial;
    this.retryAfterMs = retryAfterMs;
  }
}

type Source =
  | { readonly state: 'found'; readonly artifact: Artifact | undefined }
  | { readonly state: 'missing' | 'denied'; readonly message: string };

function findSource(deps: KustomizationDeps, { metadata, spec }: Kustomization): Source {
  const { kind, name, namespace = metadata.namespace } = spec.sourceRef;
  const key = renderKey({ namespace, name });
  if (deps.settings.noCrossNamespaceRefs && namespace !== metadata.namespace) {
    const message = `can't access '${kind}/${key}', cross-namespace references have been blocked`;
    return { state: 'denied', message };
  }
  const informer = kind === 'GitRepository' ? deps.repositories : deps.externalArtifacts;
  if (informer.resource.kind !== kind) {
    return {
      state: 'denied',
      message: `the simulated Flux plays no ${kind}; use a GitRepository or an ExternalArtifact`,
    };
  }
  const source = informer.get(key);
  if (source === undefined) {
    return { state: 'missing', message: `${kind}.${informer.resource.group} "${name}" not found` };
  }
  return { state: 'found', artifact: source.status?.artifact };
}

function checkDependencies(
  { kustomizations }: KustomizationDeps,
  { metadata, spec }: Kustomization,
  artifact: Artifact,
): string | undefined {
  const sourceOf = (object: Pick<Kustomization, 'metadata' | 'spec'>): string => {
    const { kind, name, namespace = object.metadata.namespace } = object.spec.sourceRef;
    return `${kind}/${namespace}/${name}`;
  };
  for (const { name, namespace = metadata.namespace } of spec.dependsOn ?? []) {
    const key = renderKey({ namespace, name });
    const dependency = kustomizations.get(key);
    if (dependency === undefined) {
      return `dependency '${key}' not found: ${qualifiedName(KUSTOMIZATIONS)} "${name}" not found`;
    }
    const { status } = dependency;
    const isCurrent = dependency.metadata.generation === status?.observedGeneration;
    if (!isCurrent || !isMarked(status?.conditions, 'Ready')) return `dependency '${key}' is not ready`;
    const sameSource = sourceOf(dependency) === sourceOf({ metadata, spec } as Kustomization);
    if (sameSource && status?.lastAppliedRevision !== artifact.revision) {
      return `dependency '${key}' revision is not up to date`;
    }
  }
  return undefined;
}

async function applyRevision(
  deps: KustomizationDeps,
  { client, memory, object }: Attempt,
  artifact: Artifact,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { spec, metadata } = object;
  const { revision } = artifact;
  const owner = { name: metadata.name, namespace: metadata.namespace ?? '' };
  const doing = (what: string): string =>
    `${what} for revision ${revision} with a timeout of ${renderDuration(timeoutOf(object))}`;
  const manifests = await loadManifests(deps, memory, object, artifact, doing, signal);
  const attempted = { attemptedRevision: revision };
  const drift = doing('Detecting drift');
  const { verdicts } = memory;
  const applied = await applyManifests(
    { ...deps, client, verdicts },
    manifests,
    { owner, force: spec.force === true },
    signal,
  ).catch((error: unknown) => {
    throw new StepError('ReconciliationFailed', renderError(error), drift, attempted);
  });
  const stale = spec.prune ? findStale(object.status?.inventory?.entries ?? [], applied) : [];
  const { survivors, error } = await pruneObjects({ ...deps, client }, stale, owner, signal);
  const inventory = [...applied, ...survivors];
  if (error !== undefined) throw new StepError('PruneFailed', error, drift, { ...attempted, inventory });
  const kept = new Set(inventory.map(({ id }) => id));
  for (const id of verdicts.keys()) if (!kept.has(id)) verdicts.delete(id);
  return {
    outcome: {
      ...attempted,
      inventory,
      applied: { revision, originRevision: artifact.metadata?.[ORIGIN_REVISION] },
      ready: { status: 'True', reason: 'ReconciliationSucceeded', message: `Applied revision: ${revision}` },
    },
  };
}

/** Fetches and builds, unless the same content was built already. */
async function loadManifests(
  deps: KustomizationDeps,
  memory: Memory,
  { spec }: Kustomization,
  artifact: Artifact,
  doing: (what: string) => string,
  signal: AbortSignal,
): Promise<readonly Manifest[]> {
  const key = JSON.stringify([artifact.digest, spec.path, spec.targetNamespace]);
  if (memory.build?.key === key) return memory.build.manifests;
  const fetching = doing('Fetching manifests');
  const folder = normalisePath(spec.path ?? '');
  const tree = await readArtifact(deps.openUrl, artifact, signal)
    .then(parseArchive)
    .catch((error: unknown) => {
      const { requeueDependencyMs } = deps.settings;
      if (!(error instanceof ArtifactGoneError)) {
        throw new StepError('ArtifactFailed', renderError(error), fetching);
      }
      const message = `Source is not ready, artifact not found, retrying in ${renderDuration(requeueDependencyMs)}`;
      throw new StepError('ArtifactFailed', message, fetching, {}, requeueDependencyMs);
    });
  if (!tree.folders.has(folder)) {
    const message = `kustomization path not found: stat /${folder}: no such file or directory`;
    throw new StepError('ArtifactFailed', message, fetching);
  }
  try {
    const manifests = buildManifests(tree, folder, spec.targetNamespace);
    memory.build = { key, manifests };
    return manifests;
  } catch (error) {
    const attempted = { attemptedRevision: artifact.revision };
    throw new StepError('BuildFailed', renderError(error), doing('Building manifests'), attempted);
  }
}

const LEAST_TIMEOUT_MS = 30_000;

/** As Flux shows it: half a minute below the interval unless stated, and never less than half a minute. */
function timeoutOf({ spec }: Kustomization): number {
  const stated =
    spec.timeout === undefined ? parseDuration(spec.interval) - LEAST_TIMEOUT_MS : parseDuration(spec.timeout);
  return Math.max(stated, LEAST_TIMEOUT_MS);
}
