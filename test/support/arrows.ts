import path from 'node:path';
import { codeOnly, type ImportStatement, parseImports } from './sourcetext.ts';

/** A file of the tree: its path from the root with forward slashes, and its text. */
export type SourceFile = { readonly path: string; readonly text: string };

/** The dependencies that package.json names. */
export type Dependencies = { readonly runtime: ReadonlySet<string>; readonly development: ReadonlySet<string> };

const LEAVES = ['model', 'kube', 'rdp', 'kubevirt'];
const PARTS = [...LEAVES, 'crds', 'store'];
const FRONT = [...PARTS, 'git', 'gitops', 'billing'];

/** Which first-level folders a folder may import besides itself; a folder that is not listed may import all of them. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  kube: [],
  rdp: [],
  kubevirt: [],
  git: [],
  client: [],
  store: ['model', 'kube', 'crds'],
  crds: ['model'],
  operator: PARTS,
  source: [...PARTS, 'git'],
  gitops: [...PARTS, 'git'],
  billing: PARTS,
  api: FRONT,
  webhooks: FRONT,
  simulator: ['model', 'crds', 'kube', 'kubevirt'],
};

/** Folders that only these, and tests, may import. */
const ONLY_FOR: Readonly<Record<string, readonly string[]>> = {
  simulator: ['cli', 'demo', 'test'],
  test: ['demo', ''],
  demo: [],
  cli: ['demo', 'test'],
};

const PURE_KUBE = /^kube\/(object|builtin|compare|quantity|conditions|errors)\.ts$/;

const PURE: readonly RegExp[] = [
  /^model\//,
  /^rdp\//,
  PURE_KUBE,
  /^crds\/(v1alpha1|rules)\//,
  /^crds\/structural\.ts$/,
  /^operator\/desired\//,
  /^operator\/controllers\/[^/]+\/(validate|status)\.ts$/,
  /^source\/(split|gate)(\/|\.ts$)/,
  /^gitops\/(layout|render|change|message)(\/|\.ts$)/,
  /^billing\/(metering|rating|invoices|dunning)(\/|\.ts$)/,
];

