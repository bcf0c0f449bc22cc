import type { Json } from '../gitops/intent.ts';

/** A body that is no JSON of ours; the message says what and where. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Deeper than any resource of ours, far shallower than what hurts. */
export const MAX_DEPTH = 32;

/** Its meaning depends on who copies it where, so nobody gets to send it. */
const FORBIDDEN_KEY = '__proto__';

/**
 * JSON as RFC 8259 has it and stricter where readers differ: no duplicate members, no `__proto__`, at most {@link MAX_DEPTH} levels. Linear in the length of
 * the text. Throws JsonError.
 */
export function parseJson(text: string): Json {
  scan(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new JsonError(error instanceof SyntaxError ? `is no JSON: ${error.message.slice(0, 200)}` : 'is no JSON');
  }
}

type Frame = { readonly keys: Set<string> | undefined; expectsKey: boolean };

/** Looks at strings and brackets only; whether the rest is JSON is JSON.parse's to say. */
function scan(text: string): void {
  const frames: Frame[] = [];
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const frame = frames.at(-1);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (frame?.keys !== undefined && frame.expectsKey) takeKey(frame.keys, text.slice(at, end), at);
      if (frame !== undefined) frame.expectsKey = false;
      at = end;
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (frames.length === MAX_DEPTH)
        throw new JsonError(`is nested deeper than ${MAX_DEPTH} levels at character ${at}`);
      frames.push({ keys: code === OPEN_BRACE ? new Set() : undefined, expectsKey: code === OPEN_BRACE });
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      frames.pop();
    } else if (code === COMMA && frame !== undefined) {
      frame.expectsKey = frame.keys !== undefined;
    }
    at += 1;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Just after the closing quote, or the end of a text that lacks one. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

function takeKey(keys: Set<string>, quoted: string, at: number): void {
  const key = decodeKey(quoted, at);
  if (key === FORBIDDEN_KEY)
    throw new JsonError(`has the member ${FORBIDDEN_KEY} at character ${at}, which is not taken`);
  if (keys.has(key)) {
    throw new JsonError(`has the member ${JSON.stringify(key.slice(0, 64))} twice, the second at character ${at}`);
  }
  keys.add(key);
}

/** Escapes are decoded, so that `\u005f_proto__` is seen for what it is. */
function decodeKey(quoted: string, at: number): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted);
  } catch {
    throw new JsonError(`is no JSON: the member's name at character ${at} cannot be read`);
  }
}
