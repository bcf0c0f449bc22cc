import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { type Dispatcher, Pool } from 'undici';
import { type Clock, type Random, sleep } from './clock.ts';
import { type Credentials, createCredentialSource, serverUrl } from './credentials.ts';
import { RequestError } from './errors.ts';
import { type Answer, exchange, type RunningStream, type StreamSink, stream } from './exchange.ts';
import type { Metrics } from './metrics.ts';
import { createRequestMetrics } from './requestmetrics.ts';
import type { ServerClock } from './serverclock.ts';
import { parseRetryAfterMs, parseStatusError } from './status.ts';

export type HttpCall = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** For metrics: `apply`. */
  readonly verb: string;
  /** For errors: `apply tenants.sublet.dev ns/name`. */
  readonly call: string;
  readonly path: string;
  readonly accept: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  /** Whether sending it twice does no more than sending it once. */
  readonly idempotent: boolean;
  /** User to act as. */
  readonly impersonate?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
};

export type HttpStream = { readonly call: string; readonly path: string; readonly accept: string };

export type Transport = {
  /** The body of a 2xx answer. */
  call(call: HttpCall): Promise<Buffer>;
  /** Opens a long answer. Every failure, refusals included, reaches the sink and nothing is thrown. */
  stream(call: HttpStream, sink: Omit<StreamSink, 'onHeaders'>): RunningStream;
  close(): Promise<void>;
};

export type TransportDeps = {
  readonly kubeConfig: KubeConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  /** Told of the time that a good answer states; see `createServerClock`. */
  readonly observeDate?: ServerClock['observeDate'] | undefined;
};

export type TransportOptions = { readonly connections: number; readonly userAgent: string };

/**
 * HTTP/1.1 to one API server: one pool of connections for calls and one for watches, so that neither waits for the other. Both are
 * made anew when certificates change.
 */
