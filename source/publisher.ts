import type { Logger } from 'pino';
import type { Clock } from '../kube/clock.ts';
import { renderError, TransientError } from '../kube/errors.ts';
import type { Informer } from '../kube/informer.ts';
import { type AcceptedReader, createAcceptedReader } from './accepted.ts';
import { renderArchive } from './archive.ts';
import type { ClusterTenant, Evaluation, Evaluator } from './evaluate.ts';
import { type ExternalArtifact, type GitRepository, isOurs } from './externalartifact.ts';
import type { Gunzip } from './fetch.ts';
import type { Head, HeadReader } from './head.ts';
import type { SourceLimits } from './limits.ts';
import type { SourceMetrics } from './metrics.ts';
import { type AcceptedArtifact, computePlan, holdAll, type Plan, type PlannedState } from './plan.ts';
import { report, tell } from './report.ts';
import type { ShrinkRule } from './shrink.ts';
import type { ArchiveStore } from './store.ts';
import type { ArtifactWriter } from './write.ts';

export type PublisherDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly repositories: Informer<GitRepository>;
  readonly artifacts: Informer<ExternalArtifact>;
  /** The Tenants of the cluster; undefined while that cannot be known, and then nothing is removed. */
  readonly observeTenants: () => readonly ClusterTenant[] | undefined;
  readonly heads: HeadReader;
  readonly evaluator: Evaluator;
  readonly store: ArchiveStore;
  readonly gunzip: Gunzip;
  readonly writer: ArtifactWriter;
  readonly metrics: SourceMetrics;
  /** A revision was published: what a person confirmed of it is used up. */
  readonly spend: (repository: GitRepository, revision: string, signal: AbortSignal) => Promise<void>;
  /** Tells people who look at the GitRepository. */
  readonly warn: (repository: GitRepository, reason: string, message: string) => void;
};

export type PublisherOptions = {
  readonly namespace: string;
  readonly repository: string;
  /** Annotation by which a person confirms a revision. */
  readonly confirmAnnotation: string;
  /** What clients of the archive server put before a path; no slash at the end. */
  readonly baseUrl: string;
  readonly limits: SourceLimits;
  readonly shrinkRule: ShrinkRule;
  /** Writes at once. */
  readonly concurrency: number;
  /** How long an archive that nothing refers to is kept for readers that still have its address. */
  readonly archiveKeepMs: number;
  /** How often the volume is read again in full. */
  readonly volumeCheckMs: number;
};

export type Publisher = {
  /** One whole pass over the newest revision. Level-triggered: does nothing when everything is as it should be. */
  publish(signal: AbortSignal): Promise<{ readonly requeueAfterMs: number }>;
  /** Reads the volume again at the next pass. */
  forgetVolume(): void;
};

/** The steps from a revision to published folders. One pass at a time. */
export function createPublisher(deps: PublisherDeps, options: PublisherOptions): Publisher {
  const reader = createAcceptedReader({ store: deps.store, gunzip: deps.gunzip, limits: options.limits });
  let volumeReadAtMs: number | undefined;
  let told = '';
  return {
    forgetVolume() {
      volumeReadAtMs = undefined;
    },
    async publish(signal) {
      const startMs = deps.clock.now();
      if (volumeReadAtMs === undefined || startMs - volumeReadAtMs >= options.volumeCheckMs) {
        await deps.store.refresh();
        volumeReadAtMs = startMs;
      }
      const repository = deps.repositories.get(`${options.namespace}/${options.repository}`);
      const { head, retryAfterMs } = repository ? await deps.heads.observe(repository, signal) : NOTHING;
      const requeueAfterMs = Math.min(options.volumeCheckMs, retryAfterMs ?? options.volumeCheckMs);
      if (repository === undefined || head === undefined) {
        deps.log.info({ repository: options.repository }, 'waiting for the fleet repository to be fetched');
        return { requeueAfterMs };
      }
      const pass = await preparePass(deps, options, reader, repository, head);
      const writes = await carryOut(deps, options, pass);
      if (pass.result === 'published') await deps.spend(repository, pass.revision, signal);
      await collect(deps, options, pass);
      report(deps, pass, writes, startMs);
      told = tell(deps, repository, pass, writes, told);
      return { requeueAfterMs };
    },
  };
}

const NOTHING = { head: undefined, retryAfterMs: undefined };

/** What one look at a revision came to. */
export type Pass = {
  readonly revision: string;
  readonly plan: Plan;
  readonly accepted: ReadonlyMap<string, AcceptedArtifact>;
  readonly ours: ReadonlyMap<string, ExternalArtifact>;
  readonly parsed: number;
  readonly rebuilt: number;
  readonly result: 'published' | 'held' | 'refused';
  /** For people, worst first. */
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
};

