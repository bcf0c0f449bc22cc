import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { apiVersionOf, type KubeObject, type Resource } from '../object.ts';
import { buildMatcher, type Matcher } from '../selector.ts';
import { applyWrite } from './fakewrites.ts';

/** A request as it came in. */
export type RecordedRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
};

/** Answers a request in the server's place, or lets the server answer first (`commit`) and then misbehaves. */
export type Fault = {
  readonly match: (request: RecordedRequest) => boolean;
  /** How many requests it hits. Default 1. */
  readonly times?: number;
  /** Carry out the write before misbehaving. */
  readonly commit?: boolean;
  readonly answer: (response: ServerResponse, request: RecordedRequest) => void;
};

export type FakeApiServer = {
  readonly kubeConfig: KubeConfig;
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** Creates or replaces as somebody else would; returns what is stored. */
  put<T extends KubeObject>(resource: Resource, object: T): T;
  remove(resource: Resource, key: string): void;
  get(resource: Resource, key: string): KubeObject | undefined;
  fault(fault: Fault): void;
  /** Stops (or resumes) serving a kind: 404 for everything. */
  serve(resource: Resource, served: boolean): void;
  /** Watches that are open now. */
  watches(): readonly OpenWatch[];
  /** Whether what was asked last over the connection from this port was read, and is left without the end of its answer. */
  withholds(port: number): boolean;
  /** Forgets history: a watch from an older version gets an ERROR line with 410. */
  compact(): void;
  /** Goes back to an older revision, as a restored etcd does: objects newer than it vanish. */
  restore(revision: number): void;
  revision(): number;
  close(): Promise<void>;
};

export type OpenWatch = {
  readonly request: RecordedRequest;
  readonly response: ServerResponse;
  /** While true nothing is sent to it. */
  mute: boolean;
  /** Sends a bookmark and ends the answer, as at `timeoutSeconds`. */
  end(): void;
};

/** A small API server in this process: list in pages, watch with history, optimistic writes; it misbehaves as told. */
export function startFakeApiServer(resources: readonly Resource[]): Promise<FakeApiServer> {
  const server = new Server(resources);
  return server.start();
}

type Change = {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  readonly object: KubeObject;
};

class Server {
  readonly #resources: readonly Resource[];
  readonly #objects = new Map<string, KubeObject>();
  #history: Change[] = [];
  #revision = 100;
  #compacted = 0;
  readonly #unserved = new Set<string>();
  readonly #requests: RecordedRequest[] = [];
  readonly #faults: { readonly fault: Fault; left: number }[] = [];
  readonly #watches = new Set<OpenWatch & { readonly resource: Resource; readonly matches: Matcher }>();
  /** What was read last over each connection, by the port that it comes from. */
  readonly #read = new Map<number | undefined, ServerResponse>();
  // Connections stay longer than the client keeps them: a server that closes one just then resets what is sent over it.
  readonly #http = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    this.#receive(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });

  constructor(resources: readonly Resource[]) {
    this.#resources = resources;
  }

