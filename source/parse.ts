import { checkDocument, findOffset, isEmpty, measureDepth, readDocuments } from '../crds/yaml.ts';
import { renderError } from '../kube/errors.ts';
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
  const listed = folder.files.map(({ name, validName, bytes }) => ({ name, validName, sizeBytes: bytes.length }));
  const violations = [...checkFolderFiles(listed, options.limits)];
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

/** A folder's files as they are listed, for what can be judged before anything is read. */
type ListedFile = Pick<FolderFile, 'name' | 'validName'> & { readonly sizeBytes: number };

/** Names and sizes. With any violation nothing of the folder is read. */
export function checkFolderFiles(files: readonly ListedFile[], limits: SourceLimits): readonly Violation[] {
  const violations: Violation[] = [];
  const report = (file: string, rule: string, message: string): number =>
    violations.push({ file, line: 0, rule, message });
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (files.length > limits.folderFiles) {
    report('', 'folderFiles', `the folder has ${files.length} YAML files, more than folderFiles ${limits.folderFiles}`);
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
  for (const { name, validName, sizeBytes } of files) {
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
    if (sizeBytes > limits.fileBytes)
      report(name, 'fileBytes', `the file has ${sizeBytes} bytes, more than fileBytes ${limits.fileBytes}`);
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
    return fail(0, 'yaml', `the file cannot be read: ${renderError(error)}`);
  }
}

function parseText(file: string, text: string, limits: SourceLimits): Parsed {
  const documents: ParsedDocument[] = [];
  const violations: Violation[] = [];
  const { parsed, lineAt } = readDocuments(text);
  let again: ReturnType<typeof readDocuments>['parsed'] | undefined;
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
