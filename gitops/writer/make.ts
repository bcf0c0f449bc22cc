import { type CommitId, type NewCommit, RepositoryError } from '../../git/repository.ts';
import type { Change, Outcome } from '../journal.ts';
import { createWorkspace, type Workspace } from '../workspace.ts';
import { type BatchPlan, planBatch } from './plan.ts';
import type { RoundDeps } from './rounddeps.ts';
import { renderChange } from './target.ts';

/** Changes as commits that exist on this machine. */
export type Made = {
  readonly plan: BatchPlan;
  /** Those of `plan.commits`, in order; none when `refusal` says why the repository does not take one of them. */
  readonly commits: readonly CommitId[];
  readonly refusal: string | undefined;
  /** Why the changes from some on are not in the plan: the API server did not answer. */
  readonly waiting: string | undefined;
};

export type Maker = {
  /** Makes commits of the changes, on those that it made before. */
  make(changes: readonly Change[], signal: AbortSignal): Promise<Made>;
};

/** Builds on the head. Nothing leaves this machine. */
export function createMaker(deps: RoundDeps, head: CommitId | undefined): Maker {
  const { repository, render } = deps.target;
  let tip = head;
  let workspace: Workspace | undefined;
  // What was planned stays in the workspace for the changes after it. A plan that is not carried out spoils it.
  const open = (): Workspace => {
    const carried = workspace ?? createWorkspace(tip, { repository, render, cache: deps.cache });
    workspace = undefined;
    return carried;
  };
  return {
    make: async (changes, signal) => {
      const { plan, waiting, workspace: planned } = await planVetted(deps, open, changes, signal);
      const wanted = plan.commits.map((one) => buildCommit(deps, one));
      try {
        const commits = wanted.length === 0 ? [] : await repository.commit(tip, wanted, signal);
        tip = commits.at(-1) ?? tip;
        workspace = planned;
        return { plan, commits, refusal: undefined, waiting };
      } catch (error) {
        if (!(error instanceof RepositoryError) || error.failure !== 'Refused') throw error;
        return { plan, commits: [], refusal: error.message, waiting };
      }
    },
  };
}

/**
 * Plans, asks the API server, and plans again without what it refused or did not answer, until everything planned may be made. What was refused is among the
 * plan's outcomes. `open` gives a workspace for each attempt; that of the last is given back, with the planned files in it.
 */
export async function planVetted(
  { target, clock, vetter, doubt }: RoundDeps,
  open: () => Workspace,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<{ readonly plan: BatchPlan; readonly waiting: string | undefined; readonly workspace: Workspace }> {
  const refused = new Map<string, Outcome>();
  let waiting: string | undefined;
  let batch = changes;
  for (;;) {
    const workspace = open();
    const plan = await planBatch(batch, { workspace, folderOf: target.folderOf, clock, doubt }, signal);
    const vetted = await vetter?.vet(plan.commits, signal);
    if (vetted === undefined || (vetted.refused.size === 0 && vetted.waiting === undefined))
      return { plan: { ...plan, outcomes: new Map([...plan.outcomes, ...refused]) }, waiting, workspace };
    for (const [id, outcome] of vetted.refused) refused.set(id, outcome);
    const from = vetted.waiting?.from;
    waiting = vetted.waiting?.why ?? waiting;
    batch = batch.filter(({ id, sequence }) => !refused.has(id) && (from === undefined || sequence < from));
  }
}

export function buildCommit(
  { target }: RoundDeps,
  { change, files }: { readonly change: Change; readonly files: NewCommit['files'] },
): NewCommit {
  const { name, email } = change.author;
  // The time of acceptance and not of now: a replay on the same head is then the very same commit.
  return {
    author: { name, email },
    committer: target.committer,
    atMs: change.acceptedAtMs,
    message: renderChange(change),
    files,
  };
}
