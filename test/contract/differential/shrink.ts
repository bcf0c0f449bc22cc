/**
 * Leaves out of a failing sequence what it does not need to fail: halves first, then ever smaller parts, down to single
 * items. `fails` tells whether a shorter sequence still does; it is asked at most `maxTries` times.
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
  maxTries = 120,
): Promise<readonly T[]> {
  let current = items;
  let tries = 0;
  for (let size = Math.ceil(current.length / 2); size >= 1; size = Math.floor(size / 2)) {
    let isShorter = true;
    while (isShorter) {
      isShorter = false;
      for (let from = 0; from < current.length && tries < maxTries; ) {
        const without = [...current.slice(0, from), ...current.slice(from + size)];
        tries++;
        if (without.length < current.length && (await fails(without))) {
          current = without;
          isShorter = true;
        } else from += size;
      }
      if (size > 1) break;
    }
  }
  return current;
}
