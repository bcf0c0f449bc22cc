import { type Client, createClientOn, type WatchLine, type WatchOptions } from '../../../kube/client.ts';
import type { KubeObject, Resource } from '../../../kube/object.ts';
import { createFakeClock, createFakeRandom, type FakeClock } from '../../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../../kube/testing/testlog.ts';
import type { Interceptor } from '../faults.ts';
import { type ApiServer, createApiServer } from '../server.ts';
import { createInProcessTransport } from '../transport.ts';

export type World = {
  readonly clock: FakeClock;
  readonly server: ApiServer;
  readonly client: Client;
  /** Another client, whose calls go wrong as told. */
  connect(intercept: Interceptor, latencyMs?: () => number): Client;
};

const USER = { username: 'tester', groups: ['system:masters'] };

/** A server on a clock that stands still. */
export function createWorld(historyEvents?: number): World {
  const clock = createFakeClock();
  const random = createFakeRandom();
  const { log } = createTestLog();
  const server = createApiServer({ clock, random, log }, historyEvents === undefined ? {} : { historyEvents });
  const connect: World['connect'] = (intercept, latencyMs) => {
    const options = { user: USER, userAgent: 'test/1', intercept, latencyMs };
    return createClientOn(createInProcessTransport({ server, clock, random }, options));
  };
  return { clock, server, client: connect({}), connect };
}

export type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };

export function configMap(
  name: string,
  data: Readonly<Record<string, string>> = {},
  labels?: Readonly<Record<string, string>>,
): ConfigMap {
  const metadata = { namespace: 'default', name, ...(labels === undefined ? {} : { labels }) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

export type Watching = {
  /** What came so far: `ADDED a`. */
  readonly seen: readonly string[];
  readonly lines: readonly WatchLine[];
  /** How it ended; undefined while it is open. */
  ended(): string | undefined;
  stop(): void;
};

export function watch(client: Client, resource: Resource, options: WatchOptions = {}): Watching {
  const stop = new AbortController();
  const seen: string[] = [];
  const lines: WatchLine[] = [];
  let end: string | undefined;
  const run = async (): Promise<void> => {
    for await (const line of client.watch(resource, { ...options, signal: stop.signal })) {
      lines.push(line);
      seen.push(`${line.type} ${line.object.metadata.name ?? ''}`.trim());
    }
  };
  run().then(
    () => {
      end = 'properly';
    },
    (error: unknown) => {
      end = error instanceof Error ? error.message : String(error);
    },
  );
  return { seen, lines, ended: () => end, stop: () => stop.abort() };
}
