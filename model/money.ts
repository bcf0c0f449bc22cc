/**
 * Money as bigint rationals. Amounts come and go as decimal strings in the currency's major unit; in between nothing is rounded, and no
 * float touches them.
 */
export type Money = {
  readonly numerator: bigint;
  /** Positive; no factor in common with the numerator. */
  readonly denominator: bigint;
};

/** Decimals that an amount may state. */
export const MAX_DECIMALS = 12;

const AMOUNT = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]{1,12}))?$/;

/** The exact value of `28.00` or `-0.000000000001`; throws on any other form. */
export function parseMoney(text: string): Money {
  const match = AMOUNT.exec(text);
  if (match === null) {
    throw new Error(
      `${JSON.stringify(text.slice(0, 64))} is no amount such as "28.00" with at most ${MAX_DECIMALS} decimals`,
    );
  }
  const [, sign = '', whole = '', fraction = ''] = match;
  const digits = BigInt(whole + fraction);
  return divideMoney({ numerator: sign === '-' ? -digits : digits, denominator: 1n }, 10n ** BigInt(fraction.length));
}

/** The amount with exactly `decimals` decimals (0 to 12), half a unit rounded away from zero: for where a line is made, once. */
export function renderMoney({ numerator, denominator }: Money, decimals: number): string {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > MAX_DECIMALS) {
    throw new RangeError(`decimals must be 0 to ${MAX_DECIMALS}, is ${decimals}`);
  }
  const isNegative = numerator < 0n;
  const scaled = (isNegative ? -numerator : numerator) * 10n ** BigInt(decimals);
  const rounded = (2n * scaled + denominator) / (2n * denominator);
  const digits = String(rounded).padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  const sign = isNegative && rounded !== 0n ? '-' : '';
  return `${sign}${digits.slice(0, cut)}${decimals === 0 ? '' : `.${digits.slice(cut)}`}`;
}

export const ZERO: Money = { numerator: 0n, denominator: 1n };

export function addMoney(a: Money, b: Money): Money {
  return reduce(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function multiplyMoney({ numerator, denominator }: Money, factor: bigint): Money {
  return reduce(numerator * factor, denominator);
}

/** An exact share, such as one second of a month. Throws on a divisor that is not positive. */
export function divideMoney({ numerator, denominator }: Money, divisor: bigint): Money {
  if (divisor <= 0n) throw new RangeError(`the divisor must be positive, is ${divisor}`);
  return reduce(numerator, denominator * divisor);
}

/** Negative, zero or positive. */
export function compareMoney(a: Money, b: Money): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function reduce(numerator: bigint, denominator: bigint): Money {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}
