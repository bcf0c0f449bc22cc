/** One import or re-export as written in a file. */
export type ImportStatement = {
  readonly specifier: string;
  /** What stands between the keyword and `from`, such as `{ createHash }`; empty for a bare or dynamic import. */
  readonly clause: string;
  readonly typeOnly: boolean;
  readonly line: number;
};

const STATIC = /\b(?:import|export)\b\s*(type\b(?!\s*(?:from|,|=)))?([\w$*{}\s,]*?)(?:\bfrom\s*)?(['"])([^'"\n]+)\3/g;
const DYNAMIC = /\bimport\s*\(\s*(['"])([^'"\n]+)\1/g;

/** Finds a TypeScript file's imports, static, dynamic and re-exported; what merely looks like one in a string is left out. */
export function parseImports(text: string): readonly ImportStatement[] {
  const code = blank(text, { strings: true });
  const withStrings = blank(text, { strings: false });
  const isCode = (index: number) => /^(?:import|export)/.test(code.slice(index, index + 6));
  const lineOf = (index: number) => text.slice(0, index).split('\n').length;
  const found: ImportStatement[] = [];
  for (const match of withStrings.matchAll(STATIC)) {
    if (!isCode(match.index)) continue;
    const clause = (match[2] ?? '').trim();
    const isFrom = /\bfrom\s*['"]/.test(match[0]);
    if (!isFrom && clause !== '') continue;
    found.push({ specifier: match[4] ?? '', clause, typeOnly: match[1] !== undefined, line: lineOf(match.index) });
  }
  for (const match of withStrings.matchAll(DYNAMIC)) {
    if (isCode(match.index))
      found.push({ specifier: match[2] ?? '', clause: '', typeOnly: false, line: lineOf(match.index) });
  }
  return found;
}

/** Gives a file's code with comments, and the content of strings, templates and regular expressions, turned to spaces. */
export function codeOnly(text: string): string {
  return blank(text, { strings: true });
}

const REGEX_MAY_FOLLOW =
  /(?:^|[([{,;:=!&|?+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|delete|throw|new|else|do|await|yield))$/;

/** Replaces by spaces, keeping every line and column where it is. */
function blank(text: string, options: { readonly strings: boolean }): string {
  const out =
    [...text].length === text.length ? text.split('') : Array.from({ length: text.length }, (_, i) => text[i] ?? '');
  const erase = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  const braces: ('code' | 'template')[] = [];
  let i = 0;
  const skipTemplate = () => {
    const from = i;
    while (i < text.length && text[i] !== '`' && !text.startsWith('${', i)) i += text[i] === '\\' ? 2 : 1;
    if (options.strings) erase(from, i);
    if (text.startsWith('${', i)) {
      braces.push('template');
      i += 2;
    } else i++;
  };
  while (i < text.length) {
    const end = endOfComment(text, i);
    const char = text[i] ?? '';
    if (end !== undefined) {
      erase(i, end);
      i = end;
    } else if (char === "'" || char === '"' || (char === '/' && regexMayStart(text, out, i))) {
      const close = endOfLiteral(text, i);
      if (options.strings) erase(i + 1, close - 1);
      i = close;
    } else if (char === '`') {
      i++;
      skipTemplate();
    } else if (char === '{') {
      braces.push('code');
      i++;
    } else if (char === '}') {
      i++;
      if (braces.pop() === 'template') skipTemplate();
    } else i++;
  }
  return out.join('');
}

function endOfComment(text: string, start: number): number | undefined {
  if (text.startsWith('//', start)) {
    const end = text.indexOf('\n', start);
    return end < 0 ? text.length : end;
  }
  if (!text.startsWith('/*', start)) return undefined;
  const end = text.indexOf('*/', start + 2);
  return end < 0 ? text.length : end + 2;
}

function regexMayStart(text: string, out: readonly string[], start: number): boolean {
  if (text[start + 1] === '/' || text[start + 1] === '*') return false;
  return REGEX_MAY_FOLLOW.test(
    out
      .slice(Math.max(0, start - 200), start)
      .join('')
      .trimEnd(),
  );
}

/** The index after a string's or regular expression's closing mark, or of the end of its line. */
function endOfLiteral(text: string, start: number): number {
  const mark = text[start];
  let inClass = false;
  for (let i = start + 1; i < text.length; i++) {
    const char = text[i];
    if (char === '\n') return i;
    if (char === '\\') i++;
    else if (mark === '/' && char === '[') inClass = true;
    else if (mark === '/' && char === ']') inClass = false;
    else if (char === mark && !inClass) return i + 1;
  }
  return text.length;
}
