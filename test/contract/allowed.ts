import type { Difference } from './compare.ts';

/**
 * Differences that stay. Each is in `simulator/apiserver/README.md` with its reason in full; here it says where it shows. The suite fails on a
 * difference that no entry names, and on an entry that no difference needs any more.
 */
export type Allowed = {
  /** The case, as `subject: name`; the expression has to match it whole, as do the others. */
  readonly case: RegExp;
  /** Where in the answer: `body\.message`. */
  readonly path: RegExp;
  /** Only in these steps, as the report prints them; absent: in all. */
  readonly step?: RegExp;
  readonly reason: string;
};

export const ALLOWED: readonly Allowed[] = [];

/** The first entry that lets a difference stand. */
export function findAllowed(name: string, difference: Difference, allowed = ALLOWED): Allowed | undefined {
  return allowed.find(
    (entry) =>
      isWhole(entry.case, name) &&
      isWhole(entry.path, difference.path) &&
      (entry.step === undefined || isWhole(entry.step, difference.step)),
  );
}

function isWhole(expression: RegExp, text: string): boolean {
  return new RegExp(`^(?:${expression.source})$`, expression.flags).test(text);
}
