import { isObject, type JsonObject } from '../../schema/json.ts';

/** The first place where two JSON values differ, as text; undefined when they do not. Order of members does not matter but in `managedFields`. */
export function findDifference(actual: unknown, expected: unknown, path = ''): string | undefined {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    for (let index = 0; index < Math.max(actual.length, expected.length); index += 1) {
      const found = findDifference(actual[index], expected[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isObject(actual) && isObject(expected)) return findInMembers(actual, expected, path);
  return actual === expected
    ? undefined
    : `${path}: ${JSON.stringify(actual)}, the real one ${JSON.stringify(expected)}`;
}

function findInMembers(actual: JsonObject, expected: JsonObject, path: string): string | undefined {
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  for (const key of keys) {
    const found = findDifference(actual[key], expected[key], `${path}.${key}`);
    if (found !== undefined) return found;
  }
  if (!path.includes('fieldsV1')) return undefined;
  const [order, real] = [Object.keys(actual).join(' '), Object.keys(expected).join(' ')];
  return order === real ? undefined : `${path}: order ${order}, the real one ${real}`;
}
