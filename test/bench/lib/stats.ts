/** The middle of a sorted sample; between the two middle ones of an even number. */
export function computeMedian(samples: readonly number[]): number {
  return computeQuantile(samples, 0.5);
}

/** The value below which the share `q` of the samples lies, interpolated linearly. Throws on an empty sample. */
export function computeQuantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) throw new Error('a sample without values has no quantile');
  return low + (high - low) * (at - Math.floor(at));
}

/** A sample in one line: median and how far it spreads. */
export type Summary = { readonly median: number; readonly min: number; readonly max: number; readonly count: number };

/** Throws on an empty sample. */
export function summarize(samples: readonly number[]): Summary {
  const median = computeMedian(samples);
  return { median, min: Math.min(...samples), max: Math.max(...samples), count: samples.length };
}

/** Three significant digits, without an exponent from 0.001 up. */
export function renderNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return value.toFixed(0);
  if (magnitude >= 10) return value.toFixed(1);
  if (magnitude >= 1) return value.toFixed(2);
  return magnitude >= 0.001 ? value.toFixed(3) : value.toExponential(1);
}

/** `1.23 (1.11 to 1.31)`. */
export function renderSummary({ median, min, max }: Summary): string {
  return `${renderNumber(median)} (${renderNumber(min)} to ${renderNumber(max)})`;
}