const IMPURE_CODE: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bDate\.now\b/, what: 'Date.now' },
  { pattern: /\bnew\s+Date\s*(?:\(\s*\)|[;,)\]}])/, what: 'new Date() without a time' },
  { pattern: /(?<![.\w$]|\bnew\s{1,9})Date\s*\(/, what: 'Date()' },
  { pattern: /\bMath\.random\b/, what: 'Math.random' },
  { pattern: /(?<![.\w$])process\s*[.[]/, what: 'process' },
  { pattern: /(?<![.\w$])Intl\b/, what: 'Intl' },
  { pattern: /\.toLocale\w+/, what: 'toLocale...' },
  { pattern: /\.localeCompare\b/, what: 'localeCompare' },
  { pattern: /(?<![.\w$])performance\s*\./, what: 'performance' },
  { pattern: /(?<![.\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/, what: 'a timer' },
  { pattern: /(?<![.\w$])(?:fetch|WebSocket)\s*\(/, what: 'network' },
  { pattern: /(?<![.\w$])crypto\s*\./, what: 'the global crypto' },
  { pattern: /(?<![.\w$])(?:globalThis|console)\b/, what: 'a global' },
  { pattern: /\bimport\.meta\b/, what: 'import.meta' },
];

/**
 * Checks every file against the architecture: imports point one way, pure files reach nothing but pure files, zod and
 * createHash, and product code imports no development dependency. A file of the same part that a pure file imports has to
 * be as pure itself. Type imports reach nothing at run time: only the arrows hold for them. Gives one line a violation,
 * `file:line: what is wrong`.
 */
export function findViolations(files: readonly SourceFile[], dependencies: Dependencies): readonly string[] {
  const parsed = new Map(files.map((file) => [file.path, parseImports(file.text)]));
  const pure = findPure(parsed);
  return files.flatMap((file) => {
    const problems = (parsed.get(file.path) ?? []).flatMap((statement) => {
      const target = resolve(file.path, statement.specifier);
      const problem =
        target === undefined
          ? checkPackage(file.path, statement, dependencies, pure)
          : (checkArrow(file.path, target) ?? checkPureImport(file.path, target, statement, pure));
      return problem === undefined ? [] : [`${file.path}:${statement.line}: ${problem}`];
    });
    const why = pure.get(file.path);
    return why === undefined ? problems : [...problems, ...checkPureCode(file, why)];
  });
}

/** The files that have to be pure, each with the reason for the message: marked, or imported by one within its part. */
type PureFiles = ReadonlyMap<string, string>;

function findPure(parsed: ReadonlyMap<string, readonly ImportStatement[]>): PureFiles {
  const pure = new Map([...parsed.keys()].filter(isPure).map((file) => [file, 'a pure file']));
  for (const file of pure.keys()) {
    for (const { specifier, typeOnly } of parsed.get(file) ?? []) {
      const target = resolve(file, specifier);
      if (target === undefined || typeOnly || topOf(target) !== topOf(file) || pure.has(target)) continue;
      pure.set(target, `a file that the pure ${file} imports`);
    }
  }
  return pure;
}

/** Whether architecture.md marks the file as pure; tests and their data beside it are not. */
export function isPure(file: string): boolean {
  return !isTest(file) && PURE.some((pattern) => pattern.test(file));
}

function isTest(file: string): boolean {
  return /\.test\.ts$/.test(file) || file.startsWith('test/') || /(^|\/)(testing|testdata)\//.test(file);
}

function isDevelopment(file: string): boolean {
  return (
    isTest(file) ||
    /^(vitest\.config|crds\/generate|kubevirt\/(generate|validate))\.ts$/.test(file) ||
    /^(demo|deploy|simulator)\//.test(file)
  );
}

function resolve(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.')
    ? path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier))
    : undefined;
}

function topOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
}

function checkArrow(from: string, target: string): string | undefined {
  const [source, destination] = [topOf(from), topOf(target)];
  if (target.startsWith('..')) return `imports ${target}, outside the repository`;
  if (source === destination || destination === '') return undefined;
  const wanted = ONLY_FOR[destination];
  if (wanted !== undefined) {
    return isTest(from) || wanted.includes(source) ? undefined : `${source} must not import ${destination} (${target})`;
  }
  const allowed = ARROWS[source];
  if (allowed === undefined || allowed.includes(destination) || isTest(from)) return undefined;
  if ((source === 'model' || source === 'crds') && PURE_KUBE.test(target)) return undefined;
  return `${source} must not import ${destination} (${target})`;
}

function checkPureImport(
  from: string,
  target: string,
  statement: ImportStatement,
  pure: PureFiles,
): string | undefined {
  const why = pure.get(from);
  if (why === undefined || pure.has(target) || isPure(target) || statement.typeOnly) return undefined;
  return `${why} must not import ${target}, which is not pure`;
}

function checkPackage(
  from: string,
  statement: ImportStatement,
  dependencies: Dependencies,
  pure: PureFiles,
): string | undefined {
  const { specifier, clause } = statement;
  const why = pure.get(from);
  if (why !== undefined) {
    const isHash = specifier === 'node:crypto' && /^\{\s*createHash,?\s*\}$/.test(clause);
    return specifier === 'zod' || isHash ? undefined : `${why} must not import ${specifier} ${clause}`.trimEnd();
  }
  if (specifier.startsWith('node:')) return undefined;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (dependencies.runtime.has(name)) return undefined;
  if (!dependencies.development.has(name)) return `${name} is not in package.json`;
  return isDevelopment(from) ? undefined : `${name} is a development dependency, which product code must not import`;
}

function checkPureCode(file: SourceFile, why: string): readonly string[] {
  const lines = codeOnly(file.text).split('\n');
  return lines.flatMap((line, index) =>
    IMPURE_CODE.filter(({ pattern }) => pattern.test(line)).map(
      ({ what }) => `${file.path}:${index + 1}: ${why} must not use ${what}`,
    ),
  );
}
