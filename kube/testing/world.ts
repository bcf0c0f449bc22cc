import { CONFIGMAPS, EVENTS, LEASES, SECRETS } from '../builtin.ts';
import { createClient } from '../client.ts';
import { createMetrics } from '../metrics.ts';
import type { KubeObject, Resource } from '../object.ts';
import { type FakeApiServer, startFakeApiServer } from './fakeapiserver.ts';
import { createFakeClock, createFakeRandom } from './fakeclock.ts';
import { createTestLog } from './testlog.ts';
import { until } from './until.ts';
import { observeWire } from './wire.ts';

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
  const wire = observeWire(server);
  const client = createClient({ kubeConfig, clock, random, log, metrics });
  return {
    server,
    clock,
    random,
    log,
    lines,
    metrics,
    client,
    /**
     * Resolves when no request and no answer is on its way, so that all that waits waits for the clock. The sockets are real and take their time on a busy machine:
     * virtual time that passes beside them would count it.
     */
    answered: (): Promise<void> => until('the answers', wire.isQuiet),
    deps: { client, clock, random, log, metrics },
    close: async (): Promise<void> => {
      await client.close();
      wire.stop();
      await server.close();
    },
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;

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
