import type { Random } from '../kube/clock.ts';

/** Randomness that a seed repeats. */
export type SeededRandom = Random & {
  /**
   * A stream of its own for one part, made of the seed and the name alone: how much is drawn elsewhere, before or after, does not
   * change it. The same name gives the same stream from its beginning.
   */
  fork(name: string): SeededRandom;
  /** Uniform in `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** One of the items; throws RangeError when there is none. */
  pick<T>(items: readonly T[]): T;
  /** True with this probability. */
  chance(probability: number): boolean;
};

/** Good enough for simulations and fast (sfc32); nothing secret may ever come of it. */
export function createSeededRandom(seed: string | number): SeededRandom {
  const origin = String(seed);
  let [a, b, c, d] = hashSeed(origin);
  const word = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let i = 0; i < WARM_UP; i++) word();
  const next = (): number => (word() * 2 ** 21 + (word() >>> 11)) / 2 ** 53;
  return {
    next,
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
    fork: (name) => createSeededRandom(`${origin}/${name}`),
    integer: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick: (items) => {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new RangeError('there is nothing to pick from');
      return item;
    },
    chance: (probability) => next() < probability,
  };
}

const WARM_UP = 12;

type State = readonly [number, number, number, number];

/** Four words of a text, each by its own multiplier (FNV-1a with a final mix). */
function hashSeed(text: string): [number, number, number, number] {
  const words = MULTIPLIERS.map((multiplier, index) => {
    let hash = 0x811c9dc5 ^ index;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), multiplier);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  });
  return [words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0];
}

const MULTIPLIERS = [0x01000193, 0x9e3779b1, 0x85ebca77, 0xc2b2ae3d] as const satisfies State;
