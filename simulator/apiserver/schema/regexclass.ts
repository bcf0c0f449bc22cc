/** Characters and sets of characters in Go's regular expressions. */

/** Where a pattern is read. */
export type Cursor = { readonly pattern: string; at: number };

/** A pattern that Go's `regexp` refuses. `message` is Go's. */
export class PatternError extends Error {
  constructor(problem: string, part: string) {
    super(`error parsing regexp: ${problem}: \`${part}\``);
  }
}

/** `\d`, `\pL` and their like, as a JavaScript class; undefined for everything else. */
export function readSet(cursor: Cursor): string | undefined {
  const next = cursor.pattern[cursor.at + 1] ?? '';
  const perl = PERL[next];
  if (perl !== undefined) {
    cursor.at += 2;
    return perl;
  }
  if (next !== 'p' && next !== 'P') return undefined;
  const found = /^\\[pP](?:\{(\^?)([^}]*)\}|(.))/u.exec(cursor.pattern.slice(cursor.at));
  if (found === null) throw new PatternError('invalid character class range', cursor.pattern.slice(cursor.at));
  const [text, caret = '', braced, single] = found;
  cursor.at += text.length;
  return renderProperty(braced ?? single ?? '', (next === 'P') !== (caret === '^'), text);
}

function renderProperty(name: string, isNegated: boolean, text: string): string {
  const letter = isNegated ? 'P' : 'p';
  if (name === 'Any') return isNegated ? '[]' : '[^]';
  for (const property of [name, `Script=${name}`]) {
    if (property === name && !/^[A-Z][a-z]?$/.test(name)) continue;
    try {
      return new RegExp(`\\${letter}{${property}}`, 'u').source;
    } catch {}
  }
  throw new PatternError('invalid character class range', text);
}

const PERL: Readonly<Record<string, string>> = {
  d: '[0-9]',
  D: '[^0-9]',
  w: '[0-9A-Za-z_]',
  W: '[^0-9A-Za-z_]',
  s: '[\\t\\n\\f\\r ]',
  S: '[^\\t\\n\\f\\r ]',
};

/** One character that is written with a backslash. */
export function readEscapedRune(cursor: Cursor): number {
  const rest = cursor.pattern.slice(cursor.at);
  const found = /^\\(?:x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})|(0[0-7]{0,2}|[1-7][0-7]{1,2})|([\s\S]))/u.exec(rest);
  const [text = '', braced, pair, octal, single = ''] = found ?? [];
  const control = CONTROLS[single];
  const code = Number.parseInt(braced ?? pair ?? 'NaN', 16);
  cursor.at += text.length;
  if (octal !== undefined) return Number.parseInt(octal, 8);
  if (code <= 0x10ffff) return code;
  if (control !== undefined) return control;
  if (PUNCTUATION.test(single)) return single.charCodeAt(0);
  throw new PatternError('invalid escape sequence', single === '' ? rest : text);
}

const PUNCTUATION = /^[ -/:-@[-`{-~]$/;
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

export function hex(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

/** A class in brackets; `cursor.at` is at `[`. */
export function translateClass(cursor: Cursor): string {
  const { pattern } = cursor;
  const start = cursor.at;
  cursor.at += 1;
  const isNegated = pattern[cursor.at] === '^';
  if (isNegated) cursor.at += 1;
  let members = '';
  let extra = '';
  for (let isFirst = true; isFirst || pattern[cursor.at] !== ']'; isFirst = false) {
    if (cursor.at >= pattern.length) throw new PatternError('missing closing ]', pattern.slice(start));
    const set = readPosix(cursor) ?? (pattern[cursor.at] === '\\' ? readSet(cursor) : undefined);
    if (set === undefined) members += readRange(cursor, start);
    else if (set.startsWith('[^')) extra += `|${set}`;
    else members += set.startsWith('[') ? set.slice(1, -1) : set;
  }
  cursor.at += 1;
  return renderClass(isNegated, members, extra);
}

/** A negated set such as `\D` has no form inside a class, so it stands beside the class. */
function renderClass(isNegated: boolean, members: string, extra: string): string {
  if (extra === '') return `[${isNegated ? '^' : ''}${members}]`;
  const any = `[${members}]${extra}`;
  return isNegated ? `(?:(?!${any})[^])` : `(?:${any})`;
}

function readPosix(cursor: Cursor): string | undefined {
  const found = /^\[:(\^?)([a-z]+):\]/.exec(cursor.pattern.slice(cursor.at));
  if (found === null) return undefined;
  const [text, caret, name = ''] = found;
  const members = POSIX[name];
  if (members === undefined) throw new PatternError('invalid character class range', text);
  cursor.at += text.length;
  return caret === '^' ? `[^${members}]` : `[${members}]`;
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\u{0}-\\u{7f}',
  blank: '\\t ',
  cntrl: '\\u{0}-\\u{1f}\\u{7f}',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

function readRange(cursor: Cursor, classStart: number): string {
  const { pattern } = cursor;
  const start = cursor.at;
  const low = readMember(cursor, classStart);
  if (pattern[cursor.at] !== '-' || pattern[cursor.at + 1] === ']' || cursor.at + 1 >= pattern.length) return hex(low);
  cursor.at += 1;
  const high = readMember(cursor, classStart);
  if (high < low) throw new PatternError('invalid character class range', pattern.slice(start, cursor.at));
  return `${hex(low)}-${hex(high)}`;
}

function readMember(cursor: Cursor, classStart: number): number {
  if (cursor.pattern[cursor.at] === '\\') return readEscapedRune(cursor);
  const code = cursor.pattern.codePointAt(cursor.at);
  if (code === undefined) throw new PatternError('missing closing ]', cursor.pattern.slice(classStart));
  cursor.at += code > 0xffff ? 2 : 1;
  return code;
}
