/** Values as Go prints them, which is what the API server's texts show. */

/** `%q` of a string. */
export function renderQuoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const rune of text) quoted += renderRune(rune);
  return `${quoted}"`;
}

const PLAIN = /^[ !#-[\]-~]*$/;

function renderRune(rune: string): string {
  const short = SHORT[rune];
  if (short !== undefined) return short;
  const code = rune.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  if (rune === ' ' || PRINTABLE.test(rune)) return rune;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;

/** `%v` of an integer or a float64. A whole number is taken as an integer, because JSON here does not tell `1` from `1.0`. */
export function renderNumber(value: number): string {
  return isInt64(value) ? String(BigInt(value)) : renderFloat(value);
}

/** Whether Go's JSON decoder makes an integer of it, as far as that can be told. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
}

/** `%v` of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6 on. */
export function renderFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return String(value);
}

/** `json.Marshal`: keys sorted, `<`, `>`, `&` and the line separators escaped. */
export function renderJson(value: unknown): string {
  return JSON.stringify(sortKeys(value)).replace(ESCAPED, (found) => {
    return `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

const ESCAPED = /[<>&\u2028\u2029]/g;

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, sortKeys(member)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => compareText(a, b)));
}

/** Go's order of strings, but for characters beyond U+FFFF beside some below it. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
