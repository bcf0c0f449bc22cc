import { createHash } from 'node:crypto';
import { cleanMessage, cleanPerson } from '../commitfields.ts';
import { type CommitId, type NewCommit, type Person, RepositoryError, type TreeEntry } from '../repository.ts';
import { ancestorsOf, assertWritten, refuseFile, refuseFolder } from '../treepath.ts';

export type MemoryFile = { readonly blob: string; readonly mode: TreeEntry['mode'] };

export type MemoryCommit = {
  readonly id: CommitId;
  readonly parent: CommitId | undefined;
  /** Commits before it. */
  readonly depth: number;
  readonly author: Person;
  readonly committer: Person;
  readonly atMs: number;
  readonly message: string;
  /** What differs from the parent's tree; null is gone. */
  readonly changes: ReadonlyMap<string, MemoryFile | null>;
};

/** Commits and blobs by id. Ids come from content, so copies can share one with their remote. */
export type MemoryObjects = {
  commit(id: CommitId): MemoryCommit | undefined;
  blob(id: string): Uint8Array | undefined;
  /** The whole tree of a commit, by path. */
  tree(id: CommitId): ReadonlyMap<string, MemoryFile>;
  /** Makes one commit on another. Contents may be bytes, and entries other than files, for what only hands make. */
  make(parent: CommitId | undefined, commit: MadeCommit): CommitId;
  /** The commits from `to` back to the first one. */
  walk(to: CommitId): Generator<MemoryCommit>;
};

export type MadeCommit = Omit<NewCommit, 'files'> & {
  readonly files: ReadonlyMap<string, string | null | { readonly bytes: Uint8Array; readonly mode: TreeEntry['mode'] }>;
};

/** Trees that are kept whole; others are put together from the nearest of these. */
const KEPT_TREES = 16;

export function createMemoryObjects(): MemoryObjects {
  const commits = new Map<CommitId, MemoryCommit>();
  const blobs = new Map<string, Uint8Array>();
  const trees = new Map<CommitId, ReadonlyMap<string, MemoryFile>>();
  const find = (id: CommitId): MemoryCommit => {
    const found = commits.get(id);
    if (found !== undefined) return found;
    throw new RepositoryError('Broken', `the commit ${id.slice(0, 12)} is not in the copy`);
  };
  function* walk(to: CommitId): Generator<MemoryCommit> {
    for (let at: CommitId | undefined = to; at !== undefined; ) {
      const commit = find(at);
      yield commit;
      at = commit.parent;
    }
  }
  const tree = (id: CommitId): ReadonlyMap<string, MemoryFile> => {
    const missing: MemoryCommit[] = [];
    let known: ReadonlyMap<string, MemoryFile> = new Map();
    for (const commit of walk(id)) {
      const kept = trees.get(commit.id);
      if (kept !== undefined) {
        known = kept;
        break;
      }
      missing.push(commit);
    }
    if (missing.length === 0) return known;
    const files = new Map(known);
    for (const { changes } of missing.reverse()) {
      for (const [path, file] of changes) {
        if (file === null) files.delete(path);
        else files.set(path, file);
      }
    }
    trees.set(id, files);
    const [oldest] = trees.keys();
    if (trees.size > KEPT_TREES && oldest !== undefined) trees.delete(oldest);
    return files;
  };
  return {
    commit: (id) => commits.get(id),
    blob: (id) => blobs.get(id),
    tree,
    walk,
    make: (parent, { files, atMs, ...fields }) => {
      const [author, committer] = [cleanPerson(fields.author), cleanPerson(fields.committer)];
      const message = cleanMessage(fields.message);
      const before = parent === undefined ? undefined : tree(parent);
      const changes = new Map<string, MemoryFile | null>();
      for (const [path, content] of files) {
        if (content === null) {
          if (before?.has(path)) changes.set(path, null);
          continue;
        }
        const bytes = typeof content === 'string' ? Buffer.from(content) : content.bytes;
        const blob = hash('blob', bytes);
        blobs.set(blob, bytes);
        const mode = typeof content === 'string' ? (before?.get(path)?.mode ?? 'file') : content.mode;
        const was = before?.get(path);
        if (was?.blob !== blob || was.mode !== mode) changes.set(path, { blob, mode });
      }
      const second = Math.floor(atMs / 1000) * 1000;
      const id = hash(
        'commit',
        Buffer.from(JSON.stringify([parent, author, committer, second, message, [...changes]])),
      );
      const depth = parent === undefined ? 0 : find(parent).depth + 1;
      commits.set(id, { id, parent, depth, author, committer, atMs: second, message, changes });
      return id;
    },
  };
}

/** Refuses what git would refuse: paths that are no files, and folders that are none. */
export function assertCommits(tree: ReadonlyMap<string, MemoryFile>, commits: readonly NewCommit[]): void {
  const folders = new Set([...tree.keys()].flatMap(ancestorsOf));
  for (const path of assertWritten(commits)) {
    const blocked = ancestorsOf(path).find((folder) => tree.has(folder));
    if (blocked !== undefined) throw refuseFolder(blocked);
    const mode = tree.get(path)?.mode;
    if (folders.has(path) || mode === 'symlink' || mode === 'submodule') throw refuseFile(path);
  }
}

function hash(type: 'blob' | 'commit', content: Uint8Array): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}
