import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { PROTOBUF } from './body.ts';
import type { UserInfo } from './kinds.ts';
import type { ApiAnswer, ApiRequest, RunningWatch } from './request.ts';
import { type ApiError, tooLarge, unauthorized } from './status.ts';

export type HttpsDeps = {
  readonly server: { handle(request: ApiRequest): ApiAnswer | Promise<ApiAnswer> };
  readonly log: Logger;
  /** Who a bearer token is; undefined for nobody. */
  readonly authenticate: (token: string) => UserInfo | undefined;
};

export type HttpsOptions = {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** PEM. The certificate has to name `host`. */
  readonly key: string;
  readonly cert: string;
};

export type HttpsServer = {
  readonly url: string;
  /** Ends everything that is open. */
  close(): Promise<void>;
};

/** Serves an API server over HTTPS (HTTP/1.1) to whoever has a token. Meant for loopback. */
export async function serveHttps(deps: HttpsDeps, options: HttpsOptions): Promise<HttpsServer> {
  const { host, port, key, cert } = options;
  const https = createServer({ key, cert, maxHeaderSize: MAX_HEADER_BYTES, ...TIMES }, (request, response) => {
    answer(deps, request, response);
  });
  // A client that breaks off while it shakes hands is nobody's business.
  https.on('tlsClientError', (error) => deps.log.debug({ err: error }, 'a connection failed'));
  await listen(https, host, port);
  const { port: bound } = https.address() as AddressInfo;
  return {
    url: `https://${host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        https.close(() => resolve());
        https.closeAllConnections();
      }),
  };
}

const MAX_HEADER_BYTES = 1024 * 1024;
/** As the real server has it. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** `keepAliveTimeout`: longer than clients keep a connection, so that they close it and never write into one that is closing. */
const TIMES = { keepAliveTimeout: 180_000, headersTimeout: 32_000, requestTimeout: 60_000 } as const;
/** What a watch may have under way to a client before it waits for it. */
const MAX_UNSENT_BYTES = 256 * 1024;

function listen(https: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    https.once('error', reject);
    https.listen(port, host, () => {
      https.off('error', reject);
      resolve();
    });
  });
}

function answer(deps: HttpsDeps, request: IncomingMessage, response: ServerResponse): void {
  response.on('error', (error) => deps.log.debug({ err: error }, 'an answer could not be sent'));
  const { url: path = '/', method = 'GET' } = request;
  if (BAD_ESCAPE.test(path.split('?', 1)[0] ?? '')) {
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
    response.end('400 Bad Request');
    return;
  }
  const user = identify(deps, request, path);
  if (user === undefined) {
    request.resume();
    sendError(response, unauthorized());
    return;
  }
  readBody(request, (body) => {
    if (body === undefined) {
      // What is still under way is not read, so the connection cannot serve another call.
      response.setHeader('connection', 'close');
      sendError(response, tooLarge(`limit is ${MAX_BODY_BYTES}`));
      return;
    }
    const headers = flatten(request);
    const answered = deps.server.handle({ method, path, headers, body, user });
    if (answered instanceof Promise) {
      const failed = (error: unknown): void => {
        deps.log.error({ err: error, path }, 'answering a call failed');
        response.destroy();
      };
      answered.then((later) => send(response, later, method)).catch(failed);
    } else send(response, answered, method);
  });
}

/** Go's HTTP server refuses such a path before anything looks at it. */
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const PUBLIC = /^\/(healthz|livez|readyz|version)(\/|\?|$)/;
const ANONYMOUS: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

function identify(deps: HttpsDeps, { headers }: IncomingMessage, path: string): UserInfo | undefined {
  const token = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const user = token === undefined ? undefined : deps.authenticate(token);
  return user ?? (token === undefined && PUBLIC.test(path) ? ANONYMOUS : undefined);
}

/** Gives undefined once it is too large. Nothing is given when the client goes away. */
function readBody(request: IncomingMessage, done: (body: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  request.on('data', (chunk: Buffer) => {
    if (isOver) return;
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) {
      chunks.push(chunk);
      return;
    }
    isOver = true;
    chunks.length = 0;
    done(undefined);
  });
  request.on('end', () => {
    if (!isOver) done(Buffer.concat(chunks).toString(encodingOf(request)));
  });
  request.on('error', () => {
    isOver = true;
  });
}

/** Binary bodies are given as texts of one character a byte. */
function encodingOf({ headers }: IncomingMessage): 'utf8' | 'latin1' {
  return headers['content-type']?.startsWith(PROTOBUF) === true ? 'latin1' : 'utf8';
}

function flatten({ headers }: IncomingMessage): Record<string, string | undefined> {
  const flat: Record<string, string | undefined> = {};
  for (const name in headers) {
    const value = headers[name];
    flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function sendError(response: ServerResponse, error: ApiError): void {
  send(response, { status: error.code, headers: JSON_HEADERS, body: JSON.stringify(error.status) }, 'GET');
}

const JSON_HEADERS = { 'content-type': 'application/json' };

function send(response: ServerResponse, { status, headers, body, watch }: ApiAnswer, method: string): void {
  const common = { 'cache-control': 'no-cache, private', ...headers };
  if (watch !== undefined) {
    response.writeHead(status, common);
    response.flushHeaders();
    stream(response, watch);
    return;
  }
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...common, 'content-length': String(bytes.length) });
  response.end(method === 'HEAD' ? undefined : bytes);
}

/** Lines go out as they come; while the client does not read, they wait in the watch, which bounds them. */
function stream(response: ServerResponse, watch: NonNullable<ApiAnswer['watch']>): void {
  let running: RunningWatch | undefined;
  let isFull = false;
  let isDone = false;
  const sink = {
    onLine: (line: Buffer): void => {
      if (isDone) return;
      response.write(line);
      if (isFull || response.writableLength < MAX_UNSENT_BYTES) return;
      isFull = true;
      running?.pause();
    },
    onEnd: (): void => {
      isDone = true;
      response.end();
    },
  };
  response.on('close', () => {
    isDone = true;
    running?.stop();
  });
  response.on('drain', () => {
    isFull = false;
    running?.resume();
  });
  const opened = watch(sink);
  if (isDone) opened.stop();
  running = opened;
  if (isFull) running.pause();
}
