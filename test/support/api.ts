import { mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Client, createClient } from '../../client/index.ts';
import type { Cluster } from '../cluster/contract.ts';
import { pickPorts } from '../cluster/ports.ts';
import { Processes } from '../cluster/processes.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const READY_MS = 300_000;
const POLL_MS = 100;
const ROLE = 'api';
const PREFIX = 'oidc:';

/** `sublet api` as a process of its own under its ServiceAccount, with an issuer that its users come from. */
export type ApiProcess = {
  readonly url: string;
  /** A token of a user of the issuer, whom the API server names `oidc:<name>`. */
  tokenFor(user: string): Promise<string>;
  clientFor(user: string): Promise<Client>;
  kill(signal: NodeJS.Signals): Promise<void>;
  startAgain(): Promise<void>;
  logTail(): string;
  stop(): Promise<void>;
};

/** Settings beyond what every test needs. */
export type ApiSettings = {
  /** A PostgreSQL that it shares with other replicas. Default: a database in its folder. */
  readonly databaseUrl?: string;
  /** Where its users come from; stopped by whoever started it. Default: one of its own. */
  readonly issuer?: Issuer;
  readonly git?: Readonly<Record<string, unknown>>;
  readonly modes?: readonly object[];
  /** Issuers besides its own, and the PEM file of a certificate to trust for them. */
  readonly issuers?: readonly object[];
  readonly caPath?: string;
};

export async function startApiProcess(
  cluster: Cluster,
  environment: string,
  { databaseUrl, issuer: given, git = {}, issuers = [], caPath, ...settings }: ApiSettings = {},
): Promise<ApiProcess> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'sublet-api-')));
  const issuer = given ?? (await startIssuer());
  const processes = new Processes(folder);
  const [port = 0, manage = 0] = await pickPorts(2);
  const kubeconfig = path.join(folder, 'api.kubeconfig');
  const access = await cluster.serviceAccountKubeConfig('sublet-system', 'sublet-api');
  await writeFile(kubeconfig, access.exportConfig(), { mode: 0o600 });
  const config = {
    environment,
    publicUrl: `http://127.0.0.1:${port}`,
    listen: { address: '127.0.0.1', port },
    manage: { address: '127.0.0.1', port: manage },
    issuers: [
      { issuerUrl: issuer.url, clientId: 'sublet', usernamePrefix: PREFIX, signingAlgorithms: ['ES256'] },
      ...issuers,
    ],
    git: { folder: path.join(folder, 'git'), protocols: ['http'], ...git },
    drainSeconds: 2,
    ...settings,
  };
  const ready = async (): Promise<void> => {
    const deadline = Date.now() + READY_MS;
    while (
      !(await fetch(`http://127.0.0.1:${manage}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (Date.now() > deadline) throw new Error(`the API is not ready\n${processes.logTail(ROLE, 4_000)}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  await processes.start({
    name: ROLE,
    command: process.execPath,
    args: [path.join(ROOT, 'cli/main.ts'), 'api'],
    env: {
      KUBECONFIG: kubeconfig,
      ...(databaseUrl === undefined
        ? { SUBLET_DATABASE_FOLDER: path.join(folder, 'database') }
        : { SUBLET_DATABASE_URL: databaseUrl }),
      SUBLET_API_CONFIG: JSON.stringify(config),
      ...(caPath === undefined ? {} : { NODE_EXTRA_CA_CERTS: caPath }),
    },
  });
  const stop = async (): Promise<void> => {
    await processes.kill(ROLE, 'SIGTERM');
    await processes.stop();
    if (given === undefined) await issuer.stop();
  };
  try {
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `http://127.0.0.1:${port}`;
  const tokenFor = (user: string): Promise<string> => issuer.sign(user.replace(PREFIX, ''));
  return {
    url,
    tokenFor,
    clientFor: async (user) => createClient({ server: url, token: await tokenFor(user) }),
    kill: (signal) => processes.kill(ROLE, signal),
    startAgain: async () => {
      await processes.startAgain(ROLE);
      await ready();
    },
    logTail: () => processes.logTail(ROLE, 8_000),
    stop,
  };
}

export type Issuer = {
  readonly url: string;
  sign(sub: string): Promise<string>;
  stop(): Promise<void>;
};

/** An OpenID Connect issuer on loopback: discovery, keys, and tokens for whoever is named. */
export async function startIssuer(): Promise<Issuer> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'key', alg: 'ES256', use: 'sig' }];
  let url = '';
  const server = createServer((request, response) => {
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': { keys },
    };
    const found = documents[request.url ?? ''];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    sign: (sub) =>
      new SignJWT({ iss: url, aud: 'sublet', sub })
        .setProtectedHeader({ alg: 'ES256', kid: 'key' })
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(pair.privateKey),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
