import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type YAMLMap,
} from 'yaml';
import type { SourceLimits } from './limits.ts';
import { type Folder, type FolderFile, KUSTOMIZATION_NAMES } from './split.ts';
import type { Violation } from './violation.ts';

/** One YAML document as plain data. */
export type ParsedDocument = {
  readonly file: string;
  /** Line on which the document's content starts, 1-based. */
  readonly line: number;
  readonly value: unknown;
  /** Line of the deepest part of `path` that the document has. */
  readonly lineOf: (path: readonly (string | number)[]) => number;
};

/** What a file of that digest was read as. */
export type ParsedFile = {
  readonly digest: string;
  readonly documents: readonly ParsedDocument[];
  readonly violations: readonly Violation[];
};

export type ParsedFolder = {
  readonly documents: readonly ParsedDocument[];
  readonly violations: readonly Violation[];
  /** By name; hand them in again to read only the files that changed. */
  readonly files: ReadonlyMap<string, ParsedFile>;
};

export type ParseOptions = {
  readonly limits: SourceLimits;
  readonly known?: ReadonlyMap<string, ParsedFile> | undefined;
  /** Awaited after each file that was read. */
  readonly breathe?: () => Promise<void>;
};

/**
 * Reads a folder's YAML files within the limits. Takes the part of YAML on which 1.1 (kubectl, Flux) and 1.2 agree: a plain scalar that
 * the two read differently is refused and not guessed, and so are merge keys, foreign tags, directives and duplicate keys. Empty
 * documents are skipped. Never rejects for content.
 */
export async function parseFolder(folder: Folder, options: ParseOptions): Promise<ParsedFolder> {
  const violations = [...checkFiles(folder, options.limits)];
  const documents: ParsedDocument[] = [];
  const files = new Map<string, ParsedFile>();
  if (violations.length > 0) return { documents, violations, files };
  for (const file of folder.files) {
    const known = options.known?.get(file.name);
    const parsed = known?.digest === file.digest ? known : { digest: file.digest, ...parseFile(file, options.limits) };
    files.set(file.name, parsed);
    documents.push(...parsed.documents);
    violations.push(...parsed.violations);
    if (violations.length > ENOUGH_VIOLATIONS) break;
    if (parsed !== known) await options.breathe?.();
  }
  return { documents, violations, files };
}

type Parsed = Pick<ParsedFile, 'documents' | 'violations'>;

/** Nobody reads more of them at once, and a hostile folder should not cost more than it must. */
const ENOUGH_VIOLATIONS = 50;

function checkFiles(folder: Folder, limits: SourceLimits): readonly Violation[] {
  const violations: Violation[] = [];
  const report = (file: string, rule: string, message: string): number =>
    violations.push({ file, line: 0, rule, message });
  const totalBytes = folder.files.reduce((sum, file) => sum + file.bytes.length, 0);
  if (folder.files.length > limits.folderFiles) {
    report(
      '',
      'folderFiles',
      `the folder has ${folder.files.length} YAML files, more than folderFiles ${limits.folderFiles}`,
    );
    return violations;
  }
  if (totalBytes > limits.folderBytes) {
    report(
      '',
      'folderBytes',
      `the folder has ${totalBytes} bytes of YAML, more than folderBytes ${limits.folderBytes}`,
    );
  }
  const folded = new Map<string, string>();
  for (const { name, validName, bytes } of folder.files) {
    const twin = folded.get(name.toLowerCase());
    folded.set(name.toLowerCase(), name);
    if (!validName) report(name, 'FileName', 'the name is not valid UTF-8; rename the file');
    else if (name.includes('/')) report(name, 'FlatFolder', 'a tenant folder is flat; move the file up');
    else if (KUSTOMIZATION_NAMES.has(name.toLowerCase()))
      report(name, 'Kustomization', 'a tenant folder has no kustomization of its own; remove the file');
    else if (!FILE_NAME.test(name))
      report(
        name,
        'FileName',
        'a file is named with letters, digits, ".", "_" and "-", at most 100, and ends in .yaml or .yml',
      );
    else if (twin !== undefined)
      report(name, 'FileName', `${twin} differs from it in letter case only; rename one of them`);
    if (bytes.length > limits.fileBytes)
      report(name, 'fileBytes', `the file has ${bytes.length} bytes, more than fileBytes ${limits.fileBytes}`);
  }
  return violations;
}

