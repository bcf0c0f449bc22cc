import { type CST, isMap, isPair, isSeq, type Node, type Pair } from 'yaml';

/** Part of a text to be replaced. `lines`: what is written stands on lines of its own. */
export type Splice = { readonly from: number; readonly to: number; readonly text: string; readonly lines?: true };

/** The text with the parts replaced; undefined when two of them overlap. Of two at one place, the one that was made first comes first. */
export function applySplices(text: string, splices: readonly Splice[], eol: string): string | undefined {
  const sorted = [...splices].sort((a, b) => a.from - b.from || a.to - b.to);
  let result = '';
  let at = 0;
  for (const { from, to, text: piece, lines } of sorted) {
    if (from < at) return undefined;
    result += text.slice(at, from);
    if (lines && result !== '' && !result.endsWith('\n')) result += eol;
    result += piece;
    at = to;
  }
  return result + text.slice(at);
}

/** Where the last character of a node's content is, comments behind it aside. */
export function endOf(node: Node): number {
  const isBlock = (isMap(node) || isSeq(node)) && node.flow !== true;
  const last: unknown = isBlock ? node.items.at(-1) : undefined;
  if (isPair<Node, Node | null>(last)) return endOf(last.value ?? last.key);
  if (isNodeLike(last)) return endOf(last);
  return node.range?.[1] ?? 0;
}

/** Where a pair begins, an anchor or tag of its key included. */
export function startOfPair(pair: Pair<Node, Node | null>): number {
  const prop = pair.srcToken?.start.find(
    ({ type }) => type === 'anchor' || type === 'tag' || type === 'explicit-key-ind',
  );
  return prop?.offset ?? pair.key.range?.[0] ?? 0;
}

/** Just behind the colon of a pair. */
export function behindColon(pair: Pair<Node, Node | null>): number | undefined {
  return behind(pair.srcToken?.sep, 'map-value-ind');
}

/** The offsets of the dashes of a sequence in block style. */
export function dashesOf(token: CST.BlockSequence): readonly number[] {
  return token.items.flatMap(({ start }) => start.find(({ type }) => type === 'seq-item-ind')?.offset ?? []);
}

export function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** The beginning of the line after that of `offset`; `offset` itself where it begins a line, as behind a block scalar. */
export function nextLine(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === '\n') return offset;
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}

export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

/** Whether nothing but indentation is before it on its line. */
export function startsLine(text: string, offset: number): boolean {
  return /^ *$/.test(text.slice(lineStart(text, offset), offset));
}

/** The beginning of the line, or of the comments directly above it that are indented alike. */
export function startWithComments(text: string, offset: number): number {
  const column = columnOf(text, offset);
  let start = lineStart(text, offset);
  while (start > 0) {
    const above = lineStart(text, start - 1);
    if (text.slice(above, start).search(/[^ ]/) !== column || text[above + column] !== '#') break;
    start = above;
  }
  return start;
}

function behind(tokens: readonly CST.SourceToken[] | undefined, type: CST.SourceToken['type']): number | undefined {
  const found = tokens?.find((token) => token.type === type);
  return found === undefined ? undefined : found.offset + found.source.length;
}

function isNodeLike(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}
