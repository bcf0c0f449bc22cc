import { setImmediate } from 'node:timers/promises';
import type { OwnerType } from '../crds/rules/index.ts';
import type { Clock } from '../kube/clock.ts';
import { renderError } from '../kube/errors.ts';
import { ROOT_NAMESPACE, tenantNamespace, tenantPath } from '../model/names.ts';
import { type Archive, renderArchive } from './archive.ts';
import { type CheckResource, type DeclaredTenant, gateFolder } from './gate.ts';
import type { SourceLimits } from './limits.ts';
import { type ParsedFile, parseFolder } from './parse.ts';
import type { Folder, Split } from './split.ts';
import type { ArchiveStore } from './store.ts';
import type { Violation } from './violation.ts';

/** A Tenant as the cluster has it. */
export type ClusterTenant = DeclaredTenant & { readonly namespace: string };

export type Verdict =
  | {
      readonly ok: true;
      readonly digest: string;
      readonly sizeBytes: number;
      readonly resources: readonly string[];
      readonly tenants: readonly DeclaredTenant[];
    }
  | { readonly ok: false; readonly violations: readonly Violation[] };

export type Evaluation = {
  /** For each folder of the tree. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Namespaces that must have an artifact even when the tree has no folder for them. */
  readonly expected: ReadonlySet<string>;
  /** Namespaces that a repository of their own feeds: what their folder held is not removed with it. */
  readonly elsewhere: ReadonlySet<string>;
  /** How many folders had to be read; the others were known by their digest. */
  readonly parsed: number;
};

export type Evaluator = {
  /** Judges every folder. The archive of an accepted one is in the store afterwards. */
  evaluate(split: Split, tenants: readonly ClusterTenant[]): Promise<Evaluation>;
};

export type EvaluatorDeps = {
  readonly store: ArchiveStore;
  readonly clock: Clock;
  readonly check: CheckResource;
  readonly limits: SourceLimits;
  readonly allowedGitHosts?: readonly string[];
};

/**
 * Remembers each folder's verdict by the digest of its files and the type of its owner, so that a one-line commit costs one folder. Works
 * down the tenant tree, because what a folder may hold is said in its seller's folder, and lets other work in between.
 */
export function createEvaluator(deps: EvaluatorDeps): Evaluator {
  const cache = new Map<string, Remembered>();
  return {
    async evaluate(split, tenants) {
      const verdicts = new Map<string, Verdict>();
      const breathe = createBreath(deps.clock);
      const writes = createWrites();
      let parsed = 0;
      const judge: Judge = async (namespace, whose) => {
        const folder = split.folders.get(namespace);
        if (folder === undefined) return undefined;
        const known = cache.get(namespace);
        if (isUsable(known, folder, whose, deps.store)) {
          verdicts.set(namespace, known.verdict);
          return known.verdict;
        }
        parsed += 1;
        const { archive, ...remembered } = await judgeFolder(deps, folder, whose, known, breathe);
        if (archive !== undefined) await writes.add(deps.store.write(namespace, archive.digest, archive.bytes));
        cache.set(namespace, remembered);
        verdicts.set(namespace, remembered.verdict);
        await breathe();
        return remembered.verdict;
      };
      const { expected, elsewhere } = await walkTree(tenants, judge);
      for (const namespace of split.folders.keys()) if (!verdicts.has(namespace)) await judge(namespace, NOBODY);
      for (const namespace of cache.keys()) if (!split.folders.has(namespace)) cache.delete(namespace);
      await writes.settle();
      return { verdicts, expected, elsewhere, parsed };
    },
  };
}

/** Whose folder it is. */
type Whose = { readonly owner: OwnerType; readonly hasRepository: boolean };

const NOBODY: Whose = { owner: 'Unknown', hasRepository: false };

type Remembered = Whose & {
  readonly rawDigest: string;
  readonly verdict: Verdict;
  /** Only of large folders, such as a seller's: a new customer there is one new file among hundreds. */
  readonly files?: ReadonlyMap<string, ParsedFile> | undefined;
};

type Judge = (namespace: string, whose: Whose) => Promise<Verdict | undefined>;

/**
 * From the root down, by what the folders declare and what the cluster has; a folder's word goes before the cluster's. So a tenant that moves to a repository of
 * its own loses its artifact, and not the content of it.
 */
