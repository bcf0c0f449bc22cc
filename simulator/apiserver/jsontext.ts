/** Reads JSON as Go does: what is wrong with a text in Go's words, and which keys stand twice in an object. */

export type JsonScan = {
  /** Undefined for a text that is JSON. */
  readonly error: string | undefined;
  /** Paths of keys that stand more than once, in order. */
  readonly duplicates: readonly string[];
};

const MAX_DEPTH = 10_000;
const END = 'unexpected end of JSON input';

export function scanJson(text: string): JsonScan {
  const scanner = new Scanner(text);
  try {
    scanner.scan();
    return { error: undefined, duplicates: scanner.duplicates };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error), duplicates: scanner.duplicates };
  }
}

type Frame = { readonly isObject: boolean; readonly keys: Set<string>; path: string; index: number };

class Scanner {
  readonly duplicates: string[] = [];
  readonly #text: string;
  readonly #stack: Frame[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    this.#value('');
    while (this.#stack.length > 0) this.#continue();
    this.#space();
    if (this.#at < this.#text.length) throw this.#wrong('after top-level value');
  }

  /** The next member or item of the innermost container, or its end. */
  #continue(): void {
    const frame = this.#stack.at(-1);
    if (frame === undefined) return;
    const isFirst = frame.index === 0;
    this.#space();
    const close = frame.isObject ? '}' : ']';
    if (this.#peek() === close) {
      this.#at += 1;
      this.#stack.pop();
      return;
    }
    if (!isFirst) {
      if (this.#peek() !== ',')
        throw this.#wrong(frame.isObject ? 'after object key:value pair' : 'after array element');
      this.#at += 1;
      this.#space();
    }
    frame.index += 1;
    if (frame.isObject) this.#member(frame);
    else this.#value(`${frame.path}[${frame.index - 1}]`);
  }

  #member(frame: Frame): void {
    if (this.#peek() !== '"') throw this.#wrong('looking for beginning of object key string');
    const start = this.#at;
    this.#string();
    const key: unknown = JSON.parse(this.#text.slice(start, this.#at));
    const path = frame.path === '' ? String(key) : `${frame.path}.${key}`;
    if (frame.keys.has(String(key))) {
      if (!this.duplicates.includes(path)) this.duplicates.push(path);
    } else frame.keys.add(String(key));
    this.#space();
    if (this.#peek() !== ':') throw this.#wrong('after object key');
    this.#at += 1;
    this.#value(path);
  }

  #value(path: string): void {
    this.#space();
    const first = this.#peek();
    if (first === '{' || first === '[') {
      if (this.#stack.length >= MAX_DEPTH) throw this.#wrong('exceeded max depth');
      this.#at += 1;
      this.#stack.push({ isObject: first === '{', keys: new Set(), path, index: 0 });
    } else if (first === '"') this.#string();
    else if (first === '-' || isDigit(first)) this.#number();
    else if (first === 't') this.#literal('true');
    else if (first === 'f') this.#literal('false');
    else if (first === 'n') this.#literal('null');
    else throw this.#wrong('looking for beginning of value');
  }

  #string(): void {
    for (this.#at += 1; ; this.#at += 1) {
      const next = this.#peek();
      if (next === '"') break;
      if (next < ' ') throw this.#wrong('in string literal');
      if (next === '\\') this.#escape();
    }
    this.#at += 1;
  }

  #escape(): void {
    this.#at += 1;
    const next = this.#inside();
    if (next !== 'u') {
      if (!'"\\/bfnrt'.includes(next)) throw this.#wrong('in string escape code');
      return;
    }
    for (let digit = 0; digit < 4; digit += 1) {
      this.#at += 1;
      if (!/[0-9a-fA-F]/.test(this.#inside())) throw this.#wrong('in \\u hexadecimal character escape');
    }
  }

  #number(): void {
    if (this.#peek() === '-') this.#at += 1;
    if (!isDigit(this.#inside())) throw this.#wrong('in numeric literal');
    if (this.#peek() === '0') this.#at += 1;
    else this.#digits();
    if (this.#text[this.#at] === '.') {
      this.#at += 1;
      if (!isDigit(this.#inside())) throw this.#wrong('after decimal point in numeric literal');
      this.#digits();
    }
    if (this.#text[this.#at] !== 'e' && this.#text[this.#at] !== 'E') return;
    this.#at += 1;
    if (this.#inside() === '+' || this.#inside() === '-') this.#at += 1;
    if (!isDigit(this.#inside())) throw this.#wrong('in exponent of numeric literal');
    this.#digits();
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at])) this.#at += 1;
  }

  #literal(word: string): void {
    for (const letter of word) {
      if (this.#inside() !== letter) throw this.#wrong(`in literal ${word} (expecting '${letter}')`);
      this.#at += 1;
    }
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1;
  }

  #peek(): string {
    const next = this.#text[this.#at];
    if (next === undefined) throw new Error(END);
    return next;
  }

  /** Inside of what cannot end here: Go reads a space after the end. */
  #inside(): string {
    return this.#text[this.#at] ?? ' ';
  }

  #wrong(where: string): Error {
    return new Error(`invalid character ${quote(this.#inside())} ${where}`);
  }
}

function isDigit(letter: string | undefined): boolean {
  return letter !== undefined && letter >= '0' && letter <= '9';
}

const SHORT: Readonly<Record<string, string>> = {
  "'": "\\'",
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
  '\x07': '\\a',
};

/** A character as Go quotes one; of what is no ASCII, the first byte, as Go's scanner reads bytes. */
function quote(letter: string): string {
  const byte = Buffer.from(letter)[0] ?? 0;
  const shown =
    SHORT[letter] ?? (byte < 0x20 || byte === 0x7f ? `\\x${byte.toString(16).padStart(2, '0')}` : undefined);
  return `'${shown ?? (byte < 0x80 ? letter : String.fromCharCode(byte))}'`;
}
