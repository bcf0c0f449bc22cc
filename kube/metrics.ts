/** Prometheus metrics of one process. Label values must come from a bounded set. */
export type Metrics = {
  counter(name: string, help: string, labelNames?: readonly string[]): Counter;
  gauge(name: string, help: string, labelNames?: readonly string[]): Gauge;
  /** `buckets` are upper bounds in ascending order, without +Inf. */
  histogram(name: string, help: string, buckets: readonly number[], labelNames?: readonly string[]): Histogram;
  /** Runs before each rendering, to set gauges that are computed on demand. */
  onCollect(fn: () => void): void;
  /** Text format 0.0.4. */
  render(): string;
};

/** `labels` finds or makes the series; keep what it returns on a hot path. */
export type Counter = { labels(...values: readonly string[]): { inc(by?: number): void; value(): number } };
export type Gauge = {
  labels(...values: readonly string[]): { set(value: number): void; add(by: number): void; value(): number };
};
export type Histogram = { labels(...values: readonly string[]): { observe(value: number): void; count(): number } };

export declare function createMetrics(): Metrics;
