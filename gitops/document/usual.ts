import { type CST, type Node, Pair, type ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Json, JsonMap } from '../intent.ts';

/** The one document of a file: its value, its nodes, and the line on which it begins. */
export type UsualDocument = { readonly value: JsonMap; readonly contents: ParsedNode; readonly line: number };

/**
 * Reads files as nearly all are written, ten times faster than the parser of all YAML, which reads the others: one document; blocks of plain keys; plain and
 * quoted values without escapes; braces and brackets on one line; comments. Undefined for everything else, what is wrong included. What it
 * reads, it reads as the parser does; a test holds them to each other.
 */
export function parseUsual(text: string): UsualDocument | undefined {
  if (UNUSUAL.test(text)) return undefined;
  const lines = splitLines(text);
  const [first] = lines;
  if (first === undefined || first.indent !== 0) return undefined;
  const reader: Reader = { text, lines, at: 0 };
  const found = readMap(reader, 0, 0);
  if (found === undefined || reader.at < lines.length || !isJsonMap(found.value)) return undefined;
  const line = text.slice(0, first.start).split('\n').length;
  return { value: found.value, contents: found.node as ParsedNode, line };
}

/** Whatever needs more than this reader knows, wherever it stands. */
const UNUSUAL = /[^\P{Cc}\n]|[\u2028\u2029\ufeff\ufffe\uffff\\]|^(?:---|\.\.\.|%)/mu;
const MOST_DEPTH = 20;

/** A line's content: where it begins and ends, a comment behind it aside. */
type Line = { readonly indent: number; readonly start: number; readonly end: number };
type Reader = { readonly text: string; readonly lines: Line[]; at: number };
type Found = { readonly node: Node; readonly value: Json; readonly end: number };

function splitLines(text: string): Line[] {
  const lines: Line[] = [];
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    let start = from;
    while (start < end && text[start] === ' ') start += 1;
    if (start < end && text[start] !== '#') lines.push({ indent: start - from, start, end });
    from = end + 1;
  }
  return lines;
}

function readMap(reader: Reader, indent: number, depth: number): Found | undefined {
  const { text, lines } = reader;
  const node = new YAMLMap<Node, Node | null>();
  const entries: [string, Json][] = [];
  const names = new Set<string>();
  const begin = lines[reader.at]?.start ?? 0;
  let end = begin;
  for (let line = lines[reader.at]; line !== undefined && line.indent >= indent; line = lines[reader.at]) {
    if (line.indent > indent) return undefined;
    const key = matchAt(KEY, text, line.start, line.end);
    if (key === undefined || names.has(key) || RESERVED.test(key)) return undefined;
    names.add(key);
    const colon = line.start + key.length;
    const found = readValue(reader, { line, from: colon + 1, indent, isKey: true }, depth + 1);
    if (found === undefined) return undefined;
    end = found.end;
    node.items.push(buildPair(buildScalar(key, line.start, colon, 'PLAIN'), found.node, colon));
    entries.push([key, found.value]);
  }
  node.range = [begin, end, end];
  return { node, value: Object.fromEntries(entries), end };
}

function readSeq(reader: Reader, indent: number, depth: number): Found | undefined {
  const { text, lines } = reader;
  const node = new YAMLSeq<Node>();
  const values: Json[] = [];
  const dashes: number[] = [];
  const begin = lines[reader.at]?.start ?? 0;
  let end = begin;
  for (let line = lines[reader.at]; line !== undefined && line.indent === indent; line = lines[reader.at]) {
    if (!isDash(text, line.start)) break;
    let from = line.start + 1;
    while (text[from] === ' ') from += 1;
    const column = indent + from - line.start;
    dashes.push(line.start);
    const key = matchAt(KEY, text, from, line.end);
    let found: Found | undefined;
    if (key === undefined) found = readValue(reader, { line, from: line.start + 1, indent, isKey: false }, depth + 1);
    else {
      // The rest of the line begins a map, as if it stood on a line of its own.
      lines[reader.at] = { indent: column, start: from, end: line.end };
      found = readMap(reader, column, depth + 1);
    }
    if (found === undefined) return undefined;
    end = found.end;
    node.items.push(found.node);
    values.push(found.value);
  }
  node.range = [begin, end, end];
  node.srcToken = buildSeqToken(begin, dashes);
  return { node, value: values, end };
}

type ValuePlace = { readonly line: Line; readonly from: number; readonly indent: number; readonly isKey: boolean };

/** What is behind a colon or a dash: on the same line, or in a block below it. */
function readValue(reader: Reader, { line, from, indent, isKey }: ValuePlace, depth: number): Found | undefined {
  if (depth > MOST_DEPTH) return undefined;
  const { text, lines } = reader;
  let at = from;
  while (at < line.end && text[at] === ' ') at += 1;
  reader.at += 1;
  const next = lines[reader.at];
  if (at === line.end || (text[at] === '#' && at > from)) {
    if (!isKey || next === undefined) return undefined;
    if (isDash(text, next.start)) return next.indent >= indent ? readSeq(reader, next.indent, depth) : undefined;
    return next.indent > indent ? readMap(reader, next.indent, depth) : undefined;
  }
  if (at === from) return undefined;
  const found = readInline(text, at, line.end, false, depth);
  if (found === undefined || !isLineEnd(text, found.end, line.end)) return undefined;
  // A deeper line would go on with this value.
  if (next !== undefined && next.indent > indent) return undefined;
  return found;
}

/** Nothing but spaces, or a comment with a space before it. */
function isLineEnd(text: string, from: number, end: number): boolean {
  let at = from;
  while (at < end && text[at] === ' ') at += 1;
  return at === end || (at > from && text[at] === '#');
}

