import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  parseQuantity,
  parseQuantityMilli,
  parseQuantityNanos,
  renderQuantity,
  renderQuantityMilli,
  tryParseQuantityNanos,
} from './quantity.ts';

test.each([
  ['8Gi', 8_589_934_592n],
  ['500m', 1n],
  ['1.5Gi', 1_610_612_736n],
  ['1e3', 1000n],
  ['1E', 10n ** 18n],
  ['1E3', 1000n],
  ['.5k', 500n],
  ['5.', 5n],
  ['+2', 2n],
  ['-1500m', -1n],
  ['100n', 1n],
  ['0', 0n],
  [3, 3n],
  [0.5, 1n],
  ['12e-1', 2n],
])('%j is %s whole units', (text, units) => {
  expect(parseQuantity(text)).toBe(units);
});

test.each([
  '',
  'Gi',
  '1 Gi',
  '1gi',
  '1KI',
  '1ki',
  '--1',
  '1e',
  '1e3Ki',
  '.',
  '0x10',
  'NaN',
  'Infinity',
  '1e999',
  '٣',
  '1_000',
])('%j is refused by name', (text) => {
  expect(tryParseQuantityNanos(text)).toBeUndefined();
  expect(() => parseQuantity(text)).toThrow(`${JSON.stringify(text)} is not a quantity`);
});

test('what is finer than a nano is rounded away from zero', () => {
  expect(parseQuantityNanos('0.1n')).toBe(1n);
  expect(parseQuantityNanos('-0.1n')).toBe(-1n);
  expect(parseQuantityNanos('1e-20')).toBe(1n);
});

test('a number of digits without bound is refused, not computed', () => {
  expect(tryParseQuantityNanos('9'.repeat(100_000))).toBeUndefined();
});

test('rendering and parsing are inverse', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 62n }), (units) => {
      expect(parseQuantity(renderQuantity(units))).toBe(units);
      expect(parseQuantityMilli(renderQuantityMilli(units))).toBe(units);
    }),
  );
  expect(renderQuantity(8_589_934_592n)).toBe('8Gi');
  expect(renderQuantity(1000n)).toBe('1000');
  expect(renderQuantityMilli(1500n)).toBe('1500m');
});
