import { type Document, LineCounter, parseAllDocuments, visit } from 'yaml';
import { scanJson } from './jsontext.ts';
import type { ServedKind } from './kinds.ts';
import { decodeProtobuf } from './protobuf.ts';
import type { ApiRequest } from './request.ts';
import { renderQuoted } from './schema/gotext.ts';
import { isObject, type JsonObject, setOwn } from './schema/json.ts';
import { badRequest, unsupportedMediaType } from './status.ts';

/** What a client sent: a value of the caller's own, and the keys that stood twice in it. */
export type Body = { readonly value: JsonObject; readonly duplicates: readonly string[] };

/** Bodies of this type are given as texts of one character a byte. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const ACCEPTED = ['application/json', 'application/yaml', PROTOBUF];

/** The media type of the body without parameters; JSON when there is none. */
export function contentTypeOf(request: ApiRequest): string {
  const header = request.headers['content-type'];
  if (header === undefined || header === '') return 'application/json';
  const [type = ''] = header.split(';');
  return type.trim().toLowerCase();
}

/** The body of a create or an update. Throws `ApiError`. */
export function readObjectBody(request: ApiRequest, kind: ServedKind): Body {
  const type = contentTypeOf(request);
  if (type === 'application/json') return readJson(request, kind.kind, !kind.custom);
  if (type === PROTOBUF && !kind.custom) return { value: readProtobuf(request, kind.kind), duplicates: [] };
  if (type === 'application/yaml') return { value: parseYamlBody(request.body ?? '', kind.kind), duplicates: [] };
  throw unsupportedMediaType(ACCEPTED);
}

/** A body in JSON or protobuf that should be a `kind`. Throws `ApiError`. */
export function parsePlainBody(request: ApiRequest, kind: string): JsonObject {
  if (contentTypeOf(request) === PROTOBUF) return readProtobuf(request, kind);
  return readJson(request, kind, true).value;
}

function readProtobuf(request: ApiRequest, kind: string): JsonObject {
  const { body = '' } = request;
  let value: JsonObject | undefined;
  try {
    value = decodeProtobuf(Buffer.from(body, 'latin1'));
  } catch (error) {
    throw unrecognized(kind, error instanceof Error ? error.message : String(error), body);
  }
  if (value === undefined) throw unsupportedMediaType(ACCEPTED);
  return value;
}

/** `isTyped`: null is an object of which nothing is said, and anything else that is no object is refused by Go's decoder. */
function readJson(request: ApiRequest, kind: string, isTyped: boolean): Body {
  const { body = '' } = request;
  const parsed = parseJsonText(body);
  if ('error' in parsed) throw unrecognized(kind, `couldn't get version/kind; json parse error: ${parsed.error}`, body);
  const { value } = parsed;
  if (isObject(value)) {
    checkTypeMeta(value, kind, body);
    const number = findOverflow(body);
    if (number !== undefined) throw overflow(kind, String(value.apiVersion ?? ''), number);
  }
  if (isObject(value)) return { value, duplicates: request.isRendered === true ? [] : scanJson(body).duplicates };
  if (value === null) {
    if (isTyped) return { value: {}, duplicates: [] };
    throw unrecognized(kind, "Object 'Kind' is missing in 'null'", body);
  }
  throw unrecognized(kind, `couldn't get version/kind; json parse error: ${notTypeMeta(value)}`, body);
}

/** What Go says of a JSON value that has no kind because it is no object. */
export function notTypeMeta(value: unknown): string {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  const type =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  return `json: cannot unmarshal ${found} into Go value of type ${type}`;
}

