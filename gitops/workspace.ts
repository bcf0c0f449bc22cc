import { setImmediate } from 'node:timers/promises';
import type { CommitId, Repository, TreeEntry } from '../git/repository.ts';
import { ancestorsOf } from '../git/treepath.ts';
import { DEFAULT_FILE_LIMITS, explainMarks, type FileLimits, type ParsedFile } from './document/parse.ts';
import { createFileCache, type FileCache } from './filecache.ts';
import {
  checkFolder,
  createFolder,
  type Folder,
  type FolderLimits,
  type FolderRefusal,
  listResourceFiles,
} from './folder.ts';
import type { Intent, JsonMap, Target } from './intent.ts';
import { type Plan, planChange } from './plan.ts';
import type { RenderOptions } from './render.ts';

/** A plan for the writer: of one that changes something, the files, and the way to build on it. */
export type Planned =
  | Exclude<Plan, { readonly type: 'changed' }>
  | {
      readonly type: 'changed';
      /** Path in the tree -> new content; null removes the file. For `NewCommit.files`. */
      readonly files: ReadonlyMap<string, string | null>;
      /** What the resource says afterwards; undefined: it is gone. */
      readonly object: JsonMap | undefined;
      /** What it said before; undefined: it was not there. */
      readonly before: JsonMap | undefined;
      /** Makes the files the present ones of the workspace. Throws when the folder changed since the plan was made: plan again. */
      take(): void;
    };

/** What a resource says in the repository, and where. */
export type Declared =
  | { readonly type: 'declared'; readonly object: JsonMap; readonly path: string; readonly line: number }
  | { readonly type: 'absent' }
  | FolderRefusal;

/**
 * A commit's resources with the changes of one batch on top. Folders are read once and edited in memory, so that many changes cost no more calls than
 * one. Nothing is written: whoever plans hands the files to `Repository.commit`, in the order in which the plans were taken.
 */
export type Workspace = {
  /** Reads folders in as few calls as that takes. The other calls read theirs by themselves. */
  load(folders: readonly string[], signal?: AbortSignal): Promise<void>;
  /** What the intent would do now; changes nothing. */
  plan(folder: string, intent: Intent, signal?: AbortSignal): Promise<Planned>;
  read(folder: string, target: Pick<Target, 'kind' | 'name'>, signal?: AbortSignal): Promise<Declared>;
};

export type WorkspaceLimits = FileLimits & FolderLimits;

/** As much as the fleet source's gate takes. */
export const DEFAULT_WORKSPACE_LIMITS: WorkspaceLimits = {
  ...DEFAULT_FILE_LIMITS,
  folderFiles: 5_000,
  folderBytes: 4 * 1024 * 1024,
  folderMarks: 512 * 1024,
};

export type WorkspaceDeps = {
  readonly repository: Pick<Repository, 'list' | 'read'>;
  /** Shared by the workspaces of one repository, so that a replay reads only what changed. */
  readonly cache?: FileCache | undefined;
  readonly limits?: WorkspaceLimits | undefined;
  readonly render?: RenderOptions | undefined;
};

/** On `base`; undefined: on a repository without commits. */
export function createWorkspace(base: CommitId | undefined, deps: WorkspaceDeps): Workspace {
  const { repository, limits = DEFAULT_WORKSPACE_LIMITS, render = {} } = deps;
  const cache = deps.cache ?? createFileCache(limits);
  const folders = new Map<string, Promise<LoadedFolder>>();

  const load = async (paths: readonly string[], signal?: AbortSignal): Promise<void> => {
    const missing = [...new Set(paths)].filter((path) => !folders.has(path));
    if (missing.length === 0) return;
    const loading = loadFolders(base, missing, { repository, cache, limits }, signal);
    for (const path of missing) {
      const folder = loading.then(
        (loaded) => loaded.get(path) ?? { folder: createFolder(path, []), refusal: undefined, version: 0 },
      );
      folders.set(path, folder);
      // A folder that could not be read is read again by the next who asks.
      folder.catch(() => folders.delete(path));
    }
    await loading;
  };
  const open = async (path: string, signal?: AbortSignal): Promise<LoadedFolder> => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    await load([path], signal);
    return open(path, signal);
  };
  return {
    load,
    plan: async (path, intent, signal) => {
      const loaded = await open(path, signal);
      if (loaded.refusal !== undefined) return loaded.refusal;
      return toPlanned(loaded, planChange(loaded.folder, intent, { limits, render }));
    },
    read: async (path, target, signal) => {
      const { refusal, folder } = await open(path, signal);
      const found = refusal ?? folder.find(target);
      if (found.type !== 'found') return found;
      return { type: 'declared', object: found.document.value, path: found.path, line: found.document.line };
    },
  };
}

type LoadedFolder = { readonly folder: Folder; readonly refusal: FolderRefusal | undefined; version: number };

function toPlanned(loaded: LoadedFolder, plan: Plan): Planned {
  if (plan.type !== 'changed') return plan;
  const { path, file, object, before } = plan;
  const { version } = loaded;
  return {
    type: 'changed',
    files: new Map([[path, file?.text ?? null]]),
    object,
    before,
    take: () => {
      if (loaded.version !== version)
        throw new Error(`${loaded.folder.path} changed since the plan was made; plan again`);
      loaded.version += 1;
      loaded.folder.set(path, file);
    },
  };
}

