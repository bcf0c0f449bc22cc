import { equalJson } from '../change/json.ts';
import type { Shape } from '../change/shape.ts';
import type { Json, JsonMap } from '../intent.ts';
import { renderLines } from '../render.ts';
import { type FileLimits, type ParsedFile, parseFile, type ResourceDocument } from './parse.ts';
import { endOf, lineStart, nextLine } from './positions.ts';
import { rewriteDocument } from './rewrite.ts';

export type ReadableFile = Extract<ParsedFile, { readonly type: 'parsed' }>;

export type Edited =
  | { readonly type: 'edited'; readonly file: ReadableFile }
  /** Nothing is left in the file but comments. */
  | { readonly type: 'emptied' }
  | { readonly type: 'refused'; readonly message: string };

/**
 * The file with one of its resources saying `wanted`. The result was read again: this resource says so and every other one what it said before. Where a document is
 * written so unusually that it cannot be changed in place, it is written anew.
 */
export function replaceResource(
  file: ReadableFile,
  document: ResourceDocument,
  wanted: JsonMap,
  shape: Shape,
  limits: FileLimits,
): Edited {
  const expected = file.values.map((value) => (value === document.value ? wanted : value));
  const inPlace = rewriteDocument(file.text, document, wanted, shape);
  const edited = inPlace === undefined ? undefined : readBack(inPlace, expected, limits);
  if (edited?.type === 'edited') return edited;
  return readBack(writeAnew(file.text, document, wanted), expected, limits);
}

/** The file without one of its resources. */
export function removeResource(file: ReadableFile, document: ResourceDocument, limits: FileLimits): Edited {
  const expected = file.values.filter((value) => value !== document.value);
  if (expected.length === 0) return { type: 'emptied' };
  const { text, ranges } = file;
  const [from, to] = [findSeparator(text, ranges, document.index), findSeparator(text, ranges, document.index + 1)];
  return readBack(text.slice(0, from) + text.slice(to), expected, limits);
}

function readBack(text: string, expected: readonly Json[], limits: FileLimits): Edited {
  const file = parseFile(text, limits);
  if (file.type === 'unreadable') return { type: 'refused', message: file.message };
  const isRight =
    file.values.length === expected.length && file.values.every((value, index) => equalJson(value, expected[index]));
  return isRight
    ? { type: 'edited', file }
    : { type: 'refused', message: 'the file is written in a way that cannot be edited; edit it by hand' };
}

function writeAnew(text: string, { contents }: ResourceDocument, wanted: JsonMap): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const start = lineStart(text, contents.range[0]);
  const end = nextLine(text, endOf(contents));
  return text.slice(0, start) + renderLines(wanted, '').join(eol) + eol + text.slice(end);
}

/** Where the `---` before a document stands; the beginning or the end of the text where there is none. */
function findSeparator(text: string, ranges: ReadableFile['ranges'], index: number): number {
  const content = ranges[index];
  const before = ranges[index - 1];
  if (before === undefined) return 0;
  if (content === undefined) return text.length;
  const between = text.slice(before[1], content[0]);
  const found = [...between.matchAll(/^---(?=\s|$)/gm)].at(-1);
  return found === undefined ? lineStart(text, content[0]) : before[1] + found.index;
}
