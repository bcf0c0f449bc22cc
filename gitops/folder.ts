import type { TreeEntry } from '../git/repository.ts';
import type { ReadableFile } from './document/edit.ts';
import type { FileLimits, ParsedFile, ResourceDocument } from './document/parse.ts';
import type { Target } from './intent.ts';
import { isResourceFile } from './layout.ts';

/** Why a folder, or a resource in it, cannot be worked on. */
export type FolderRefusal = {
  readonly type: 'refused';
  readonly reason: 'Ambiguous' | 'Unreadable' | 'Kustomization' | 'NoFolder' | 'TooLarge';
  readonly message: string;
};

export type Location = {
  readonly type: 'found';
  readonly path: string;
  readonly file: ReadableFile;
  readonly document: ResourceDocument;
};

/** The resources of one folder, kept in step with what is written to it. Paths are those of the tree. */
export type Folder = {
  readonly path: string;
  /** Whether a file or folder directly in it has that name, in any letter case. */
  isTaken(name: string): boolean;
  /** Where the resource stands. `absent` only when every file can be read: it could be in one that cannot. */
  find(target: Pick<Target, 'kind' | 'name'>): Location | FolderRefusal | { readonly type: 'absent' };
  /** Takes over a new state of one file; undefined: it is gone. */
  set(path: string, parsed: ParsedFile | undefined): void;
};

export type FolderLimits = {
  /** YAML files of one folder. */
  readonly folderFiles: number;
  /** Of all of them together, but for those that are too large to be read. */
  readonly folderBytes: number;
  /** Of those that are read, together, as `countMarks` counts. */
  readonly folderMarks: number;
};

/** The entries of a folder that may hold resources. */
export function listResourceFiles(folder: string, entries: readonly TreeEntry[]): readonly TreeEntry[] {
  return entries.filter(
    ({ path, mode }) => (mode === 'file' || mode === 'executable') && isResourceFile(relativeTo(folder, path)),
  );
}

/** Why nothing may be written to a folder, or undefined. Nothing of it need be read for that. */
export function checkFolder(
  folder: string,
  entries: readonly TreeEntry[],
  { folderFiles, folderBytes, fileBytes }: Omit<FolderLimits, 'folderMarks'> & Pick<FileLimits, 'fileBytes'>,
): FolderRefusal | undefined {
  const refuse = (reason: FolderRefusal['reason'], message: string): FolderRefusal => ({
    type: 'refused',
    reason,
    message,
  });
  if (folder !== '' && entries[0]?.path === folder) {
    return refuse('NoFolder', `${folder} is no folder in the repository but a ${entries[0].mode}; remove it`);
  }
  const build = entries.find(({ path }) => KUSTOMIZATION.test(path));
  if (build !== undefined) {
    return refuse(
      'Kustomization',
      `${build.path} decides what the folder means, so that it is edited by hand only; remove the file`,
    );
  }
  const files = listResourceFiles(folder, entries);
  const name = folder === '' ? 'the repository' : folder;
  if (files.length > folderFiles)
    return refuse('TooLarge', `${name} has ${files.length} YAML files, more than folderFiles ${folderFiles}`);
  const bytes = files.reduce((sum, { size = 0 }) => (size > fileBytes ? sum : sum + size), 0);
  return bytes > folderBytes
    ? refuse('TooLarge', `${name} has YAML files of ${bytes} bytes, more than folderBytes ${folderBytes}`)
    : undefined;
}

export function createFolder(folder: string, entries: readonly TreeEntry[]): Folder {
  const folders = new Set<string>();
  const spellings = new Map<string, Set<string>>();
  const files = new Map<string, ParsedFile>();
  const unreadable = new Map<string, string>();
  const resources = new Map<string, readonly Located[]>();
  for (const { path } of entries) {
    addSpelling(spellings, path);
    const [first = '', ...rest] = relativeTo(folder, path).split('/');
    if (rest.length > 0) folders.add(first.toLowerCase());
  }

  const set = (path: string, parsed: ParsedFile | undefined): void => {
    const old = files.get(path);
    for (const { kind, name } of old?.type === 'parsed' ? old.resources : []) {
      const left = (resources.get(idOf({ kind, name })) ?? []).filter((found) => found.path !== path);
      if (left.length === 0) resources.delete(idOf({ kind, name }));
      else resources.set(idOf({ kind, name }), left);
    }
    files.delete(path);
    unreadable.delete(path);
    if (parsed === undefined) {
      spellings.get(path.toLowerCase())?.delete(path);
      return;
    }
    files.set(path, parsed);
    addSpelling(spellings, path);
    if (parsed.type === 'unreadable') unreadable.set(path, `${path}:${parsed.line}: ${parsed.message}`);
    else {
      for (const document of parsed.resources) {
        const id = idOf(document);
        resources.set(id, [...(resources.get(id) ?? []), { path, file: parsed, document }]);
      }
    }
  };

  return {
    path: folder,
    set,
    isTaken: (name) => {
      const path = folder === '' ? name : `${folder}/${name}`;
      return folders.has(name.toLowerCase()) || (spellings.get(path.toLowerCase())?.size ?? 0) > 0;
    },
    find: (target) => {
      const found = resources.get(idOf(target)) ?? [];
      const [only, second] = found;
      if (only === undefined) {
        const [problem] = unreadable.values();
        return problem === undefined ? { type: 'absent' } : refuseUnreadable(target, problem);
      }
      if (second !== undefined) return refuseTwice(target, only, second);
      const twin = [...(spellings.get(only.path.toLowerCase()) ?? [])].find((path) => path !== only.path);
      return twin === undefined ? { type: 'found', ...only } : refuseTwin(only.path, twin);
    },
  };
}

type Located = Omit<Location, 'type'>;

/** Names that kustomize takes as a build of its own. */
const KUSTOMIZATION = /(^|\/)kustomization(\.ya?ml)?$/i;

function refuseUnreadable({ kind, name }: Pick<Target, 'kind' | 'name'>, problem: string): FolderRefusal {
  const message = `${problem}; ${kind} ${name} could be in that file, so mend it first`;
  return { type: 'refused', reason: 'Unreadable', message };
}

function refuseTwice({ kind, name }: Pick<Target, 'kind' | 'name'>, a: Located, b: Located): FolderRefusal {
  const places = [a, b].map(({ path, document }) => `${path}:${document.line}`).join(' and ');
  return { type: 'refused', reason: 'Ambiguous', message: `${kind} ${name} stands in ${places}; keep one` };
}

function refuseTwin(path: string, twin: string): FolderRefusal {
  const message = `${path} and ${twin} differ in letter case only; rename one of them`;
  return { type: 'refused', reason: 'Ambiguous', message };
}

function addSpelling(spellings: Map<string, Set<string>>, path: string): void {
  const known = spellings.get(path.toLowerCase());
  if (known === undefined) spellings.set(path.toLowerCase(), new Set([path]));
  else known.add(path);
}

function idOf({ kind, name }: Pick<Target, 'kind' | 'name'>): string {
  return `${kind}/${name}`;
}

function relativeTo(folder: string, path: string): string {
  return folder === '' ? path : path.slice(folder.length + 1);
}
