import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../kube/clock.ts';
import type { ArchiveStore } from './store.ts';

export type ArchiveServer = { readonly address: string; readonly port: number; stop(): Promise<void> };

export type ArchiveServerOptions = {
  readonly address: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly namespace: string;
  /** Connections at once; more are refused. */
  readonly maxConnections: number;
};

export type ArchiveServerDeps = {
  readonly store: ArchiveStore;
  readonly clock: Clock;
  /** Called once for each answer with its status code. */
  readonly onAnswer: (code: number) => void;
  /** Called when something that should be there is not, so that it can be rebuilt. */
  readonly onMissing: () => void;
};

/**
 * Serves the archives at `/<namespace>/<name>/<hex>.tar.gz` to Flux: GET and HEAD of archives and nothing else. A path has to match that
 * form to the letter before it comes near the volume. Rejects when the address cannot be had.
 */
export function startArchiveServer(deps: ArchiveServerDeps, options: ArchiveServerOptions): Promise<ArchiveServer> {
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
    },
    (request, response) => {
      answer(deps, options.namespace, request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = options.maxConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address, () => {
      server.off('error', reject);
      resolve({ ...addressOf(server, options), stop: () => stop(server, deps.clock) });
    });
  });
}

const PATH = /^\/([a-z0-9-]{1,63})\/([a-z0-9-]{1,63})\/([0-9a-f]{64})\.tar\.gz$/;

async function answer(
  deps: ArchiveServerDeps,
  namespace: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const finish = (
    code: number,
    headers: Readonly<Record<string, string | number>>,
    body?: Uint8Array | string,
  ): void => {
    deps.onAnswer(code);
    response.writeHead(code, { 'x-content-type-options': 'nosniff', ...headers });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    finish(405, { allow: 'GET, HEAD', connection: 'close' });
    return;
  }
  const match = PATH.exec(request.url ?? '');
  const [, from, name = '', hex = ''] = match ?? [];
  const digest = `sha256:${hex}`;
  if (match === null || from !== namespace) {
    finish(404, { 'content-type': 'text/plain' }, 'not found\n');
    return;
  }
  const found = deps.store.find(name, digest);
  const bytes = await deps.store.read(name, digest).catch(() => undefined);
  if (bytes === undefined) {
    finish(404, { 'content-type': 'text/plain' }, 'this archive is not here; a newer one may have taken its place\n');
    if (found !== undefined) deps.onMissing();
    return;
  }
  finish(
    200,
    {
      'content-type': 'application/gzip',
      'content-length': bytes.length,
      etag: `"${hex}"`,
      'cache-control': 'immutable, max-age=31536000',
    },
    bytes,
  );
}

function addressOf(server: Server, options: ArchiveServerOptions): { readonly address: string; readonly port: number } {
  const bound: AddressInfo | string | null = server.address();
  return typeof bound === 'object' && bound !== null ? { address: bound.address, port: bound.port } : options;
}

/** Answers under way get a moment; then their connections are cut. */
function stop(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
    server.close(() => {
      clock.clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

const STOP_GRACE_MS = 3_000;