  start(): Promise<FakeApiServer> {
    return new Promise((resolve) => {
      this.#http.listen(0, '127.0.0.1', () => {
        const { port } = this.#http.address() as AddressInfo;
        const url = `http://127.0.0.1:${port}`;
        const kubeConfig = new KubeConfig();
        kubeConfig.loadFromClusterAndUser(
          { name: 'fake', server: url, skipTLSVerify: true },
          { name: 'tester', token: 'secret-token' },
        );
        resolve({
          kubeConfig,
          url,
          requests: this.#requests,
          put: <T extends KubeObject>(resource: Resource, object: T) => this.#store(resource, object) as T,
          remove: (resource, key) => this.#delete(resource, key),
          get: (resource, key) => this.#objects.get(storageKey(resource, key)),
          fault: (fault) => this.#faults.push({ fault, left: fault.times ?? 1 }),
          serve: (resource, served) =>
            served ? this.#unserved.delete(resource.plural) : this.#unserved.add(resource.plural),
          watches: () => [...this.#watches],
          withholds: (port) => {
            const response = this.#read.get(port);
            return response !== undefined && !response.writableEnded && !response.destroyed;
          },
          compact: () => {
            this.#compacted = this.#revision;
            this.#history = [];
          },
          restore: (revision) => this.#restore(revision),
          revision: () => this.#revision,
          close: () =>
            new Promise((done) => {
              this.#http.close(() => done());
              this.#http.closeAllConnections();
            }),
        });
      });
    });
  }

  async #receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const url = new URL(message.url ?? '/', 'http://fake');
    const text = Buffer.concat(chunks).toString('utf8');
    const request: RecordedRequest = {
      method: message.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.#requests.push(request);
    this.#read.set(message.socket.remotePort, response);
    const hit = this.#faults.find((one) => one.left > 0 && one.fault.match(request));
    if (hit === undefined) return this.#answer(request, response);
    hit.left -= 1;
    if (hit.fault.commit === true) this.#write(request);
    hit.fault.answer(response, request);
  }

  #answer(request: RecordedRequest, response: ServerResponse): void {
    const target = this.#route(request.path);
    if (target === undefined || this.#unserved.has(target.resource.plural)) {
      sendStatus(response, 404, 'NotFound', 'the server could not find the requested resource');
      return;
    }
    if (request.method !== 'GET') {
      const { code, body } = this.#write(request);
      sendJson(response, code, body);
    } else if (target.name !== undefined) {
      const object = this.#objects.get(storageKey(target.resource, keyOf(target)));
      if (object === undefined)
        sendStatus(response, 404, 'NotFound', `${target.resource.plural} "${target.name}" not found`);
      else sendJson(response, 200, object);
    } else if (request.query.has('watch')) this.#watch(target, request, response);
    else this.#list(target, request, response);
  }

  #list({ resource, namespace }: Target, { query }: RecordedRequest, response: ServerResponse): void {
    const [at = String(this.#revision), skip = '0'] = (query.get('continue') ?? '')
      .split(':')
      .filter((part) => part !== '');
    if (Number(at) <= this.#compacted && query.has('continue')) {
      sendStatus(response, 410, 'Expired', 'the continue token is too old');
      return;
    }
    const matches = buildMatcher({
      namespace,
      labelSelector: query.get('labelSelector') ?? '',
      fieldSelector: query.get('fieldSelector') ?? '',
    });
    const all = this.#all(resource).filter((object) => matches(object) === true);
    const limit = Number(query.get('limit') ?? all.length);
    const items = all.slice(Number(skip), Number(skip) + limit).map(({ apiVersion: _, kind: __, ...rest }) => rest);
    const next = Number(skip) + limit;
    const more = next < all.length ? { continue: `${at}:${next}` } : {};
    const metadata = { resourceVersion: at, ...more };
    sendJson(response, 200, { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items });
  }

  #watch({ resource, namespace }: Target, request: RecordedRequest, response: ServerResponse): void {
    const { query } = request;
    const from = Number(query.get('resourceVersion') ?? '0');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const matches = buildMatcher({
      namespace,
      labelSelector: query.get('labelSelector') ?? '',
      fieldSelector: query.get('fieldSelector') ?? '',
    });
    const bookmark = (annotations?: Record<string, string>): string => {
      const metadata = {
        resourceVersion: String(this.#revision),
        ...(annotations === undefined ? {} : { annotations }),
      };
      return line('BOOKMARK', { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata });
    };
    const watch = {
      request,
      response,
      resource,
      matches,
      mute: false,
      end: (): void => {
        if (!watch.mute) response.write(bookmark());
        response.end();
      },
    };
    if (query.get('sendInitialEvents') === 'true') {
      for (const object of this.#all(resource)) if (matches(object) === true) response.write(line('ADDED', object));
      response.write(bookmark({ 'k8s.io/initial-events-end': 'true' }));
    } else if (from < this.#compacted) {
      response.end(
        line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: `too old resource version: ${from}` }),
      );
      return;
    } else {
      for (const change of this.#history) if (change.revision > from) sendChange(watch, change);
    }
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
  }

  #write(request: RecordedRequest): { readonly code: number; readonly body: unknown } {
    const target = this.#route(request.path);
    if (target === undefined) return { code: 404, body: {} };
    const { resource } = target;
    const key = target.name === undefined ? undefined : storageKey(resource, keyOf(target));
    const found = key === undefined ? undefined : this.#objects.get(key);
    const created = (name: string): boolean => this.#objects.has(storageKey(resource, keyOf({ ...target, name })));
    const result = applyWrite(request, target, found, created);
    if (result.store !== undefined) {
      const unchanged = found !== undefined && JSON.stringify(found) === JSON.stringify(result.store);
      return { code: result.code, body: unchanged ? found : this.#store(resource, result.store) };
    }
    if (result.remove === true && found !== undefined) this.#delete(resource, keyOf(target));
    return { code: result.code, body: result.body };
  }

  #store(resource: Resource, object: KubeObject): KubeObject {
    const key = storageKey(resource, keyOf(object.metadata));
    const old = this.#objects.get(key);
    this.#revision += 1;
    const uid = old?.metadata.uid ?? object.metadata.uid ?? `uid-${this.#revision}`;
    const creationTimestamp = old?.metadata.creationTimestamp ?? '2026-01-01T00:00:00Z';
    const metadata = { ...object.metadata, uid, creationTimestamp, resourceVersion: String(this.#revision) };
    const stored = { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
    const doomed = metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
    if (doomed) this.#objects.delete(key);
    else this.#objects.set(key, stored);
    this.#publish({
      revision: this.#revision,
      type: doomed ? 'DELETED' : old === undefined ? 'ADDED' : 'MODIFIED',
      resource,
      object: stored,
    });
    return stored;
  }

  #delete(resource: Resource, name: string): void {
    const key = storageKey(resource, name);
    const old = this.#objects.get(key);
    if (old === undefined) throw new Error(`${key} does not exist`);
    if ((old.metadata.finalizers ?? []).length > 0) {
      if (old.metadata.deletionTimestamp !== undefined) return;
      this.#store(resource, { ...old, metadata: { ...old.metadata, deletionTimestamp: '2026-01-01T00:01:00Z' } });
      return;
    }
    this.#objects.delete(key);
    this.#revision += 1;
    const object = { ...old, metadata: { ...old.metadata, resourceVersion: String(this.#revision) } };
    this.#publish({ revision: this.#revision, type: 'DELETED', resource, object });
  }

  #publish(change: Change): void {
    this.#history.push(change);
    for (const watch of this.#watches) if (watch.resource === change.resource && !watch.mute) sendChange(watch, change);
  }

  #restore(revision: number): void {
    for (const [key, object] of this.#objects)
      if (Number(object.metadata.resourceVersion) > revision) this.#objects.delete(key);
    this.#history = this.#history.filter((change) => change.revision <= revision);
    this.#revision = revision;
  }

  #all(resource: Resource): readonly KubeObject[] {
    const prefix = `${resource.plural}.${resource.group}|`;
    return [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  #route(path: string): Target | undefined {
    const match =
      /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path);
    const [, group = '', version, namespace, plural, name, subresource] = match ?? [];
    const resource = this.#resources.find(
      (one) => one.plural === plural && one.group === group && one.version === version,
    );
    return resource === undefined
      ? undefined
      : { resource, namespace, name: name === undefined ? undefined : decodeURIComponent(name), subresource };
  }
}

export type Target = {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
};

function sendChange(
  watch: { readonly response: ServerResponse; readonly matches: Matcher; readonly resource: Resource },
  change: Change,
): void {
  if (watch.resource === change.resource && watch.matches(change.object) === true)
    watch.response.write(line(change.type, change.object));
}

function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  sendJson(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }, headers);
}

function keyOf(target: { readonly namespace?: string | undefined; readonly name?: string | undefined }): string {
  return target.namespace === undefined ? (target.name ?? '') : `${target.namespace}/${target.name ?? ''}`;
}

function storageKey(resource: Resource, key: string): string {
  return `${resource.plural}.${resource.group}|${key}`;
}
