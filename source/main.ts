import { once } from 'node:events';
import type { Logger } from 'pino';
import { checkResource } from '../crds/rules/index.ts';
import { TENANTS } from '../crds/v1alpha1/resources.ts';
import type { Tenant } from '../crds/v1alpha1/tenant.ts';
import type { Client } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { type Controller, createController, watchOf } from '../kube/controller.ts';
import { createEventRecorder } from '../kube/events.ts';
import { createInformer, type Informer } from '../kube/informer.ts';
import { createManager, type Manager } from '../kube/manager.ts';
import type { Metrics } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/object.ts';
import { ANNOTATION_REQUESTED_AT, EXTERNALARTIFACTS, GITREPOSITORIES } from '../model/flux.ts';
import { GROUP } from '../model/group.ts';
import { ROOT_NAMESPACE } from '../model/names.ts';
import type { SourceConfig } from './config.ts';
import { spendConfirmation } from './confirmation.ts';
import type { DirectLane } from './direct/lane.ts';
import { type GitHere, wireDirect } from './direct/wire.ts';
import { type ClusterTenant, createEvaluator } from './evaluate.ts';
import type { ExternalArtifact, GitRepository } from './externalartifact.ts';
import type { Gunzip, OpenUrl } from './fetch.ts';
import { createHeadReader } from './head.ts';
import { createSourceMetrics, type SourceMetrics } from './metrics.ts';
import { createPace } from './pace.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { startArchiveServer } from './server.ts';
import { type ArchiveStore, createArchiveStore } from './store.ts';
import { createTreeLoader } from './tree.ts';
import { createArtifactWriter } from './write.ts';

/** What the fleet source gets from outside. */
export type SourceDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly openUrl: OpenUrl;
  readonly gunzip: Gunzip;
  /** Absent: every revision comes from source-controller. */
  readonly git?: GitHere | undefined;
};

/** A running fleet source. */
export type Source = {
  /** Where the archive server listens. */
  readonly address: string;
  readonly port: number;
  /** Resolves when the informers have synced and, where it has to, this process leads. */
  ready(): Promise<void>;
  /** Resolves when all has stopped after the signal aborted; rejects when leadership is lost. */
  readonly stopped: Promise<void>;
};

/** Annotation on the GitRepository by which a person confirms a revision that removes much. */
export const CONFIRM_ANNOTATION = `${GROUP}/confirmed-revision`;

/**
 * Wires the fleet source and starts it. One process publishes at a time; every process serves what is on its volume. Rejects when the
 * archive server's address cannot be had.
 */
export async function runSource(deps: SourceDeps, config: SourceConfig, signal: AbortSignal): Promise<Source> {
  const metrics = createSourceMetrics(deps.metrics);
  const store = createArchiveStore(
    { now: deps.clock.now },
    { directory: config.directory, namespace: config.namespace },
  );
  const lookAgain = { call: (): void => {} };
  const server = await startArchiveServer(
    { store, clock: deps.clock, onAnswer: metrics.countRequest, onMissing: () => lookAgain.call() },
    { ...config.listen, namespace: config.namespace, maxConnections: MAX_CONNECTIONS },
  );
  const baseUrl =
    config.advertisedUrl ??
    `http://${server.address.includes(':') ? `[${server.address}]` : server.address}:${server.port}`;
  const source = createSource({ ...deps, store, sourceMetrics: metrics, baseUrl }, config, { http: config.manage });
  lookAgain.call = source.lookAgain;
  const stopped = source.manager.start(signal).finally(() => server.stop());
  return { address: server.address, port: server.port, ready: () => source.manager.ready(), stopped };
}

/** What the fleet source needs beside {@link SourceDeps} once its archives have a place. */
export type SourceParts = SourceDeps & {
  readonly store: ArchiveStore;
  readonly sourceMetrics: SourceMetrics;
  /** What clients of the archive server put before a path; no slash at the end. */
  readonly baseUrl: string;
};

/**
 * Puts the fleet source together without an archive server; nothing runs before the manager is started. `lookAgain` has the volume read anew,
 * for when something that should be there was asked for and is not.
 */
export function createSource(
  deps: SourceParts,
  config: SourceConfig,
  options: { readonly http?: { readonly address: string; readonly port: number } } = {},
): { readonly manager: Manager; readonly lookAgain: () => void } {
  const informers = createInformers(deps, config);
  const { git } = deps;
  const wake = (): void => controller.enqueue(fleetKey(config));
  const direct = git && wireDirect({ ...deps, git, wake, isNamespace: isTenantNamespace }, config);
  const publisher = wirePublisher({ ...deps, ...informers, direct }, config);
  const controller = createFleetController(deps, informers, publisher, config);
  const { enabled, ...leaderElection } = config.leaderElection;
  const manager = createManager(deps, { ...options, leaderElection: enabled ? leaderElection : undefined });
  manager.addController(controller);
  if (direct !== undefined) manager.addRunnable({ name: 'direct', start: (signal) => stopAfter(direct.lane, signal) });
  return {
    manager,
    lookAgain: () => {
      publisher.forgetVolume();
      wake();
    },
  };
}

