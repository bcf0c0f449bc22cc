import type { Counter, Histogram, Metrics } from './metrics.ts';

export type RequestMetrics = {
  /** One finished try; `code` is the HTTP status, or `<error>` when no answer came. */
  observe(method: string, verb: string, code: number | undefined, durationMs: number): void;
  /** One opened stream. */
  count(method: string, code: number | undefined): void;
  retry(method: string, code: number): void;
};

/** client-go's names: `rest_client_requests_total`, `rest_client_request_duration_seconds`, `rest_client_request_retries_total`. */
export function createRequestMetrics(metrics: Metrics | undefined, host: string): RequestMetrics {
  if (metrics === undefined) return { observe: () => {}, count: () => {}, retry: () => {} };
  const requests = metrics.counter('rest_client_requests_total', 'Number of HTTP requests.', [
    'code',
    'host',
    'method',
  ]);
  const durations = metrics.histogram('rest_client_request_duration_seconds', 'Request latency in seconds.', BUCKETS, [
    'host',
    'verb',
  ]);
  const retries = metrics.counter('rest_client_request_retries_total', 'Number of request retries.', [
    'code',
    'host',
    'verb',
  ]);
  const counters = new Map<string, ReturnType<Counter['labels']>>();
  const histograms = new Map<string, ReturnType<Histogram['labels']>>();

  const count = (method: string, code: number | undefined): void => {
    const key = `${method}${code ?? ''}`;
    let series = counters.get(key);
    if (series === undefined) {
      series = requests.labels(code === undefined ? '<error>' : String(code), host, method);
      counters.set(key, series);
    }
    series.inc();
  };
  return {
    count,
    observe: (method, verb, code, durationMs) => {
      count(method, code);
      let series = histograms.get(verb);
      if (series === undefined) {
        series = durations.labels(host, verb);
        histograms.set(verb, series);
      }
      series.observe(durationMs / 1000);
    },
    retry: (method, code) => retries.labels(String(code), host, method).inc(),
  };
}

const BUCKETS: readonly number[] = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
