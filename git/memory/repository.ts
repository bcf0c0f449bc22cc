import {
  type CommitId,
  type LogEntry,
  type LogOptions,
  type PushResult,
  type Repository,
  RepositoryError,
  type TreeEntry,
} from '../repository.ts';
import { assertTreePath } from '../treepath.ts';
import { assertCommits, type MemoryCommit, type MemoryObjects } from './objects.ts';
import type { MemoryRemote } from './remote.ts';

export type MemoryRepositoryOptions = {
  readonly branch: string;
  /** Texts larger than this are not read; default 1 MiB. */
  readonly blobBytes?: number | undefined;
};

const DEFAULT_BLOB_BYTES = 1024 * 1024;
const DEFAULT_MOST = 1000;

/** A Repository on a remote in memory. It answers as soon as it is asked, and its only faults are those that the remote was told. */
export function openMemoryRepository(remote: MemoryRemote, options: MemoryRepositoryOptions): Repository {
  const { objects } = remote;
  const { branch, blobBytes = DEFAULT_BLOB_BYTES } = options;
  return {
    fetch: async () => {
      if (remote.takeFault('fetch') !== undefined)
        throw new RepositoryError('Unreachable', 'the remote does not answer');
      return remote.head(branch);
    },
    list: async (commit, folder) => listFiles(objects, commit, folder),
    read: async (blobs) => new Map(blobs.map((blob) => [blob, decodeText(objects.blob(blob), blobBytes)] as const)),
    commit: async (base, commits) => {
      assertCommits(base === undefined ? new Map() : objects.tree(base), commits);
      const made: CommitId[] = [];
      for (const commit of commits) made.push(objects.make(made.at(-1) ?? base, commit));
      return made;
    },
    push: async (commit, expected, pushOptions = {}) => push(remote, pushOptions.branch ?? branch, commit, expected),
    log: async (to, logOptions = {}) => readLog(objects, to, logOptions),
    isAncestor: async (ancestor, commit) => isAncestor(objects, ancestor, commit),
    close: async () => {},
  };
}

function listFiles(objects: MemoryObjects, commit: CommitId, folder: string): readonly TreeEntry[] {
  if (folder !== '') assertTreePath(folder);
  const entries: TreeEntry[] = [];
  for (const [path, { blob, mode }] of objects.tree(commit)) {
    if (folder !== '' && path !== folder && !path.startsWith(`${folder}/`)) continue;
    const isFile = mode === 'file' || mode === 'executable';
    entries.push({ path, blob, mode, ...(isFile ? { size: objects.blob(blob)?.length ?? 0 } : {}) });
  }
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function push(remote: MemoryRemote, branch: string, commit: CommitId, expected: CommitId | undefined): PushResult {
  if (expected !== undefined && !isAncestor(remote.objects, expected, commit)) {
    throw new RepositoryError('Refused', 'only commits that follow what is there can be pushed');
  }
  const fault = remote.takeFault('push');
  if (fault?.type === 'unreachable') throw new RepositoryError('Unreachable', 'the remote does not answer');
  if (fault?.type === 'dropped') return { type: 'unknown', why: 'the connection ended' };
  if (fault?.type === 'refused') return { type: 'rejected', stale: false, why: 'a hook declined' };
  if (fault?.type === 'race') remote.write(branch, fault.commit);
  const result = remote.receive(branch, commit, expected);
  return fault?.type === 'lost' ? { type: 'unknown', why: 'the connection ended' } : result;
}

function isAncestor(objects: MemoryObjects, ancestor: CommitId, commit: CommitId): boolean {
  const wanted = objects.commit(ancestor);
  if (wanted === undefined || objects.commit(commit) === undefined) return false;
  for (const { id, depth } of objects.walk(commit)) {
    if (id === ancestor) return true;
    if (depth <= wanted.depth) return false;
  }
  return false;
}

function readLog(
  objects: MemoryObjects,
  to: CommitId,
  { since, most = DEFAULT_MOST, paths = [] }: LogOptions,
): readonly LogEntry[] {
  for (const path of paths) assertTreePath(path);
  const isKnown = since !== undefined && objects.commit(since) !== undefined;
  const entries: LogEntry[] = [];
  for (const commit of objects.walk(to)) {
    if (entries.length >= most || (isKnown && isAncestor(objects, commit.id, since))) break;
    const entry = toEntry(commit);
    const isWanted = paths.length === 0 || entry.paths.some((path) => paths.some((wanted) => isBelow(path, wanted)));
    if (isWanted) entries.push(entry);
  }
  return entries;
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function toEntry({ id, author, atMs, message, changes }: MemoryCommit): LogEntry {
  return { commit: id, author, atMs, message, paths: [...changes.keys()].sort() };
}

function decodeText(bytes: Uint8Array | undefined, maxBytes: number): string | undefined {
  if (bytes === undefined || bytes.length > maxBytes) return undefined;
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
