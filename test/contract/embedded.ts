import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { realClock as clock, realRandom as random } from '../../kube/clock.ts';
import { installAdmission } from '../../simulator/apiserver/admission/install.ts';
import { startControllers } from '../../simulator/apiserver/controllers/index.ts';
import { serveHttps } from '../../simulator/apiserver/https.ts';
import { renderKubeconfig } from '../../simulator/apiserver/kubeconfig.ts';
import { type ApiServer, createApiServer } from '../../simulator/apiserver/server.ts';
import { createSelfSignedCertificate } from '../../simulator/rdp/certificate.ts';
import type { Invocation } from '../cluster/binaries.ts';
import { runKubectl } from './kubectl.ts';
import { connectServer, type Server } from './server.ts';

const HOST = '127.0.0.1';
const TOKEN = 'contract-token';
/** As the real server's administrator. */
export const ADMIN = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** The embedded API server with its admission and controllers, over HTTPS. */
export type Embedded = {
  readonly server: Server;
  /** The same one, for whoever reaches it without a socket. */
  readonly api: ApiServer;
  readonly kubeconfigPath: string;
  readonly ca: string;
  close(): Promise<void>;
};

export async function startEmbedded(kubectl: Invocation | undefined): Promise<Embedded> {
  const log = pino({ level: process.env.SUBLET_CONTRACT_LOG ?? 'error' }, pino.destination(2));
  const api = createApiServer({ clock, random, log });
  const admission = installAdmission(api);
  const controllers = startControllers({ clock, random, log, server: api });
  const { key, cert } = createSelfSignedCertificate('contract', clock.now() - 60_000, [HOST]);
  const authenticate = (token: string) => (token === TOKEN ? ADMIN : api.core.tokens.verify(token, clock.now()));
  const https = await serveHttps({ server: api, log, authenticate }, { host: HOST, port: 0, key, cert });
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-contract-'));
  const kubeconfigPath = path.join(folder, 'kubeconfig');
  const access = { url: https.url, ca: cert, user: ADMIN.username, token: TOKEN };
  await writeFile(kubeconfigPath, renderKubeconfig(access, 'contract'), { mode: 0o600 });
  const server = connectServer({
    url: https.url,
    ca: cert,
    token: TOKEN,
    kubectl: (args, input) => runKubectl(kubectl, kubeconfigPath, args, input),
    compact: async () => api.core.store.compact(),
  });
  return {
    server,
    api,
    kubeconfigPath,
    ca: cert,
    close: async () => {
      await server.close();
      await controllers.stop();
      await admission.close();
      api.close();
      await https.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
