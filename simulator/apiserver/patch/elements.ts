import type { PathElement } from './pathelement.ts';

/** Elements on one level of a set of paths. */
export type Elements = ReadonlySet<PathElement>;

export function joinElements(a: Elements, b: Elements): Elements {
  if (containsAll(a, b)) return a;
  const joined = new Set(a);
  for (const element of b) joined.add(element);
  return joined;
}

export function sharedElements(a: Elements, b: Elements): Elements {
  const shared = new Set<PathElement>();
  for (const element of a) if (b.has(element)) shared.add(element);
  return shared;
}

/** `a` itself where it shares nothing with `b`. */
export function dropElements(a: Elements, b: Elements): Elements {
  let left: Set<PathElement> | undefined;
  for (const element of a) {
    if (!b.has(element)) continue;
    left ??= new Set(a);
    left.delete(element);
  }
  return left ?? a;
}

export function containsAll(elements: Elements, others: Elements): boolean {
  for (const element of others) if (!elements.has(element)) return false;
  return true;
}
