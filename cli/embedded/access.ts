import { type Client, createClientOn } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { Transport } from '../../kube/transport.ts';
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

/** The name under which an account calls. */
export function usernameOf({ namespace, name }: Account): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** By a way to the cluster for each account, and for the administrator where none is named. */
export function createAccess(connect: (account: Account | undefined) => Transport): Access {
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
