import { createHash } from 'node:crypto';

/** A file as the tree holds it. `path` is relative with `/`. */
export type SplitFile = { readonly path: string; readonly validName: boolean; readonly bytes: Uint8Array };

/** A file of a folder that the gate has to judge. `name` is relative to the folder; `digest` is that of the bytes. */
export type FolderFile = {
  readonly name: string;
  readonly validName: boolean;
  readonly bytes: Uint8Array;
  readonly digest: string;
};

/** One namespace's folder: what in it matters, by name, and a digest over exactly that. */
export type Folder = { readonly namespace: string; readonly files: readonly FolderFile[]; readonly rawDigest: string };

/** Something below the environment that belongs to no namespace; it is not published. */
export type Stray = { readonly path: string; readonly message: string };

export type Split = { readonly folders: ReadonlyMap<string, Folder>; readonly strays: readonly Stray[] };

/**
 * Splits a tree into `tenants/<environment>/<namespace>/` folders. Everything outside the environment is left alone, and so are files that
 * Flux would not read (README.md, pictures). `isNamespace` says which folder names can be a tenant's namespace; others are strays. The
 * digest of a folder depends on the names and bytes of its YAML files only.
 */
export function splitTree(
  files: readonly SplitFile[],
  environment: string,
  isNamespace: (name: string) => boolean,
): Split {
  const root = `tenants/${environment}/`;
  const byNamespace = new Map<string, FolderFile[]>();
  const strays = new Map<string, Stray>();
  for (const file of files) {
    if (!file.path.startsWith(root)) continue;
    const rest = file.path.slice(root.length);
    const slash = rest.indexOf('/');
    if (slash < 0) {
      if (isRelevant(rest))
        strays.set(file.path, { path: file.path, message: `belongs to no namespace; move it to ${root}<namespace>/` });
      continue;
    }
    const namespace = rest.slice(0, slash);
    if (!isNamespace(namespace)) {
      const path = root + namespace;
      strays.set(path, {
        path,
        message: 'is not the name of a tenant namespace: sublet-root, t-<path> or th-<head>-<hash>',
      });
      continue;
    }
    const folder = byNamespace.get(namespace) ?? [];
    byNamespace.set(namespace, folder);
    const name = rest.slice(slash + 1);
    if (!isRelevant(name)) continue;
    const digest = createHash('sha256').update(file.bytes).digest('hex');
    folder.push({ name, validName: file.validName, bytes: file.bytes, digest });
  }
  const folders = [...byNamespace]
    .sort(byFirst)
    .map(([namespace, found]) => [namespace, buildFolder(namespace, found)] as const);
  return { folders: new Map(folders), strays: [...strays.values()] };
}

/** Names that kustomize takes as a build of its own; such a file could pull in anything. */
export const KUSTOMIZATION_NAMES: ReadonlySet<string> = new Set([
  'kustomization.yaml',
  'kustomization.yml',
  'kustomization',
]);

function isRelevant(name: string): boolean {
  const last = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  return /\.ya?ml$/.test(last) || KUSTOMIZATION_NAMES.has(last);
}

function buildFolder(namespace: string, files: readonly FolderFile[]): Folder {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const file of sorted) {
    hash.update(`${file.digest} ${file.validName ? 'utf8' : 'raw'} ${file.name}\0`);
  }
  return { namespace, files: sorted, rawDigest: hash.digest('hex') };
}

function byFirst(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