const FILE_NAME = /^(?=.{1,100}$)[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml$/;

function parseFile(file: FolderFile, limits: SourceLimits): Parsed {
  const fail = (line: number, rule: string, message: string): Parsed => ({
    documents: [],
    violations: [{ file: file.name, line, rule, message }],
  });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(file.bytes);
  } catch {
    return fail(0, 'Utf8', 'the file is not valid UTF-8');
  }
  const depth = measureDepth(text);
  if (depth.most > limits.yamlDepth * 2) {
    return fail(depth.line, 'yamlDepth', `the document nests more than yamlDepth ${limits.yamlDepth} levels`);
  }
  try {
    return parseText(file.name, text, limits);
  } catch (error) {
    if (error instanceof RangeError)
      return fail(0, 'yamlDepth', `the document nests more than yamlDepth ${limits.yamlDepth} levels`);
    return fail(
      0,
      'yaml',
      `the file cannot be read: ${error instanceof Error ? firstLine(error.message) : String(error)}`,
    );
  }
}

function parseText(file: string, text: string, limits: SourceLimits): Parsed {
  const documents: ParsedDocument[] = [];
  const violations: Violation[] = [];
  const { parsed, lineAt } = readDocuments(text);
  let again: readonly Document.Parsed[] | undefined;
  const lineOf = (index: number, path: readonly (string | number)[]): number => {
    again ??= readDocuments(text).parsed;
    return lineAt(findOffset(again[index]?.contents, path));
  };
  for (const [index, document] of parsed.entries()) {
    const found = checkDocument(document, limits).map(({ offset, rule, message }) => ({
      file,
      line: lineAt(offset),
      rule,
      message,
    }));
    violations.push(...found);
    if (found.length > 0 || isEmpty(document)) continue;
    documents.push({
      file,
      line: lineAt(document.contents?.range?.[0] ?? 0),
      value: document.toJS({ maxAliasCount: limits.yamlAliases }),
      lineOf: (path) => lineOf(index, path),
    });
  }
  return { documents, violations };
}

function readDocuments(text: string): {
  readonly parsed: readonly Document.Parsed[];
  readonly lineAt: (offset: number) => number;
} {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    stringKeys: true,
    strict: true,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter,
  });
  return { parsed: Array.isArray(parsed) ? parsed : [], lineAt: (offset) => lineCounter.linePos(offset).line };
}

type Found = { readonly offset: number; readonly rule: string; readonly message: string };

function checkDocument(document: Document.Parsed, limits: SourceLimits): readonly Found[] {
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    return [
      {
        offset: problem.pos[0],
        rule: problem.name === 'YAMLWarning' ? 'YamlTag' : 'Yaml',
        message: firstLine(problem.message),
      },
    ];
  }
  if (document.directives?.yaml.explicit === true) {
    return [
      { offset: document.range[0], rule: 'YamlDirective', message: 'a %YAML directive is refused; remove the line' },
    ];
  }
  const found: Found[] = [];
  let aliases = 0;
  visit(document, (_key, node, path) => {
    if (path.length > limits.yamlDepth * 2) {
      found.push({
        offset: offsetOf(node),
        rule: 'yamlDepth',
        message: `the document nests more than yamlDepth ${limits.yamlDepth} levels`,
      });
      return visit.BREAK;
    }
    if (isAlias(node)) {
      aliases += 1;
      if (aliases > limits.yamlAliases) {
        found.push({
          offset: offsetOf(node),
          rule: 'yamlAliases',
          message: `the document has more than yamlAliases ${limits.yamlAliases} aliases`,
        });
        return visit.BREAK;
      }
      const target = node.resolve(document);
      const problem =
        target === undefined
          ? 'has no anchor before it'
          : path.some((ancestor) => ancestor === target)
            ? 'stands inside what it refers to'
            : undefined;
      if (problem !== undefined) {
        found.push({ offset: offsetOf(node), rule: 'Yaml', message: `the alias *${node.source} ${problem}` });
        return visit.BREAK;
      }
    }
    if (isMap(node)) found.push(...findRepeatedKeys(node));
    if (isScalar(node) && node.type === 'PLAIN' && typeof node.source === 'string') {
      const message = checkPlain(node.source);
      if (message !== undefined) found.push({ offset: offsetOf(node), rule: 'AmbiguousYaml', message });
    }
    return undefined;
  });
  return found;
}

