import { checkResource, type OwnerType, parseResource } from '../../crds/rules/index.ts';
import { ROOT_NAMESPACE, tenantNamespace, tenantPath } from '../../model/names.ts';
import { gateFolder } from '../../source/gate.ts';
import { DEFAULT_LIMITS, type SourceLimits } from '../../source/limits.ts';
import { isTenantNamespace } from '../../source/main.ts';
import type { ParsedDocument, ParsedFile } from '../../source/parse.ts';
import { type Stray, splitTree } from '../../source/split.ts';
import type { Violation } from '../../source/violation.ts';
import type { Breathe } from './breath.ts';
import { type ReadFolder, readFolders } from './read.ts';
import type { FleetTree, TreeFile } from './tree.ts';

/** A folder of the fleet and what the fleet source's gate says of it. */
export type JudgedFolder = {
  readonly namespace: string;
  readonly owner: OwnerType;
  /** Path of the tenant whose folder it is; absent for the provider's, and where no Tenant of the fleet has that namespace. */
  readonly tenantPath: string | undefined;
  /** Its tenant's resources come from a repository of its own, so that the folder has no business here. */
  readonly hasRepository: boolean;
  /** What could be read, also when the folder is held. */
  readonly documents: readonly ParsedDocument[];
  /** All of it could be read: what is not in `documents` is not there. */
  readonly isRead: boolean;
  /** Empty: the folder is accepted. */
  readonly violations: readonly Violation[];
  readonly files: ReadonlyMap<string, ParsedFile>;
};

export type JudgedEnvironment = {
  readonly name: string;
  readonly folders: ReadonlyMap<string, JudgedFolder>;
  readonly strays: readonly Stray[];
  /** Why the fleet source refuses the revision as a whole; absent when it does not. */
  readonly refused: { readonly rule: string; readonly message: string } | undefined;
};

export type JudgeOptions = {
  readonly breathe: Breathe;
  readonly limits?: SourceLimits | undefined;
  /** Hosts inside that tenants' own repositories may be on, as the fleet source has them. */
  readonly allowedGitHosts?: readonly string[] | undefined;
  /** An environment that was judged before: files with the same digest are not read again. */
  readonly known?: JudgedEnvironment | undefined;
};

/**
 * Judges every folder of an environment as the fleet source does, by its own code: split, sizes, YAML, gate; down the tree of tenants, because what a folder may
 * hold is said in its seller's. Differs from the running source in one thing: it knows no cluster. Where a seller's folder is held, the tenants that can be
 * read in it count, as they would be on the cluster.
 */
export async function judgeEnvironment(
  tree: FleetTree,
  name: string,
  options: JudgeOptions,
): Promise<JudgedEnvironment> {
  const { limits = DEFAULT_LIMITS, known, allowedGitHosts, breathe } = options;
  const prefix = `tenants/${name}/`;
  const files = tree.files.filter(({ path }) => path.startsWith(prefix));
  const { folders, strays } = splitTree(
    files.map(({ path, validName }) => ({ path, validName, bytes: new Uint8Array() })),
    name,
    isTenantNamespace,
  );
  const sizes = new Map(files.map((file) => [file.path, file]));
  const listed = { tree, prefix, sizes, limits, known: known?.folders, breathe };
  const parsed = await readFolders(listed, [...folders.values()]);
  return {
    name,
    folders: await judgeFolders(parsed, { limits, allowedGitHosts, breathe }),
    strays,
    refused: findRefusal(files, limits),
  };
}

type Rules = {
  readonly limits: SourceLimits;
  readonly allowedGitHosts: readonly string[] | undefined;
  readonly breathe: Breathe;
};

async function judgeFolders(
  parsed: ReadonlyMap<string, ReadFolder>,
  rules: Rules,
): Promise<ReadonlyMap<string, JudgedFolder>> {
  const judged = new Map<string, JudgedFolder>();
  const queue: Whose[] = [{ namespace: ROOT_NAMESPACE, tenantPath: undefined, owner: 'Root', hasRepository: false }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const folder = parsed.get(next.namespace);
    if (folder === undefined || judged.has(next.namespace)) continue;
    judged.set(next.namespace, judgeFolder(folder, next, rules));
    await rules.breathe();
    for (const { name, type, source } of listTenants(folder.documents)) {
      const path = tenantPath(next.tenantPath, name);
      queue.push({
        namespace: tenantNamespace(path),
        tenantPath: path,
        owner: type,
        hasRepository: source === 'Repository',
      });
    }
  }
  for (const [namespace, folder] of parsed) {
    if (!judged.has(namespace))
      judged.set(
        namespace,
        judgeFolder(folder, { namespace, owner: 'Unknown', tenantPath: undefined, hasRepository: false }, rules),
      );
  }
  return new Map([...judged].sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Whose = Pick<JudgedFolder, 'namespace' | 'owner' | 'tenantPath' | 'hasRepository'>;

function judgeFolder(parsed: ReadFolder, whose: Whose, { limits, allowedGitHosts }: Rules): JudgedFolder {
  if (parsed.violations.length > 0) return { ...whose, ...parsed };
  const result = gateFolder(parsed.documents, { ...whose, allowedGitHosts }, checkResource, limits);
  return { ...whose, ...parsed, violations: result.ok ? [] : result.violations };
}

function listTenants(documents: readonly ParsedDocument[]) {
  return documents.flatMap(({ value }) => {
    const resource = parseResource(value);
    if (!resource.ok || resource.value.kind !== 'Tenant') return [];
    const { type, source } = resource.value.spec;
    return [{ name: resource.value.metadata.name, type, source: source?.type }];
  });
}

/** The bounds of the archive that source-controller packs of an environment. */
function findRefusal(files: readonly TreeFile[], limits: SourceLimits): JudgedEnvironment['refused'] {
  const folders = new Set(files.flatMap(({ path }) => listFolders(path)));
  const entries = files.length + folders.size;
  if (entries > limits.entries) {
    const message = `the environment has ${entries} files and folders, more than entries ${limits.entries}; ${renderLargest(files)}`;
    return { rule: 'entries', message };
  }
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (totalBytes > limits.unpackedBytes) {
    return {
      rule: 'unpackedBytes',
      message: `the environment has ${totalBytes} bytes, more than unpackedBytes ${limits.unpackedBytes}`,
    };
  }
  const long = files.find(({ path }) => Buffer.byteLength(path) > limits.pathBytes);
  if (long !== undefined) {
    return {
      rule: 'pathBytes',
      message: `${long.path} has ${Buffer.byteLength(long.path)} bytes, more than pathBytes ${limits.pathBytes}`,
    };
  }
  const slashed = files.find(({ path }) => path.includes('\\'));
  if (slashed !== undefined) return { rule: 'path', message: `${slashed.path} has a backslash in its name; rename it` };
  const deep = files.find(({ path }) => path.split('/').length > limits.pathDepth);
  if (deep === undefined) return undefined;
  return {
    rule: 'pathDepth',
    message: `${deep.path} is ${deep.path.split('/').length} levels deep, more than pathDepth ${limits.pathDepth}`,
  };
}

function listFolders(path: string): readonly string[] {
  const segments = path.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

function renderLargest(files: readonly TreeFile[]): string {
  const byFolder = Map.groupBy(files, ({ path }) => path.split('/').slice(0, 3).join('/'));
  const [folder, found] = [...byFolder].reduce((a, b) => (b[1].length > a[1].length ? b : a));
  return `${folder} alone has ${found.length}`;
}
