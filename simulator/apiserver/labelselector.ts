import { checkLabelKey, checkLabelValue } from './names.ts';
import { type FieldError, invalid, renderFieldErrors } from './schema/fielderror.ts';

export type Labels = Readonly<Record<string, string>>;
export type LabelMatcher = (labels: Labels | undefined) => boolean;

type Operator = '=' | '==' | '!=' | 'in' | 'notin' | '>' | '<' | 'exists' | '!';
type Token = { readonly type: TokenType; readonly text: string };
type TokenType = 'identifier' | 'end' | 'error' | '(' | ')' | ',' | '!' | Exclude<Operator, 'exists' | '!'>;

/** Parses `a=b,c!=d,e in (f,g),!h` as the API server does; undefined for one that selects everything. Throws an Error in its words. */
export function parseLabelSelector(text: string): LabelMatcher | undefined {
  const requirements = new Parser(scan(text)).parse();
  if (requirements.length === 0) return undefined;
  return (labels = NO_LABELS) => requirements.every((matches) => matches(labels));
}

const NO_LABELS: Labels = {};
type Requirement = (labels: Labels) => boolean;

const KEYWORDS: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', 'in', '<', '!=', 'notin', '(']);
const SPECIAL = /[=!(),><]/;
const SPACE = /[ \t\r\n]/;

function scan(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  // The real server's scanner takes a NUL for the end.
  while (at < text.length && text.charAt(at) !== '\0') {
    const first = text.charAt(at);
    if (SPACE.test(first)) {
      at += 1;
      continue;
    }
    const isSpecial = SPECIAL.test(first);
    const word = isSpecial ? scanSpecial(text, at) : scanWord(text, at);
    at += word.length;
    const type = KEYWORDS.has(word) ? word : isSpecial ? 'error' : 'identifier';
    tokens.push({ type: type as TokenType, text: type === 'error' ? `error expected: keyword found '${word}'` : word });
  }
  tokens.push({ type: 'end', text: '' });
  return tokens;
}

function scanSpecial(text: string, from: number): string {
  const two = text.slice(from, from + 2);
  return KEYWORDS.has(two) ? two : text.charAt(from);
}

function scanWord(text: string, from: number): string {
  let end = from;
  while (end < text.length && !SPECIAL.test(text.charAt(end)) && !SPACE.test(text.charAt(end))) end += 1;
  return text.slice(from, end);
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): readonly Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const next = this.#peek();
      if (next.type === 'end') return requirements;
      if (next.type !== 'identifier' && next.type !== '!') {
        throw new Error(`found '${next.text}', expected: !, identifier, or 'end of string'`);
      }
      try {
        requirements.push(this.#requirement());
      } catch (error) {
        throw new Error(`unable to parse requirement: ${error instanceof Error ? error.message : error}`);
      }
      const after = this.#take();
      if (after.type === 'end') return requirements;
      if (after.type !== ',') throw new Error(`found '${after.text}', expected: ',' or 'end of string'`);
      const follows = this.#peek();
      if (follows.type !== 'identifier' && follows.type !== '!') {
        throw new Error(`found '${follows.text}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): Requirement {
    let token = this.#take();
    const negated = token.type === '!';
    if (negated) token = this.#take();
    if (token.type !== 'identifier') throw new Error(`found '${token.text}', expected: identifier`);
    const key = token.text;
    refuse(checkLabelKey(key).map((detail) => invalid('<nil>', key, detail)));
    if (negated) return buildRequirement(key, '!', []);
    const { type } = this.#peek();
    if (type === 'end' || type === ',') return buildRequirement(key, 'exists', []);
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exact()];
    return buildRequirement(key, operator, values);
  }

  #operator(): Operator {
    const { type, text } = this.#take(false);
    if (BINARY.includes(type as Operator)) return type as Operator;
    throw new Error(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
  }

  #values(): readonly string[] {
    const open = this.#take();
    if (open.type !== '(') throw new Error(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.type === ')') {
      this.#take();
      return [''];
    }
    if (first.type !== 'identifier' && first.type !== ',') {
      throw new Error(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = new Set<string>();
    for (;;) {
      const token = this.#take();
      if (token.type === 'identifier') {
        values.add(token.text);
        const { type, text } = this.#peek();
        if (type !== ',' && type !== ')') throw new Error(`found '${text}', expected: ',' or ')'`);
      } else if (token.type === ',') {
        if (values.size === 0 || this.#peek().type !== 'identifier') values.add('');
      } else if (token.type === ')') return [...values].sort();
      else throw new Error(`found '${token.text}', expected: ',', or identifier`);
    }
  }

  #exact(): string {
    const { type } = this.#peek();
    if (type === 'end' || type === ',') return '';
    const token = this.#take();
    if (token.type === 'identifier') return token.text;
    throw new Error(`found '${token.text}', expected: identifier`);
  }

  #peek(): Token {
    return asValue(this.#tokens[this.#at]);
  }

  /** Without `isValue`, `in` and `notin` are operators. */
  #take(isValue = true): Token {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return isValue ? asValue(token) : (token ?? END);
  }
}

const END: Token = { type: 'end', text: '' };
const BINARY: readonly Operator[] = ['in', 'notin', '=', '==', '!=', '>', '<'];

function asValue(token: Token | undefined): Token {
  if (token === undefined) return END;
  return token.type === 'in' || token.type === 'notin' ? { type: 'identifier', text: token.text } : token;
}

function buildRequirement(key: string, operator: Operator, values: readonly string[]): Requirement {
  const numeric = operator === '>' || operator === '<';
  const errors: FieldError[] = [];
  for (const [index, value] of values.entries()) {
    if (numeric && !/^[+-]?\d+$/.test(value)) {
      errors.push(invalid(`values[${index}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    }
  }
  for (const [index, value] of values.entries()) {
    errors.push(...checkLabelValue(value).map((detail) => invalid(`values[${index}][${key}]`, value, detail)));
  }
  refuse(errors);
  const wanted = new Set(values);
  const bound = Number(values[0]);
  return (labels) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === '!') return value === undefined;
    if (operator === 'notin' || operator === '!=') return value === undefined || !wanted.has(value);
    if (value === undefined) return false;
    if (operator === 'exists') return true;
    if (numeric) return /^[+-]?\d+$/.test(value) && (operator === '>' ? Number(value) > bound : Number(value) < bound);
    return wanted.has(value);
  };
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw new Error(renderFieldErrors(errors));
}