/** In one pass; the parser's own check compares every key with every other. */
function findRepeatedKeys(map: YAMLMap): readonly Found[] {
  const seen = new Set<string>();
  return map.items.flatMap(({ key }) => {
    const name = isScalar(key) ? String(key.value) : '';
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [
      {
        offset: offsetOf(key),
        rule: 'Yaml',
        message: `the key ${JSON.stringify(name.slice(0, 80))} stands in the map twice`,
      },
    ];
  });
}

/** Plain scalars that YAML 1.1 and 1.2 read as different things. */
function checkPlain(source: string): string | undefined {
  if (source === '<<') return 'merge keys ("<<") are refused; write the fields out';
  const other = AMBIGUOUS.find(({ pattern }) => pattern.test(source));
  return other === undefined
    ? undefined
    : `${JSON.stringify(source.slice(0, 40))} without quotes is ${other.means}; put it in quotes, or write the value out`;
}

const AMBIGUOUS = [
  { pattern: /^(y|n|yes|no|on|off)$/i, means: 'a boolean to some YAML readers and a string to others' },
  { pattern: /^[-+]?0[0-9]+$/, means: 'an octal number to some YAML readers and a decimal one to others' },
  { pattern: /^[-+]?0[ob][0-9]+$/, means: 'a number to some YAML readers and a string to others' },
  {
    pattern: /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/,
    means: 'a number in base 60 to some YAML readers and a string to others',
  },
  {
    pattern: /^[-+]?(0x[0-9a-fA-F]*_|[0-9][0-9.]*_)[0-9a-fA-F_.]*$/,
    means: 'a number to some YAML readers and a string to others',
  },
] as const satisfies readonly { readonly pattern: RegExp; readonly means: string }[];

/** About how deep a text nests, before a recursive reader sees it: brackets open at once, or list dashes at the start of one line. */
function measureDepth(text: string): { readonly most: number; readonly line: number } {
  let open = 0;
  let most = 0;
  let line = 0;
  for (const [index, content] of text.split('\n').entries()) {
    if (content.startsWith('---')) open = 0;
    const dashes = (/^ *(?:[-?] +)+/.exec(content)?.[0] ?? '').replaceAll(' ', '').length;
    let deepest = dashes;
    for (const char of content) {
      if (char === '[' || char === '{') open += 1;
      else if (char === ']' || char === '}') open = Math.max(0, open - 1);
      deepest = Math.max(deepest, open);
    }
    if (deepest > most) {
      most = deepest;
      line = index + 1;
    }
  }
  return { most, line };
}

function findOffset(contents: unknown, path: readonly (string | number)[]): number {
  let node = contents;
  let offset = offsetOf(node);
  for (const segment of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(segment));
      if (pair === undefined) break;
      offset = offsetOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof segment === 'number') {
      node = node.items[segment];
      if (node === undefined) break;
      offset = offsetOf(node);
    } else break;
  }
  return offset;
}

function offsetOf(node: unknown): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
}

function isEmpty(document: Document.Parsed): boolean {
  return document.contents === null || (isScalar(document.contents) && document.contents.value === null);
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
