import type { Difference } from './compare.ts';

/**
 * Differences that stay. Each is in `simulator/apiserver/README.md` with its reason in full; here it says where it shows. The suite fails on a
 * difference that no entry names, and on an entry that no difference needs any more.
 */
export type Allowed = {
  /** The case, as `subject: name`. */
  readonly case: string;
  /** Where in the answer, whole: `body\.message`. */
  readonly path: RegExp;
  /** Only in these steps, whole, as the report prints them; absent: in all. */
  readonly step?: RegExp;
  readonly reason: string;
};

export const ALLOWED: readonly Allowed[] = [];

/** The first entry that lets a difference stand. */
export function findAllowed(name: string, difference: Difference, allowed = ALLOWED): Allowed | undefined {
  return allowed.find(
    (entry) => entry.case === name && entry.path.test(difference.path) && (entry.step?.test(difference.step) ?? true),
  );
}
