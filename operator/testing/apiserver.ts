import { pino } from 'pino';
import { type Client, createClientOn, type WriteOptions } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { type KubeObject, type ObjectKey, parseKey, type Resource, renderKey } from '../../kube/object.ts';
import { collectionPath, objectPath, parseList } from '../../kube/requests.ts';
import { createFakeRandom, type FakeClock } from '../../kube/testing/fakeclock.ts';
import { installAdmission } from '../../simulator/apiserver/admission/install.ts';
import { IMMEDIATE, type RunningController, startControllers } from '../../simulator/apiserver/controllers/index.ts';
import { createApiServer } from '../../simulator/apiserver/server.ts';
import { createInProcessTransport } from '../../simulator/apiserver/transport.ts';
import { askAtOnce } from './ask.ts';
import { readInstalled } from './installed.ts';

/** A mutating call of the operator. */
export type Write = { readonly verb: string; readonly kind: string; readonly key: string };

/** The embedded API server with a control plane's controllers and all definitions, and a person to call it. */
export type TestApiServer = {
  /** The operator's way to it. */
  readonly client: Client;
  /** Calls through `client` that could change something, in order. */
  readonly writes: Write[];
  /** Runs before each such call is sent; what it throws is the answer, and it may change the state as somebody else. */
  intercept: ((write: Write) => Promise<void> | void) | undefined;
  /** Creates an object as somebody else would, or replaces whatever is there. Throws what the server refuses. */
  put(resource: Resource, object: KubeObject): KubeObject;
  /** Deletes as somebody else would: finalizers are waited for. What is not there is left so. */
  remove(resource: Resource, key: string): void;
  get<T extends KubeObject>(resource: Resource, key: string): T | undefined;
  list<T extends KubeObject>(resource: Resource): readonly T[];
  /** Those that empty namespaces, count quotas and collect garbage; they run from the beginning. */
  startControllers(): void;
  stopControllers(): Promise<void>;
};

export function createTestApiServer(clock: FakeClock): TestApiServer {
  const deps = { clock, random: createFakeRandom(), log: pino({ level: 'silent' }) };
  const server = createApiServer(deps, { journal: { kept: readInstalled(), note: () => {} } });
  installAdmission(server);
  const user = { username: 'operator', groups: ['system:masters'] };
  const transport = createInProcessTransport({ ...deps, server }, { user, userAgent: 'sublet-operator' });
  const find = <T extends KubeObject>(resource: Resource, key: ObjectKey): T | undefined =>
    orAbsent(() => askAtOnce(server, 'GET', objectPath(resource, key)) as T);
  let controllers: RunningController | undefined;

  const testServer: TestApiServer = {
    client: tellWrites(createClientOn(transport), async (write) => {
      testServer.writes.push(write);
      await turn();
      await testServer.intercept?.(write);
    }),
    writes: [],
    intercept: undefined,
    put: (resource, object) => {
      const { resourceVersion: _, uid: __, ...metadata } = object.metadata;
      const live = find(resource, metadata);
      if (live === undefined)
        return askAtOnce(server, 'POST', collectionPath(resource, metadata.namespace), { ...object, metadata });
      const { resourceVersion } = live.metadata;
      const next = { ...object, metadata: { ...metadata, resourceVersion } };
      return askAtOnce(server, 'PUT', objectPath(resource, metadata), next);
    },
    remove: (resource, key) => {
      orAbsent(() => askAtOnce(server, 'DELETE', objectPath(resource, parseKey(key))));
    },
    get: (resource, key) => find(resource, parseKey(key)),
    list: <T extends KubeObject>(resource: Resource) =>
      parseList<T>(askAtOnce(server, 'GET', collectionPath(resource)), resource, 'list').items,
    startControllers: () => {
      controllers ??= startControllers({ ...deps, server }, CONTROLLERS);
    },
    stopControllers: async () => {
      await controllers?.stop();
      controllers = undefined;
    },
  };
  testServer.startControllers();
  return testServer;
}

/** As soon as possible, so that little time has to pass in tests. The operator never meets accounts named `default`. */
const CONTROLLERS = { ...IMMEDIATE, namespaces: { graceMs: 0, againMs: 1_000 }, serviceAccounts: null };

function orAbsent<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The client; `before` hears of every call that could change something, and the call waits for it. */
function tellWrites(client: Client, before: (write: Write) => Promise<void>): Client {
  const tell = (verb: string, resource: Resource, key: ObjectKey, options: WriteOptions = {}): Promise<void> => {
    const { subresource } = options;
    const what = subresource === undefined ? verb : `${verb} ${subresource}`;
    return before({ verb: what, kind: resource.kind, key: renderKey(key) });
  };
  return {
    ...client,
    create: async (resource, object, options) => {
      await tell('create', resource, object.metadata, options);
      return client.create(resource, object, options);
    },
    update: async (resource, object, options) => {
      await tell('update', resource, object.metadata, options);
      return client.update(resource, object, options);
    },
    apply: async (resource, object, options) => {
      await tell('apply', resource, object.metadata, options);
      return client.apply(resource, object, options);
    },
    patch: async (resource, key, patch, options) => {
      await tell('patch', resource, key, options);
      return client.patch(resource, key, patch, options);
    },
    delete: async (resource, key, options) => {
      await tell('delete', resource, key);
      return client.delete(resource, key, options);
    },
  };
}

/** Lets other calls in between, as a network would. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
