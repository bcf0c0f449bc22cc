import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { equalJson, isList as isJsonList, isMap as isJsonMap, memberOf } from '../change/json.ts';
import { indexByKey, keyOf, renderKey, type Shape } from '../change/shape.ts';
import type { Json, JsonMap } from '../intent.ts';
import { isBlock, renderInline, renderLines, type YamlContext, type YamlQuote } from '../render.ts';
import type { ResourceDocument } from './parse.ts';
import {
  applySplices,
  behindColon,
  columnOf,
  dashesOf,
  endOf,
  lineStart,
  nextLine,
  type Splice,
  startOfPair,
  startsLine,
  startWithComments,
} from './positions.ts';

/**
 * The file's text with the document saying `wanted`, changed at as few places as that takes: lines that say nothing else now keep every byte, comments, quotes
 * and order with them. An alias keeps its value when what it stands for changes: it is written out. Comments directly above something that goes, go with
 * it. Undefined when the document is written in a way that this does not know; the caller reads the result again and compares in any case.
 */
export function rewriteDocument(
  text: string,
  document: ResourceDocument,
  wanted: JsonMap,
  shape: Shape,
): string | undefined {
  const { contents, value, aliases } = document;
  if (!isMap(contents)) return undefined;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const changed = findChangedAnchors(contents, value, wanted, new Set(aliases.values()));
  const writer: Writer = { text, eol, splices: [], aliases, changed };
  const isDone = syncMap(writer, { context: 'block', indent: 0 }, contents, value, wanted, shape);
  return isDone ? applySplices(text, writer.splices, eol) : undefined;
}

type Writer = {
  readonly text: string;
  readonly eol: string;
  readonly splices: Splice[];
  readonly aliases: ReadonlyMap<Alias, Node>;
  /** Nodes that aliases stand for and that do not keep their value. */
  readonly changed: ReadonlySet<Node>;
};

/** Where a value stands. `after`: behind the colon of its key. `indent`: column of the collection that it is in. */
type Slot = { readonly context: YamlContext; readonly indent: number; readonly after?: number | undefined };

/** False: written in a way that is not known here. */
type Done = boolean;

function syncValue(writer: Writer, slot: Slot, node: Node, present: Json, wanted: Json, shape: Shape): Done {
  const isSame = equalJson(present, wanted) && (present === null) === (wanted === null);
  if (isAlias(node)) {
    const target = writer.aliases.get(node);
    if (isSame && (target === undefined || !writer.changed.has(target))) return true;
    return replace(writer, slot, node, wanted);
  }
  if (isSame && writer.changed.size === 0) return true;
  if (isMap<Node, Node | null>(node) && isJsonMap(present) && isJsonMap(wanted)) {
    return syncMap(writer, slot, node, present, wanted, shape);
  }
  if (isSeq<Node>(node) && isJsonList(present) && isJsonList(wanted))
    return syncSeq(writer, slot, node, present, wanted, shape);
  return isSame || replace(writer, slot, node, wanted);
}

function syncMap(
  writer: Writer,
  slot: Slot,
  node: YAMLMap<Node, Node | null>,
  present: JsonMap,
  wanted: JsonMap,
  shape: Shape,
): Done {
  const pairs = node.items;
  const isKept = pairs.map(({ key }) => memberOf(wanted, nameOf(key)) !== undefined);
  const added = Object.entries(wanted).filter(([name]) => memberOf(present, name) === undefined);
  if (!isKept.includes(true))
    return added.length === 0 && pairs.length === 0 ? true : replace(writer, slot, node, wanted);
  const first = pairs[0];
  if (first === undefined) return false;
  const inner = innerSlot(writer, slot, node, startOfPair(first));
  for (const [index, pair] of pairs.entries()) {
    if (!isKept[index]) continue;
    const name = nameOf(pair.key);
    if (pair.value === null) return false;
    const value = memberOf(wanted, name) ?? null;
    const at = { ...inner, after: behindColon(pair) };
    if (!syncValue(writer, at, pair.value, memberOf(present, name) ?? null, value, shape.members?.get(name) ?? {}))
      return false;
  }
  remove(writer, inner.context, isKept, pairs.map(boundsOfPair));
  if (added.length > 0) append(writer, inner, pairs.at(-1)?.value ?? first.key, Object.fromEntries(added));
  return true;
}

