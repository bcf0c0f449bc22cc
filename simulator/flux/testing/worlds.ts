import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Client, createClient, createClientOn } from '../../../kube/client.ts';
import { realClock, realRandom } from '../../../kube/clock.ts';
import type { Cluster } from '../../../test/cluster/contract.ts';
import { isAllowed } from '../../../test/support/rights.ts';
import { startControllers } from '../../apiserver/controllers/index.ts';
import { createApiServer } from '../../apiserver/server.ts';
import { createInProcessTransport } from '../../apiserver/transport.ts';
import { startGitServer } from '../../git/server.ts';
import { createSelfSignedCertificate } from '../../rdp/certificate.ts';
import { openHttpUrl, startArtifactServer } from '../artifactserver.ts';
import { createGitReader } from '../git/binary.ts';
import { createImpersonation, type Impersonation } from '../impersonate.ts';
import { type FluxSimulator, startFluxSimulator } from '../simulator.ts';
import { installGizmos, removeGizmos } from './gizmo.ts';
import type { World } from './stage.ts';

export type RunningWorld = World & { stop(): Promise<void> };

const log = pino({ level: 'fatal' }, pino.destination(2));
const deps = { clock: realClock, random: realRandom, log };

/** A real API server with Flux's own programs. */
export async function openRealWorld(cluster: Cluster): Promise<RunningWorld> {
  const feeds = await openFeeds('real');
  const client = createClient({ ...deps, kubeConfig: cluster.kubeConfig });
  await installGizmos(client);
  return {
    ...feeds,
    client,
    isAllowed: (username, namespace) => mayPatch(cluster, username, namespace),
    stop: async () => {
      await removeGizmos(client);
      await client.close();
      await feeds.stop();
    },
  };
}

/** A real API server without Flux, with the simulated one. */
export async function openPlayedWorld(cluster: Cluster): Promise<RunningWorld> {
  const feeds = await openFeeds('played');
  const client = createClient({ ...deps, kubeConfig: cluster.kubeConfig });
  const accounts = createImpersonation((user) => createClient({ ...deps, kubeConfig: cluster.userKubeConfig(user) }));
  const simulator = await startFlux(feeds, client, accounts.clientFor);
  return {
    ...feeds,
    client,
    isAllowed: (username, namespace) => mayPatch(cluster, username, namespace),
    stop: async () => {
      await simulator.stop();
      await Promise.all([client.close(), accounts.close()]);
      await feeds.stop();
    },
  };
}

function mayPatch({ admin }: Cluster, username: string, namespace: string): Promise<boolean> {
  return isAllowed(admin, username, { verb: 'patch', resource: 'configmaps', namespace });
}

/** The embedded API server with the simulated Flux. */
export async function openEmbeddedWorld(): Promise<RunningWorld> {
  const feeds = await openFeeds('embedded');
  const server = createApiServer(deps);
  const connect = (username: string, groups: readonly string[], userAgent: string): Client => {
    const user = { username, groups };
    return createClientOn(createInProcessTransport({ ...deps, server }, { user, userAgent }));
  };
  const client = connect('admin', ['system:masters'], 'sublet-kube');
  const controllers = startControllers({ ...deps, server });
  const accounts = createImpersonation((user) => connect(user, ['system:serviceaccounts'], 'kustomize-controller'));
  const simulator = await startFlux(feeds, client, accounts.clientFor);
  await installGizmos(client);
  return {
    ...feeds,
    client,
    stop: async () => {
      await simulator.stop();
      await controllers.stop();
      await Promise.all([client.close(), accounts.close()]);
      server.close();
      await feeds.stop();
    },
  };
}

/** Reads by the git binary and over HTTP. */
async function startFlux(feeds: Feeds, client: Client, clientFor: Impersonation['clientFor']): Promise<FluxSimulator> {
  const git = createGitReader({ folder: join(feeds.folder, 'clones') });
  const artifacts = await feeds.serve();
  const openUrl = openHttpUrl;
  return startFluxSimulator({ ...deps, client, clientFor, git, artifacts, openUrl }, { requeueDependencyMs: 5_000 });
}

type Feeds = Awaited<ReturnType<typeof openFeeds>>;

/** A git server, an artifact server and a folder. */
async function openFeeds(world: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sublet-flux-'));
  const repositories = join(folder, 'git');
  const git = await startGitServer(repositories);
  const tls = createSelfSignedCertificate('git', Date.now() - 3_600_000, ['127.0.0.1']);
  const credentials = { username: 'flux', password: 'pass:word' };
  const secureGit = await startGitServer(repositories, { tls, credentials });
  const servers = [await startArtifactServer()];
  const [host] = servers;
  if (host === undefined) throw new Error('there is no artifact server');
  return {
    folder: join(folder, 'work'),
    host,
    gitRemote: (name: string) => git.remote(`${world}-${name}`),
    secure: { url: secureGit.url, ca: tls.cert, ...credentials },
    serve: async () => {
      const server = await startArtifactServer();
      servers.push(server);
      return server;
    },
    stop: async () => {
      await Promise.all([git.stop(), secureGit.stop()]);
      await Promise.all(servers.map((server) => server.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
