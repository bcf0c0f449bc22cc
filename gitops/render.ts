import { isList, isMap, memberOf } from './change/json.ts';
import { type Shape, shapeOf } from './change/shape.ts';
import type { Json, JsonMap } from './intent.ts';

/** Where a value is written: in a flow collection some characters mean more than in a block. */
export type YamlContext = 'block' | 'flow';

export type YamlQuote = 'plain' | 'single' | 'double';

export type RenderOptions = {
  /** Gives the address of the JSON schema by which editors check and complete a kind, for a new file at that path of the tree; absent: no such line. */
  readonly schemaAddress?: ((kind: string, path: string) => string) | undefined;
};

/**
 * A new file for one resource. The same resource gives the same text, whatever the order of its members was: that of the schema, then what the schema
 * does not know. Only what people write is taken: `apiVersion`, `kind`, name, labels, annotations and `spec`.
 */
export function renderFile(object: JsonMap, kind: string, path: string, options: RenderOptions = {}): string {
  const schema = options.schemaAddress?.(kind, path);
  const head = schema === undefined ? '' : `# yaml-language-server: $schema=${schema.replaceAll(/\s/g, '')}\n`;
  return `${head}${renderLines(sortMembers(declaredOf(object), shapeOf(kind)), '').join('\n')}\n`;
}

/** What people write of a resource: without status, what controllers write to metadata, and null members at the top. */
export function declaredOf(object: JsonMap): JsonMap {
  const metadata = memberOf(object, 'metadata');
  const kept = isMap(metadata) ? pick(metadata, ['name', 'labels', 'annotations']) : {};
  return { ...pick(object, ['apiVersion', 'kind']), metadata: kept, ...pick(object, ['spec']) };
}

/** Lines of a collection that is not empty, in block style, each with the indentation. */
export function renderLines(value: Json, indent: string): readonly string[] {
  if (isMap(value)) {
    return Object.entries(value).flatMap(([name, member]) => {
      const key = `${indent}${renderText(name, 'plain', 'block')}:`;
      return isBlock(member)
        ? [key, ...renderLines(member, `${indent}  `)]
        : [`${key} ${renderInline(member, 'block')}`];
    });
  }
  if (!isList(value)) return [`${indent}${renderInline(value, 'block')}`];
  return value.flatMap((item) => {
    if (!isBlock(item)) return [`${indent}- ${renderInline(item, 'block')}`];
    const [first = '', ...rest] = renderLines(item, `${indent}  `);
    return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
  });
}

/** Whether the value takes lines of its own. */
export function isBlock(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** The value on one line. */
export function renderInline(value: Json, context: YamlContext, quote: YamlQuote = 'plain'): string {
  if (typeof value === 'string') return renderText(value, quote, context);
  if (isList(value)) return `[${value.map((item) => renderInline(item, 'flow')).join(', ')}]`;
  if (!isMap(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${renderText(name, 'plain', 'flow')}: ${renderInline(member, 'flow')}`,
  );
  return `{${members.join(', ')}}`;
}

/** Plain only where every reader of YAML 1.1 and 1.2 sees this text and nothing else; otherwise in the wanted quotes, or in double ones. */
function renderText(text: string, quote: YamlQuote, context: YamlContext): string {
  if (quote === 'plain' && isPlain(text, context)) return text;
  if (quote === 'single' && SINGLE.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return JSON.stringify(text).replaceAll(UNPRINTABLE, escapeChar);
}

function isPlain(text: string, context: YamlContext): boolean {
  if (text.length > 1024 || RESERVED.test(text)) return false;
  if (PLAIN_NUMBERLIKE.test(text)) return true;
  return (context === 'flow' ? PLAIN_FLOW : PLAIN_BLOCK).test(text);
}

/** Words, and words joined by single spaces or marks that mean nothing in YAML. */
const PLAIN_FLOW = /^[A-Za-z/_][A-Za-z0-9/_.+@()-]*(?: [A-Za-z0-9/_.+@(][A-Za-z0-9/_.+@()-]*)*$/;
const PLAIN_BLOCK =
  /^[A-Za-z/_][A-Za-z0-9/_.+@()',-]*(?::[A-Za-z0-9/_.+@()',-]+)*(?: [A-Za-z0-9/_.+@('][A-Za-z0-9/_.+@()',-]*)*$/;
/** Quantities, addresses and networks, which no reader takes for a number. */
const PLAIN_NUMBERLIKE = /^(?:[1-9][0-9]{0,8}[KMGTPE]i|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:\/[0-9]{1,2})?)$/;
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|infinity)$/i;
const SINGLE = /^[ -~]*$/;
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

function escapeChar(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function sortMembers(value: Json, shape: Shape): Json {
  if (isList(value)) return value.map((item) => sortMembers(item, shape.items ?? {}));
  if (!isMap(value)) return value;
  const rank = new Map([...(shape.members?.keys() ?? [])].map((name, index) => [name, index]));
  const rankOf = (name: string) => rank.get(name) ?? rank.size;
  const entries = Object.entries(value).sort(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([name, member]) => [name, sortMembers(member, shape.members?.get(name) ?? {})]),
  );
}

function pick(map: JsonMap, names: readonly string[]): JsonMap {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = memberOf(map, name);
      return value == null ? [] : [[name, value]];
    }),
  );
}
