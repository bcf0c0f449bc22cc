/**
 * Kubernetes quantities (`resource.Quantity`) without rounding errors. Pure.
 *
 * The grammar is apimachinery's: a signed decimal number, then one of n u m k M G T P E, Ki Mi Gi Ti Pi Ei, or an exponent. What is
 * finer than 10⁻⁹ is rounded away from zero, as the API server does. Every `parse` throws on what the API server would refuse.
 */

/** Whole units (bytes, cores), rounded up as `Quantity.Value()` does: `8Gi` is 8589934592n, `500m` is 1n. */
export function parseQuantity(text: string | number): bigint {
  return ceilDivide(parseQuantityNanos(text), NANO);
}

/** Thousandths of a unit, rounded up as `Quantity.MilliValue()` does: `500m` is 500n, `2` is 2000n. */
export function parseQuantityMilli(text: string | number): bigint {
  return ceilDivide(parseQuantityNanos(text), NANO / 1000n);
}

/** The exact value in 10⁻⁹ units. */
export function parseQuantityNanos(text: string | number): bigint {
  const nanos = tryParseQuantityNanos(text);
  if (nanos === undefined) throw new Error(`${JSON.stringify(text)} is not a quantity such as 500m, 2 or 8Gi`);
  return nanos;
}

/** As {@link parseQuantityNanos}, but undefined where that throws. */
export function tryParseQuantityNanos(text: string | number): bigint | undefined {
  const match = GRAMMAR.exec(String(text));
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', exponent = '0'] = match;
  const digits = whole + fraction;
  if (digits === '' || digits.length > MAX_DIGITS || Math.abs(Number(exponent)) > MAX_EXPONENT) return undefined;
  const scaled = BigInt(digits) * (SUFFIXES.get(suffix) ?? NANO);
  const power = Number(exponent) - fraction.length;
  const nanos = power >= 0 ? scaled * 10n ** BigInt(power) : awayFromZero(scaled, 10n ** BigInt(-power));
  return sign === '-' ? -nanos : nanos;
}

/** Canonical text for a whole number of units (bytes, cores): the largest binary suffix that divides it. */
export function renderQuantity(units: bigint): string {
  if (units === 0n) return '0';
  for (const [suffix, factor] of BINARY) if (units % factor === 0n) return `${units / factor}${suffix}`;
  return String(units);
}

/** Canonical text for thousandths, in decimal suffixes: 1500n is `1500m`, 2000n is `2`. */
export function renderQuantityMilli(milli: bigint): string {
  return milli % 1000n === 0n ? String(milli / 1000n) : `${milli}m`;
}

const NANO = 1_000_000_000n;
/** Longer than any real quantity; bounds the work that a hostile text can cause. */
const MAX_DIGITS = 60;
const MAX_EXPONENT = 40;
const GRAMMAR = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)?|[eE]([+-]?\d{1,3}))$/;

const BINARY: readonly (readonly [string, bigint])[] = [
  ['Ei', 1n << 60n],
  ['Pi', 1n << 50n],
  ['Ti', 1n << 40n],
  ['Gi', 1n << 30n],
  ['Mi', 1n << 20n],
  ['Ki', 1n << 10n],
];
/** In 10⁻⁹ units. */
const SUFFIXES: ReadonlyMap<string, bigint> = new Map([
  ...['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'].map((suffix, i) => [suffix, 10n ** BigInt(3 * i)] as const),
  ...BINARY.map(([suffix, factor]) => [suffix, factor * NANO] as const),
]);

function awayFromZero(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}
