import { tryParseQuantityNanos } from '../../../../../kube/quantity.ts';
import { sign } from '../compare.ts';
import { EvaluationError } from '../errors.ts';
import type { Boxed } from '../values.ts';
import { memoize } from './memo.ts';
import { declare, type Overload } from './overload.ts';

type Quantity = Extract<Boxed, { type: 'quantity' }>;

const NANO = 1_000_000_000n;
const MAX_INT64 = (1n << 63n) - 1n;

/** Kubernetes' quantities. */
export const QUANTITIES: readonly Overload[] = [
  declare('quantity(string): quantity', parse),
  declare('isQuantity(string): bool', (text: string) => findNanos(text) !== undefined),
  declare('sign(quantity): int', ({ nanos }: Quantity) => BigInt(sign(nanos < 0n, nanos > 0n))),
  declare('quantity.isGreaterThan(quantity): bool', (a: Quantity, b: Quantity) => a.nanos > b.nanos),
  declare('quantity.isLessThan(quantity): bool', (a: Quantity, b: Quantity) => a.nanos < b.nanos),
  declare('quantity.compareTo(quantity): int', (a: Quantity, b: Quantity) =>
    BigInt(sign(a.nanos < b.nanos, a.nanos > b.nanos)),
  ),
  declare('quantity.asApproximateFloat(): double', ({ nanos }: Quantity) => Number(nanos) / 1e9),
  declare('quantity.isInteger(): bool', isInteger),
  declare('quantity.asInteger(): int', (value: Quantity) => {
    if (!isInteger(value)) throw new EvaluationError('cannot convert value to integer');
    return value.nanos / NANO;
  }),
  declare('quantity.add(quantity): quantity', (a: Quantity, b: Quantity) => of(a.nanos + b.nanos)),
  declare('quantity.add(int): quantity', (a: Quantity, b: bigint) => of(a.nanos + b * NANO)),
  declare('quantity.sub(quantity): quantity', (a: Quantity, b: Quantity) => of(a.nanos - b.nanos)),
  declare('quantity.sub(int): quantity', (a: Quantity, b: bigint) => of(a.nanos - b * NANO)),
];

const findNanos = memoize((text) => tryParseQuantityNanos(text));

function of(nanos: bigint): Quantity {
  return { type: 'quantity', nanos };
}

function parse(text: string): Quantity {
  const nanos = findNanos(text);
  if (nanos !== undefined) return { type: 'quantity', nanos };
  if (/^[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*$/.test(text)) {
    throw new EvaluationError("unable to parse quantity's suffix");
  }
  throw new EvaluationError(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
}

function isInteger({ nanos }: Quantity): boolean {
  const size = nanos < 0n ? -nanos : nanos;
  return nanos % NANO === 0n && size / NANO <= MAX_INT64;
}
