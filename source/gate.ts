import * as labels from '../model/labels.ts';
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

/**
 * Who owns the namespace: what may be written there follows from it. `Unknown` when no Tenant for it is known yet, which happens when a
 * folder is pushed before its Tenant; nothing is applied from it until there is one.
 */
export type OwnerType = 'Root' | 'Reseller' | 'Customer' | 'Unknown';

export type GateFacts = { readonly namespace: string; readonly owner: OwnerType };

/** The schema and the rules of the resource kinds, as `crds/rules` states them. */
export type CheckResource = (
  value: unknown,
  facts: GateFacts,
) => readonly { readonly rule: string; readonly path: readonly (string | number)[]; readonly message: string }[];

/** A Tenant that the folder declares: facts for the gates of the folders below. */
export type DeclaredTenant = { readonly name: string; readonly type: 'Reseller' | 'Customer' };

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
 * Judges one folder as a whole: it is accepted with everything in it or not at all. Checks what only a folder can know (namespace, kinds
 * that its owner may write, names that occur twice, metadata that belongs to controllers) and then each resource by `check`.
 */
export function gateFolder(
  documents: readonly GateDocument[],
  facts: GateFacts,
  check: CheckResource,
  limits: SourceLimits,
): GateResult {
  if (documents.length > limits.folderResources) {
    const message = `the folder has ${documents.length} resources, more than folderResources ${limits.folderResources}`;
    return { ok: false, violations: [{ file: '', line: 0, rule: 'folderResources', message }] };
  }
  const seen = new Map<string, GateDocument>();
  const tenants: DeclaredTenant[] = [];
  const violations: Violation[] = [];
  for (const document of documents) {
    const problems = [...checkShape(document.value, facts), ...checkTwice(document, seen)];
    const all = problems.length > 0 ? problems : check(document.value, facts);
    violations.push(
      ...all.map(({ rule, path, message }) => ({ file: document.file, line: document.lineOf(path), rule, message })),
    );
    const tenant = readTenant(document.value);
    if (tenant !== undefined) tenants.push(tenant);
    if (violations.length > ENOUGH_VIOLATIONS) break;
  }
  if (violations.length > 0) return { ok: false, violations };
  return { ok: true, files: renderFiles(documents), resources: [...seen.keys()].sort(), tenants };
}

/** Nobody reads more of them at once, and a hostile folder should not cost more than it must. */
const ENOUGH_VIOLATIONS = 50;

/** What a folder may hold, by owner. Kinds that are not ours are unknown to `check`. */
const SELLER_KINDS: ReadonlySet<string> = new Set(['Tenant', 'Plan', 'Quota']);

/** Fields of metadata that people write; the others are the API server's, the operator's or Flux's. */
const METADATA_FIELDS: ReadonlySet<string> = new Set(['name', 'namespace', 'labels', 'annotations']);

/** Label and annotation prefixes that steer the software between Git and the cluster. */
const RESERVED_PREFIXES = [
  'kustomize.toolkit.fluxcd.io/',
  'kustomize.config.k8s.io/',
  'config.kubernetes.io/',
  'internal.config.kubernetes.io/',
  'config.k8s.io/',
];

/** Ours that only the operator may write. */
const RESERVED_KEYS: ReadonlySet<string> = new Set([
  labels.LABEL_TENANT_ID,
  labels.LABEL_OWNER_KIND,
  labels.LABEL_OWNER_NAME,
  labels.ANNOTATION_PARENT_ID,
  labels.ANNOTATION_PATH,
  labels.ANNOTATION_APPLIED_HASH,
  labels.ANNOTATION_REMOVED_AT,
  labels.ANNOTATION_SWEEP_AT,
  labels.ANNOTATION_HELD,
]);

type Problem = { readonly rule: string; readonly path: readonly (string | number)[]; readonly message: string };