async function preparePass(
  deps: PublisherDeps,
  options: PublisherOptions,
  reader: AcceptedReader,
  repository: GitRepository,
  { revision, tree }: Head,
): Promise<Pass> {
  const all = deps.artifacts.list();
  const ours = new Map(
    all.filter((object) => isOurs(object, options.repository)).map((object) => [object.metadata.name, object]),
  );
  const foreign = all.filter((object) => !isOurs(object, options.repository)).map((object) => object.metadata.name);
  const wasGone = [...ours.values()].filter((object) => isGone(object, deps.store));
  if (!tree.ok) {
    const accepted = await reader.observe([...ours.values()], new Map());
    const message = `revision ${revision} is refused, nothing of it is published: ${tree.message}`;
    const plan = { states: holdAll(accepted, 'RevisionRefused', message), removals: [], revisionHeld: message };
    return {
      revision,
      plan,
      accepted,
      ours,
      parsed: 0,
      rebuilt: 0,
      result: 'refused',
      warnings: [{ reason: 'RevisionRefused', message }],
    };
  }
  const tenants = deps.observeTenants();
  const evaluation = await deps.evaluator.evaluate(tree.split, tenants ?? []);
  const empty = await storeEmpty(deps, evaluation, ours);
  const accepted = await reader.observe([...ours.values()], evaluation.verdicts);
  const plan = computePlan({
    revision,
    confirmed: repository.metadata.annotations?.[options.confirmAnnotation],
    repository: { namespace: options.namespace, name: options.repository, annotation: options.confirmAnnotation },
    verdicts: evaluation.verdicts,
    expected: evaluation.expected,
    elsewhere: evaluation.elsewhere,
    tenantsKnown: tenants !== undefined,
    accepted,
    empty,
    tenantsExist: tenants === undefined || tenants.length > 0,
    shrinkRule: options.shrinkRule,
  });
  const kept = new Map([...plan.states].filter(([name]) => !foreign.includes(name)));
  const stillGone = wasGone.filter((object) => isGone(object, deps.store)).length;
  const rebuilt = wasGone.length - stillGone;
  return {
    revision,
    plan: { ...plan, states: kept },
    accepted,
    ours,
    parsed: evaluation.parsed,
    rebuilt,
    result: plan.revisionHeld === undefined ? 'published' : 'held',
    warnings: [
      ...(plan.revisionHeld === undefined ? [] : [{ reason: 'RevisionHeld', message: plan.revisionHeld }]),
      ...(wasGone.length === 0 ? [] : [{ reason: 'ArtifactLost', message: renderLoss(rebuilt, stillGone) }]),
      ...foreign
        .filter((name) => plan.states.has(name))
        .map((name) => ({
          reason: 'NameConflict',
          message: `ExternalArtifact ${name} exists and is not of this repository; it is left alone`,
        })),
      ...tree.split.strays.map(({ path, message }) => ({
        reason: 'Stray',
        message: `${path} ${message}; it is not published`,
      })),
    ],
  };
}

function isGone({ metadata, status }: ExternalArtifact, store: ArchiveStore): boolean {
  return status?.artifact !== undefined && store.find(metadata.name, status.artifact.digest) === undefined;
}

function renderLoss(rebuilt: number, lost: number): string {
  return `${rebuilt + lost} accepted archives were gone from the volume; ${rebuilt} were rebuilt from this revision, ${lost} cannot be`;
}

/** Every folder may turn out empty; the archive for it lies ready where it will be needed. */
async function storeEmpty(
  deps: PublisherDeps,
  evaluation: Evaluation,
  ours: ReadonlyMap<string, ExternalArtifact>,
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const { bytes, digest } = renderArchive([]);
  for (const name of evaluation.expected) {
    if (!evaluation.verdicts.has(name)) await deps.store.write(name, digest, bytes);
  }
  for (const [name, { status }] of ours)
    if (status?.artifact?.digest === digest) await deps.store.write(name, digest, bytes);
  return { digest, sizeBytes: bytes.length };
}

async function carryOut(deps: PublisherDeps, options: PublisherOptions, pass: Pass): Promise<number> {
  const failures: unknown[] = [];
  let writes = 0;
  const tasks = [
    ...[...pass.plan.states].map(
      ([name, state]) =>
        () =>
          deps.writer.apply(name, address(deps, options, name, state, pass.revision)),
    ),
    ...pass.plan.removals
      .flatMap((name) => pass.ours.get(name) ?? [])
      .map((object) => () => deps.writer.remove(object)),
  ].values();
  const work = async (): Promise<void> => {
    for (const task of tasks) {
      try {
        writes += await task();
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  deps.metrics.writes.inc(writes);
  if (failures.length > 0) {
    throw new TransientError(
      `${failures.length} artifacts could not be written, the first: ${renderError(failures[0])}`,
      { cause: failures[0] },
    );
  }
  return writes;
}

function address(deps: PublisherDeps, options: PublisherOptions, name: string, state: PlannedState, revision: string) {
  if (state.state === 'held') return state;
  const path = deps.store.pathOf(name, state.digest);
  return { ...state, resources: state.resources.length, path, url: `${options.baseUrl}/${path}`, revision } as const;
}

/** Archives that no ExternalArtifact names go, after a while; readers may still be on the way to them. */
async function collect(deps: PublisherDeps, options: PublisherOptions, pass: Pass): Promise<void> {
  const beforeMs = deps.clock.now() - options.archiveKeepMs;
  for (const { name, digest, modifiedMs } of deps.store.list()) {
    const planned = pass.plan.states.get(name);
    const isWanted =
      pass.accepted.get(name)?.digest === digest || (planned?.state === 'published' && planned.digest === digest);
    if (!isWanted && modifiedMs < beforeMs) await deps.store.remove(name, digest);
  }
}
