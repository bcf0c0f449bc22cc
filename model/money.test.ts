import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMoney, compareMoney, divideMoney, multiplyMoney, parseMoney, renderMoney, ZERO } from './money.ts';

const amount = fc
  .tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.integer({ min: 0, max: 12 }))
  .map(([digits, decimals]) =>
    renderMoney(divideMoney({ numerator: digits, denominator: 1n }, 10n ** BigInt(decimals)), decimals),
  );

describe('parseMoney', () => {
  it.each([
    ['0', { numerator: 0n, denominator: 1n }],
    ['28.00', { numerator: 28n, denominator: 1n }],
    ['-0.05', { numerator: -1n, denominator: 20n }],
    ['0.000000000001', { numerator: 1n, denominator: 10n ** 12n }],
  ])('reads %s exactly', (text, money) => {
    expect(parseMoney(text)).toEqual(money);
  });

  it.each(['', '1e3', '+1', '01', '1.', '.5', '1,5', '0.0000000000001', '1 ', 'NaN', '--1', '1\n'])(
    'refuses %j',
    (text) => {
      expect(() => parseMoney(text)).toThrow('is no amount such as "28.00" with at most 12 decimals');
    },
  );

  it('gives back what was rendered', () => {
    fc.assert(
      fc.property(amount, (text) => {
        const decimals = text.split('.')[1]?.length ?? 0;
        expect(renderMoney(parseMoney(text), decimals)).toBe(text);
      }),
    );
  });
});

describe('renderMoney', () => {
  it.each([
    ['0.005', 2, '0.01'],
    ['-0.005', 2, '-0.01'],
    ['0.0049', 2, '0.00'],
    ['-0.0049', 2, '0.00'],
    ['99.995', 2, '100.00'],
    ['0.5', 0, '1'],
    ['7', 3, '7.000'],
  ])('rounds %s to %d decimals as %s', (text, decimals, rendered) => {
    expect(renderMoney(parseMoney(text), decimals)).toBe(rendered);
  });

  it.each([-1, 13, 1.5])('refuses %d decimals', (decimals) => {
    expect(() => renderMoney(ZERO, decimals)).toThrow(`decimals must be 0 to 12, is ${decimals}`);
  });
});

describe('arithmetic', () => {
  it('loses nothing: the seconds of a month add up to the month', () => {
    const seconds = 30n * 86_400n;
    const second = divideMoney(parseMoney('28.00'), seconds);
    expect(multiplyMoney(second, seconds)).toEqual(parseMoney('28.00'));
    expect(addMoney(multiplyMoney(second, 1_000_000n), multiplyMoney(second, seconds - 1_000_000n))).toEqual(
      parseMoney('28'),
    );
  });

  it('adds in any order, and orders as numbers do', () => {
    fc.assert(
      fc.property(amount, amount, (x, y) => {
        const [a, b] = [parseMoney(x), parseMoney(y)];
        expect(addMoney(a, b)).toEqual(addMoney(b, a));
        expect(compareMoney(addMoney(a, b), a)).toBe(compareMoney(b, ZERO));
        expect(addMoney(a, multiplyMoney(a, -1n))).toEqual(ZERO);
      }),
    );
  });

  it('refuses to divide by nothing', () => {
    expect(() => divideMoney(ZERO, 0n)).toThrow('the divisor must be positive, is 0');
  });
});
