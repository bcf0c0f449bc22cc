import type { Logger } from 'pino';
import type { Clock, Timer } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { Target } from '../intent.ts';
import type { Author, Change, Journal, Move } from '../journal.ts';
import type { CommitId } from '../repository.ts';
import { isSameTarget } from '../writer/overlap.ts';
import { computeCompensation } from './compensate.ts';
import { computeFolderFacts, type FolderObjects } from './facts.ts';
import { computeProgress, type LiveObject, type Patience } from './progress.ts';

export type TrackerDeps = {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  /** Flux's objects of a namespace's folder, from informers. */
  readonly folderOf: (namespace: string) => FolderObjects;
  /** The resource, from an informer; undefined when it is not there. */
  readonly liveOf: (target: Target) => LiveObject | undefined;
  /** Whether everything above was read at least once. Until then nothing is decided: what is not there may only not be known. */
  readonly isSynced: () => boolean;
  /** Whether a commit of a repository is another one or comes before it. Rejects when that cannot be known now. */
  readonly contains: (repository: string, ancestor: CommitId, commit: CommitId) => Promise<boolean>;
  /** In whose name what cannot be applied is taken back. */
  readonly compensator: Author;
};

export type TrackerOptions = Partial<Patience> & {
  /** Default 30 s. */
  readonly pollMs?: number | undefined;
};

export type Tracker = {
  /** Something that it watches changed. */
  wake(): void;
  stop(): Promise<void>;
};

const DEBOUNCE_MS = 50;
const PAGE = 1_000;
const MOST_TRACKED = 20_000;
const MOST_REMEMBERED = 10_000;

/**
 * Follows committed changes to their ends by what the cluster shows, and takes back what Flux cannot apply. Any number of processes may do so at once: a move is
 * made only from the state that it was computed for, and a compensation has one id.
 */
export function startTracker(deps: TrackerDeps, options: TrackerOptions = {}): Tracker {
  const { journal, clock, log } = deps;
  const { pollMs = 30_000, graceMs = 30_000, applyMs = 86_400_000, readyMs = 3_600_000 } = options;
  const patience = { graceMs, applyMs, readyMs };
  const contains = rememberContains(deps);
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let dirty = false;
  let stopped = false;

  const arm = (ms: number): void => {
    clock.clearTimeout(timer);
    timer = clock.setTimeout(() => {
      running ??= run().finally(() => {
        running = undefined;
        if (!stopped) arm(dirty ? DEBOUNCE_MS : pollMs);
      });
    }, ms);
  };
  const run = async (): Promise<void> => {
    dirty = false;
    try {
      if (deps.isSynced()) await track(deps, contains, patience);
    } catch (error) {
      log.warn({ err: renderError(error) }, 'following changes failed and is tried again');
    }
  };
  const wake = (): void => {
    if (stopped || dirty) return;
    dirty = true;
    if (running === undefined) arm(DEBOUNCE_MS);
  };
  const unsubscribe = journal.onChange(wake);
  wake();
  return {
    wake,
    stop: async () => {
      stopped = true;
      unsubscribe();
      clock.clearTimeout(timer);
      await running;
    },
  };
}

type Contains = TrackerDeps['contains'];

/** Looks at every change on its way once. */
export async function track(deps: TrackerDeps, contains: Contains, patience: Patience): Promise<void> {
  const { journal, clock } = deps;
  const changes = await readTracked(journal);
  const byTarget = Map.groupBy(
    changes,
    ({ intent: { target } }) => `${target.namespace}/${target.kind}/${target.name}`,
  );
  const moves = new Map<string, Move>();
  const failed: Change[] = [];
  for (const ofTarget of byTarget.values()) {
    for (const change of ofTarget) {
      const facts = await gatherFacts(deps, contains, change, ofTarget);
      const outcome = computeProgress(change, facts, clock.now(), patience);
      if (outcome === undefined) continue;
      moves.set(change.id, { from: change.state, outcome });
      if (outcome.state === 'Failed' && outcome.reason === 'NotAppliable') failed.push(change);
    }
  }
  // Newest first, so that each finds what it set; before the move, so that a process that dies in between leaves the change to be looked at again.
  for (const change of failed.toSorted((a, b) => (a.sequence > b.sequence ? -1 : 1))) {
    const compensation = computeCompensation(change, deps.compensator);
    if (compensation !== undefined) await journal.accept(compensation);
  }
  if (moves.size > 0) await journal.advance(moves);
}

/** In order of acceptance. */
async function readTracked(journal: Journal): Promise<readonly Change[]> {
  const all: Change[] = [];
  for (;;) {
    const before = all.at(-1)?.sequence;
    const page = await journal.list({
      states: ['Committed', 'Held', 'Applied'],
      most: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    all.push(...page);
    if (page.length < PAGE || all.length >= MOST_TRACKED) return all.reverse();
  }
}

async function gatherFacts(deps: TrackerDeps, contains: Contains, change: Change, ofTarget: readonly Change[]) {
  const { target } = change.intent;
  const folder = computeFolderFacts(deps.folderOf(target.namespace));
  const has = async (commit: CommitId | undefined): Promise<boolean> =>
    change.commit !== undefined && commit !== undefined && (await contains(change.repository, change.commit, commit));
  const [fetched, attempted, applied] = [
    await has(folder.fetched),
    await has(folder.attempted),
    await has(folder.applied),
  ];
  const later = ofTarget.filter(
    (other) => other.sequence > change.sequence && isSameTarget(other.intent.target, target),
  );
  return { ...folder, contains: { fetched, attempted, applied }, live: deps.liveOf(target), later };
}

/** A commit that contains another always does; one that did not may, once the copy that answered has fetched it. */
function rememberContains({ contains }: TrackerDeps): Contains {
  const known = new Set<string>();
  return async (repository, ancestor, commit) => {
    if (ancestor === commit) return true;
    const key = `${repository} ${ancestor} ${commit}`;
    if (known.has(key)) return true;
    if (!(await contains(repository, ancestor, commit))) return false;
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.add(key);
    return true;
  };
}