type LoadDeps = {
  readonly repository: WorkspaceDeps['repository'];
  readonly cache: FileCache;
  readonly limits: WorkspaceLimits;
};

/** Above so many folders, the one that they have in common is listed instead. */
const MOST_LISTS = 4;

async function loadFolders(
  base: CommitId | undefined,
  paths: readonly string[],
  deps: LoadDeps,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, LoadedFolder>> {
  const { repository, cache } = deps;
  const entries =
    base === undefined ? new Map<string, readonly TreeEntry[]>() : await listFolders(repository, base, paths, signal);
  const refusals = new Map(paths.map((path) => [path, checkFolder(path, entries.get(path) ?? [], deps.limits)]));
  const wanted = new Map(
    paths.flatMap((path) =>
      refusals.get(path) === undefined ? [[path, listResourceFiles(path, entries.get(path) ?? [])] as const] : [],
    ),
  );
  const parsed = new Map<string, ParsedFile>();
  // What is known is held from here on: the cache may forget it while others are parsed.
  const unread = [...wanted.values()].flat().filter(({ blob, size = 0 }) => {
    const known = cache.get(blob);
    if (known !== undefined) parsed.set(blob, known);
    return known === undefined && size <= deps.limits.fileBytes;
  });
  const texts = await repository.read(
    unread.map(({ blob }) => blob),
    signal,
  );
  for (const [path, files] of wanted) {
    const marks = await parseFiles(files, { texts, cache, parsed, most: deps.limits.folderMarks }, signal);
    if (marks <= deps.limits.folderMarks) continue;
    const message = explainMarks(path === '' ? 'the repository' : path, marks, 'folderMarks', deps.limits.folderMarks);
    refusals.set(path, { type: 'refused', reason: 'TooLarge', message });
  }
  return new Map(
    paths.map((path) => {
      const refusal = refusals.get(path);
      const files = entries.get(path) ?? [];
      return [
        path,
        { folder: buildFolder(path, files, refusal === undefined, parsed, deps.limits), refusal, version: 0 },
      ];
    }),
  );
}

/** Parses files until they have more than `most` marks; gives how many they have. */
async function parseFiles(
  files: readonly TreeEntry[],
  { texts, cache, parsed, most }: ParseDeps,
  signal: AbortSignal | undefined,
): Promise<number> {
  let characters = 0;
  let marks = 0;
  for (const { blob } of files) {
    const text = texts.get(blob);
    const file = parsed.get(blob) ?? (text === undefined ? undefined : cache.parse(blob, text));
    if (file === undefined) continue;
    parsed.set(blob, file);
    marks += file.type === 'parsed' ? file.marks : 0;
    if (marks > most) break;
    characters += text?.length ?? 0;
    if (characters < MOST_AT_ONCE) continue;
    // Some texts take long. Timers and sockets of the process have their turn.
    await setImmediate();
    signal?.throwIfAborted();
    characters = 0;
  }
  return marks;
}

type ParseDeps = {
  readonly texts: ReadonlyMap<string, string | undefined>;
  readonly cache: FileCache;
  readonly parsed: Map<string, ParsedFile>;
  readonly most: number;
};

/** Characters. A large file has a turn of its own. */
const MOST_AT_ONCE = 16 * 1024;

function buildFolder(
  path: string,
  entries: readonly TreeEntry[],
  isReadable: boolean,
  parsed: ReadonlyMap<string, ParsedFile>,
  limits: WorkspaceLimits,
): Folder {
  const folder = createFolder(path, entries);
  for (const { path: file, blob, size = 0 } of isReadable ? listResourceFiles(path, entries) : []) {
    folder.set(file, parsed.get(blob) ?? explainUnread(size, limits));
  }
  return folder;
}

function explainUnread(size: number, { fileBytes }: FileLimits): ParsedFile {
  const isLarge = size > fileBytes;
  const message = isLarge
    ? `the file has ${size} bytes, more than fileBytes ${fileBytes}`
    : 'the file is not valid UTF-8';
  return { type: 'unreadable', line: 0, message };
}

async function listFolders(
  repository: WorkspaceDeps['repository'],
  base: CommitId,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly TreeEntry[]>> {
  if (paths.length <= MOST_LISTS) {
    const lists = paths.map(async (path) => [path, await repository.list(base, path, signal)] as const);
    return new Map(await Promise.all(lists));
  }
  const all = await repository.list(base, commonFolder(paths), signal);
  const byPath = new Map<string, TreeEntry[]>(paths.map((path) => [path, []]));
  for (const entry of all) {
    for (const path of [entry.path, ...ancestorsOf(entry.path), '']) byPath.get(path)?.push(entry);
  }
  return byPath;
}

/** The longest path of whole parts with which all begin. */
function commonFolder(paths: readonly string[]): string {
  const [parts = [], ...others] = paths.map((path) => path.split('/'));
  const length = parts.findIndex((part, index) => others.some((other) => other[index] !== part));
  return (length < 0 ? parts : parts.slice(0, length)).join('/');
}
