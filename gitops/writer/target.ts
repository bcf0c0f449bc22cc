import type { CommitId, Person, Repository } from '../../git/repository.ts';
import type { Forge } from '../forges/forge.ts';
import type { JsonMap } from '../intent.ts';
import type { Change } from '../journal.ts';
import { describeIntent, renderMessage } from '../message.ts';
import type { RenderOptions } from '../render.ts';

/** The folder of a namespace in this repository, or why it has none here (any more). */
export type FolderOf = (namespace: string) => { readonly folder: string } | { readonly problem: string };

/**
 * Whether the API server would take the resource (undefined: its removal), asked as the ServiceAccount that Flux applies it with. Rejects when there is no
 * answer: then the change waits. An answer that depends on what is not made yet, such as the namespace of a new tenant, is no refusal.
 */
export type DryRun = (change: Change, object: JsonMap | undefined, signal: AbortSignal) => Promise<Verdict>;
export type Verdict = { readonly type: 'accepted' } | { readonly type: 'refused'; readonly message: string };

/** A repository that is open for writing. */
export type WritableRepository = {
  readonly repository: Repository;
  /** The one that is written. */
  readonly branch: string;
  readonly folderOf: FolderOf;
  /** Asked before each turn; false: the repository is somewhere else by now, and is opened anew. Absent: it never moves. May throw, as opening may. */
  readonly isCurrent?: (() => boolean) | undefined;
  /** Who commits in the name of the authors. */
  readonly committer: Person;
  /** At least so long between two pushes, for forges that count them; 0 pushes whenever there is something. */
  readonly pushWindowMs: number;
  readonly dryRun?: DryRun | undefined;
  /** How much of its files stays parsed between rounds, in characters; absent: 8 Mi. */
  readonly cacheCharacters?: number | undefined;
  /** How new files begin. */
  readonly render?: RenderOptions | undefined;
  /** After the branch moved, so that Flux need not wait for its interval. What it throws is logged and nothing more. */
  readonly afterPush?: ((commit: CommitId, signal: AbortSignal) => Promise<void>) | undefined;
  /** Where pull requests go. Absent on a plain Git server: there a pushed branch is the proposal, and its merge shows in the history. */
  readonly forge?: Forge | undefined;
};

/** The message of a change's commit. */
export function renderChange({ id, intent, author, requestId, traceparent }: Change): string {
  const trailers = { changeId: id, requestedBy: author.subject, requestId, traceparent };
  return renderMessage({ ...describeIntent(intent), ...trailers });
}
