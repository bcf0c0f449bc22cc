import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import { realClock, realRandom } from '../../kube/clock.ts';
import { installAdmission } from '../../simulator/apiserver/admission/install.ts';
import { startControllers } from '../../simulator/apiserver/controllers/index.ts';
import { serveHttps } from '../../simulator/apiserver/https.ts';
import { openJournal } from '../../simulator/apiserver/journal.ts';
import type { UserInfo } from '../../simulator/apiserver/kinds.ts';
import { renderKubeconfig } from '../../simulator/apiserver/kubeconfig.ts';
import { type ApiServer, createApiServer } from '../../simulator/apiserver/server.ts';
import { ADMIN, accessInProcess } from './access.ts';
import { type Identity, loadIdentity } from './identity.ts';
import { nameTaken, startWorld, type World, type WorldDeps, type WorldOptions } from './world.ts';

export type EmbeddedOptions = WorldOptions & {
  /** Where the API server listens; 0 picks a free port. */
  readonly apiPort: number;
};

export type EmbeddedWorld = World & {
  readonly url: string;
  readonly kubeconfigPath: string;
  readonly server: ApiServer;
};

const HOST = '127.0.0.1';

/** Starts an API server in this process and Sublet on it. Rejects, with everything stopped again, when something cannot be had. */
export async function startEmbeddedWorld(
  deps: Omit<WorldDeps, 'access'>,
  options: EmbeddedOptions,
): Promise<EmbeddedWorld> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  deps.step('starting the embedded API server');
  const identity = await loadIdentity(folder, HOST, realClock.now());
  const { server, stop: stopServer } = startServer(deps.log, identity, path.join(folder, 'apiserver'));
  const access = accessInProcess(server);
  const undo: (() => Promise<void>)[] = [stopServer, access.close];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const https = await listen({ server, log: deps.log, identity }, options.apiPort);
    undo.push(https.close);
    const kubeconfigPath = path.join(folder, 'kubeconfig');
    const { cert: ca, token } = identity;
    const config = renderKubeconfig({ url: https.url, ca, user: ADMIN.username, token }, 'sublet-dev');
    await writeFile(kubeconfigPath, config, { mode: 0o600 });
    const world = await startWorld({ ...deps, access }, options);
    undo.push(world.stop);
    return { ...world, url: https.url, kubeconfigPath, server, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The API server, with its state in the folder, its controllers and admission. */
function startServer(
  log: Logger,
  { tokenKey }: Identity,
  folder: string,
): { readonly server: ApiServer; readonly stop: () => Promise<void> } {
  const deps = { clock: realClock, random: realRandom, log: log.child({ role: 'apiserver' }) };
  const journal = openJournal({ folder });
  const server = createApiServer(deps, { tokenKey, journal });
  const admission = installAdmission(server);
  const controllers = startControllers({ ...deps, server });
  return {
    server,
    stop: async () => {
      await controllers.stop();
      await admission.close();
      server.close();
      journal.close();
    },
  };
}

function listen(
  { server, log, identity }: { readonly server: ApiServer; readonly log: Logger; readonly identity: Identity },
  port: number,
) {
  const authenticate = (token: string): UserInfo | undefined =>
    token === identity.token ? ADMIN : server.core.tokens.verify(token, realClock.now());
  const { key, cert } = identity;
  return nameTaken(
    `port ${port} for the API server`,
    serveHttps({ server, log, authenticate }, { host: HOST, port, key, cert }),
  );
}
