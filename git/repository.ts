/** An object id as Git writes it: 40 or 64 hexadecimal digits. */
export type CommitId = string;

/** One file of a commit's tree. `path` is relative to the root, with `/`. Bytes of it that are not UTF-8 are U+FFFD, and such a path cannot be written. */
export type TreeEntry = {
  readonly path: string;
  readonly blob: string;
  readonly mode: 'file' | 'executable' | 'symlink' | 'submodule';
  /** In bytes; absent for what is no file. */
  readonly size?: number | undefined;
};

export type Person = { readonly name: string; readonly email: string };

/** A commit to be made on the one before it. */
export type NewCommit = {
  readonly author: Person;
  readonly committer: Person;
  /** Milliseconds since the epoch; Git keeps whole seconds. */
  readonly atMs: number;
  /** Subject, body and trailers. */
  readonly message: string;
  /** Path -> new content; `null` removes the file. Paths go nowhere but below the root, never into `.git`, and not below what is no folder. */
  readonly files: ReadonlyMap<string, string | null>;
};

export type LogEntry = {
  readonly commit: CommitId;
  readonly author: Person;
  readonly atMs: number;
  readonly message: string;
  /** Paths that differ from the first parent. */
  readonly paths: readonly string[];
};

/**
 * `pushed`: the remote said that the branch is at the commit. `rejected`: it said that it did not move it (somebody was faster, or a rule of the remote; `stale`
 * says which). `unknown`: the connection ended before it said anything; whoever pushed fetches and looks for its commits.
 */
export type PushResult =
  | { readonly type: 'pushed' }
  | { readonly type: 'rejected'; readonly stale: boolean; readonly why: string }
  | { readonly type: 'unknown'; readonly why: string };

export type PushOptions = { readonly branch?: string; readonly signal?: AbortSignal };

export type LogOptions = {
  /** Exclusive. What is not known here counts as absent. */
  readonly since?: CommitId | undefined;
  /** Default 1 000. */
  readonly most?: number;
  /** Only commits that differ in one of these files or folders. */
  readonly paths?: readonly string[];
  readonly signal?: AbortSignal;
};

/**
 * One branch of a remote repository and a disposable copy of it. By the git binary (`git/`), or in memory for the simulator (`memory/`);
 * `repositorycontract.ts` holds both to the same. Calls of one Repository may overlap. All reject with `RepositoryError`.
 */
export type Repository = {
  /** Fetches the branch. Undefined: the remote has no such branch, or nothing at all. */
  fetch(signal?: AbortSignal): Promise<CommitId | undefined>;
  /**
   * Files of a commit below a folder, sorted by path; all of them when the folder is `''`; none when there is no such folder. A path that is a file,
   * symlink or submodule itself gives that one entry.
   */
  list(commit: CommitId, folder: string, signal?: AbortSignal): Promise<readonly TreeEntry[]>;
  /** Texts of blobs, in one call. What is not UTF-8, larger than the limit or not there is undefined. */
  read(blobs: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, string | undefined>>;
  /** Makes commits one on the other, without touching a branch; ids in order. `base` undefined begins a history. Nothing leaves this machine. */
  commit(base: CommitId | undefined, commits: readonly NewCommit[], signal?: AbortSignal): Promise<readonly CommitId[]>;
  /**
   * Moves a branch of the remote from `expected` (undefined: it must not exist) to `commit`, which must descend from it. The repository's own branch when
   * none is named.
   */
  push(commit: CommitId, expected: CommitId | undefined, options?: PushOptions): Promise<PushResult>;
  /** Commits reachable from `to` and not from `since`, newest first. */
  log(to: CommitId, options?: LogOptions): Promise<readonly LogEntry[]>;
  /** Whether `ancestor` is `commit` or one of those before it. False when either is not known. */
  isAncestor(ancestor: CommitId, commit: CommitId, signal?: AbortSignal): Promise<boolean>;
  /** Ends what runs and removes the copy. */
  close(): Promise<void>;
};

/**
 * `Unreachable`: no answer, or a server's error; `Stopped`: it took too long, or the caller's signal ended it; `Denied`: the credentials are not taken; `NotFound`: no such repository; `TooLarge`: a limit; `Refused`: what was asked
 * for is not allowed; `Broken`: the copy here, or git itself.
 */
export type RepositoryFailure = 'Unreachable' | 'Stopped' | 'Denied' | 'NotFound' | 'TooLarge' | 'Refused' | 'Broken';

/** A call on a Repository failed. The message is fit for logs and users: it holds no credential and no path of this machine. */
export class RepositoryError extends Error {
  override readonly name = 'RepositoryError';
  readonly failure: RepositoryFailure;
  /** Whether the same call may succeed later without anybody mending something. */
  readonly isTransient: boolean;

  constructor(failure: RepositoryFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.failure = failure;
    this.isTransient = failure === 'Unreachable' || failure === 'Stopped' || failure === 'Broken';
  }
}
