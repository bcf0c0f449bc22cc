import { type Alias, type Document, isAlias, isMap, type Node, type ParsedNode, visit } from 'yaml';
import { checkDocument, isEmpty, measureDepth, readDocuments, type YamlLimits } from '../../crds/yaml.ts';
import { renderError } from '../../kube/errors.ts';
import { isMap as isJsonMap, memberOf } from '../change/json.ts';
import type { Json, JsonMap } from '../intent.ts';
import { countMarks } from './marks.ts';
import { parseUsual, type UsualDocument } from './usual.ts';

export type FileLimits = YamlLimits & {
  /** Bytes of one YAML file. */
  readonly fileBytes: number;
  /** Of one YAML file, as `countMarks` counts. */
  readonly fileMarks: number;
};

/** As much as the fleet source's gate takes; and by marks, of which a file of that size that people write has less than half as many. */
export const DEFAULT_FILE_LIMITS: FileLimits = {
  fileBytes: 128 * 1024,
  fileMarks: 32 * 1024,
  yamlDepth: 32,
  yamlAliases: 16,
};

/** One resource of a file. */
export type ResourceDocument = {
  /** Among all documents of the file, empty ones included. */
  readonly index: number;
  readonly kind: string;
  readonly name: string;
  readonly value: JsonMap;
  readonly line: number;
  readonly contents: ParsedNode;
  /** Aliases, and the nodes that they stand for. */
  readonly aliases: ReadonlyMap<Alias, Node>;
};

export type ParsedFile =
  | {
      readonly type: 'parsed';
      readonly text: string;
      readonly resources: readonly ResourceDocument[];
      /** Values of all documents that hold something, resources or not, in order. */
      readonly values: readonly Json[];
      /** Where in the text the content of each document begins and ends. */
      readonly ranges: readonly (readonly [number, number])[];
      /** What it has of structure (`marks.ts`). */
      readonly marks: number;
    }
  /** `line` 0: the file as a whole. */
  | { readonly type: 'unreadable'; readonly line: number; readonly message: string };

/** Reads a file of resources, by the same rules as the gate: what YAML 1.1 and 1.2 read differently is not guessed. */
export function parseFile(text: string, limits: FileLimits = DEFAULT_FILE_LIMITS): ParsedFile {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.fileBytes)
    return unreadable(0, `the file has ${bytes} bytes, more than fileBytes ${limits.fileBytes}`);
  const marks = countMarks(text);
  if (marks > limits.fileMarks) return unreadable(0, explainMarks('the file', marks, 'fileMarks', limits.fileMarks));
  const usual = parseUsual(text);
  return usual === undefined ? parseAny(text, limits, marks) : fromUsual(text, usual, marks);
}

/** What has too much structure, and what to do. */
export function explainMarks(what: string, marks: number, limit: string, most: number): string {
  return `${what} has ${marks} brackets, commas, line ends and the like, more than ${limit} ${most}; split it`;
}

/** The same by the parser of all YAML. */
export function parseAny(text: string, limits: FileLimits, marks = countMarks(text)): ParsedFile {
  const depth = measureDepth(text);
  const tooDeep = `the document nests more than yamlDepth ${limits.yamlDepth} levels`;
  if (depth.most > limits.yamlDepth * 2) return unreadable(depth.line, tooDeep);
  try {
    return parseText(text, limits, marks);
  } catch (error) {
    return unreadable(0, error instanceof RangeError ? tooDeep : `the file cannot be read: ${renderError(error)}`);
  }
}

function parseText(text: string, limits: FileLimits, marks: number): ParsedFile {
  const { parsed, lineAt } = readDocuments(text, { keepSourceTokens: true });
  const resources: ResourceDocument[] = [];
  const values: Json[] = [];
  const ranges: (readonly [number, number])[] = [];
  for (const [index, document] of parsed.entries()) {
    const problem = checkDocument(document, limits)[0];
    if (problem !== undefined) return unreadable(lineAt(problem.offset), problem.message);
    const { contents } = document;
    const start = contents?.range[0] ?? document.range[0];
    ranges.push([start, contents?.range[1] ?? start]);
    if (contents === null || isEmpty(document)) continue;
    const value: unknown = document.toJS({ maxAliasCount: limits.yamlAliases });
    if (!isJson(value))
      return unreadable(lineAt(start), 'the document holds a number that JSON lacks; put it in quotes');
    values.push(value);
    const identity = isMap(contents) && isJsonMap(value) ? identify(value) : undefined;
    if (identity === undefined || !isJsonMap(value)) continue;
    resources.push({ index, ...identity, value, line: lineAt(start), contents, aliases: findAliases(text, document) });
  }
  return { type: 'parsed', text, resources, values, ranges, marks };
}

function fromUsual(text: string, { value, contents, line }: UsualDocument, marks: number): ParsedFile {
  const identity = identify(value);
  const ranges = [[contents.range[0], contents.range[1]] as const];
  const resources =
    identity === undefined ? [] : [{ index: 0, ...identity, value, line, contents, aliases: NO_ALIASES }];
  return { type: 'parsed', text, resources, values: [value], ranges, marks };
}

const NO_ALIASES: ResourceDocument['aliases'] = new Map();

function identify(value: JsonMap): { readonly kind: string; readonly name: string } | undefined {
  const kind = memberOf(value, 'kind');
  const metadata = memberOf(value, 'metadata');
  const name = isJsonMap(metadata) ? memberOf(metadata, 'name') : undefined;
  return typeof kind === 'string' && typeof name === 'string' ? { kind, name } : undefined;
}

function findAliases(text: string, document: Document.Parsed): ReadonlyMap<Alias, Node> {
  const found = new Map<Alias, Node>();
  if (!text.includes('*')) return found;
  visit(document, {
    Alias: (_key, alias) => {
      const target = alias.resolve(document);
      if (target !== undefined && !isAlias(target)) found.set(alias, target);
    },
  });
  return found;
}

function isJson(value: unknown): value is Json {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  return typeof value === 'object' && Object.values(value).every(isJson);
}

function unreadable(line: number, message: string): ParsedFile {
  return { type: 'unreadable', line, message };
}
