import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Random } from '../kube/clock.ts';
import type { Metrics } from '../kube/metrics.ts';
import { addBodies, BODY_LIMIT_BYTES } from './plugins/bodies.ts';
import { refuseConnection } from './plugins/clienterrors.ts';
import { addErrors, sendProblem } from './plugins/errors.ts';
import { addHeaders, setHeaders } from './plugins/headers.ts';
import { addMetrics } from './plugins/metrics.ts';
import { Problem } from './problem.ts';
import { type RegisterDeps, registerRoutes } from './register.ts';
import { createRequestIds } from './requestid.ts';
import type { RoutesDeps } from './routes/deps.ts';
import { buildRoutes } from './routes/index.ts';

export type AppDeps = RoutesDeps &
  Omit<RegisterDeps, 'rootNamespace'> & {
    readonly log: Logger;
    readonly random: Random;
    readonly metrics: Metrics;
  };

export type AppOptions = {
  /** Addresses of proxies whose `X-Forwarded-For` is believed; none by default. */
  readonly trustedProxies?: readonly string[] | undefined;
};

const MAX_HEADER_BYTES = 16_384;
const MAX_PARAM_LENGTH = 1_100;
/** How long a request may take to arrive whole. */
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;
/** How long nothing may pass either way: longer than any answer takes to begin, and not for ever, or who never reads would keep what waits for him. */
const SILENCE_MS = 180_000;

/** The whole API but for the listening: tests call it by `inject`. Nothing is read or written before the first request. */
export function buildApp(deps: AppDeps, options: AppOptions = {}): FastifyInstance {
  const { trustedProxies = [] } = options;
  const chooseRequestId = createRequestIds(deps.random);
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SILENCE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1_000 },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    genReqId: (raw) => chooseRequestId(raw.headers['request-id'] ?? raw.headers['x-request-id']),
    requestIdHeader: false,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, chooseRequestId(undefined)),
    frameworkErrors: (error, request, reply) => {
      deps.log.info({ err: error.code, requestId: request.id }, 'the framework refused a request');
      setHeaders(reply, request.id);
      sendProblem(reply, request.id, new Problem(400, 'bad-request', 'the address cannot be decoded'));
    },
  });
  addHeaders(app);
  addErrors(app, deps.log);
  addBodies(app);
  addMetrics(app, deps.metrics);
  registerRoutes(app, { ...deps, rootNamespace: deps.config.rootNamespace }, buildRoutes(deps));
  return app;
}
