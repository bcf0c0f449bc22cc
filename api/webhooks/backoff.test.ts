import { describe, expect, it } from 'vitest';
import { realRandom } from '../../kube/clock.ts';
import { computeDelay, MOST_ATTEMPTS, parseRetryAfter } from './backoff.ts';

const NEVER = { ...realRandom, next: () => 0 };
const MOST = { ...realRandom, next: () => 0.999999 };
const HOUR_MS = 3_600_000;

function schedule(random: typeof realRandom): readonly number[] {
  return Array.from({ length: MOST_ATTEMPTS - 1 }, (_, index) => computeDelay(index + 1, undefined, random) ?? -1);
}
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

describe('waits between attempts', () => {
  it('take 75 h 35 min 5 s in all, and longer by a tenth at most', () => {
    expect(sum(schedule(NEVER))).toBe(75 * HOUR_MS + 35 * 60_000 + 5_000);
    expect(sum(schedule(MOST)) / sum(schedule(NEVER))).toBeCloseTo(1.1, 4);
    for (let i = 0; i < 100; i++) expect(sum(schedule(realRandom))).toBeGreaterThanOrEqual(75 * HOUR_MS);
  });

  it('grow, and differ from one delivery to the next', () => {
    expect([...schedule(NEVER)].sort((a, b) => a - b)).toEqual(schedule(NEVER));
    expect(new Set(Array.from({ length: 50 }, () => computeDelay(3, undefined, realRandom))).size).toBeGreaterThan(10);
  });

  it('end with the tenth attempt', () => {
    expect(MOST_ATTEMPTS).toBe(10);
    expect(computeDelay(10, undefined, realRandom)).toBeUndefined();
    expect(computeDelay(10, 5_000, realRandom)).toBeUndefined();
  });

  it('are as long as the receiver asks, up to a day', () => {
    expect(computeDelay(1, 60_000, NEVER)).toBe(60_000);
    expect(computeDelay(4, 60_000, NEVER)).toBe(2 * HOUR_MS);
    expect(computeDelay(1, 900 * HOUR_MS, NEVER)).toBe(24 * HOUR_MS);
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 26, 12);
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 26 Nov 2026 12:05:00 GMT', 300_000],
    ['Thu, 26 Nov 2026 11:00:00 GMT', 0],
    ['-5', undefined],
    ['1e9', undefined],
    ['soon', undefined],
    ['99999999999999', undefined],
    ['2026', 2_026_000],
    [`Thu, ${'9'.repeat(100)}`, undefined],
    [undefined, undefined],
  ])('%s', (text, expected) => {
    expect(parseRetryAfter(text, now)).toBe(expected);
  });
});