function checkShape(value: unknown, facts: GateFacts): readonly Problem[] {
  if (!isRecord(value))
    return [
      { rule: 'resource', path: [], message: 'a document is one resource, a map with apiVersion, kind and metadata' },
    ];
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return [{ rule: 'resource', path: [], message: 'a resource needs apiVersion and kind' }];
  }
  if (!isRecord(metadata) || typeof metadata.name !== 'string') {
    return [{ rule: 'resource', path: ['metadata'], message: 'a resource needs metadata.name' }];
  }
  return [
    ...findValueProblems(value),
    ...checkKind(kind, facts),
    ...checkMetadata(metadata, facts),
    ...checkStatus(value),
  ];
}

function checkKind(kind: string, { owner, namespace }: GateFacts): readonly Problem[] {
  const isSellers = SELLER_KINDS.has(kind);
  if (owner === 'Root' && !isSellers) {
    return [
      {
        rule: 'kind',
        path: ['kind'],
        message: `${namespace} holds Tenants, Plans and Quotas only; ${kind} belongs in a tenant's folder`,
      },
    ];
  }
  if (owner === 'Customer' && isSellers) {
    return [
      {
        rule: 'kind',
        path: ['kind'],
        message: `the tenant of ${namespace} is a Customer; only a Reseller may have a ${kind}`,
      },
    ];
  }
  return [];
}

function checkMetadata(metadata: Readonly<Record<string, unknown>>, facts: GateFacts): readonly Problem[] {
  const foreign = Object.keys(metadata)
    .filter((field) => !METADATA_FIELDS.has(field))
    .map((field) => ({
      rule: 'metadata',
      path: ['metadata', field],
      message: `metadata.${field} is not for Git; write name, labels and annotations only`,
    }));
  const { namespace } = metadata;
  const elsewhere =
    namespace === undefined || namespace === facts.namespace
      ? []
      : [
          {
            rule: 'namespace',
            path: ['metadata', 'namespace'],
            message: `the folder is ${facts.namespace}; a resource of another namespace goes to its folder`,
          },
        ];
  const reserved = ['labels', 'annotations'].flatMap((field) => {
    const map = metadata[field];
    return Object.keys(isRecord(map) ? map : {})
      .filter((key) => RESERVED_KEYS.has(key) || RESERVED_PREFIXES.some((prefix) => key.startsWith(prefix)))
      .map((key) => ({
        rule: 'reserved',
        path: ['metadata', field, key],
        message: `${key} is for the software to write; remove it`,
      }));
  });
  return [...foreign, ...elsewhere, ...reserved];
}

function checkStatus(value: Readonly<Record<string, unknown>>): readonly Problem[] {
  return 'status' in value
    ? [{ rule: 'status', path: ['status'], message: 'status is what was observed and is not for Git; remove it' }]
    : [];
}

function checkTwice(document: GateDocument, seen: Map<string, GateDocument>): readonly Problem[] {
  const id = resourceId(document.value);
  if (id === undefined) return [];
  const first = seen.get(id);
  if (first === undefined) {
    seen.set(id, document);
    return [];
  }
  return [
    {
      rule: 'duplicate',
      path: ['metadata', 'name'],
      message: `${id} stands in ${first.file}:${first.line} too; keep one`,
    },
  ];
}

/** `Kind/name`, or undefined when the value is no resource. */
export function resourceId(value: unknown): string | undefined {
  if (!isRecord(value) || typeof value.kind !== 'string' || !isRecord(value.metadata)) return undefined;
  return typeof value.metadata.name === 'string' ? `${value.kind}/${value.metadata.name}` : undefined;
}

function readTenant(value: unknown): DeclaredTenant | undefined {
  if (
    !isRecord(value) ||
    value.kind !== 'Tenant' ||
    !isRecord(value.metadata) ||
    typeof value.metadata.name !== 'string'
  )
    return undefined;
  const isReseller = isRecord(value.spec) && value.spec.type === 'Reseller';
  return { name: value.metadata.name, type: isReseller ? 'Reseller' : 'Customer' };
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
