/** Milliseconds of a duration as Go writes it: `1m30s`, `500ms`, `1.5h`. Throws RangeError on anything else. */
export function parseDuration(text: string): number {
  if (!/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/.test(text)) throw new RangeError(`${JSON.stringify(text)} is no duration`);
  return [...text.matchAll(/([0-9.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, amount = '', unit = '']) => sum + Number(amount) * (UNITS[unit] ?? 0),
    0,
  );
}

/** The inverse for whole seconds, as Go prints it: `10m0s`. */
export function renderDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
