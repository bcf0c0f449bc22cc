import type { CommitId } from '../git/repository.ts';
import type { Difference, Intent } from './intent.ts';

export type { Difference } from './intent.ts';

/**
 * `Accepted` is in the journal, `Proposed` is a pull request, `Committed` is on the branch, `Applied` was taken by Flux and is on the live object, `Ready` the
 * resource says so itself. The others are ends: `Held` by the fleet source's gate (it goes on when the folder is repaired), `Failed`, `Conflict`, `Rejected`
 * by a rule or a dry run, `Superseded` by a later change of the same fields, `Gone` after a delete was carried out or the branch lost the commit.
 */
export type ChangeState =
  | 'Accepted'
  | 'Proposed'
  | 'Committed'
  | 'Applied'
  | 'Ready'
  | 'Held'
  | 'Failed'
  | 'Conflict'
  | 'Rejected'
  | 'Superseded'
  | 'Gone';

/** Who asked, as audit and commit show it. `subject` is the user as the API server names it. */
export type Author = { readonly subject: string; readonly name: string; readonly email: string };

/** What is handed in. */
export type NewChange = {
  /** `Change-Id` of the commit's trailers: `I` and 40 hexadecimal digits, drawn by whoever accepts. */
  readonly id: string;
  /** Which repository (`layout.ts` says): an id of ours, not a URL. */
  readonly repository: string;
  readonly intent: Intent;
  readonly mode: 'Commit' | 'PullRequest';
  readonly author: Author;
  readonly requestId: string;
  /** The change's span, in W3C Trace Context form. */
  readonly traceparent?: string | undefined;
};

export type Change = NewChange & {
  /** Order of acceptance in its repository. */
  readonly sequence: bigint;
  readonly state: ChangeState;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly differences?: readonly Difference[] | undefined;
  readonly commit?: CommitId | undefined;
  readonly pullRequest?: { readonly number: number; readonly url: string } | undefined;
  readonly acceptedAtMs: number;
  readonly updatedAtMs: number;
};

export type Outcome = Pick<Change, 'state'> &
  Partial<Pick<Change, 'reason' | 'message' | 'differences' | 'commit' | 'pullRequest'>>;

/** The right to write one repository, until `untilMs` by this process's clock. `epoch` grows with each change of holder and fences the one before; who
 * comes back to a lease that ran out and went to nobody goes on in the same one. */
export type Lease = {
  readonly repository: string;
  readonly holder: string;
  readonly epoch: bigint;
  readonly untilMs: number;
  /** The newest commit of the branch up to which everything is written down; absent until there is one. */
  readonly settled?: CommitId | undefined;
};

/** A move that is made only while the change is still where it was seen. */
export type Move = { readonly from: ChangeState; readonly outcome: Outcome };

/** States from which a change does not move any more. */
export const FINAL_STATES = [
  'Ready',
  'Failed',
  'Conflict',
  'Rejected',
  'Superseded',
  'Gone',
] as const satisfies readonly ChangeState[];

/** States of changes that have not ended. */
export const OPEN_STATES = [
  'Accepted',
  'Proposed',
  'Committed',
  'Applied',
  'Held',
] as const satisfies readonly ChangeState[];

/** Another holder took the lease; nothing was written down. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export type Accepted =
  | { readonly type: 'accepted' | 'replayed'; readonly change: Change }
  /** The same key came with another request. */
  | { readonly type: 'key-reused'; readonly changeId: string };

/**
 * Where changes are rows before anybody is told that they were accepted. Durable when a promise resolves. Implemented in `writer/journal/` on `store/`'s
 * Postgres or PGlite, and in memory for the simulator; one contract suite for all. What has ended never moves again.
 */
export type Journal = {
  /** Change and idempotency key in one transaction. `key` is unique per author for seven days; `digest` is of the request. */
  accept(change: NewChange, key?: { readonly key: string; readonly digest: string }): Promise<Accepted>;
  /** What `accept` would say to an earlier request with this key, and nothing when there was none: a repeated create is no conflict with itself. */
  recall(subject: string, key: { readonly key: string; readonly digest: string }): Promise<Accepted | undefined>;
  /** Takes or renews the lease of a repository; undefined while another holds it. */
  lease(repository: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  release(lease: Lease): Promise<void>;
  /** Changes of a repository in one of these states, in order of acceptance; `after` is a sequence. */
  pending(repository: string, states: readonly ChangeState[], most: number, after?: bigint): Promise<readonly Change[]>;
  /**
   * Writes down where changes have got to, all or none, and with `settled` that everything reachable from that commit is written down. Gives the lease
   * as it is then. Throws `LeaseLost` when the lease is not the newest any more.
   */
  record(lease: Lease, outcomes: ReadonlyMap<string, Outcome>, settled?: CommitId): Promise<Lease>;
  /** Moves each change that is still in the state it was seen in; gives the ids of those that moved. Any process may call it. */
  advance(moves: ReadonlyMap<string, Move>): Promise<ReadonlySet<string>>;
  find(id: string): Promise<Change | undefined>;
  /** Changes of one resource that have not ended, in order: what a read lays over the live object. */
  open(target: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  }): Promise<readonly Change[]>;
  /** Newest first; `before` is a sequence. */
  list(filter: {
    readonly namespaces?: readonly string[];
    readonly kind?: string;
    readonly states?: readonly ChangeState[];
    readonly before?: bigint;
    readonly most: number;
  }): Promise<readonly Change[]>;
  /** Changes that ended in one of these states at that time or later, by the journal's clock; first those that ended first. */
  ended(filter: {
    readonly states: readonly (typeof FINAL_STATES)[number][];
    readonly sinceMs: number;
    readonly most: number;
  }): Promise<readonly Change[]>;
  /** The changes of a namespace that have not ended: how many, and how many bytes their intents have together. */
  load(namespace: string): Promise<{ readonly changes: number; readonly bytes: number }>;
  /** Of changes that are on a branch, their commits. */
  commits(ids: readonly string[]): Promise<ReadonlyMap<string, CommitId>>;
  /** How many changes are in each of the open states, and when the oldest of them was accepted, by the journal's clock; states that none is in are left out. */
  backlog(): Promise<ReadonlyMap<ChangeState, { readonly changes: number; readonly oldestAtMs: number }>>;
  /** Repositories with changes in one of these states; `Accepted` when none is named. */
  waiting(states?: readonly ChangeState[]): Promise<readonly string[]>;
  /**
   * Calls back after changes were accepted or moved, by whichever process; the way to stop listening. Without a repository: something may have been
   * missed, look at everything. May call once too often, never once too little.
   */
  onChange(listener: (repository: string | undefined) => void): () => void;
  /** Forgets keys that ran out, and changes that ended longer ago than `keepMs`; at most `most` of each. Gives how many rows went. */
  prune(options: { readonly keepMs: number; readonly most: number }): Promise<number>;
};
