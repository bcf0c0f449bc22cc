import type { Client } from '../../kube/client.ts';
import type { ServiceAccountKey } from './kustomization.controller.ts';

export type Impersonation = {
  /** The same client for the same account. */
  readonly clientFor: (account: ServiceAccountKey) => Client;
  /** Closes every client that was made. */
  close(): Promise<void>;
};

/** Keeps one client an account. `connect` makes one that acts as the user, by whatever transport. */
export function createImpersonation(connect: (user: string) => Client): Impersonation {
  const clients = new Map<string, Client>();
  return {
    clientFor: ({ namespace, name }) => {
      const user = `system:serviceaccount:${namespace}:${name}`;
      const client = clients.get(user) ?? connect(user);
      clients.set(user, client);
      return client;
    },
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
      clients.clear();
    },
  };
}