export function createTransport(deps: TransportDeps, options: TransportOptions): Transport {
  const url = serverUrl(deps.kubeConfig);
  const prefix = url.pathname.replace(/\/+$/, '');
  const credentials = createCredentialSource(deps);
  const metrics = createRequestMetrics(deps.metrics, url.host);
  let pools: Pools | undefined;
  let closed = false;

  const poolsFor = (known: Credentials): Pools => {
    if (closed) throw new RequestError('connect', 'the client is closed');
    if (pools?.fingerprint === known.tlsFingerprint) return pools;
    if (pools !== undefined) {
      deps.log.info({ host: url.host }, 'certificates changed, connecting anew');
      retire(pools, deps.log);
    }
    pools = buildPools(url, known, options.connections);
    return pools;
  };

  const tryOnce = async (call: HttpCall, deadlineMs: number): Promise<Answer | RequestError> => {
    const startMs = deps.clock.monotonic();
    let answer: Answer | undefined;
    try {
      const found = credentials.current();
      const known = found instanceof Promise ? await found : found;
      const dispatcher = poolsFor(known).calls;
      const request = buildRequest(prefix, call, known, options.userAgent);
      const { clock } = deps;
      const timeoutMs = deadlineMs - clock.monotonic();
      answer = await exchange({ dispatcher, clock, request, call: call.call, timeoutMs, signal: call.signal });
      return answer;
    } catch (error) {
      if (error instanceof RequestError) return error;
      throw error;
    } finally {
      metrics.observe(call.method, call.verb, answer?.status, deps.clock.monotonic() - startMs);
    }
  };

  return {
    call: async (call) => {
      const deadlineMs = deps.clock.monotonic() + call.timeoutMs;
      let renewed = false;
      let repeated = false;
      for (let tries = 1; ; tries++) {
        call.signal?.throwIfAborted();
        const sentMs = deps.clock.monotonic();
        const answer = await tryOnce(call, deadlineMs);
        if (answer instanceof RequestError) {
          if (answer.failure !== 'reset' || !call.idempotent || repeated) throw answer;
          repeated = true;
          continue;
        }
        const { status, headers, body } = answer;
        if (status >= 200 && status < 300) {
          deps.observeDate?.(Date.parse(headers.date ?? ''), sentMs);
          return body;
        }
        if (status === 401 && !renewed) {
          renewed = true;
          credentials.invalidate();
          continue;
        }
        const waitMs = parseRetryAfterMs(headers['retry-after'], deps.clock.now());
        const patient = (status === 429 || status === 503) && tries < MAX_TRIES;
        const leftMs = deadlineMs - deps.clock.monotonic();
        if (!patient || waitMs === undefined || waitMs >= leftMs) {
          throw parseStatusError(call.call, status, body, waitMs);
        }
        metrics.retry(call.method, status);
        await sleep(deps.clock, waitMs + deps.random.next() * RETRY_SPREAD_MS, call.signal);
      }
    },

    stream: (call, sink) => {
      let cancelled: Error | undefined;
      let running: RunningStream | undefined;
      let refusal: { readonly status: number; readonly retryAfterMs: number | undefined; body: Buffer } | undefined;
      const answering: StreamSink = {
        onHeaders: (status, headers) => {
          metrics.count('GET', status);
          if (status === 401) credentials.invalidate();
          if (status === 200) return;
          refusal = { status, retryAfterMs: parseRetryAfterMs(headers['retry-after'], deps.clock.now()), body: EMPTY };
        },
        onData: (chunk) => {
          if (refusal === undefined) sink.onData(chunk);
          else if (refusal.body.length < MAX_REFUSAL_BYTES) refusal.body = Buffer.concat([refusal.body, chunk]);
        },
        onEnd: (error) => {
          if (refusal === undefined) sink.onEnd(error);
          else sink.onEnd(parseStatusError(call.call, refusal.status, refusal.body, refusal.retryAfterMs));
        },
      };
      const open = async (): Promise<void> => {
        const known = await credentials.current();
        if (cancelled !== undefined) throw cancelled;
        const request = buildRequest(prefix, { ...call, method: 'GET' }, known, options.userAgent);
        running = stream(poolsFor(known).watches, request, call.call, answering);
      };
      open().catch((error: unknown) => {
        metrics.count('GET', undefined);
        sink.onEnd(error instanceof Error ? error : new Error(String(error)));
      });
      return {
        cancel: (reason) => {
          cancelled = reason;
          running?.cancel(reason);
        },
        pause: () => running?.pause(),
        resume: () => running?.resume(),
      };
    },

    close: async () => {
      closed = true;
      const last = pools;
      pools = undefined;
      if (last === undefined) return;
      await Promise.all([last.calls.close(), last.watches.destroy(new RequestError('reset', 'the client was closed'))]);
    },
  };
}

/** How often a call that is told to come back later does so before its error goes to the caller. */
const MAX_TRIES = 5;
/** Clients that were told the same number of seconds do not come back at the same moment. */
const RETRY_SPREAD_MS = 250;
const MAX_REFUSAL_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const EMPTY = Buffer.alloc(0);

type Pools = { readonly fingerprint: string; readonly calls: Pool; readonly watches: Pool };

/** Time limits are kept by the caller's clock; only connecting is bounded by the pool itself. */
function buildPools(url: URL, known: Credentials, connections: number): Pools {
  const common = {
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    connect: { ...known.tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: 15_000 },
  };
  return {
    fingerprint: known.tlsFingerprint,
    calls: new Pool(url.origin, { ...common, connections, keepAliveTimeout: 60_000 }),
    watches: new Pool(url.origin, common),
  };
}

/** Running calls and watches end by themselves; nothing new starts on these connections. */
function retire(pools: Pools, log: Logger): void {
  for (const pool of [pools.calls, pools.watches]) {
    pool.close().catch((error: unknown) => log.warn({ err: error }, 'closing old connections failed'));
  }
}

function buildRequest(
  prefix: string,
  call: Pick<HttpCall, 'method' | 'path' | 'accept' | 'body' | 'contentType' | 'impersonate'>,
  known: Credentials,
  userAgent: string,
): Dispatcher.DispatchOptions {
  const headers: Record<string, string> = { ...known.headers, accept: call.accept, 'user-agent': userAgent };
  if (call.contentType !== undefined) headers['content-type'] = call.contentType;
  if (call.impersonate !== undefined) headers['impersonate-user'] = call.impersonate;
  return { path: prefix + call.path, method: call.method, headers, body: call.body ?? null };
}
