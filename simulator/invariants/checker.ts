import { createAbsenceCheck } from './absence.ts';
import { createCollateralCheck } from './collateral.ts';
import { createDuplicateCheck } from './duplicates.ts';
import { createEffortCheck } from './effort.ts';
import { createEndsCheck } from './ends.ts';
import { createHaltCheck } from './halts.ts';
import { createReplay, renderRequest, type World } from './live.ts';
import { createMoneyCheck } from './money.ts';
import { createMonotonicCheck } from './monotonic.ts';
import { createPruningCheck } from './pruning.ts';
import { createQuietCheck } from './quiet.ts';
import { createRecordsCheck } from './records.ts';
import type {
  Change,
  Handshake,
  InvariantName,
  Live,
  Mark,
  Repository,
  RequestAnswered,
  RequestSent,
  TrailEvent,
  Violation,
} from './trail.ts';
import { createTruthCheck } from './truth.ts';

/** One invariant's part: told of every event with the state of the world just before it. */
export type Judge = {
  change?(change: Change, world: World): void;
  request?(request: RequestSent, world: World): void;
  answer?(answer: RequestAnswered, request: RequestSent): void;
  handshake?(handshake: Handshake): void;
  repository?(repository: Repository): void;
  mark?(mark: Mark, world: World): void;
};

export type Report = (
  invariant: InvariantName,
  what: { readonly atMs: number; readonly resource: string; readonly key: string },
  text: string,
) => void;

export type Check = (report: Report) => Judge;

export type Checker = {
  /** Takes the next event; events come in the order in which they happened. */
  observe(event: TrailEvent): void;
  /** What was broken so far, in order. */
  violations(): readonly Violation[];
  /** Every object as the trail leaves it, by `resource key`. */
  state(): ReadonlyMap<string, Live>;
};

const CHECKS: readonly Check[] = [
  createQuietCheck,
  createCollateralCheck,
  createDuplicateCheck,
  createMoneyCheck,
  createRecordsCheck,
  createEndsCheck,
  createMonotonicCheck,
  createEffortCheck,
  createAbsenceCheck,
  createHaltCheck,
  createPruningCheck,
  createTruthCheck,
];

/**
 * The one oracle of every fault test and every simulated year: I1 to I8 over a trail of events. Shares no code with the operator and
 * reads nothing but the trail. Keeps the present state and a bounded memory of each object, so a trail may be as long as it likes.
 */
export function createChecker(): Checker {
  const replay = createReplay();
  const found: Violation[] = [];
  const open = new Map<number, RequestSent>();
  const known = new Map<string, Live>();
  let last:
    | { readonly atMs: number; readonly text: string; readonly resource: string; readonly key: string }
    | undefined;
  const report: Report = (invariant, { atMs, resource, key }, text) => {
    const request = last?.resource === resource && last.key === key ? last.text : undefined;
    found.push({ invariant, atMs, object: `${resource} ${key}`, request, text });
  };
  const judges = CHECKS.map((check) => check(report));

  const observe = (event: TrailEvent): void => {
    switch (event.type) {
      case 'request':
        open.set(event.id, event);
        last = { ...event, text: renderRequest(event) };
        for (const judge of judges) judge.request?.(event, replay);
        return;
      case 'answer': {
        const request = open.get(event.id);
        open.delete(event.id);
        if (request !== undefined) for (const judge of judges) judge.answer?.(event, request);
        return;
      }
      case 'change':
        for (const judge of judges) judge.change?.(event, replay);
        replay.apply(event);
        if (event.after === undefined) known.delete(`${event.resource} ${event.key}`);
        else known.set(`${event.resource} ${event.key}`, event.after);
        return;
      case 'handshake':
        for (const judge of judges) judge.handshake?.(event);
        return;
      case 'repository':
        for (const judge of judges) judge.repository?.(event);
        return;
      default:
        for (const judge of judges) judge.mark?.(event, replay);
    }
  };
  return { observe, violations: () => found, state: () => known };
}

/** All violations of a whole trail. */
export function checkTrail(trail: readonly TrailEvent[]): readonly Violation[] {
  const checker = createChecker();
  for (const event of trail) checker.observe(event);
  return checker.violations();
}
