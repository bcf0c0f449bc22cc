import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../kube/clock.ts';
import { ROOT_NAMESPACE, tenantNamespace, tenantPath } from '../model/names.ts';
import { renderArchive } from './archive.ts';
import { type CheckResource, type DeclaredTenant, gateFolder, type OwnerType } from './gate.ts';
import type { SourceLimits } from './limits.ts';
import { parseFolder } from './parse.ts';
import type { Folder, Split } from './split.ts';
import type { ArchiveStore } from './store.ts';
import type { Violation } from './violation.ts';

/** A Tenant as the cluster has it. */
export type ClusterTenant = DeclaredTenant & {
  readonly namespace: string;
  /** Its resources come from the fleet repository, so its folder is expected. */
  readonly isFleet: boolean;
};

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
      const breath = createBreath(deps.clock);
      let parsed = 0;
      const judge = async (namespace: string, owner: OwnerType): Promise<Verdict | undefined> => {
        const folder = split.folders.get(namespace);
        if (folder === undefined) return undefined;
        const known = cache.get(namespace);
        const verdict = isUsable(known, folder, owner, deps.store)
          ? known.verdict
          : await judgeFolder(deps, folder, owner, breath);
        if (verdict !== known?.verdict) parsed += 1;
        cache.set(namespace, { rawDigest: folder.rawDigest, owner, verdict });
        verdicts.set(namespace, verdict);
        await breath();
        return verdict;
      };
      const expected = await walkTree(tenants, judge);
      for (const namespace of split.folders.keys()) if (!verdicts.has(namespace)) await judge(namespace, 'Unknown');
      for (const namespace of cache.keys()) if (!split.folders.has(namespace)) cache.delete(namespace);
      return { verdicts, expected, parsed };
    },
  };
}

type Remembered = { readonly rawDigest: string; readonly owner: OwnerType; readonly verdict: Verdict };

type Judge = (namespace: string, owner: OwnerType) => Promise<Verdict | undefined>;

/** From the root down, by what the folders declare and what the cluster has; a folder's word goes before the cluster's. */
async function walkTree(tenants: readonly ClusterTenant[], judge: Judge): Promise<ReadonlySet<string>> {
  const inCluster = Map.groupBy(tenants, (tenant) => tenant.namespace);
  const expected = new Set<string>([ROOT_NAMESPACE]);
  const visited = new Set<string>();
  const queue: { readonly namespace: string; readonly path: string | undefined; readonly owner: OwnerType }[] = [
    { namespace: ROOT_NAMESPACE, path: undefined, owner: 'Root' },
  ];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { namespace, path, owner } = next;
    if (visited.has(namespace)) continue;
    visited.add(namespace);
    const verdict = await judge(namespace, owner);
    const live = inCluster.get(namespace) ?? [];
    const children = new Map<string, DeclaredTenant>(live.map((tenant) => [tenant.name, tenant]));
    for (const tenant of verdict?.ok === true ? verdict.tenants : []) children.set(tenant.name, tenant);
    for (const { name, type } of children.values()) {
      const childPath = tenantPath(path, name);
      queue.push({ namespace: tenantNamespace(childPath), path: childPath, owner: type });
    }
    for (const { name, isFleet } of live) if (isFleet) expected.add(tenantNamespace(tenantPath(path, name)));
  }
  return expected;
}

function isUsable(
  known: Remembered | undefined,
  folder: Folder,
  owner: OwnerType,
  store: ArchiveStore,
): known is Remembered {
  if (known?.rawDigest !== folder.rawDigest || known.owner !== owner) return false;
  return !known.verdict.ok || store.find(folder.namespace, known.verdict.digest) !== undefined;
}

async function judgeFolder(
  deps: EvaluatorDeps,
  folder: Folder,
  owner: OwnerType,
  breathe: () => Promise<void>,
): Promise<Verdict> {
  const { documents, violations } = await parseFolder(folder, deps.limits, breathe);
  if (violations.length > 0) return { ok: false, violations };
  const result = gateFolder(documents, { namespace: folder.namespace, owner }, deps.check, deps.limits);
  if (!result.ok) return result;
  const { bytes, digest } = renderArchive(result.files);
  await deps.store.write(folder.namespace, digest, bytes);
  return { ok: true, digest, sizeBytes: bytes.length, resources: result.resources, tenants: result.tenants };
}

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
