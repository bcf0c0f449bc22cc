/** Prometheus metrics of one process. Label values must come from a bounded set. */
export type Metrics = {
  /** Asking again for a name gives the same family; another type or other labels under it throw. */
  counter(name: string, help: string, labelNames?: readonly string[]): Counter;
  gauge(name: string, help: string, labelNames?: readonly string[]): Gauge;
  /** `buckets` are upper bounds in ascending order, without +Inf. */
  histogram(name: string, help: string, buckets: readonly number[], labelNames?: readonly string[]): Histogram;
  /** Runs before each rendering, to set gauges that are computed on demand. Returns the function that removes it. */
  onCollect(fn: () => void): () => void;
  /** Text format 0.0.4. */
  render(): string;
};

/** `labels` finds or makes the series; keep what it returns on a hot path. */
export type Counter = { labels(...values: readonly string[]): { inc(by?: number): void; value(): number } };
export type Gauge = {
  labels(...values: readonly string[]): { set(value: number): void; add(by: number): void; value(): number };
};
export type Histogram = { labels(...values: readonly string[]): { observe(value: number): void; count(): number } };

/** The content type that goes with {@link Metrics.render}. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** client_golang's default buckets, in seconds. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const collectors = new Set<() => void>();

  const family = (name: string, help: string, type: Family['type'], labelNames: readonly string[]): Family => {
    const found = families.get(name);
    if (found === undefined) {
      const made = buildFamily(name, help, type, labelNames);
      families.set(name, made);
      return made;
    }
    if (found.type !== type || found.labelNames.join() !== labelNames.join()) {
      throw new Error(
        `metric ${name} exists as ${found.type}{${found.labelNames.join()}}, asked for as ${type}{${labelNames.join()}}`,
      );
    }
    return found;
  };

  return {
    counter: (name, help, labelNames = []) => {
      const of = family(name, help, 'counter', labelNames);
      return { labels: (...values) => seriesOf(of, values, counterSeries) };
    },
    gauge: (name, help, labelNames = []) => {
      const of = family(name, help, 'gauge', labelNames);
      return { labels: (...values) => seriesOf(of, values, gaugeSeries) };
    },
    histogram: (name, help, buckets, labelNames = []) => {
      const of = family(name, help, 'histogram', labelNames);
      return { labels: (...values) => seriesOf(of, values, (prefix) => histogramSeries(name, prefix, buckets)) };
    },
    onCollect: (fn) => {
      collectors.add(fn);
      return () => collectors.delete(fn);
    },
    render: () => {
      for (const collect of collectors) collect();
      let text = '';
      for (const one of families.values()) {
        if (one.series.size === 0) continue;
        text += one.head;
        for (const series of one.series.values()) text += series.render();
      }
      return text;
    },
  };
}

type Series = { readonly render: () => string };

type Family = {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly head: string;
  readonly labelNames: readonly string[];
  readonly series: Map<string, Series>;
};

function buildFamily(name: string, help: string, type: Family['type'], labelNames: readonly string[]): Family {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new Error(`${JSON.stringify(name)} is no metric name`);
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return { name, type, labelNames, head: `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`, series: new Map() };
}

/** A family holds series of one type only, because `family` refuses a second type under its name. */
function seriesOf<S extends Series>(family: Family, values: readonly string[], make: (prefix: string) => S): S {
  if (values.length !== family.labelNames.length) {
    throw new Error(`metric ${family.name} has labels ${family.labelNames.join()}, got ${values.length} values`);
  }
  const key = values.length === 1 ? (values[0] ?? '') : values.join('\u0000');
  const found = family.series.get(key);
  if (found !== undefined) return found as S;
  const labels = family.labelNames.map((name, i) => `${name}="${escapeValue(values[i] ?? '')}"`).join();
  const made = make(family.type === 'histogram' ? labels : `${family.name}${labels === '' ? '' : `{${labels}}`} `);
  family.series.set(key, made);
  return made;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function counterSeries(prefix: string): Series & { inc(by?: number): void; value(): number } {
  let total = 0;
  return {
    inc: (by = 1) => {
      if (by < 0) throw new Error('a counter only grows');
      total += by;
    },
    value: () => total,
    render: () => `${prefix}${total}\n`,
  };
}

function gaugeSeries(prefix: string): Series & { set(value: number): void; add(by: number): void; value(): number } {
  let current = 0;
  return {
    set: (value) => {
      current = value;
    },
    add: (by) => {
      current += by;
    },
    value: () => current,
    render: () => `${prefix}${renderNumber(current)}\n`,
  };
}

function histogramSeries(
  name: string,
  labels: string,
  buckets: readonly number[],
): Series & { observe(value: number): void; count(): number } {
  const bounds = [...buckets.map(String), '+Inf'];
  const prefixes = bounds.map((le) => `${name}_bucket{${labels === '' ? '' : `${labels},`}le="${le}"} `);
  const tail = labels === '' ? '' : `{${labels}}`;
  const counts = new Array<number>(bounds.length).fill(0);
  let sum = 0;
  let count = 0;
  return {
    observe: (value) => {
      let i = 0;
      while (i < buckets.length && value > (buckets[i] ?? 0)) i++;
      counts[i] = (counts[i] ?? 0) + 1;
      sum += value;
      count += 1;
    },
    count: () => count,
    render: () => {
      let text = '';
      let below = 0;
      for (let i = 0; i < prefixes.length; i++) {
        below += counts[i] ?? 0;
        text += `${prefixes[i]}${below}\n`;
      }
      return `${text}${name}_sum${tail} ${renderNumber(sum)}\n${name}_count${tail} ${count}\n`;
    },
  };
}

function renderNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