function syncSeq(
  writer: Writer,
  slot: Slot,
  node: YAMLSeq<Node>,
  present: readonly Json[],
  wanted: readonly Json[],
  shape: Shape,
): Done {
  const alignment = align(present, wanted, shape.keys);
  if (alignment === undefined || !alignment.kept.some((at) => at !== undefined)) {
    return equalJson(present, wanted) || replace(writer, slot, node, wanted);
  }
  const token = node.srcToken;
  const dashes = token?.type === 'block-seq' ? dashesOf(token) : [];
  if (node.flow !== true && dashes.length !== node.items.length) return false;
  const inner = innerSlot(writer, slot, node, dashes[0] ?? 0);
  for (const [index, item] of node.items.entries()) {
    const at = alignment.kept[index];
    if (at === undefined) continue;
    const dash = dashes[index];
    const place = { ...inner, after: dash === undefined ? undefined : dash + 1 };
    if (!syncValue(writer, place, item, present[index] ?? null, wanted[at] ?? null, shape.items ?? {})) return false;
  }
  const isKept = alignment.kept.map((at) => at !== undefined);
  const bounds = node.items.map((item, index): Bounds => [dashes[index] ?? item.range?.[0] ?? 0, endOf(item)]);
  remove(writer, inner.context, isKept, bounds);
  const last = node.items.at(-1);
  if (alignment.added.length > 0 && last !== undefined) append(writer, inner, last, alignment.added);
  return true;
}

function innerSlot({ text }: Writer, slot: Slot, node: { readonly flow?: boolean }, start: number): Slot {
  const isFlow = slot.context === 'flow' || node.flow === true;
  return { context: isFlow ? 'flow' : 'block', indent: isFlow ? slot.indent : columnOf(text, start) };
}

/** Which wanted item each present one becomes, and those that come after them; undefined when the order is another. */
type Alignment = { readonly kept: readonly (number | undefined)[]; readonly added: readonly Json[] };

function align(
  present: readonly Json[],
  wanted: readonly Json[],
  keys: readonly string[] | undefined,
): Alignment | undefined {
  const isKeyed =
    keys !== undefined && indexByKey(present, keys) !== undefined && indexByKey(wanted, keys) !== undefined;
  const idOf = (item: Json) => renderKey(keyOf(item, keys ?? []) ?? {});
  if (!isKeyed && present.length === wanted.length) return { kept: present.map((_, index) => index), added: [] };
  let next = 0;
  const kept = present.map((item) => {
    const candidate = wanted[next];
    if (candidate === undefined) return undefined;
    const isIt = isKeyed ? idOf(item) === idOf(candidate) : equalJson(item, candidate);
    return isIt ? next++ : undefined;
  });
  const added = wanted.slice(next);
  if (isKeyed) {
    const ids = new Set(present.map(idOf));
    if (added.some((item) => ids.has(idOf(item)))) return undefined;
  }
  return { kept, added };
}

type Bounds = readonly [start: number, end: number];

function boundsOfPair(pair: Pair<Node, Node | null>): Bounds {
  return [startOfPair(pair), endOf(pair.value ?? pair.key)];
}

/** Takes away the entries that are not kept; at least one is. */
function remove(
  { text, splices }: Writer,
  context: YamlContext,
  isKept: readonly boolean[],
  bounds: readonly Bounds[],
): void {
  const firstKept = isKept.indexOf(true);
  const [start, kept] = [bounds[0]?.[0] ?? 0, bounds[firstKept]?.[0] ?? 0];
  // What follows takes the place of the first entry, where that shares its line with a dash or a bracket.
  const isShared = firstKept > 0 && (context === 'flow' || !startsLine(text, start));
  if (isShared) splices.push({ from: start, to: kept, text: '' });
  for (const [index, [from, to]] of bounds.entries()) {
    if (isKept[index] || (isShared && index < firstKept)) continue;
    const hasLines = context === 'block' || (startsLine(text, from) && FLOW_END_OF_LINE.test(text.slice(to)));
    if (hasLines) splices.push({ from: startWithComments(text, from), to: nextLine(text, to), text: '' });
    else splices.push({ from: bounds[index - 1]?.[1] ?? from, to, text: '' });
  }
}