async function walkTree(
  tenants: readonly ClusterTenant[],
  judge: Judge,
): Promise<Pick<Evaluation, 'expected' | 'elsewhere'>> {
  const inCluster = Map.groupBy(tenants, (tenant) => tenant.namespace);
  const expected = new Set<string>([ROOT_NAMESPACE]);
  const elsewhere = new Set<string>();
  const visited = new Set<string>();
  const queue: (Whose & { readonly namespace: string; readonly path: string | undefined })[] = [
    { namespace: ROOT_NAMESPACE, path: undefined, owner: 'Root', hasRepository: false },
  ];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { namespace, path, ...whose } = next;
    if (visited.has(namespace)) continue;
    visited.add(namespace);
    const verdict = await judge(namespace, whose);
    const live = new Map((inCluster.get(namespace) ?? []).map((tenant) => [tenant.name, tenant]));
    const children = new Map<string, DeclaredTenant>(live);
    for (const tenant of verdict?.ok === true ? verdict.tenants : []) children.set(tenant.name, tenant);
    for (const { name, type, source } of children.values()) {
      const childPath = tenantPath(path, name);
      const child = tenantNamespace(childPath);
      const hasRepository = source === 'Repository';
      queue.push({ namespace: child, path: childPath, owner: type, hasRepository });
      if (hasRepository) elsewhere.add(child);
      if (source === 'Fleet' && live.get(name)?.source === 'Fleet') expected.add(child);
    }
  }
  return { expected, elsewhere };
}

function isUsable(
  known: Remembered | undefined,
  folder: Folder,
  { owner, hasRepository }: Whose,
  store: ArchiveStore,
): known is Remembered {
  if (known?.rawDigest !== folder.rawDigest) return false;
  if (known.owner !== owner || known.hasRepository !== hasRepository) return false;
  return !known.verdict.ok || store.find(folder.namespace, known.verdict.digest) !== undefined;
}

/** What goes wrong with one folder stays in that folder, even when it is our own mistake. */
async function judgeFolder(
  deps: EvaluatorDeps,
  folder: Folder,
  whose: Whose,
  known: Remembered | undefined,
  breathe: () => Promise<void>,
): Promise<Remembered & { readonly archive?: Archive }> {
  const { rawDigest, namespace } = folder;
  try {
    const parsed = await parseFolder(folder, { limits: deps.limits, known: known?.files, breathe });
    const files = parsed.files.size >= LARGE_FOLDER_FILES ? parsed.files : undefined;
    const remembered = { rawDigest, ...whose, files };
    if (parsed.violations.length > 0) return { ...remembered, verdict: { ok: false, violations: parsed.violations } };
    const facts = { namespace, ...whose, allowedGitHosts: deps.allowedGitHosts };
    const result = gateFolder(parsed.documents, facts, deps.check, deps.limits);
    if (!result.ok) return { ...remembered, verdict: result };
    const archive = renderArchive(result.files);
    const { resources, tenants } = result;
    const verdict = { ok: true, digest: archive.digest, sizeBytes: archive.bytes.length, resources, tenants } as const;
    return { ...remembered, verdict, archive };
  } catch (error) {
    const message = `the folder cannot be judged, which is a fault of the software: ${renderError(error)}`;
    return {
      rawDigest,
      ...whose,
      verdict: { ok: false, violations: [{ file: '', line: 0, rule: 'Internal', message }] },
    };
  }
}

const LARGE_FOLDER_FILES = 20;

/** Files written beside each other, a few at once. */
function createWrites(): { add(write: Promise<void>): Promise<void>; settle(): Promise<void> } {
  const failures: unknown[] = [];
  let running: Promise<void>[] = [];
  const settle = async (): Promise<void> => {
    await Promise.all(running);
    running = [];
    if (failures.length > 0) throw failures[0];
  };
  return {
    async add(write) {
      running.push(write.catch((error: unknown) => void failures.push(error)));
      if (running.length >= MOST_WRITES) await settle();
    },
    settle,
  };
}

const MOST_WRITES = 32;

/** Gives timers and sockets a turn whenever work went on for a while. */
function createBreath(clock: Clock): () => Promise<void> {
  let lastMs = clock.now();
  return async () => {
    if (clock.now() - lastMs < BREATH_MS) return;
    await setImmediate();
    lastMs = clock.now();
  };
}

const BREATH_MS = 25;
