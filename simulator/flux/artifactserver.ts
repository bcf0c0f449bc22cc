import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ArtifactHost, createMemoryArtifactHost, type OpenUrl } from './artifacts.ts';

export type ArtifactServer = ArtifactHost & { stop(): Promise<void> };

/**
 * Archives in this process, served over HTTP on loopback. Nothing is kept over a restart: GitRepositories then build theirs anew, byte for
 * byte the same. Rejects when the address cannot be had; port 0 picks a free one.
 */
export async function startArtifactServer(
  options: { readonly address?: string; readonly port?: number } = {},
): Promise<ArtifactServer> {
  const { address = '127.0.0.1', port = 0 } = options;
  const archives = createMemoryArtifactHost();
  const server = createServer((request, response) => {
    const bytes = archives.get((request.url ?? '').slice(1));
    if (bytes === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(bytes === undefined ? 404 : 405).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': bytes.length });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  });
  const bound = await listen(server, address, port);
  return {
    ...archives,
    baseUrl: `http://${address}:${bound.port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Reads over HTTP; redirects are not followed. A connection that breaks is tried again, as Flux does. */
export const openHttpUrl: OpenUrl = async (url, signal) => {
  const response = await connect(url, signal);
  if (response.status === 200 && response.body !== null) return response.body;
  await response.body?.cancel();
  throw new Error(`${url} answered ${response.status}`);
};

const TRIES = 3;

async function connect(url: string, signal: AbortSignal): Promise<Response> {
  for (let tries = 1; ; tries++) {
    try {
      return await fetch(url, { signal, redirect: 'manual' });
    } catch (error) {
      signal.throwIfAborted();
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      if (tries === TRIES) throw new Error(`${url} cannot be read${cause}`, { cause: error });
    }
  }
}

function listen(server: Server, address: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('the artifact server has no port'));
      else resolve(bound);
    });
  });
}