/** What tells the kind must be text. */
function checkTypeMeta(value: JsonObject, kind: string, body: string): void {
  for (const name of ['kind', 'apiVersion']) {
    const stated = value[name];
    if (stated === undefined || stated === null || typeof stated === 'string') continue;
    const found = Array.isArray(stated) ? 'array' : typeof stated === 'boolean' ? 'bool' : typeof stated;
    const why = `json: cannot unmarshal ${found} into Go struct field .${name} of type string`;
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`, body);
  }
}

/** A number that is too large for a double, as it was written; `JSON.parse` makes infinity of it, which no JSON can say. */
export function findOverflow(text: string): string | undefined {
  if (!MAY_OVERFLOW.test(text)) return undefined;
  const outside = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return outside.match(NUMBER)?.find((number) => !Number.isFinite(Number(number)));
}

const MAY_OVERFLOW = /\d[eE]\+?\d{3}|\d{309}/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function overflow(kind: string, apiVersion: string, number: string): Error {
  const version = apiVersion.split('/').at(-1);
  const why = `json: cannot unmarshal number ${number} into Go value of type float64`;
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
}

/** A JSON text, or what Go says is wrong with it. */
export function parseJsonText(text: string): { readonly value: unknown } | { readonly error: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { error: scanJson(text).error ?? String(error) };
  }
  if (mayBeDeep(text)) {
    const { error } = scanJson(text);
    if (error !== undefined) return { error };
  }
  return { value: LONE_SURROGATE.test(text) ? wellFormed(value) : value };
}

const MAX_DEPTH = 10_000;

function mayBeDeep(text: string): boolean {
  return text.length > MAX_DEPTH && (text.match(/[[{]/g)?.length ?? 0) > MAX_DEPTH;
}

const LONE_SURROGATE = /\\u[dD][89a-fA-F]/;

/** Halves of characters become replacement characters, as Go reads them. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) setOwn(copy, key.toWellFormed(), wellFormed(value[key]));
  return copy;
}

function parseYamlBody(text: string, kind: string): JsonObject {
  let value: unknown;
  try {
    value = parseYamlText(text);
  } catch (error) {
    throw unrecognized(kind, `yaml: ${error instanceof Error ? error.message : error}`, text);
  }
  if (isObject(value)) return value;
  if (value === null || value === undefined) throw unrecognized(kind, `Object 'Kind' is missing in '${text}'`, text);
  throw unrecognized(kind, `couldn't get version/kind; json parse error: not an object`, text);
}

export function unrecognized(kind: string, why: string, text: string): Error {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summarize(text)})`);
}

/** The first bytes of a body, as errors show them. */
function summarize(text: string): string {
  if (text === '') return '<empty>';
  const bytes = Buffer.from(text);
  const start = bytes.subarray(0, 30);
  const shown = text.startsWith('{') ? start.toString('utf8') : start.toString('hex');
  return bytes.length > 30 ? `${shown} ...` : shown;
}

/** YAML as Go's older parser reads it: version 1.1, where `yes` is true, but without its dates and binary texts; the first document only. */
export function parseYamlText(text: string): unknown {
  try {
    const document = readFirst(text, false);
    const [error] = document?.errors ?? [];
    if (error !== undefined) throw error;
    if (document !== undefined) assertFinite(document);
    return document?.toJS() ?? null;
  } catch (error) {
    throw error instanceof Error ? new Error(renderYamlError(error.message), { cause: error }) : error;
  }
}

/** Throws where an anchor names something that refers to it. */
function assertFinite(document: Document.Parsed): void {
  visit(document, {
    Alias: (_key, alias, path) => {
      const target = alias.resolve(document);
      if (target !== undefined && path.includes(target)) {
        throw new Error(`anchor '${alias.source}' value contains itself`);
      }
    },
  });
}

/** What would harm the server is said in the API server's words; how a text is malformed, in the parser's. */
function renderYamlError(message: string): string {
  if (message.startsWith('Maximum call stack')) return 'exceeded max depth of 10000';
  return message.startsWith('Excessive alias') ? 'document contains excessive aliasing' : message;
}

/** Keys that a map has already, as Go's parser names them when it is strict: `line 4: key "a" already set in map`. */
export function findDoubledKeys(text: string): readonly string[] {
  const lines = new LineCounter();
  const doubled = readFirst(text, true, lines)?.errors.filter(({ code }) => code === 'DUPLICATE_KEY') ?? [];
  return doubled.map(({ pos: [start] }) => {
    const [key = ''] = /^("(?:[^"\\\n]|\\.)*"|[^\s:,{}]+)/.exec(text.slice(start)) ?? [];
    return `line ${lines.linePos(start).line}: key ${key.startsWith('"') ? key : renderQuoted(key)} already set in map`;
  });
}

function readFirst(text: string, uniqueKeys: boolean, lineCounter?: LineCounter): Document.Parsed | undefined {
  const customTags = (tags: readonly unknown[]) => tags.filter((tag) => !isFancy(tag)) as never;
  const [first] = parseAllDocuments(text, {
    ...{ version: '1.1', uniqueKeys, customTags, logLevel: 'silent' },
    ...(lineCounter === undefined ? {} : { lineCounter }),
  });
  return first;
}

const FANCY: ReadonlySet<unknown> = new Set(['timestamp', 'binary', 'set', 'omap', 'pairs', 'intTime', 'floatTime']);

function isFancy(tag: unknown): boolean {
  return isObject(tag) && typeof tag.tag === 'string' && FANCY.has(tag.tag.split(':').at(-1));
}