async function stopAfter(lane: DirectLane, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  await lane.stop();
}

const MAX_CONNECTIONS = 256;

type Informers = {
  readonly tenants: Informer<Tenant & KubeObject>;
  readonly repositories: Informer<GitRepository>;
  readonly artifacts: Informer<ExternalArtifact>;
};

function createInformers(deps: SourceDeps, { namespace, repository, watchSeconds }: SourceConfig): Informers {
  return {
    tenants: createInformer<Tenant & KubeObject>(deps, { resource: TENANTS, watchSeconds }),
    repositories: createInformer<GitRepository>(deps, {
      resource: GITREPOSITORIES,
      watchSeconds,
      namespace,
      fieldSelector: `metadata.name=${repository}`,
    }),
    artifacts: createInformer<ExternalArtifact>(deps, { resource: EXTERNALARTIFACTS, watchSeconds, namespace }),
  };
}

function wirePublisher(
  wiring: SourceParts & Informers & { readonly direct: ReturnType<typeof wireDirect> | undefined },
  config: SourceConfig,
): Publisher {
  const { client, clock, log, store, gunzip, repositories, artifacts, tenants } = wiring;
  const { namespace, repository, limits, environment } = config;
  const events = createEventRecorder(wiring, {
    reportingController: `${GROUP}/source`,
    reportingInstance: 'sublet-source',
  });
  return createPublisher(
    {
      clock,
      log,
      repositories,
      artifacts,
      observeTenants: () => observeTenants(tenants),
      heads: createHeadReader(
        {
          clock,
          log,
          direct: wiring.direct,
          artifacts: createTreeLoader(wiring, {
            environment,
            limits,
            fetchTimeoutMs: config.fetchTimeoutMs,
            isNamespace: isTenantNamespace,
          }),
        },
        environment,
      ),
      evaluator: createEvaluator({
        store,
        clock,
        check: checkResource,
        limits,
        allowedGitHosts: config.allowedGitHosts,
      }),
      store,
      gunzip,
      writer: createArtifactWriter({ client, clock, artifacts }, { namespace, repository }),
      metrics: wiring.sourceMetrics,
      spend: (object, revision, signal) =>
        spendConfirmation(client, object, { annotation: CONFIRM_ANNOTATION, revision }, signal),
      warn: (object, reason, note) => events.event(object, { type: 'Warning', reason, note, action: 'Publish' }),
    },
    {
      namespace,
      repository,
      limits,
      confirmAnnotation: CONFIRM_ANNOTATION,
      baseUrl: wiring.baseUrl,
      shrinkRule: config.shrink,
      concurrency: config.concurrency,
      archiveKeepMs: config.archiveKeepMs,
      volumeCheckMs: config.volumeCheckMs,
    },
  );
}

/** Everything that can change what is published leads to one key: a pass always looks at the whole. */
function createFleetController(
  deps: SourceDeps,
  informers: Informers,
  publisher: Publisher,
  config: SourceConfig,
): Controller {
  const pace = createPace(deps.clock);
  const map = (): readonly string[] => [fleetKey(config)];
  const isNewSpec = (old: KubeObject, now: KubeObject): boolean => old.metadata.generation !== now.metadata.generation;
  return createController(deps, {
    name: 'fleet',
    workers: 1,
    watches: [
      watchOf({ informer: informers.repositories, map, predicate: { onUpdate: isNewRevisionOrWish } }),
      // What a pass wrote is what it wanted.
      watchOf({ informer: informers.artifacts, map, ownWrites: false }),
      watchOf({ informer: informers.tenants, map, predicate: { onUpdate: isNewSpec } }),
    ],
    reconcile: (_key, signal) => pace(() => publisher.publish(signal), signal),
    backoff: { baseMs: 200, maxMs: 60_000 },
  });
}

/** Source-controller writes much into a status; this is what matters here. */
function isNewRevisionOrWish(old: GitRepository, now: GitRepository): boolean {
  const read = ({ metadata, status }: GitRepository) => [
    metadata.uid,
    metadata.generation,
    metadata.annotations?.[CONFIRM_ANNOTATION],
    metadata.annotations?.[ANNOTATION_REQUESTED_AT],
    status?.artifact?.revision,
    status?.artifact?.digest,
    status?.artifact?.url,
  ];
  return read(old).join('\n') !== read(now).join('\n');
}

function fleetKey({ namespace, repository }: SourceConfig): string {
  return `${namespace}/${repository}`;
}

/** `sublet-root`, or what `tenantNamespace` can give. */
export function isTenantNamespace(name: string): boolean {
  return name === ROOT_NAMESPACE || /^(?=.{3,63}$)(t|th)-[a-z0-9]+(--?[a-z0-9]+)*$/.test(name);
}

function observeTenants(tenants: Informer<Tenant & KubeObject>): readonly ClusterTenant[] | undefined {
  if (!tenants.hasSynced()) return undefined;
  return tenants.list().map(({ metadata, spec }) => ({
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    id: spec.id,
    type: spec.type,
    source: spec.source?.type,
  }));
}
