import { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { type Client, createClientOn } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { isNotFound } from '../../kube/errors.ts';
import { createTransport, type Transport } from '../../kube/transport.ts';
import type { UserInfo } from '../../simulator/apiserver/kinds.ts';
import type { ApiServer } from '../../simulator/apiserver/server.ts';
import { createInProcessTransport } from '../../simulator/apiserver/transport.ts';

export type Account = { readonly namespace: string; readonly name: string };

/** A cluster as its administrator has it, who may act as any ServiceAccount. */
export type Access = {
  readonly admin: Client;
  /** The JSON at a path; undefined where nothing is. */
  get(path: string): Promise<unknown>;
  /** One client an account, which lives as long as the access. */
  clientFor(account: Account): Client;
  close(): Promise<void>;
};

export const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** The API server in this process. */
export function accessInProcess(server: ApiServer): Access {
  const deps = { server, clock: realClock, random: realRandom };
  return createAccess((account) => {
    if (account === undefined) return createInProcessTransport(deps, { user: ADMIN, userAgent: 'kubectl' });
    const { namespace, name } = account;
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
    return createInProcessTransport(deps, { user: { username: usernameOf(account), groups }, userAgent: name });
  });
}

/** The cluster of a kubeconfig's current context; ServiceAccounts are impersonated. Throws an Error when there is no such context. */
export function accessByKubeConfig(kubeConfig: KubeConfig, log: Logger): Access {
  const [cluster, user] = [kubeConfig.getCurrentCluster(), kubeConfig.getCurrentUser()];
  if (cluster === null || user === null)
    throw new Error('the kubeconfig has no current context with a cluster and a user');
  const deps = { clock: realClock, random: realRandom, log };
  return createAccess((account) => {
    if (account === undefined)
      return createTransport({ ...deps, kubeConfig }, { connections: 32, userAgent: 'sublet-demo' });
    const acting = new KubeConfig();
    acting.loadFromClusterAndUser(cluster, { ...user, impersonateUser: usernameOf(account) });
    return createTransport({ ...deps, kubeConfig: acting }, { connections: 8, userAgent: account.name });
  });
}

function usernameOf({ namespace, name }: Account): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

function createAccess(connect: (account: Account | undefined) => Transport): Access {
  const transport = connect(undefined);
  const admin = createClientOn(transport);
  const clients = new Map<string, Client>();
  return {
    admin,
    get: async (path) => {
      try {
        const request = { method: 'GET', verb: 'get', call: `get ${path}`, accept: 'application/json' } as const;
        const body = await transport.call({ ...request, path, idempotent: true, timeoutMs: CALL_TIMEOUT_MS });
        return JSON.parse(body.toString('utf8')) as unknown;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    clientFor: (account) => {
      const username = usernameOf(account);
      const client = clients.get(username) ?? createClientOn(connect(account));
      clients.set(username, client);
      return client;
    },
    close: async () => {
      for (const client of [...clients.values(), admin]) await client.close();
    },
  };
}

const CALL_TIMEOUT_MS = 30_000;
