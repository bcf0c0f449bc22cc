import type { Logger } from 'pino';
import { CUSTOMRESOURCEDEFINITIONS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import { type Controller, createController, type Predicate, watchOf } from '../../kube/controller.ts';
import { createInformer } from '../../kube/informer.ts';
import { createManager } from '../../kube/manager.ts';
import type { Metrics } from '../../kube/metrics.ts';
import { type KubeObject, objectKey, renderKey } from '../../kube/object.ts';
import { ANNOTATION_REQUESTED_AT, EXTERNALARTIFACTS, GITREPOSITORIES, KUSTOMIZATIONS } from '../../model/flux.ts';
import type { ArtifactHost, OpenUrl } from './artifacts.ts';
import { isMarked } from './conditions.ts';
import { installCrds } from './crds.ts';
import type { GitReader } from './git/reader.ts';
import { reconcileGitRepository } from './gitrepository.controller.ts';
import { createKinds, type Definition, definitionKeys, INDEX_KIND, stripDefinition } from './kinds.ts';
import { reconcileKustomization, type ServiceAccountKey } from './kustomization.controller.ts';
import { type FluxOptions, type FluxSettings, parseOptions } from './options.ts';
import type { Artifact, ExternalArtifact, GitRepository, Kustomization } from './resources.ts';

export type FluxDeps = {
  /** Reads and writes Flux's own objects, and applies where nobody is impersonated. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly git: GitReader;
  /** Where the archives of GitRepositories go. */
  readonly artifacts: ArtifactHost;
  /** Reads archives: the host's own, and those of other sources. */
  readonly openUrl: OpenUrl;
  /** A client that acts as the account. Absent: everything is applied by `client`. The caller closes what it made. */
  readonly clientFor?: ((account: ServiceAccountKey) => Client) | undefined;
};

export type FluxSimulator = {
  /** What was written to the cluster stays. */
  stop(): Promise<void>;
  /** Rejects when the simulator had to give up by itself. */
  readonly stopped: Promise<void>;
};

/**
 * Plays Flux's source-controller and kustomize-controller on a cluster until stopped. Rejects on a cluster that has a real Flux. Resolves
 * once the definitions are served and both controllers work.
 */
export async function startFluxSimulator(deps: FluxDeps, options: FluxOptions = {}): Promise<FluxSimulator> {
  const settings = parseOptions(options);
  if (settings.installDefinitions) await installCrds(deps);
  const abort = new AbortController();
  const manager = createManager(deps);
  for (const controller of createControllers(deps, settings)) manager.addController(controller);
  const stopped = manager.start(abort.signal);
  await Promise.race([manager.ready(), stopped]);
  return {
    stopped,
    async stop() {
      abort.abort();
      await stopped;
    },
  };
}

const INDEX_SOURCE = 'source';

function createControllers(deps: FluxDeps, settings: FluxSettings): readonly Controller[] {
  const { client } = deps;
  const informers = createInformers(deps, settings);
  const { repositories, externalArtifacts, kustomizations, definitions } = informers;
  const kinds = createKinds(definitions);
  const clientFor = deps.clientFor ?? (() => client);
  const known = { memories: new Map(), lookedAt: new Set<string>() };
  const shared = { ...deps, ...informers, ...known, settings, kinds, clientFor, host: deps.artifacts };
  const self = (object: KubeObject): readonly string[] => [objectKey(object)];
  return [
    createController(deps, {
      name: 'simulated-gitrepository',
      workers: settings.workers,
      backoff: SOURCE_BACKOFF,
      watches: [watchOf({ informer: repositories, map: self, predicate: WANTED })],
      reconcile: (key, signal) => reconcileGitRepository(shared, { client, signal }, key),
    }),
    createController(deps, {
      name: 'simulated-kustomization',
      workers: settings.workers,
      backoff: SOURCE_BACKOFF,
      watches: [
        watchOf({ informer: kustomizations, map: self, predicate: WANTED }),
        ...[repositories, externalArtifacts].map((informer) =>
          watchOf<GitRepository | ExternalArtifact>({
            informer,
            predicate: NEW_REVISION,
            map: (source) => findBehind(kustomizations.byIndex(INDEX_SOURCE, sourceKey(source)), source),
          }),
        ),
        // Only so that the kinds are known before the first object is applied.
        watchOf<Definition>({ informer: definitions, map: () => [] }),
      ],
      reconcile: (key, signal) => reconcileKustomization(shared, { client, signal }, key),
    }),
  ];
}

function createInformers(deps: FluxDeps, { watchSeconds }: FluxSettings) {
  return {
    repositories: createInformer<GitRepository>(deps, { resource: GITREPOSITORIES, watchSeconds }),
    externalArtifacts: createInformer<ExternalArtifact>(deps, { resource: EXTERNALARTIFACTS, watchSeconds }),
    kustomizations: createInformer<Kustomization>(deps, {
      resource: KUSTOMIZATIONS,
      watchSeconds,
      indexers: {
        [INDEX_SOURCE]: ({ metadata, spec: { sourceRef } }) => [
          `${sourceRef.kind}/${renderKey({ namespace: sourceRef.namespace ?? metadata.namespace, name: sourceRef.name })}`,
        ],
      },
    }),
    definitions: createInformer<Definition>(deps, {
      resource: CUSTOMRESOURCEDEFINITIONS,
      watchSeconds,
      transform: stripDefinition,
      indexers: { [INDEX_KIND]: definitionKeys },
    }),
  };
}

/** As source-controller's: 750 ms, doubled up to a quarter of an hour. */
const SOURCE_BACKOFF = { baseMs: 750, factor: 2, maxMs: 900_000 };

/** A new spec, a deletion, or somebody who asks. */
const WANTED: Predicate<KubeObject> = {
  onUpdate: (old, now) =>
    old.metadata.generation !== now.metadata.generation ||
    old.metadata.deletionTimestamp !== now.metadata.deletionTimestamp ||
    old.metadata.annotations?.[ANNOTATION_REQUESTED_AT] !== now.metadata.annotations?.[ANNOTATION_REQUESTED_AT],
};

type WithArtifact = KubeObject & { readonly status?: { readonly artifact?: Artifact | undefined } | undefined };

const NEW_REVISION: Predicate<WithArtifact> = {
  onAdd: ({ status }) => status?.artifact !== undefined,
  onUpdate: (old, now) =>
    now.status?.artifact !== undefined && old.status?.artifact?.revision !== now.status.artifact.revision,
  onDelete: () => false,
};

function sourceKey(source: KubeObject): string {
  return `${source.kind}/${objectKey(source)}`;
}

/** The Kustomizations that have not tried this revision yet, or failed at it. */
function findBehind(kustomizations: readonly Kustomization[], source: WithArtifact): readonly string[] {
  const revision = source.status?.artifact?.revision;
  return kustomizations
    .filter(({ status }) => {
      const settled = isMarked(status?.conditions, 'Ready') || isMarked(status?.conditions, 'Reconciling');
      return !(settled && status?.lastAttemptedRevision === revision);
    })
    .map(objectKey);
}
