import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Client, createClient, createClientOn } from '../../../kube/client.ts';
import { realClock, realRandom } from '../../../kube/clock.ts';
import type { Cluster } from '../../../test/cluster/contract.ts';
import { startControllers } from '../../apiserver/controllers/index.ts';
import { createApiServer } from '../../apiserver/server.ts';
import { createInProcessTransport } from '../../apiserver/transport.ts';
import { startGitServer } from '../../git/server.ts';
import { openHttpUrl, startArtifactServer } from '../artifactserver.ts';
import { createGitReader } from '../git/binary.ts';
import { createImpersonation } from '../impersonate.ts';
import { startFluxSimulator } from '../simulator.ts';
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
    stop: async () => {
      await removeGizmos(client);
      await client.close();
      await feeds.stop();
    },
  };
}

/** The embedded API server with the simulated Flux, which reads by the git binary and over HTTP. */
export async function openEmbeddedWorld(): Promise<RunningWorld> {
  const feeds = await openFeeds('embedded');
  const server = createApiServer(deps);
  const clients: Client[] = [];
  const connect = (username: string, groups: readonly string[], userAgent: string): Client => {
    const user = { username, groups };
    const client = createClientOn(createInProcessTransport({ ...deps, server }, { user, userAgent }));
    clients.push(client);
    return client;
  };
  const admin = () => connect('admin', ['system:masters'], 'sublet-kube');
  const controllers = startControllers({ ...deps, server });
  const simulator = await startFluxSimulator(
    {
      ...deps,
      client: admin(),
      clientFor: createImpersonation((user) => connect(user, ['system:serviceaccounts'], 'kustomize-controller'))
        .clientFor,
      git: createGitReader({ folder: join(feeds.folder, 'clones') }),
      artifacts: await feeds.serve(),
      openUrl: openHttpUrl,
    },
    { requeueDependencyMs: 5_000 },
  );
  const client = admin();
  await installGizmos(client);
  return {
    ...feeds,
    client,
    stop: async () => {
      await simulator.stop();
      await controllers.stop();
      await Promise.all(clients.map((client) => client.close()));
      server.close();
      await feeds.stop();
    },
  };
}

/** A git server, an artifact server and a folder. */
async function openFeeds(world: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sublet-flux-'));
  const git = await startGitServer(join(folder, 'git'));
  const servers = [await startArtifactServer()];
  const [host] = servers;
  if (host === undefined) throw new Error('there is no artifact server');
  return {
    folder: join(folder, 'work'),
    host,
    gitRemote: (name: string) => git.remote(`${world}-${name}`),
    serve: async () => {
      const server = await startArtifactServer();
      servers.push(server);
      return server;
    },
    stop: async () => {
      await git.stop();
      await Promise.all(servers.map((server) => server.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
