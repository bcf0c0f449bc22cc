import { createHash } from 'node:crypto';
import { renderError } from '../../kube/errors.ts';
import type { Outcome } from '../journal.ts';
import type { PlannedCommit } from './plan.ts';
import type { DryRun } from './target.ts';

export type Vetted = {
  readonly refused: ReadonlyMap<string, Outcome>;
  /** Changes from this sequence on have to wait, because there was no answer, and why. */
  readonly waiting: { readonly from: bigint; readonly why: string } | undefined;
};

export type Vetter = {
  vet(commits: readonly PlannedCommit[], signal: AbortSignal): Promise<Vetted>;
  /** The change needs no verdict any more. */
  forget(id: string): void;
};

/** Asks for each commit once, a few at the same time. A verdict holds as long as the resource that it was about stays the same. */
export function createVetter(dryRun: DryRun): Vetter {
  const accepted = new Map<string, string>();
  return {
    async vet(commits, signal) {
      if (accepted.size > MOST_REMEMBERED) accepted.clear();
      const refused = new Map<string, Outcome>();
      let waiting: Vetted['waiting'];
      const ask = async (commit: PlannedCommit): Promise<void> => {
        const { change, object } = commit;
        const digest = digestOf(object);
        if (accepted.get(change.id) === digest) return;
        try {
          const verdict = await dryRun(change, object, signal);
          if (verdict.type === 'accepted') accepted.set(change.id, digest);
          else refused.set(change.id, { state: 'Rejected', reason: 'DryRunRefused', message: verdict.message });
        } catch (error) {
          signal.throwIfAborted();
          if (waiting === undefined || change.sequence < waiting.from)
            waiting = { from: change.sequence, why: renderError(error) };
        }
      };
      const queue = commits.values();
      const work = async (): Promise<void> => {
        for (const commit of queue) await (waiting === undefined ? ask(commit) : undefined);
      };
      await Promise.all(Array.from({ length: MOST_AT_ONCE }, work));
      return { refused, waiting };
    },
    forget: (id) => void accepted.delete(id),
  };
}

const MOST_AT_ONCE = 8;
/** Verdicts of changes that ended without a commit are forgotten with the others. */
const MOST_REMEMBERED = 20_000;

function digestOf(object: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(object) ?? '')
    .digest('hex');
}
