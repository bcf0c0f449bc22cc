import { describe, expect, it } from 'vitest';
import { computeMedian, computeQuantile, renderNumber, renderSummary, summarize } from './stats.ts';

describe('statistics', () => {
  it('interpolates quantiles, whatever the order of the sample', () => {
    expect(computeMedian([3, 1, 2])).toBe(2);
    expect(computeMedian([4, 1, 3, 2])).toBe(2.5);
    expect(computeQuantile([10, 20, 30, 40, 50], 0.95)).toBeCloseTo(48);
    expect(computeQuantile([7], 0.95)).toBe(7);
  });

  it('refuses an empty sample rather than give a number', () => {
    expect(() => computeMedian([])).toThrow('no quantile');
  });

  it('shows median and spread', () => {
    expect(renderSummary(summarize([1, 3, 2]))).toBe('2.00 (1.00 to 3.00)');
  });

  it.each([
    [1234.5, '1235'],
    [12.34, '12.3'],
    [1.234, '1.23'],
    [0.0123, '0.012'],
    [0.00001, '1.0e-5'],
    [0, '0'],
  ])('renders %d as %s', (value, text) => {
    expect(renderNumber(value)).toBe(text);
  });
});
