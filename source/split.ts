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
      if (isRelevant(rest)) strays.set(file.path, buildStrayFile(root, rest));
      continue;
    }
    const namespace = rest.slice(0, slash);
    if (!isNamespace(namespace)) {
      strays.set(root + namespace, buildStrayFolder(root, namespace));
      continue;
    }
    const folder = byNamespace.get(namespace) ?? [];
    byNamespace.set(namespace, folder);
    const name = rest.slice(slash + 1);
    if (isRelevant(name)) folder.push(buildFolderFile(name, file.validName, file.bytes));
  }
  return buildSplit(
    [...byNamespace].map(([namespace, found]) => buildFolder(namespace, found)),
    [...strays.values()],
  );
}

/** In the order of their names, whatever order they were found in. */
export function buildSplit(folders: readonly Folder[], strays: readonly Stray[]): Split {
  const sorted = [...folders].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  return {
    folders: new Map(sorted.map((folder) => [folder.namespace, folder])),
    strays: [...strays].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** `root` is the environment's folder with a slash behind it. */
export function buildStrayFile(root: string, name: string): Stray {
  return { path: root + name, message: `belongs to no namespace; move it to ${root}<namespace>/` };
}

export function buildStrayFolder(root: string, name: string): Stray {
  return {
    path: root + name,
    message: 'is not the name of a tenant namespace: sublet-root, t-<path> or th-<head>-<hash>',
  };
}

/** Names that kustomize takes as a build of its own; such a file could pull in anything. */
export const KUSTOMIZATION_NAMES: ReadonlySet<string> = new Set([
  'kustomization.yaml',
  'kustomization.yml',
  'kustomization',
]);

/** Whether Flux would read a file of that name, or kustomize would take it for a build. */
export function isRelevant(name: string): boolean {
  const last = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  return /\.ya?ml$/.test(last) || KUSTOMIZATION_NAMES.has(last);
}

export function buildFolderFile(name: string, validName: boolean, bytes: Uint8Array): FolderFile {
  return { name, validName, bytes, digest: createHash('sha256').update(bytes).digest('hex') };
}

export function buildFolder(namespace: string, files: readonly FolderFile[]): Folder {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const file of sorted) {
    hash.update(`${file.digest} ${file.validName ? 'utf8' : 'raw'} ${file.name}\0`);
  }
  return { namespace, files: sorted, rawDigest: hash.digest('hex') };
}
