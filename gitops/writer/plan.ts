import { setImmediate } from 'node:timers/promises';
import { RepositoryError } from '../../git/repository.ts';
import type { Clock } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { JsonMap } from '../intent.ts';
import type { Change, Outcome } from '../journal.ts';
import type { Planned, Workspace } from '../workspace.ts';
import type { Doubt } from './doubt.ts';
import type { FolderOf } from './target.ts';

/** One change as a commit: the files that it writes, on top of those of the changes before it. */
export type PlannedCommit = {
  readonly change: Change;
  readonly files: ReadonlyMap<string, string | null>;
  /** What the resource says then; undefined when it is gone. */
  readonly object: JsonMap | undefined;
};

export type BatchPlan = {
  /** In order of acceptance. */
  readonly commits: readonly PlannedCommit[];
  /** What ends without a commit: conflicts and refusals. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** What the branch says already, once the commits before it (so many of them) are made. */
  readonly unchanged: ReadonlyMap<string, number>;
  /** Why the changes that are in none of these have no place, as it looks just now. */
  readonly unplaced: string | undefined;
};

/**
 * Carries out the changes one after the other on the files of a commit; each sees what those before it made. A change that cannot be made ends alone and
 * leaves the others what they would have been without it. Takes the workspace for itself.
 */
export async function planBatch(
  changes: readonly Change[],
  deps: {
    readonly workspace: Workspace;
    readonly folderOf: FolderOf;
    readonly clock: Clock;
    readonly doubt: Doubt;
  },
  signal: AbortSignal,
): Promise<BatchPlan> {
  const { workspace, folderOf, clock, doubt } = deps;
  let unplaced: string | undefined;
  const commits: PlannedCommit[] = [];
  const outcomes = new Map<string, Outcome>();
  const unchanged = new Map<string, number>();
  const places = changes.map((change) => ({ change, place: folderOf(change.intent.target.namespace) }));
  await workspace.load(
    places.flatMap(({ place }) => ('folder' in place ? [place.folder] : [])),
    signal,
  );
  let restedMs = clock.monotonic();
  for (const { change, place } of places) {
    if (clock.monotonic() - restedMs > BUSY_MS) {
      // Timers and sockets of the process have their turn.
      await setImmediate();
      restedMs = clock.monotonic();
    }
    if ('problem' in place) {
      if (!doubt.hasLasted(change.id)) {
        unplaced ??= place.problem;
        continue;
      }
      outcomes.set(change.id, { state: 'Rejected', reason: 'NotHere', message: place.problem });
      continue;
    }
    doubt.forget(change.id);
    const planned = await planOne(workspace, place.folder, change, signal);
    switch (planned.type) {
      case 'changed':
        planned.take();
        commits.push({ change, files: planned.files, object: planned.object });
        break;
      case 'unchanged':
        unchanged.set(change.id, commits.length);
        break;
      case 'conflict':
        outcomes.set(change.id, { ...pick(planned), state: 'Conflict', reason: 'ChangedMeanwhile' });
        break;
      case 'refused':
        outcomes.set(change.id, { state: 'Rejected', reason: planned.reason, message: planned.message });
    }
  }
  return { commits, outcomes, unchanged, unplaced };
}

const BUSY_MS = 25;

type Refused = { readonly type: 'refused'; readonly reason: string; readonly message: string };

/** A mistake of ours with one change must not hold up the others; a repository that does not answer concerns them all. */
async function planOne(
  workspace: Workspace,
  folder: string,
  change: Change,
  signal: AbortSignal,
): Promise<Planned | Refused> {
  try {
    return await workspace.plan(folder, change.intent, signal);
  } catch (error) {
    if (error instanceof RepositoryError || signal.aborted) throw error;
    const message = `the change cannot be carried out, which is a fault of the software: ${renderError(error)}`;
    return { type: 'refused', reason: 'InternalError', message };
  }
}

function pick({
  message,
  differences,
}: Planned & { readonly type: 'conflict' }): Pick<Outcome, 'message' | 'differences'> {
  return { message, differences };
}
