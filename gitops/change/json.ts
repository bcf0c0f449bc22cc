import type { Json, JsonMap } from '../intent.ts';

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The own member of that name: `__proto__` and friends are names as any other. */
export function memberOf(map: JsonMap, name: string): Json | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/** Whether two values are the same, the order of members aside. At the top, null and undefined are. */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  return (a ?? undefined) === (b ?? undefined) || (a != null && b != null && equalPresent(a, b));
}

function equalPresent(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false;
    for (let index = 0; index < a.length; index++) {
      if (!equalPresent(a[index] ?? null, b[index] ?? null)) return false;
    }
    return true;
  }
  if (!isMap(a) || !isMap(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equalPresent(a[name] ?? null, b[name] ?? null));
}

/** The map with one member set, at the place that it had or at the end, or without it. */
export function withMember(map: JsonMap, name: string, value: Json | undefined): JsonMap {
  const entries = Object.entries(map);
  const at = entries.findIndex(([key]) => key === name);
  if (value === undefined) return at < 0 ? map : Object.fromEntries(entries.filter((_, index) => index !== at));
  if (at < 0) entries.push([name, value]);
  else entries[at] = [name, value];
  return Object.fromEntries(entries);
}
