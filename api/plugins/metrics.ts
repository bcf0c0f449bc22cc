import type { FastifyInstance } from 'fastify';
import { DEFAULT_BUCKETS, type Metrics } from '../../kube/metrics.ts';

/** Counts answers by route, never by address: labels stay few whatever is asked for. */
export function addMetrics(app: FastifyInstance, metrics: Metrics): void {
  const total = metrics.counter('sublet_api_requests_total', 'Requests that were answered.', ['operation', 'code']);
  const seconds = metrics.histogram(
    'sublet_api_request_duration_seconds',
    'Time until an answer was sent.',
    DEFAULT_BUCKETS,
    ['operation'],
  );
  app.addHook('onResponse', (request, reply, done) => {
    const operation = request.routeOptions.config?.operationId ?? 'none';
    total.labels(operation, String(reply.statusCode)).inc();
    seconds.labels(operation).observe(reply.elapsedTime / 1_000);
    done();
  });
}
