/** A JSON value as it came; a number that JavaScript would print otherwise is kept as the text `<number 1.0>`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** Parses JSON without losing how numbers were written. Throws SyntaxError. */
export function parseJson(text: string): Json {
  const keepNumbers = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && context?.source !== undefined && context.source !== String(value)
      ? `<number ${context.source}>`
      : value;
  return JSON.parse(text, keepNumbers) as Json;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** What stands at a dotted path (`items.0.metadata.uid`), own members only. */
export function at(value: Json | undefined, path: string): Json | undefined {
  let found = value;
  for (const part of path === '' ? [] : path.split('.')) {
    if (isArray(found)) found = found[Number(part)];
    else if (isObject(found) && Object.hasOwn(found, part)) found = found[part];
    else return undefined;
  }
  return found;
}

/** The same value with every object's members and every text replaced; `__proto__` stays an ordinary name. */
export function mapJson(
  value: Json,
  text: (text: string) => string,
  member?: Member,
  path: readonly string[] = [],
): Json {
  if (typeof value === 'string') return text(value);
  if (isArray(value)) return value.map((item, index) => mapJson(item, text, member, [...path, String(index)]));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, child]): [string, Json] => {
    const changed = member?.(name, child, value, path);
    return [text(name), changed === undefined ? mapJson(child, text, member, [...path, name]) : changed];
  });
  return Object.fromEntries(entries);
}

/** Gives the value that a member becomes, or undefined to go on inside it. */
export type Member = (name: string, value: Json, parent: JsonObject, path: readonly string[]) => Json | undefined;
