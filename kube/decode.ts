import { isUtf8 } from 'node:buffer';
import type { WatchLine } from './client.ts';
import { RequestError } from './errors.ts';

/**
 * Turns the bytes of a watch into lines. `managedFields` of the watched object are cut out before parsing, which costs less than
 * parsing them.
 */
export class WatchDecoder {
  #partial: Buffer[] = [];
  #partialBytes = 0;

  /**
   * Calls `emit` for each line that `chunk` completes. Throws `RequestError` (`undecodable`) at the first that is not a watch
   * line, after those before it were emitted.
   */
  push(chunk: Buffer, emit: (line: WatchLine) => void): void {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#keep(chunk);
      return;
    }
    const whole = this.#take(chunk.subarray(0, last));
    if (last + 1 < chunk.length) this.#keep(chunk.subarray(last + 1));
    if (!isUtf8(whole)) throw undecodable('a watch line is not UTF-8');
    decodeLines(whole.toString('utf8'), emit);
  }

  /** To be called when the stream ended: throws when it ended inside a line. */
  end(): void {
    if (this.#partialBytes === 0) return;
    throw undecodable(`the watch ended inside a line, after ${this.#partialBytes} bytes of it`);
  }

  #keep(rest: Buffer): void {
    this.#partial.push(rest);
    this.#partialBytes += rest.length;
    if (this.#partialBytes > MAX_LINE_BYTES) throw undecodable(`a watch line passed ${MAX_LINE_BYTES} bytes`);
  }

  #take(rest: Buffer): Buffer {
    if (this.#partialBytes === 0) return rest;
    const whole = Buffer.concat([...this.#partial, rest]);
    this.#partial = [];
    this.#partialBytes = 0;
    return whole;
  }
}

/** Works on one text for all lines: finding and slicing in a text is cheaper than in bytes, and one search serves lines without the fields. */
function decodeLines(text: string, emit: (line: WatchLine) => void): void {
  let managed = findManaged(text, 0);
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    if (managed >= 0 && managed < start) managed = findManaged(text, start);
    if (end > start) {
      const line = text.slice(start, end);
      emit(
        checkLine(managed >= 0 && managed < end ? parseWithoutManagedFields(line, managed - start) : parseLine(line)),
      );
    }
    start = end + 1;
  }
}

/** Searched from its second character on: quotes are everywhere in JSON, and a search stops at each first character that it finds. */
function findManaged(text: string, from: number): number {
  let found = text.indexOf(MANAGED_TAIL, from + 1);
  while (found > 0 && text.charCodeAt(found - 1) !== QUOTE) found = text.indexOf(MANAGED_TAIL, found + 1);
  return found > 0 ? found - 1 : -1;
}

function checkLine(parsed: unknown): WatchLine {
  if (!isRecord(parsed)) throw undecodable('a watch line is not an object');
  const { type, object } = parsed;
  if (typeof type !== 'string' || !TYPES.has(type) || !isRecord(object)) {
    const what = object === null ? 'null' : typeof object;
    throw undecodable(`a watch line has type ${JSON.stringify(type)?.slice(0, 40)} and ${what} for its object`);
  }
  if (type !== 'ERROR') {
    const { metadata } = object;
    if (!isRecord(metadata)) throw undecodable('a watched object has no metadata');
    if (type !== 'BOOKMARK' && typeof metadata.name !== 'string') throw undecodable('a watched object has no name');
    if (typeof metadata.resourceVersion !== 'string') throw undecodable('a watched object has no resourceVersion');
    if (metadata.managedFields !== undefined) object.metadata = withoutManagedFields(metadata);
  }
  return parsed as WatchLine;
}

/** A copy; deleting the member would turn the object into V8's slow dictionary form. */
export function withoutManagedFields(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { managedFields: _, ...rest } = metadata;
  return rest;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NEWLINE = 0x0a;
/** etcd holds 1.5 MiB an object by default; JSON of it stays far below this. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const TYPES: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);
const MANAGED = '"managedFields":[{';
const MANAGED_TAIL = MANAGED.slice(1);

function undecodable(message: string, cause?: unknown): RequestError {
  return new RequestError('undecodable', message, { cause });
}

/**
 * The unescaped text `"managedFields":[{` can only be a key, because a quote inside a JSON string is escaped. When it stands once, as a member of
 * `object.metadata`, its array is cut out as text. The array's end is guessed (the first `}]` before a `}` or another key):
 * a wrong guess would leave text that is no JSON, and then the whole line is parsed as it is.
 */
function parseWithoutManagedFields(line: string, start: number): unknown {
  if (findManaged(line, start + MANAGED.length) < 0 && isMetadataMember(line, start)) {
    const cut = cutArray(line, start);
    if (cut !== undefined) {
      try {
        return JSON.parse(cut);
      } catch {
        return parseLine(line);
      }
    }
  }
  return parseLine(line);
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw undecodable(`a watch line is not JSON: ${JSON.stringify(text.slice(0, 80))}`, cause);
  }
}

function cutArray(text: string, start: number): string | undefined {
  for (let end = text.indexOf('}]', start); end >= 0; end = text.indexOf('}]', end + 1)) {
    const after = text.charCodeAt(end + 2);
    if (after === COMMA && text.charCodeAt(end + 3) === QUOTE) return text.slice(0, start) + text.slice(end + 3);
    if (after === CLOSE) {
      const comma = text.charCodeAt(start - 1) === COMMA ? 1 : 0;
      return text.slice(0, start - comma) + text.slice(end + 2);
    }
  }
  return undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const BACKSLASH = 0x5c;
const METADATA_OPEN = '"metadata":{';

/** Whether position `at` is directly inside the `metadata` of the line's `object`: depth 3, and the last opening at depth 2 was it. */
function isMetadataMember(text: string, at: number): boolean {
  let depth = 0;
  let opened = -1;
  for (let i = 0; i < at; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      for (i++; i < at && text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++;
    } else if (code === OPEN || code === 0x5b) {
      if (depth === 2) opened = i;
      depth++;
    } else if (code === CLOSE || code === 0x5d) depth--;
  }
  return depth === 3 && text.startsWith(METADATA_OPEN, opened - METADATA_OPEN.length + 1);
}
