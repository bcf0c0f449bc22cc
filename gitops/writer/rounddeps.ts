import type { Logger } from 'pino';
import type { Clock } from '../../kube/clock.ts';
import type { FileCache } from '../filecache.ts';
import type { Journal } from '../journal.ts';
import type { Doubt } from './doubt.ts';
import type { WritableRepository } from './target.ts';
import type { Vetter } from './vet.ts';

export type RoundDeps = {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly target: WritableRepository;
  readonly cache: FileCache;
  readonly vetter: Vetter | undefined;
  /** About changes whose place is not to be seen. */
  readonly doubt: Doubt;
};

export type RoundOptions = {
  readonly leaseMs: number;
  /** Changes of one push, at most. */
  readonly most: number;
  /** How often the remote refused a push of a single change before; after some of them the change ends. */
  readonly refusals: number;
  /** Whether to ask the forge about pull requests. */
  readonly review: boolean;
};

export type RoundResult =
  /** What was read is carried out; `more`: more may wait. */
  | { readonly type: 'done'; readonly pushed: boolean; readonly more: boolean }
  /** Somebody else moved the branch, or the outcome of the push is not known: fetch and replay. */
  | { readonly type: 'contended'; readonly why: string }
  /** The remote does not take this push. */
  | { readonly type: 'refused'; readonly why: string; readonly changes: number }
  /** Changes wait for something outside; `blocking`: those that come after them, too. */
  | { readonly type: 'waiting'; readonly why: string; readonly blocking: boolean; readonly pushed: boolean };
