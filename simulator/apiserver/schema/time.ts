/** Durations and instants as Go reads and prints them, in nanoseconds. */

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
export const SECOND = 1_000_000_000n;
const MAX = (1n << 63n) - 1n;

/** `time.ParseDuration`: `1h30m`, `-1.5s`, `0`. */
export function parseDuration(text: string): bigint | undefined {
  if (!/^[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.test(text)) return undefined;
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/([0-9]*)(?:\.([0-9]*))?([a-zµμ]+)/g)) {
    const scale = UNITS[unit] ?? 0n;
    const digits = fraction.slice(0, 18);
    nanos += BigInt(whole === '' ? '0' : whole) * scale;
    nanos += (BigInt(digits === '' ? '0' : digits) * scale) / 10n ** BigInt(digits.length);
  }
  const signed = text.startsWith('-') ? -nanos : nanos;
  return signed > MAX || signed < -MAX - 1n ? undefined : signed;
}

/** The format `duration`: as Go's, and words such as `3 days`. What is around them is skipped, as the API server does. */
export function parseWordyDuration(text: string): bigint | undefined {
  const exact = parseDuration(text);
  if (exact !== undefined) return exact;
  let nanos: bigint | undefined;
  for (const [, count = '', word = ''] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    const scale = findScale(word.toLowerCase());
    if (BigInt(count) > MAX) return undefined;
    if (scale !== undefined) nanos = (nanos ?? 0n) + BigInt(count) * scale;
  }
  return nanos;
}

/** Names of a unit; the last one may go on (`days`). */
const WORDS: readonly (readonly [names: readonly string[], scale: bigint])[] = [
  [['ns', 'nano'], 1n],
  [['us', 'µs', 'micro'], 1_000n],
  [['ms', 'milli'], 1_000_000n],
  [['s', 'sec'], SECOND],
  [['m', 'min'], 60n * SECOND],
  [['h', 'hr', 'hour'], 3_600n * SECOND],
  [['d', 'day'], 86_400n * SECOND],
  [['w', 'wk', 'week'], 604_800n * SECOND],
];

function findScale(word: string): bigint | undefined {
  return WORDS.find(([names]) => names.includes(word) || word.startsWith(names.at(-1) ?? ''))?.[1];
}

/** `time.Duration.String`: `1h30m0s`. */
export function renderDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const size = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${renderDecimal(size, 1_000n)}µs`;
  if (size < SECOND) return `${sign}${renderDecimal(size, 1_000_000n)}ms`;
  const minutes = size / (60n * SECOND);
  const seconds = `${renderDecimal(size % (60n * SECOND), SECOND)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function renderDecimal(value: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const fraction = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(value / unit) : `${value / unit}.${fraction}`;
}

/** A date `2006-01-02` in milliseconds since 1970; undefined where there is no such day. */
export function parseDate(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day] = match.map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year ?? 0, (month ?? 0) - 1, day);
  return date.getUTCMonth() === (month ?? 0) - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
}

/** RFC 3339, in nanoseconds since 1970. Without a time zone only where `isLocalAllowed`: it is UTC then. */
export function parseInstant(text: string, options: { readonly isLocalAllowed?: boolean } = {}): bigint | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:(Z)|([+-])(\d{2}):(\d{2}))?$/.exec(text);
  const [, date = '', hours, minutes, seconds, fraction = '', zulu, sign, offsetHours, offsetMinutes] = match ?? [];
  const day = parseDate(date);
  const isZoned = zulu !== undefined || sign !== undefined;
  if (match === null || day === undefined || (!isZoned && options.isLocalAllowed !== true)) return undefined;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  if (Number(offsetHours ?? 0) > 24 || Number(offsetMinutes ?? 0) > 59) return undefined;
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * (sign === '-' ? -60 : 60);
  const whole = day / 1000 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) - offset;
  return BigInt(whole) * SECOND + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** RFC 3339 in UTC with as many decimals as are needed. */
export function renderInstant(nanos: bigint): string {
  const seconds = nanos >= 0n ? nanos / SECOND : -((-nanos + SECOND - 1n) / SECOND);
  const fraction = String(nanos - seconds * SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}
