import { expect, it } from 'vitest';
import { computeTurns } from './order.ts';

it('turns the order round at every repetition', () => {
  const turns = computeTurns(['a', 'b', 'c'], 3);
  expect(turns.map(({ contender }) => contender).join('')).toBe('abccbaabc');
  expect(turns.map(({ repetition }) => repetition)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
});
