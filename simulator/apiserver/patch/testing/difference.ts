import { isObject, type JsonObject } from '../../schema/json.ts';

/**
 * The first place where two JSON values differ, as text; undefined when they do not. The order of members matters below `orderedBelow` only.
 */
export function findDifference(
  actual: unknown,
  expected: unknown,
  { orderedBelow = '-', path = '' }: { readonly orderedBelow?: string; readonly path?: string } = {},
): string | undefined {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    for (let index = 0; index < Math.max(actual.length, expected.length); index += 1) {
      const found = findDifference(actual[index], expected[index], { orderedBelow, path: `${path}[${index}]` });
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isObject(actual) && isObject(expected)) return findInMembers(actual, expected, orderedBelow, path);
  if (actual === expected || (path.endsWith('.time') && areClose(actual, expected))) return undefined;
  return `${path}: ${JSON.stringify(actual)}, the real one ${JSON.stringify(expected)}`;
}

const CLOSE_MS = 2_000;

/** A write may see two seconds. */
function areClose(time: unknown, other: unknown): boolean {
  return Math.abs(Date.parse(String(time)) - Date.parse(String(other))) <= CLOSE_MS;
}

function findInMembers(
  actual: JsonObject,
  expected: JsonObject,
  orderedBelow: string,
  path: string,
): string | undefined {
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  for (const key of keys) {
    const found = findDifference(actual[key], expected[key], { orderedBelow, path: `${path}.${key}` });
    if (found !== undefined) return found;
  }
  if (!path.includes(orderedBelow)) return undefined;
  const [order, real] = [Object.keys(actual).join(' '), Object.keys(expected).join(' ')];
  return order === real ? undefined : `${path}: order ${order}, the real one ${real}`;
}

/** As {@link findDifference}, but that the real value may have more, defaults, and no directives of patches, which no kind has as fields. */
export function findMissing(predicted: unknown, real: unknown, path = ''): string | undefined {
  if (isObject(predicted) && isObject(real)) {
    for (const [key, value] of Object.entries(predicted)) {
      const isNothing = value === null || (typeof value === 'object' && Object.keys(value).length === 0);
      const isForgotten = real[key] === undefined && (isNothing || key.startsWith('$'));
      const found = isForgotten ? undefined : findMissing(value, real[key], `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (Array.isArray(predicted) && Array.isArray(real) && predicted.length === real.length) {
    return predicted
      .map((item, index) => findMissing(item, real[index], `${path}[${index}]`))
      .find((found) => found !== undefined);
  }
  return findDifference(predicted, real, { path });
}
