import { expect, it } from 'vitest';
import { shrink } from './shrink.ts';

const numbers = Array.from({ length: 40 }, (_, index) => index);

it('leaves only what a failure needs', async () => {
  const fails = async (items: readonly number[]) => items.includes(7) && items.includes(31);
  expect(await shrink(numbers, fails)).toEqual([7, 31]);
});

it('keeps the order, and everything when everything is needed', async () => {
  expect(await shrink([3, 1, 2], async (items) => items.length === 3)).toEqual([3, 1, 2]);
});

it('gives up after so many tries, with a sequence that fails', async () => {
  let tries = 0;
  const found = await shrink(numbers, async (items) => ++tries > 0 && items.includes(39), 5);
  expect(tries).toBeLessThanOrEqual(5);
  expect(found).toContain(39);
});
