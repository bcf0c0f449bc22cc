import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { KINDS } from '../../crds/v1alpha1/resources.ts';
import type { Target } from '../../gitops/intent.ts';
import type { Journal } from '../../gitops/journal.ts';
import { FLEET_REPOSITORY, fleetFolder } from '../../gitops/layout.ts';
import { createHistory } from '../../gitops/tracker/history.ts';
import type { LiveObject } from '../../gitops/tracker/progress.ts';
import { startTracker } from '../../gitops/tracker/tracker.ts';
import { startWriter } from '../../gitops/writer/writer.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import type { Informer } from '../../kube/informer.ts';
import type { Metrics } from '../../kube/metrics.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { RunningCaches } from '../caches.ts';
import type { ApiConfig } from '../config.ts';
import { createTree, type Tree } from '../tree.ts';
import { readSetting } from './access.ts';
import { claimCopies, isProcessAlive } from './copies.ts';
import { createDryRun, nameFluxAccount } from './dryrun.ts';
import { createFluxCaches } from './fluxcaches.ts';
import { readToken } from './forge.ts';
import { measureJournal, showBacklog } from './metrics.ts';
import { createRepositories, type Repositories } from './repositories.ts';

export type DeliveryDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** The API's own, which somebody else starts. */
  readonly caches: RunningCaches;
  /** Search path for git. */
  readonly path: string;
};

export type RunningDelivery = {
  /** Opens a repository for reading, for audit. */
  readonly repositories: Repositories;
  /** Ends what runs. What was accepted stays in the journal. */
  stop(): Promise<void>;
};

/** In whose name what Flux cannot apply is taken back. */
const SUBLET = { subject: 'sublet', name: 'Sublet', email: 'noreply@sublet.invalid' };

/**
 * Carries accepted changes to the branch, and follows them to the cluster. Every replica of the API runs it: leases say who writes, and following may be done
 * twice. Rejects when a file that the settings name, or the folder for copies, cannot be used.
 */
export async function startDelivery(deps: DeliveryDeps, config: ApiConfig): Promise<RunningDelivery> {
  const { client, clock, random, log, metrics, caches } = deps;
  const journal = measureJournal(deps.journal, metrics);
  const { fleetNamespace, watchSeconds, environment, git } = config;
  const place = { fleetNamespace, fleetRepository: git.fleetRepository };
  await checkFiles(git);
  const { folder } = git;
  const copies = await claimCopies({ folder, host: hostname(), pid: process.pid, isAlive: isProcessAlive });
  const flux = createFluxCaches(deps, { ...place, watchSeconds });
  const tree = createTree(caches, config);
  const dryRun = createDryRun(
    client,
    KINDS.map(({ resource }) => resource),
    (namespace) => nameFluxAccount(namespace, { isOwn: isOwn(tree, namespace), fleetNamespace }),
  );
  const repositories = createRepositories(
    { client, clock, metrics, flux, tree, dryRun, copies },
    { ...place, ...git, environment, path: deps.path },
  );
  const reading = new AbortController();
  const caching = flux.start(reading.signal);
  const isSynced = (): boolean => flux.hasSynced() && caches.lack() === undefined;
  const open = async (id: string) => {
    if (!isSynced()) throw new Error('the caches are not read yet');
    return repositories.open(id);
  };
  const holder = `${hostname()}_${Buffer.from(random.bytes(8)).toString('hex')}`;
  const writer = startWriter({ journal, clock, random, log, open }, { holder, reviewMs: git.reviewSeconds * 1_000 });
  const history = createHistory((id) => repositories.read(id), { locate: repositories.locate });
  const tracker = startTracker({
    journal,
    clock,
    log,
    isSynced,
    folderOf: (namespace) => flux.folderOf(namespace, isOwn(tree, namespace)),
    liveOf: (target) => findLive(caches, target),
    contains: history.contains,
    // Of a tenant's own repository, Flux applies every commit as a revision of its own.
    isSame: async (id, namespace, between) =>
      id === FLEET_REPOSITORY && (await history.isSame(id, fleetFolder(environment, namespace), between)),
    compensator: SUBLET,
  });
  const stopShowing = showBacklog({ journal, clock, log, metrics });
  const stopListening = [flux.onChange(tracker.wake), caches.onChange(tracker.wake)];
  return {
    repositories,
    stop: async () => {
      for (const stop of stopListening) stop();
      await Promise.all([writer.stop(), tracker.stop(), stopShowing()]);
      await history.close();
      reading.abort();
      await caching;
    },
  };
}

/** A wrong path is told at the start, and not by the first order that waits for it. */
async function checkFiles({ forge, authorityFile }: ApiConfig['git']): Promise<void> {
  if (forge !== undefined) await readToken(forge);
  if (authorityFile !== undefined) await readSetting('git.authorityFile', authorityFile);
}

function isOwn(tree: Tree, namespace: string): boolean {
  return tree.owner(namespace)?.tenant?.spec.source?.type === 'Repository';
}

function findLive(caches: RunningCaches, { kind, namespace, name }: Target): LiveObject | undefined {
  const byKind: Readonly<Record<string, Pick<Informer<KubeObject>, 'get'>>> = {
    Tenant: caches.tenants,
    Plan: caches.plans,
    Quota: caches.quotas,
    RDPInstance: caches.desktops,
  };
  return byKind[kind]?.get(`${namespace}/${name}`) as LiveObject | undefined;
}
