import type { Logger } from 'pino';
import type { CommitId } from '../../git/repository.ts';
import type { Clock, Timer } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { Target } from '../intent.ts';
import type { Author, Change, Journal, Move, Outcome } from '../journal.ts';
import { computeCompensation } from './compensate.ts';
import { computeFolderFacts, type FolderFacts, type FolderObjects } from './facts.ts';
import type { Between } from './history.ts';
import { computeProgress, type LiveObject, type Patience, type ProgressFacts } from './progress.ts';

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
  /** Whether a commit of a repository is another one or comes before it (`history.ts`). Rejects when that cannot be known now. */
  readonly contains: (repository: string, ancestor: CommitId, commit: CommitId) => Promise<boolean>;
  /** Whether a namespace's folder in a repository is at one commit what it was at another (`history.ts`). Rejects when that cannot be known now. */
  readonly isSame: (repository: string, namespace: string, between: Between) => Promise<boolean>;
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

/**
 * Follows committed changes to their ends by what the cluster shows, and takes back what Flux cannot apply. Any number of processes may do so at once: a move is
 * made only from the state that it was computed for, and a compensation has one id.
 */
export function startTracker(deps: TrackerDeps, options: TrackerOptions = {}): Tracker {
  const { journal, clock, log } = deps;
  const { pollMs = 30_000, graceMs = 30_000, applyMs = 86_400_000, readyMs = 3_600_000 } = options;
  const patience = { graceMs, applyMs, readyMs };
  let doubts: Doubts = new Map();
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let dirty = false;
  let stopped = false;

  const arm = (ms: number): void => {
    clock.clearTimeout(timer);
    timer = clock.setTimeout(() => {
      running ??= run().finally(() => {
        running = undefined;
        if (!stopped) arm(dirty ? DEBOUNCE_MS : Math.min(pollMs, doubts.size > 0 ? DOUBT_MS : pollMs));
      });
    }, ms);
  };
  const run = async (): Promise<void> => {
    dirty = false;
    try {
      if (deps.isSynced()) doubts = await track(deps, patience, doubts);
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

/** Since when changes look as only what lasts may be taken for (`isDoubtful`), by their ids. */
type Doubts = ReadonlyMap<string, number>;

const DOUBT_MS = 10_000;

/** Looks at every change on its way once; gives what is in doubt by then. */
async function track(deps: TrackerDeps, patience: Patience, doubts: Doubts): Promise<Doubts> {
  const { journal, clock } = deps;
  const changes = await readTracked(journal);
  const byTarget = Map.groupBy(
    changes,
    ({ intent: { target } }) => `${target.namespace}/${target.kind}/${target.name}`,
  );
  const moves = new Map<string, Move>();
  const failed: Change[] = [];
  const silent = new Set<string>();
  const doubted = new Map<string, number>();
  for (const ofTarget of byTarget.values()) {
    let look: Look | undefined;
    for (const [index, change] of ofTarget.entries()) {
      look ??= observe(deps, change.intent.target);
      // They are in order of acceptance; to look at each for each would take a second where one resource has thousands.
      const later = ofTarget.slice(index + 1);
      const facts = silent.has(change.repository)
        ? undefined
        : await gatherFacts(deps, change, { ...look, later }, patience);
      if (facts === undefined) {
        // Of one repository that does not answer nothing is known now; the others go on.
        silent.add(change.repository);
        continue;
      }
      const outcome = computeProgress(change, facts, clock.now(), patience);
      if (outcome === undefined) continue;
      const sinceMs = doubts.get(change.id) ?? clock.monotonic();
      if (isDoubtful(change, facts, outcome) && clock.monotonic() - sinceMs < DOUBT_MS) {
        doubted.set(change.id, sinceMs);
        continue;
      }
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
  return doubted;
}

/**
 * What may look so only now. Flux's objects and the resource come by watches of their own, so what was applied this moment may not show yet, and looks overwritten; and to a
 * process whose watch is silent for up to 35 s, what another saw applied looks removed. And what
 * the gate said before the commit was there stands until it has looked at that commit, which may mend the folder.
 */
function isDoubtful(change: Change, { held }: FolderFacts, outcome: Outcome): boolean {
  if (outcome.reason === 'Overwritten' || outcome.reason === 'Removed') return true;
  return outcome.state === 'Held' && change.state === 'Committed' && (held?.sinceMs ?? 0) <= change.updatedAtMs;
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

/**
 * What is seen of a resource at one moment. All its changes are judged by it, however long a repository takes to answer: were the later ones judged by what came meanwhile,
 * they would end first, and nobody could tell by whom the earlier ones were overtaken.
 */
type Look = {
  readonly folder: FolderFacts;
  readonly live: LiveObject | undefined;
};

function observe({ folderOf, liveOf }: TrackerDeps, target: Target): Look {
  return { folder: computeFolderFacts(folderOf(target.namespace)), live: liveOf(target) };
}

async function gatherFacts(
  deps: TrackerDeps,
  change: Change,
  { folder, live, later }: Look & Pick<ProgressFacts, 'later'>,
  { graceMs }: Patience,
): Promise<ProgressFacts | undefined> {
  const { contains, clock, log } = deps;
  const has = async (commit: CommitId | undefined): Promise<boolean> =>
    change.commit !== undefined && commit !== undefined && (await contains(change.repository, change.commit, commit));
  try {
    const { fetched, attempted, applied } = folder;
    const contained = { fetched: await has(fetched), attempted: await has(attempted), applied: await has(applied) };
    // Nearly always its own revision shows within this, and nothing has to be read.
    const isLate = clock.now() - change.updatedAtMs >= graceMs;
    const isApplied = contained.applied || (isLate && contained.fetched && (await isUnmoved(deps, change, folder)));
    return { ...folder, contains: { ...contained, applied: isApplied }, live, later };
  } catch (error) {
    log.warn(
      { err: renderError(error), repository: change.repository },
      'the history of a repository is not known now',
    );
    return undefined;
  }
}

/** What is applied is from before the change, and is all the same what the folder says at a commit that contains it: no revision of the folder will ever show it. */
async function isUnmoved(
  deps: TrackerDeps,
  { repository, intent: { target } }: Change,
  { fetched, applied, isLevel, held }: FolderFacts,
): Promise<boolean> {
  if (fetched === undefined || applied === undefined || !isLevel || held !== undefined) return false;
  return deps.isSame(repository, target.namespace, { before: applied, after: fetched });
}
