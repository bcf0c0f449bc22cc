import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { renderError } from './errors.ts';
import { METRICS_CONTENT_TYPE, type Metrics } from './metrics.ts';

/** Returns normally when well; throws with the reason otherwise. */
export type Check = () => void | Promise<void>;

export type HttpServerOptions = {
  readonly address: string;
  readonly port: number;
  readonly metrics: Metrics | undefined;
  readonly healthChecks: ReadonlyMap<string, Check>;
  readonly readyChecks: ReadonlyMap<string, Check>;
  readonly log: Logger;
};

export type HttpServer = {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
};

/**
 * Serves `/metrics`, `/healthz` and `/readyz`; a single check as `/readyz/<name>`; `?verbose` lists all of them. Bodies name the
 * checks that failed; their reasons go to the log only.
 */
export function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.log.error({ err: error }, 'answering a health or metrics request failed');
      response.destroy();
    });
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 5_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address, () => {
      server.removeListener('error', reject);
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
      const close = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
          server.closeAllConnections();
        });
      resolve({ address: options.address, port, close });
    });
  });
}

async function answer(options: HttpServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const [, endpoint = '', name, ...rest] = url.pathname.split('/');
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'only GET\n');
  if (endpoint === 'metrics' && name === undefined) {
    return send(response, 200, options.metrics?.render() ?? '', METRICS_CONTENT_TYPE);
  }
  const checks =
    endpoint === 'healthz' ? options.healthChecks : endpoint === 'readyz' ? options.readyChecks : undefined;
  if (checks === undefined || rest.length > 0 || (name !== undefined && name !== '' && !checks.has(name))) {
    return send(response, 404, 'not found\n');
  }
  const chosen = [...checks].filter(([one]) => name === undefined || name === '' || one === name);
  const results = await Promise.all(
    chosen.map(async ([one, check]) => ({ name: one, failure: await failureOf(check) })),
  );
  const failed = results.filter((result) => result.failure !== undefined);
  for (const { name: check, failure } of failed) options.log.info({ check, endpoint, failure }, 'a check failed');
  const lines = results.map(
    (result) =>
      `[${result.failure === undefined ? '+' : '-'}]${result.name} ${result.failure === undefined ? 'ok' : 'failed'}\n`,
  );
  const verbose = url.searchParams.has('verbose') || failed.length > 0;
  send(response, failed.length === 0 ? 200 : 500, verbose ? lines.join('') : 'ok\n');
}

async function failureOf(check: Check): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return renderError(error);
  }
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' });
  response.end(body);
}
