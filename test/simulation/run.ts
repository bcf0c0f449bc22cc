import { ANNOTATION_SWEEP_AT } from '../../model/labels.ts';
import { createChecker, renderViolation } from '../../simulator/invariants/index.ts';
import { createSeededRandom } from '../../simulator/random.ts';
import { IMAGE } from '../../simulator/scenario/fleet.ts';
import { createPlanner, type Planner, type ScenarioOptions } from '../../simulator/scenario/planner.ts';
import type { Action } from '../../simulator/scenario/steps.ts';
import type { Intervals, World } from './contract.ts';
import { createDeeds, type Deeds } from './deeds.ts';
import { createDisruptions, type Disruptions } from './disruptions.ts';
import { findUnmet } from './expectations.ts';
import { createWorld } from './world.ts';

export type RunOptions = Omit<ScenarioOptions, 'startMs'> & {
  readonly intervals: Intervals;
  /** Orders go through the Git write engine, and are judged as such. */
  readonly engine?: boolean | undefined;
  /** Only so many actions of the scenario happen; then everything has to come true. */
  readonly actions?: number | undefined;
  readonly recordHistory?: boolean | undefined;
  readonly log?: ((line: string) => void) | undefined;
  /** Given the world before anything runs in it, for looking closer. */
  readonly onWorld?: ((world: World) => void) | undefined;
  /** Told now and then. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

export type Progress = {
  readonly atMs: number;
  readonly actions: number;
  readonly events: number;
  readonly what: string;
};

export type RunResult = {
  /** Broken promises, in plain words; empty when all is well. */
  readonly problems: readonly string[];
  /** Actions that happened. */
  readonly actions: readonly Action[];
  /** The last calls and changes. */
  readonly tail: readonly string[];
  readonly simulatedMs: number;
  readonly wallMs: number;
  readonly events: number;
  readonly writes: number;
  readonly checkpoints: number;
  /** Desktops that were Ready at once, at the most. */
  readonly desktops: number;
  /** How many orders ended in which state; undefined without an engine. */
  readonly changes: Readonly<Record<string, number>> | undefined;
  readonly historyHash: string | undefined;
};

export const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
/** Longer than any back-off of what is played: KubeVirt starts a machine that crashes again and again every five minutes. */
const QUIET_MS = 7 * MINUTE_MS;
/** A guest that boots for long is asked for long whether it answers, and a disk that is cloned for long says so often. */
const YEAR_TIMINGS = { bootMs: 400, cloneMs: 1_500, importMs: 3_000, progressIntervalMs: 10_000 } as const;
const SETTLE_MS = 12 * 60 * MINUTE_MS;
const SECOND_PASS_MS = 3 * MINUTE_MS;
/** A second pass reads everything anew, which is dear in large worlds. */
const FULL_EVERY = 13;

