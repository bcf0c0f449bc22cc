import { join } from 'node:path';
import type { CommitId, NewCommit, Repository, TreeEntry } from '../repository.ts';
import { ancestorsOf, assertTreePath, assertWritten, refuseFile, refuseFolder } from '../treepath.ts';
import type { ObjectReader } from './catfile.ts';
import { readMarks } from './clone.ts';
import { checkBranch, type Protocol, parseRemoteUrl } from './environment.ts';
import { type ImportCommit, renderImport } from './fastimport.ts';
import { createFetcher } from './fetch.ts';
import {
  assertCommitId,
  createGit,
  DEFAULT_GIT_LIMITS,
  type Git,
  type GitDeps,
  type GitLimits,
  isCommitId,
} from './git.ts';
import { DEFAULT_MOST, readLog } from './log.ts';
import { pushBranch } from './push.ts';
import { createTreeLookup, EXECUTABLE, FILES, FOLDER, parseListing, type TreeLookup } from './trees.ts';

export type GitRepositoryOptions = {
  readonly url: string;
  readonly branch: string;
  /** Which remotes are allowed; default https only. */
  readonly protocols?: readonly Protocol[] | undefined;
  readonly limits?: Partial<GitLimits> | undefined;
  /** Commits of history to fetch at first; older ones come when they are asked for. Absent: all. */
  readonly depth?: number | undefined;
};

/**
 * A Repository by the git binary (2.37 or newer). The copy is bare, made at the first call and thrown away at the end or when it is broken. Nothing of the
 * machine's configuration reaches git, no hook and no submodule is run, nothing is checked out and only blobs are read. Throws `Refused` when URL or
 * branch are not allowed.
 */
export function openGitRepository(options: GitRepositoryOptions, deps: GitDeps): Repository {
  const remote = parseRemoteUrl(options.url, options.protocols ?? ['https']);
  const branch = checkBranch(options.branch);
  const git = createGit(remote, { ...DEFAULT_GIT_LIMITS, ...options.limits }, deps);
  const fetcher = createFetcher(git, branch, options.depth);
  let imports = 0;
  return {
    fetch: fetcher.fetch,
    list: (commit, folder, signal) => listFiles(git, commit, folder, signal),
    read: async (blobs) => readTexts((await git.clone()).objects, blobs, git.limits.blobBytes),
    commit: (base, commits, signal) => importCommits(git, ++imports, base, commits, signal),
    push: (commit, expected, { branch: other = branch, signal } = {}) =>
      pushBranch(git, other, { commit, expected }, signal),
    log: async (to, logOptions = {}) => {
      const { since, most = DEFAULT_MOST, signal } = logOptions;
      const entries = await readLog(git, to, { ...logOptions, most });
      const isWhole =
        entries.length >= most || (since !== undefined && (await isKnownAncestor(git, since, to, signal)));
      return isWhole || !(await fetcher.deepen(signal)) ? entries : readLog(git, to, { ...logOptions, most });
    },
    isAncestor: async (ancestor, commit, signal) => {
      const ask = () => isKnownAncestor(git, ancestor, commit, signal);
      return (await ask()) || ((await fetcher.deepen(signal)) && (await ask()));
    },
    close: async () => {
      await fetcher.idle();
      await git.discard();
    },
  };
}

async function isKnownAncestor(
  git: Git,
  ancestor: CommitId,
  commit: CommitId,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!isCommitId(ancestor) || !isCommitId(commit)) return false;
  return (await git.local(['merge-base', '--is-ancestor', ancestor, commit], { signal })).code === 0;
}

async function listFiles(
  git: Git,
  commit: CommitId,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<readonly TreeEntry[]> {
  assertCommitId(commit);
  if (folder !== '') assertTreePath(folder);
  const args = ['ls-tree', '-r', '-l', '-z', '--full-tree', commit, ...(folder === '' ? [] : ['--', folder])];
  return parseListing(await git.demand('the folder cannot be listed', args, { signal }), git.limits.files);
}

async function readTexts(
  objects: ObjectReader,
  blobs: readonly string[],
  maxBytes: number,
): Promise<ReadonlyMap<string, string | undefined>> {
  const texts = [...new Set(blobs)].map(async (blob) => {
    const info = await objects.info(blob);
    if (info?.type !== 'blob' || info.size > maxBytes) return [blob, undefined] as const;
    return [blob, decodeText((await objects.content(blob))?.content)] as const;
  });
  return new Map(await Promise.all(texts));
}

async function importCommits(
  git: Git,
  turn: number,
  base: CommitId | undefined,
  commits: readonly NewCommit[],
  signal: AbortSignal | undefined,
): Promise<readonly CommitId[]> {
  if (base !== undefined) assertCommitId(base);
  if (commits.length === 0) return [];
  const { objects, folder } = await git.clone();
  const lookup = base === undefined ? undefined : createTreeLookup(objects, base, MAX_TREE_BYTES);
  const prepared = await prepareCommits(commits, lookup);
  const marks = join(folder, `marks-${turn}`);
  const args = ['fast-import', '--quiet', '--force', '--date-format=raw', `--export-marks=${marks}`];
  const input = renderImport(`refs/sublet/import-${turn}`, base, prepared);
  await git.demand('the commits cannot be made', args, { input, signal });
  const ids = await readMarks(marks, commits.length);
  await git.tidy();
  return ids;
}

/** Checks all paths against the tree and each other, and keeps the mode of what is there. */
async function prepareCommits(
  commits: readonly NewCommit[],
  lookup: TreeLookup | undefined,
): Promise<readonly ImportCommit[]> {
  const written = assertWritten(commits);
  const executable = new Set<string>();
  if (lookup !== undefined) {
    const find = async (path: string) => [path, (await lookup.find(path))?.mode] as const;
    const folders = new Set([...written].flatMap(ancestorsOf));
    for (const [folder, mode] of await Promise.all([...folders].map(find))) {
      if (mode !== undefined && mode !== FOLDER) throw refuseFolder(folder);
    }
    for (const [path, mode] of await Promise.all([...written].map(find))) {
      if (mode === EXECUTABLE) executable.add(path);
      else if (mode !== undefined && !FILES.has(mode)) throw refuseFile(path);
    }
  }
  return commits.map((commit) => ({
    ...commit,
    files: new Map(
      [...commit.files].map(([path, content]) => [path, { content, isExecutable: executable.has(path) }] as const),
    ),
  }));
}

const MAX_TREE_BYTES = 16 * 1024 * 1024;

function decodeText(content: Uint8Array | undefined): string | undefined {
  if (content === undefined) return undefined;
  try {
    return UTF8.decode(content);
  } catch {
    return undefined;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
