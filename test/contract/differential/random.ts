/** A seeded source of choices: the same seed gives the same choices on every machine. */
export type Choices = {
  /** A whole number from 0 to `below` - 1. */
  index(below: number): number;
  /** True in `percent` of 100 times. */
  chance(percent: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Some of them, in their order. */
  some<T>(from: readonly T[]): readonly T[];
};

export function createChoices(seed: number): Choices {
  let state = seed >>> 0;
  // Tommy Ettinger's mulberry32.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const index = (below: number): number => Math.floor(next() * below);
  return {
    index,
    chance: (percent) => index(100) < percent,
    pick: (from) => {
      const found = from[index(from.length)];
      if (found === undefined) throw new Error('nothing to choose from');
      return found;
    },
    some: (from) => from.filter(() => index(2) === 0),
  };
}