/** Plays one scenario in one world. Rejects only when the simulation itself is broken. */
export async function runScenario(options: RunOptions): Promise<RunResult> {
  const startedMs = performance.now();
  const { seed, intervals, engine, recordHistory, log } = options;
  const world = await createWorld({
    seed,
    startMs: START_MS,
    intervals,
    engine,
    recordHistory,
    log,
    restartMs: 5_000,
    images: [IMAGE],
    kubevirt: intervals === 'year' ? { timings: YEAR_TIMINGS } : undefined,
  });
  const checker = createChecker();
  world.onTrail(checker.observe);
  options.onWorld?.(world);
  const planner = createPlanner({ ...options, startMs: START_MS });
  const disruptions = createDisruptions(world, createSeededRandom(seed).fork('trouble'));
  const deeds = createDeeds(world, disruptions, planner.files);
  const actions: Action[] = [];
  const problems: string[] = [];
  let checkpoints = 0;
  let desktops = 0;
  const stage: Stage = { world, planner, disruptions, deeds };
  const pass = async (isFull: boolean): Promise<void> => {
    checkpoints += 1;
    problems.push(...(await checkEverything(stage, isFull)));
    desktops = Math.max(desktops, countReady(world));
  };
  const look = (): void => void problems.push(...checker.violations().map(renderViolation));
  try {
    await world.startAll();
    while (actions.length < (options.actions ?? Number.POSITIVE_INFINITY)) {
      const action = planner.next();
      if (action === undefined) break;
      actions.push(action);
      await world.runTo(START_MS + action.atMs);
      options.onProgress?.({ ...action, actions: actions.length, events: world.scheduler.events() });
      if (action.step.type === 'checkpoint') await pass(checkpoints % FULL_EVERY === 0);
      else deeds.perform(action);
      if (problems.length === 0) look();
      if (problems.length > 0) break;
    }
    if (problems.length === 0) {
      deeds.perform({ atMs: 0, what: 'the end', step: { type: 'restore-repository' } });
      await pass(true);
      look();
    }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  const result: RunResult = {
    problems: [...new Set(problems)],
    actions,
    tail: world.tail(),
    simulatedMs: world.nowMs() - START_MS,
    wallMs: performance.now() - startedMs,
    events: world.scheduler.events(),
    writes: [...world.writes().values()].reduce((sum, count) => sum + count, 0),
    checkpoints,
    desktops,
    changes: await deeds.orders?.count(),
    historyHash: recordHistory === true ? world.historyHash() : undefined,
  };
  world.close();
  return result;
}

type Stage = {
  readonly world: World;
  readonly planner: Planner;
  readonly disruptions: Disruptions;
  readonly deeds: Deeds;
};

/** All trouble ends and everything comes true; `isFull`: and a second pass by fresh processes changes nothing. */
async function checkEverything(
  { world, planner, disruptions, deeds }: Stage,
  isFull: boolean,
): Promise<readonly string[]> {
  disruptions.endAll();
  await world.startAll();
  world.repository.notify();
  for (let round = 0; round < 5; round++) {
    await world.runUntilQuiet({ quietMs: QUIET_MS, withinMs: SETTLE_MS, what: 'everything comes to rest' });
    if (!deeds.confirm() && deeds.pending() === 0 && !(await waitForEnds(world, deeds))) break;
  }
  const unmet = [...((await deeds.orders?.findProblems()) ?? []), ...findUnmet(world, planner.expectations())];
  if (unmet.length > 0) return unmet;
  return isFull ? passAgain(world) : [];
}

/** Lets changes end that wait for a resource to become Ready; false when none does. */
async function waitForEnds(world: World, { orders }: Deeds): Promise<boolean> {
  const open = (await orders?.open()) ?? [];
  if (open.every(({ state }) => state === 'Held')) return false;
  await world.runFor(END_MS);
  return true;
}

/** Longer than the tracker waits for a resource to become Ready. */
const END_MS = 75 * MINUTE_MS;

/** Fresh processes that find everything as it should be change nothing. */
async function passAgain(world: World): Promise<readonly string[]> {
  await skipSweeps(world);
  world.mark('settled');
  const before = world.dump();
  for (const role of ['operator', 'source'] as const) world.restart(role);
  await world.runFor(SECOND_PASS_MS);
  world.mark('disturbed');
  const after = world.dump();
  const [was, is] = [new Set(before), new Set(after)];
  const changed = [...before.filter((line) => !is.has(line)), ...after.filter((line) => !was.has(line))];
  return changed.length === 0 ? [] : [`a second pass by fresh processes changed ${changed.slice(0, 3).join('; ')}`];
}

/** A grace that ends meanwhile would be a change that nobody may make. */
async function skipSweeps(world: World): Promise<void> {
  for (;;) {
    const nowMs = world.nowMs();
    const soon = SWEPT.flatMap((resource) => world.list(resource))
      .map(({ metadata }) => Date.parse(metadata.annotations?.[ANNOTATION_SWEEP_AT] ?? ''))
      .filter((atMs) => atMs >= nowMs - QUIET_MS && atMs < nowMs + QUIET_MS);
    if (soon.length === 0) return;
    await world.runTo(Math.max(...soon) + QUIET_MS);
    await world.runUntilQuiet({ withinMs: SETTLE_MS, what: 'a grace that ended is over' });
  }
}

const SWEPT = ['namespaces', 'virtualmachines.kubevirt.io', 'datavolumes.cdi.kubevirt.io'] as const;

function countReady(world: World): number {
  return world.list<Guest>('virtualmachineinstances.kubevirt.io').filter(({ status }) => status?.phase === 'Running')
    .length;
}

type Guest = Parameters<World['admin']['create']>[1] & { readonly status?: { readonly phase?: string } };
