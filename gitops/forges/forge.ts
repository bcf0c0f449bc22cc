import type { CommitId } from '../../git/repository.ts';

export type ForgeType = 'Gitea' | 'GitHub' | 'GitLab';

export type PullRequest = {
  readonly number: number;
  /** Where people see it. */
  readonly url: string;
  readonly branch: string;
  readonly state: 'Open' | 'Merged' | 'Closed';
  /** What the merge put onto the base branch, where the forge says so. It may be a squash: its message then names the Change-Ids. */
  readonly mergeCommit?: CommitId | undefined;
};

export type Proposal = {
  /** Pushed before. */
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
};

/**
 * Pull requests of one repository, by whatever name the forge calls them. A plain Git server has none: there a pushed branch is the proposal, and its merge is
 * seen in the history. All calls may be repeated. They reject with `ForgeError`.
 */
export type Forge = {
  readonly type: ForgeType;
  /** Opens one for a branch, or gives the open one that the branch has. */
  open(proposal: Proposal, signal?: AbortSignal): Promise<PullRequest>;
  /** The open one of a branch; the newest other one where the forge can tell; undefined: none. Rejects where the repository is not to be seen. */
  find(branch: string, base: string, signal?: AbortSignal): Promise<PullRequest | undefined>;
  /** Undefined: there is none of that number, or the repository is not to be seen, which forges do not tell apart. */
  read(number: number, signal?: AbortSignal): Promise<PullRequest | undefined>;
  /** Closes it unmerged. One that is merged or closed stays as it is. */
  close(number: number, signal?: AbortSignal): Promise<void>;
};

/** Least time between two pushes to a repository there, so that changes share them. GitHub asks for at most 6 a minute and repository. */
export const PUSH_INTERVAL_MS: Readonly<Record<ForgeType | 'Git', number>> = {
  Git: 0,
  Gitea: 0,
  GitHub: 10_000,
  GitLab: 2_000,
};

/** `Limited`: too many calls; `retryAfterMs` says when the forge takes the next. `Unreachable`: no answer, or none that can be read. */
export type ForgeFailure = 'Unreachable' | 'Denied' | 'NotFound' | 'Refused' | 'Limited';

/** A call to a forge failed. The message is fit for logs and users: it holds no credential. */
export class ForgeError extends Error {
  override readonly name = 'ForgeError';
  readonly failure: ForgeFailure;
  /** Set for `Limited`. */
  readonly retryAfterMs: number | undefined;
  readonly isTransient: boolean;

  constructor(
    failure: ForgeFailure,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.failure = failure;
    this.retryAfterMs = options?.retryAfterMs;
    this.isTransient = failure === 'Unreachable' || failure === 'Limited';
  }
}
