import { type CommitId, RepositoryError } from '../repository.ts';
import { checkBranch, parseRemoteUrl } from './environment.ts';
import { createFetcher } from './fetch.ts';
import { createGit, DEFAULT_GIT_LIMITS, type GitDeps, isCommitId } from './git.ts';
import type { GitRepositoryOptions } from './repository.ts';
import { readTree, type TreeItem, treeOf } from './trees.ts';

/**
 * One branch of a remote, read object by object: for whoever knows by an id what did not change. Rejects with `RepositoryError`; `Broken` when
 * an object is missing or is not what it should be.
 */
export type GitReader = {
  /** Fetches the branch; undefined: the remote has no such branch, or nothing at all. */
  fetch(signal?: AbortSignal): Promise<CommitId | undefined>;
  /** The id of a commit's root. */
  root(commit: CommitId): Promise<string>;
  /** The entries of a tree, in its order. */
  tree(id: string): Promise<readonly TreeItem[]>;
  size(blob: string): Promise<number>;
  /** The caller asked for the size before, and knows that it is bearable. */
  content(blob: string): Promise<Buffer>;
  /** Whether `ancestor` is `commit` or before it, as far as was fetched. */
  isKnownAncestor(ancestor: string, commit: CommitId): Promise<boolean>;
  /** Waits for a running fetch, then removes the copy. */
  close(): Promise<void>;
};

/** Throws `Refused` when URL or branch are not allowed. */
export function openGitReader(options: GitRepositoryOptions, deps: GitDeps): GitReader {
  const remote = parseRemoteUrl(options.url, options.protocols ?? ['https']);
  const branch = checkBranch(options.branch);
  const git = createGit(remote, { ...DEFAULT_GIT_LIMITS, ...options.limits }, deps);
  const fetcher = createFetcher(git, branch, options.depth);
  const objects = async () => (await git.clone()).objects;
  return {
    fetch: fetcher.fetch,
    root: async (commit) => treeOf(await objects(), commit),
    tree: async (id) => {
      const items = await readTree(await objects(), id, MAX_TREE_BYTES);
      if (items === undefined) throw missing('tree', id);
      return items;
    },
    size: async (blob) => {
      const info = await (await objects()).info(blob);
      if (info?.type !== 'blob') throw missing('blob', blob);
      return info.size;
    },
    content: async (blob) => {
      const object = await (await objects()).content(blob);
      if (object?.type !== 'blob') throw missing('blob', blob);
      return object.content;
    },
    isKnownAncestor: async (ancestor, commit) =>
      isCommitId(ancestor) &&
      isCommitId(commit) &&
      (await git.local(['merge-base', '--is-ancestor', ancestor, commit])).code === 0,
    close: async () => {
      await fetcher.idle();
      await git.discard();
    },
  };
}

const MAX_TREE_BYTES = 16 * 1024 * 1024;

function missing(what: string, id: string): RepositoryError {
  return new RepositoryError('Broken', `there is no ${what} ${id.slice(0, 12)} in the copy`);
}
