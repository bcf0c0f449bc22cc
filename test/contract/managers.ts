import { at, isArray, type Json } from './json.ts';

/**
 * The order of managers depends on whether their writes fell into the same second. Whether it is the right one for their
 * times is checked here, and then they are sorted without the time.
 */
export function renderManagedFields(entries: readonly Json[]): readonly Json[] {
  const key = (entry: Json, withTime: boolean): string =>
    JSON.stringify([
      at(entry, 'operation') === 'Apply' ? 0 : 1,
      withTime ? (at(entry, 'time') ?? '') : '',
      at(entry, 'manager') ?? '',
      at(entry, 'apiVersion') ?? '',
      at(entry, 'subresource') ?? '',
    ]);
  const compare = (withTime: boolean) => (a: Json, b: Json) => (key(a, withTime) < key(b, withTime) ? -1 : 1);
  const isSorted = JSON.stringify(entries) === JSON.stringify([...entries].sort(compare(true)));
  const sorted = [...entries].sort(compare(false));
  return isSorted ? sorted : ['(not in the order of operation, time, manager, version)', ...sorted];
}

const QUOTED = /"(?:[^"\\]|\\.)*"/g;
const MEMBER = '"managedFields":[';

/** The same inside a text that quotes a whole object, as the refusal of a patch does that does not fit the type. The rest of the text stays as it is. */
export function renderQuotedManagedFields(text: string): string {
  return text.replaceAll(QUOTED, (quoted) => {
    if (!quoted.includes('managedFields')) return quoted;
    const object = parseText(quoted);
    const from = typeof object === 'string' ? object.indexOf(MEMBER) : -1;
    if (typeof object !== 'string' || from < 0) return quoted;
    const begin = from + MEMBER.length - 1;
    const end = findEnd(object, begin);
    const entries = parseText(object.slice(begin, end));
    if (!isArray(entries)) return quoted;
    return JSON.stringify(object.slice(0, begin) + JSON.stringify(renderManagedFields(entries)) + object.slice(end));
  });
}

function parseText(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json;
  } catch {
    return undefined;
  }
}

/** Where the JSON array that begins at `begin` is over. */
function findEnd(json: string, begin: number): number {
  let depth = 0;
  for (const { 0: token, index } of json.slice(begin).matchAll(/"(?:[^"\\]|\\.)*"|[[\]]/g)) {
    if (token === '[') depth += 1;
    if (token === ']') depth -= 1;
    if (depth === 0) return begin + index + 1;
  }
  return json.length;
}