function readInline(text: string, at: number, end: number, isFlow: boolean, depth: number): Found | undefined {
  const char = text[at];
  if (char === '{' || char === '[') return readFlow(text, at, end, depth);
  if (char === '"' || char === "'") {
    const close = text.indexOf(char, at + 1);
    if (close < 0 || close >= end || text[close + 1] === "'") return undefined;
    const value = text.slice(at + 1, close);
    return {
      node: buildScalar(value, at, close + 1, char === '"' ? 'QUOTE_DOUBLE' : 'QUOTE_SINGLE'),
      value,
      end: close + 1,
    };
  }
  const source = matchAt(isFlow ? PLAIN_FLOW : PLAIN_BLOCK, text, at, end);
  if (source === undefined) return undefined;
  const value = resolvePlain(source);
  if (value === undefined) return undefined;
  const stop = at + source.length;
  return { node: buildScalar(value, at, stop, 'PLAIN'), value, end: stop };
}

function readFlow(text: string, from: number, end: number, depth: number): Found | undefined {
  if (depth > MOST_DEPTH) return undefined;
  const isMap = text[from] === '{';
  const close = isMap ? '}' : ']';
  const pairs: Pair<Node, Node | null>[] = [];
  const items: Node[] = [];
  const entries: [string, Json][] = [];
  const values: Json[] = [];
  let at = skipSpaces(text, from + 1);
  while (text[at] !== close) {
    if (at >= end) return undefined;
    const start = at;
    const key = isMap ? matchAt(KEY, text, start, end) : undefined;
    if (isMap) {
      if (key === undefined || RESERVED.test(key) || entries.some(([name]) => name === key)) return undefined;
      if (text[start + key.length + 1] !== ' ') return undefined;
      at = skipSpaces(text, start + key.length + 1);
    }
    const found = readInline(text, at, end, true, depth + 1);
    if (found === undefined) return undefined;
    if (key === undefined) {
      items.push(found.node);
      values.push(found.value);
    } else {
      const colon = start + key.length;
      pairs.push(buildPair(buildScalar(key, start, colon, 'PLAIN'), found.node, colon));
      entries.push([key, found.value]);
    }
    at = skipSpaces(text, found.end);
    if (text[at] === ',') {
      at = skipSpaces(text, at + 1);
      if (text[at] === close) return undefined;
    } else if (text[at] !== close) return undefined;
  }
  const node = isMap ? new YAMLMap<Node, Node | null>() : new YAMLSeq<Node>();
  if (node instanceof YAMLMap) node.items.push(...pairs);
  else node.items.push(...items);
  node.flow = true;
  node.range = [from, at + 1, at + 1];
  return { node, value: isMap ? Object.fromEntries(entries) : values, end: at + 1 };
}

const KEY = /[A-Za-z][A-Za-z0-9_./-]{0,120}(?=:(?: |$))/my;
/** Words joined by single spaces, without anything that means something to YAML. */
const PLAIN_FLOW = /[A-Za-z0-9/_.][A-Za-z0-9/_.+@()-]*(?: [A-Za-z0-9/_.+@(][A-Za-z0-9/_.+@()-]*)*/y;
const PLAIN_BLOCK =
  /[A-Za-z0-9/_.][A-Za-z0-9/_.+@(),'-]*(?::[A-Za-z0-9/_.+@(),'-]+)*(?: [A-Za-z0-9/_.+@('][A-Za-z0-9/_.+@(),'-]*(?::[A-Za-z0-9/_.+@(),'-]+)*)*/y;
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;
const NUMBER = /^(?:0|[1-9][0-9]{0,14})$/;
/** Begins like a number and is none to any reader. */
const NUMBERLIKE_TEXT = /^(?:[1-9][0-9]{0,8}[KMGTPE]i|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:\/[0-9]{1,2})?)$/;

function resolvePlain(source: string): Json | undefined {
  if (/^[A-Za-z/_]/.test(source)) {
    if (source === 'true' || source === 'false') return source === 'true';
    return RESERVED.test(source) ? undefined : source;
  }
  if (NUMBER.test(source)) return Number(source);
  return NUMBERLIKE_TEXT.test(source) ? source : undefined;
}

function matchAt(pattern: RegExp, text: string, at: number, end: number): string | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(text)?.[0];
  return found !== undefined && at + found.length <= end ? found : undefined;
}

function isDash(text: string, at: number): boolean {
  return text[at] === '-' && text[at + 1] === ' ';
}

function skipSpaces(text: string, at: number): number {
  let next = at;
  while (text[next] === ' ') next += 1;
  return next;
}

function buildScalar(value: Json, start: number, end: number, type: Scalar.Type): Scalar {
  const node = new Scalar<unknown>(value);
  node.type = type;
  node.range = [start, end, end];
  return node;
}

function buildPair(key: Scalar, value: Node, colon: number): Pair<Node, Node | null> {
  const pair = new Pair<Node, Node | null>(key, value);
  pair.srcToken = { start: [], key: null, sep: [buildToken('map-value-ind', colon, ':')] };
  return pair;
}

function buildSeqToken(offset: number, dashes: readonly number[]): CST.BlockSequence {
  const items = dashes.map((dash) => ({ start: [buildToken('seq-item-ind', dash, '-')] }));
  return { type: 'block-seq', offset, indent: 0, items };
}

function buildToken(type: CST.SourceToken['type'], offset: number, source: string): CST.SourceToken {
  return { type, offset, indent: 0, source };
}

function isJsonMap(value: Json): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
