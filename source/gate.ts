import { type RuleFacts, type RuleViolation, renderPath } from '../crds/rules/index.ts';
import type { SourceLimits } from './limits.ts';
import { type ArchiveFile, findValueProblems, renderFile } from './values.ts';
import type { Violation } from './violation.ts';

/** A parsed YAML document and where it stands. */
export type GateDocument = {
  readonly file: string;
  readonly line: number;
  readonly value: unknown;
  readonly lineOf: (path: readonly (string | number)[]) => number;
};

/** Whose folder it is: what may be written there follows from it. */
export type GateFacts = Pick<RuleFacts, 'namespace' | 'owner' | 'allowedGitHosts'> & {
  /** The tenant's resources come from a repository of its own. */
  readonly hasRepository?: boolean;
};

/** Shape and rules of one resource; `checkResource` of `crds/rules`. */
export type CheckResource = (value: unknown, facts: RuleFacts) => readonly RuleViolation[];

/** A Tenant that the folder declares: facts for the gates of the folders below. */
export type DeclaredTenant = {
  readonly name: string;
  readonly id: string;
  readonly type: 'Reseller' | 'Customer';
  /** Where its resources come from. */
  readonly source: 'Fleet' | 'Repository' | undefined;
};

export type GateResult =
  | {
      readonly ok: true;
      readonly files: readonly ArchiveFile[];
      /** `Kind/name` of each resource, sorted. */
      readonly resources: readonly string[];
      readonly tenants: readonly DeclaredTenant[];
    }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/**
 * Judges one folder as a whole: it is accepted with everything in it or not at all. Checks what only a file or a folder can know (what the
 * text would lose on its way, metadata that controllers write, names that occur twice) and then each resource by `check`, with the same
 * words as everywhere else.
 */
export function gateFolder(
  documents: readonly GateDocument[],
  { hasRepository, ...facts }: GateFacts,
  check: CheckResource,
  limits: SourceLimits,
): GateResult {
  if (hasRepository === true) {
    const message = `the tenant of ${facts.namespace} has a repository of its own; move the files there, or state source: {type: Fleet} in its Tenant`;
    return { ok: false, violations: [{ file: '', line: 0, rule: 'OwnRepository', message }] };
  }
  if (documents.length > limits.folderResources) {
    const message = `the folder has ${documents.length} resources, more than folderResources ${limits.folderResources}`;
    return { ok: false, violations: [{ file: '', line: 0, rule: 'folderResources', message }] };
  }
  const seen = new Map<string, GateDocument>();
  const tenants = documents.flatMap((document) => readTenant(document.value) ?? []);
  const ruleFacts: RuleFacts = { ...facts, isDeclared: true, tenants };
  const violations: Violation[] = [];
  for (const document of documents) {
    const problems = [...checkFile(document.value), ...checkTwice(document, seen)];
    const all = problems.length > 0 ? problems : check(document.value, ruleFacts);
    violations.push(
      ...all.map(({ rule, path, message }) => ({
        file: document.file,
        line: document.lineOf(path),
        rule,
        message: path.length === 0 ? message : `${renderPath(path)} ${message}`,
      })),
    );
    if (violations.length > ENOUGH_VIOLATIONS) break;
  }
  if (violations.length > 0) return { ok: false, violations };
  const files = renderFiles(documents);
  const characters = files.reduce((sum, file) => sum + file.text.length, 0);
  if (characters > MOST_EXPANSION * limits.folderBytes) {
    const message = `the folder has ${characters} characters with its aliases written out, more than ${MOST_EXPANSION} times folderBytes ${limits.folderBytes}`;
    return { ok: false, violations: [{ file: '', line: 0, rule: 'folderBytes', message }] };
  }
  return { ok: true, files, resources: [...seen.keys()].sort(), tenants };
}

/** JSON takes more room than YAML; aliases may take much more. */
const MOST_EXPANSION = 4;

/** Nobody reads more of them at once, and a hostile folder should not cost more than it must. */
const ENOUGH_VIOLATIONS = 50;

/** Fields of metadata that people write; the others are the API server's, the operator's or Flux's. */
const METADATA_FIELDS: ReadonlySet<string> = new Set(['name', 'namespace', 'labels', 'annotations']);

function checkFile(value: unknown): readonly RuleViolation[] {
  if (!isRecord(value))
    return [
      { rule: 'Resource', path: [], message: 'a document is one resource: a map with apiVersion, kind and metadata' },
    ];
  const { metadata } = value;
  const foreign = Object.keys(isRecord(metadata) ? metadata : {})
    .filter((field) => !METADATA_FIELDS.has(field))
    .map((field) => ({
      rule: 'ForeignMetadata',
      path: ['metadata', field],
      message: 'is not for Git; write name, labels and annotations only',
    }));
  return [...findValueProblems(value), ...foreign];
}

function checkTwice(document: GateDocument, seen: Map<string, GateDocument>): readonly RuleViolation[] {
  const id = resourceId(document.value);
  if (id === undefined) return [];
  const first = seen.get(id);
  if (first === undefined) {
    seen.set(id, document);
    return [];
  }
  return [
    {
      rule: 'Duplicate',
      path: ['metadata', 'name'],
      message: `names ${id}, which stands in ${first.file}:${first.line} too; keep one`,
    },
  ];
}

/** `Kind/name`, or undefined when the value is no resource. */
export function resourceId(value: unknown): string | undefined {
  if (!isRecord(value) || typeof value.kind !== 'string' || !isRecord(value.metadata)) return undefined;
  return typeof value.metadata.name === 'string' ? `${value.kind}/${value.metadata.name}` : undefined;
}

function readTenant(value: unknown): DeclaredTenant | undefined {
  if (!isRecord(value) || value.kind !== 'Tenant' || !isRecord(value.metadata) || !isRecord(value.spec))
    return undefined;
  const { name } = value.metadata;
  const { id, type, source } = value.spec;
  if (typeof name !== 'string' || typeof id !== 'string') return undefined;
  return { name, id, type: type === 'Reseller' ? 'Reseller' : 'Customer', source: readSource(source) };
}

function readSource(source: unknown): DeclaredTenant['source'] {
  const type = isRecord(source) ? source.type : undefined;
  return type === 'Fleet' || type === 'Repository' ? type : undefined;
}

function renderFiles(documents: readonly GateDocument[]): readonly ArchiveFile[] {
  const byFile = Map.groupBy(documents, (document) => document.file);
  return [...byFile].map(([name, found]) =>
    renderFile(
      name,
      found.map((document) => document.value),
    ),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
