import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Journal } from '../gitops/journal.ts';
import type { Client } from '../kube/client.ts';
import { type Clock, type Random, sleep, type Timer } from '../kube/clock.ts';
import { renderError } from '../kube/errors.ts';
import { startHttpServer } from '../kube/httpserver.ts';
import type { Metrics } from '../kube/metrics.ts';
import type { Store } from '../store/store.ts';
import { type AppDeps, buildApp } from './app.ts';
import { createAuthenticate } from './authenticate/authenticate.ts';
import { createTokenVerifier, type Fetch } from './authenticate/oidc.ts';
import { createCaches, type RunningCaches } from './caches.ts';
import { createCommitLog } from './commits.ts';
import type { ApiConfig } from './config.ts';
import { createCursors } from './cursor.ts';
import { type RunningDelivery, startDelivery } from './delivery/delivery.ts';
import { createRateLimiter } from './ratelimit.ts';
import { createInvitationRecords } from './records/invitations.ts';
import { createKeyRecords } from './records/keys.ts';
import { createLinkRecords } from './records/links.ts';
import { shareSecret } from './records/sharedsecret.ts';
import { startTelemetry } from './telemetry.ts';
import { createTree } from './tree.ts';
import { createEndpoints } from './webhooks/endpoints.ts';
import { createOutbox } from './webhooks/outbox.ts';
import { startWebhooks } from './webhooks/webhooks.ts';

/** What the API server gets from outside. */
export type ApiServerDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly journal: Journal;
  /** For the documents and keys of issuers. */
  readonly fetch: Fetch;
  /** Search path for git. Absent: this process accepts changes, and others carry them out. */
  readonly gitPath?: string | undefined;
  /** Where spans go, by OTLP/HTTP; absent: nowhere. */
  readonly traceEndpoint?: string | undefined;
};

export type RunningApi = {
  /** Where the API listens. */
  readonly address: string;
  readonly port: number;
  readonly manage: { readonly address: string; readonly port: number };
  /** Resolves when the caches hold the cluster's state. */
  ready(): Promise<void>;
  /** Resolves when all has stopped after the signal aborted. */
  readonly stopped: Promise<void>;
};

const READY_POLL_MS = 20;

/** Starts the API. After the signal it is not ready any more, ends what waits, finishes what runs, and closes; at the latest after `drainSeconds`. */
export async function startApi(deps: ApiServerDeps, config: ApiConfig, signal: AbortSignal): Promise<RunningApi> {
  const caches = createCaches(deps, config);
  const stopping = new AbortController();
  const tree = createTree(caches, config);
  let delivery: RunningDelivery | undefined;
  const commits =
    deps.gitPath === undefined
      ? undefined
      : createCommitLog({
          ...deps,
          open: async (id) => delivery?.repositories.read(id),
          locate: (id) => delivery?.repositories.locate(id) ?? '',
        });
  const { traceEndpoint } = deps;
  const telemetry = traceEndpoint === undefined ? undefined : startTelemetry({ ...deps, fetch }, traceEndpoint);
  const app = await assembleApp(deps, config, { caches, tree, commits, telemetry }, stopping.signal);
  const reading = new AbortController();
  const manage = await startHttpServer({
    ...config.manage,
    metrics: deps.metrics,
    log: deps.log,
    healthChecks: new Map([['ping', () => {}]]),
    readyChecks: buildReadyChecks(deps, caches, signal),
  });
  const caching = caches.start(reading.signal);
  const { gitPath } = deps;
  const ready = (): Promise<void> => waitForCaches(deps.clock, caches, signal);
  try {
    if (gitPath !== undefined) delivery = await startDelivery({ ...deps, caches, path: gitPath }, config);
    await app.listen({ host: config.listen.address, port: config.listen.port });
  } catch (error) {
    await delivery?.stop();
    reading.abort();
    await Promise.all([caching, manage.close()]);
    throw error;
  }
  const webhooks = startWebhooks({ ...deps, caches, tree }, config);
  const bound = app.server.address() as AddressInfo;
  const stopped = untilAborted(signal).then(async () => {
    await drain(deps, app, stopping, config.drainSeconds * 1_000);
    await Promise.all([delivery?.stop(), webhooks.stop(), commits?.close(), telemetry?.stop()]);
    reading.abort();
    await Promise.all([caching, manage.close()]);
  });
  return {
    address: bound.address,
    port: bound.port,
    manage: { address: manage.address, port: manage.port },
    ready,
    stopped,
  };
}

async function assembleApp(
  deps: ApiServerDeps,
  config: ApiConfig,
  {
    caches,
    tree,
    commits,
    telemetry,
  }: Pick<AppDeps, 'tree' | 'commits' | 'telemetry'> & { readonly caches: RunningCaches },
  stopping: AbortSignal,
): Promise<FastifyInstance> {
  const { db } = deps.store;
  const keys = createKeyRecords(db);
  const tokens = createTokenVerifier(deps, config.issuers);
  const app = buildApp(
    {
      ...deps,
      config,
      caches,
      stopping,
      tree,
      commits,
      telemetry,
      keys,
      links: createLinkRecords(db),
      invitations: createInvitationRecords(db),
      endpoints: createEndpoints(db),
      outbox: createOutbox(deps.store),
      cursors: createCursors(await shareSecret(db, 'cursors', deps.random)),
      limiter: createRateLimiter(deps.clock),
      authenticate: createAuthenticate({ ...deps, tokens, keys }),
      lack: () => caches.lack(),
    },
    { trustedProxies: config.trustedProxies },
  );
  await app.ready();
  return app;
}

function buildReadyChecks({ store }: ApiServerDeps, caches: RunningCaches, signal: AbortSignal) {
  return new Map<string, () => void | Promise<void>>([
    [
      'caches',
      () => {
        const lack = caches.lack();
        if (lack !== undefined) throw new Error(lack);
      },
    ],
    [
      'store',
      async () => {
        const health = await store.health();
        if (!health.ok) throw new Error(health.message);
      },
    ],
    [
      'stopping',
      () => {
        if (signal.aborted) throw new Error('the server is stopping');
      },
    ],
  ]);
}

async function waitForCaches(clock: Clock, caches: RunningCaches, signal: AbortSignal): Promise<void> {
  while (caches.lack() !== undefined) await sleep(clock, READY_POLL_MS, signal);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** How often connections are looked at that have answered their last request and would be kept alive. */
const SWEEP_MS = 50;

/** What waits for changes ends at once with what is known; requests that run are finished, or cut when the time is over. */
async function drain(
  { clock, log }: ApiServerDeps,
  app: FastifyInstance,
  stopping: AbortController,
  drainMs: number,
): Promise<void> {
  stopping.abort();
  let timer: Timer | undefined;
  const sweep = (leftMs: number): void => {
    if (leftMs > 0) {
      app.server.closeIdleConnections();
      timer = clock.setTimeout(() => sweep(leftMs - SWEEP_MS), SWEEP_MS);
      return;
    }
    log.warn({ drainMs }, 'requests were cut at the end of the time to drain');
    app.server.closeAllConnections();
  };
  const closed = app.close();
  sweep(drainMs);
  await closed.catch((error: unknown) => log.warn({ err: renderError(error) }, 'closing the server failed'));
  clock.clearTimeout(timer);
}