/** Behind an item of a flow collection that has its line for itself. A comma stays before what is removed at the end: YAML takes one there. */
const FLOW_END_OF_LINE = /^ *,?[ \t]*(#[^\n]*)?\r?\n/;

function append({ text, eol, splices }: Writer, slot: Slot, last: Node, added: JsonMap | readonly Json[]): void {
  const end = endOf(last);
  if (slot.context === 'flow') {
    splices.push({ from: end, to: end, text: `, ${renderInline(added, 'flow').slice(1, -1)}` });
    return;
  }
  const at = nextLine(text, end);
  const lines = renderLines(added, ' '.repeat(slot.indent)).map((line) => line + eol);
  splices.push({ from: at, to: at, text: lines.join(''), lines: true });
}

/** Writes another value in place of a node, which may be of another type or empty. */
function replace(writer: Writer, slot: Slot, node: Node, wanted: Json): Done {
  const { text, eol, splices } = writer;
  const [start, end] = [node.range?.[0] ?? 0, endOf(node)];
  const isOneLine = !isBlock(wanted) || isAlias(node) || slot.context === 'flow' || slot.after === undefined;
  if (isScalar(node) && start < end && text[end - 1] !== '\n' && isOneLine) {
    splices.push({ from: start, to: end, text: renderInline(wanted, slot.context, quoteOf(node)) });
    return true;
  }
  if (slot.context === 'flow' || isAlias(node)) {
    if (start === end)
      splices.push({ from: slot.after ?? start, to: slot.after ?? start, text: ` ${renderInline(wanted, 'flow')}` });
    else splices.push({ from: start, to: end, text: renderInline(wanted, 'flow') });
    return true;
  }
  const { after } = slot;
  if (after === undefined) return false;
  // Where nothing stood, what follows on the line is a comment, and stays.
  const isEmpty = start === end;
  const over = isEmpty ? after : Math.max(after, end);
  const endsLine = text[end - 1] === '\n' ? eol : '';
  if (!isBlock(wanted) || text[after - 1] === '-') {
    splices.push({
      from: after,
      to: over,
      text: ` ${renderInline(wanted, isBlock(wanted) ? 'flow' : 'block')}${isEmpty ? '' : endsLine}`,
    });
    return true;
  }
  const isOnLine = lineStart(text, over) <= after;
  splices.push({ from: after, to: over, text: '' });
  const at = isOnLine ? nextLine(text, over) : over;
  const lines = renderLines(wanted, ' '.repeat(slot.indent + 2)).join(eol);
  splices.push(
    isOnLine || endsLine !== ''
      ? { from: at, to: at, text: lines + eol, lines: true }
      : { from: at, to: at, text: lines, lines: true },
  );
  return true;
}

function quoteOf(node: Scalar): YamlQuote {
  if (node.type === 'QUOTE_DOUBLE') return 'double';
  return node.type === 'QUOTE_SINGLE' ? 'single' : 'plain';
}

function nameOf(key: Node): string {
  return isScalar(key) ? String(key.value) : '';
}

/** The nodes that aliases stand for and whose value, at the place where they stand, becomes another. */
function findChangedAnchors(
  contents: Node,
  present: Json,
  wanted: Json,
  targets: ReadonlySet<Node>,
): ReadonlySet<Node> {
  const changed = new Set<Node>();
  const walk = (node: Node, before: Json | undefined, after: Json | undefined): void => {
    if (targets.has(node) && !equalJson(before, after)) changed.add(node);
    if (isMap<Node, Node | null>(node)) {
      for (const { key, value } of node.items) {
        const name = nameOf(key);
        if (targets.has(key) && !(isJsonMap(after) && memberOf(after, name) !== undefined)) changed.add(key);
        if (value !== null) walk(value, child(before, name), child(after, name));
      }
    } else if (isSeq<Node>(node)) {
      for (const [index, item] of node.items.entries()) walk(item, childAt(before, index), childAt(after, index));
    }
  };
  if (targets.size > 0) walk(contents, present, wanted);
  return changed;
}

function child(value: Json | undefined, name: string): Json | undefined {
  return isJsonMap(value) ? memberOf(value, name) : undefined;
}

function childAt(value: Json | undefined, index: number): Json | undefined {
  return isJsonList(value) ? value[index] : undefined;
}
