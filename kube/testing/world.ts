import { CONFIGMAPS, EVENTS, LEASES, SECRETS } from '../builtin.ts';
import { type Client, createClient } from '../client.ts';
import { createMetrics } from '../metrics.ts';
import type { KubeObject, Resource } from '../object.ts';
import { type FakeApiServer, startFakeApiServer } from './fakeapiserver.ts';
import { createFakeClock, createFakeRandom } from './fakeclock.ts';
import { createTestLog } from './testlog.ts';

export type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> | undefined };

/** A kind of the tests' own, cluster-scoped. */
export const WIDGETS: Resource = {
  group: 'x.dev',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: false,
};

/** A fake API server with a client on a fake clock. */
export async function createWorld() {
  const server: FakeApiServer = await startFakeApiServer([CONFIGMAPS, SECRETS, LEASES, EVENTS, WIDGETS]);
  const clock = createFakeClock();
  const random = createFakeRandom();
  const { log, lines } = createTestLog();
  const metrics = createMetrics();
  const { kubeConfig } = server;
  const { client, pending } = countCalls(createClient({ kubeConfig, clock, random, log, metrics }));
  return {
    server,
    clock,
    random,
    log,
    lines,
    metrics,
    client,
    /** How many calls wait for their answer; watches do not count. */
    pending,
    deps: { client, clock, random, log, metrics },
    close: async (): Promise<void> => {
      await client.close();
      await server.close();
    },
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;

function countCalls(client: Client): { readonly client: Client; readonly pending: () => number } {
  let pending = 0;
  const count = async <R>(call: () => Promise<R>): Promise<R> => {
    pending += 1;
    try {
      return await call();
    } finally {
      pending -= 1;
    }
  };
  const counted: Client = {
    ...client,
    get: (...args) => count(() => client.get(...args)),
    list: (...args) => count(() => client.list(...args)),
    create: (...args) => count(() => client.create(...args)),
    update: (...args) => count(() => client.update(...args)),
    apply: (...args) => count(() => client.apply(...args)),
    patch: (...args) => count(() => client.patch(...args)),
    delete: (...args) => count(() => client.delete(...args)),
  };
  return { client: counted, pending: () => pending };
}

export function configMap(
  name: string,
  data: Readonly<Record<string, string>> = {},
  labels?: Record<string, string>,
): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'n', name, ...(labels === undefined ? {} : { labels }) },
    data,
  };
}
