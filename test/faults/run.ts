import {
  compareStates,
  createChecker,
  type Live,
  type RequestSent,
  renderViolation,
} from '../../simulator/invariants/index.ts';
import type { LinkHooks } from '../../simulator/link.ts';
import type { RunningRole, World, WorldOptions } from '../simulation/contract.ts';
import { createWorld } from '../simulation/world.ts';
import type { Scenario, Step } from './story.ts';

/** What goes wrong in one run. Everything is asked anew for each run. */
export type Fault = {
  /** Settings of the world over those of the scenario. */
  readonly world?: Partial<WorldOptions>;
  /** More settings of the operator. */
  readonly operator?: Readonly<Record<string, unknown>>;
  /** The given is at rest and the first step is next. */
  arm?(run: Run): Promise<void> | void;
  /** A step is about to be taken. */
  beforeAct?(run: Run, index: number): Promise<void> | void;
  /** A step has been taken and has not come to rest yet. */
  afterAct?(run: Run, index: number): Promise<void> | void;
  /** A step came to rest and its claims were looked at. */
  afterRest?(run: Run, index: number): Promise<void> | void;
  /** The last step came to rest; from now on nothing goes wrong any more. */
  clear?(run: Run): Promise<void> | void;
};

/** A run that is under way, as a fault sees it. */
export type Run = {
  readonly world: World;
  readonly scenario: Scenario;
  setHooks(hooks: LinkHooks): void;
  /** Starts an operator with the settings that hold now. */
  startOperator(settings?: Readonly<Record<string, unknown>>): RunningRole;
  /** When the operator last sent a write, but for Leases. */
  lastWriteMs(): number;
  /** Kills every operator and starts one after this long, as whoever watches over processes does. */
  replaceOperator(afterMs: number): void;
  /** A finding of the fault's own. */
  report(text: string): void;
};

export type RunResult = {
  /** What is not as it has to be; empty when all is well. */
  readonly findings: readonly string[];
  readonly state: ReadonlyMap<string, Live>;
  /** How many guests were started for each machine. */
  readonly guests: ReadonlyMap<string, number>;
  readonly endMs: number;
  readonly virtualMs: number;
};

/** How long an operator that died stays away. */
export const REVIVAL_MS = 1_000;
/** Whoever watches over processes and arranges trouble: its timers die with nobody. */
export const OVERSEER = { name: 'overseer' };
const HOUR_MS = 3_600_000;
/** Far more than any of these lives needs. */
const MOST_WRITES = 3_000;
const QUIET_MS = 90_000;
const SECOND_PASS_MS = 120_000;

/**
 * Tells a scenario in a world of its own, lets things go wrong as `fault` says, and judges it: claims of each step, I1 to I8, that
 * nobody gave up, and that a second pass by a fresh operator writes nothing. Never rejects on account of what it tests.
 */
export async function tellScenario(scenario: Scenario, seed: number, fault: Fault = {}): Promise<RunResult> {
  const settings = { ...scenario.operator, ...fault.operator };
  const world = await createWorld({ seed, intervals: 'year', flux: false, ...fault.world, operator: settings });
  const checker = createChecker();
  const guests = new Map<string, number>();
  const findings: string[] = [];
  const started: RunningRole[] = [];
  const commits = new Set<string>();
  let lastWriteMs = 0;
  let writes = 0;
  world.onTrail((event) => {
    checker.observe(event);
    if (event.type === 'repository') commits.add(event.revision);
    if (event.type === 'request' && isWrite(event)) {
      lastWriteMs = event.atMs;
      writes += 1;
      if (writes === MOST_WRITES)
        findings.push(`the operator wrote ${writes} times and was stopped: it does not come to rest`);
      if (writes >= MOST_WRITES) world.kill('operator');
    }
    if (event.type !== 'change' || event.resource !== 'virtualmachineinstances.kubevirt.io') return;
    if (event.before === undefined) guests.set(event.key, (guests.get(event.key) ?? 0) + 1);
  });
  const run = createRun({
    world,
    scenario,
    settings,
    started,
    report: (text) => findings.push(text),
    lastWriteMs: () => lastWriteMs,
  });
  const startMs = world.nowMs();
  try {
    await world.startAll();
    started.push(...world.running('operator'));
    await scenario.given(world);
    await rest(world, 'the given is there');
    await fault.arm?.(run);
    for (const [index, step] of scenario.steps.entries()) findings.push(...(await takeStep(run, step, index, fault)));
    await fault.clear?.(run);
    await rest(world, 'all faults have ended');
    await passAgain(run);
  } catch (error) {
    findings.push(`it did not go on: ${error instanceof Error ? error.message : String(error)}`);
  }
  findings.push(...describeExits(started));
  findings.push(...checker.violations().map(renderViolation));
  const result = {
    findings,
    state: nameCommits(checker.state(), [...commits]),
    guests,
    endMs: world.nowMs(),
    virtualMs: world.nowMs() - startMs,
  };
  world.close();
  return result;
}

/** A commit's id says when it was made: by their order the same commits of two runs have the same names. */
function nameCommits(state: ReadonlyMap<string, Live>, commits: readonly string[]): ReadonlyMap<string, Live> {
  const names = new Map(commits.map((commit, index) => [commit, `<commit ${index + 1}>`]));
  const rename = (live: Live): Live =>
    JSON.parse(JSON.stringify(live).replaceAll(COMMIT_ID, (id) => names.get(id) ?? id));
  return new Map([...state].map(([key, live]) => [key, rename(live)]));
}

const COMMIT_ID = /\b[0-9a-f]{40}\b/g;

/** What differs between the end of a run and that of the calm one: I1, and I3 in guests, which each begin a power epoch. */
export function compareRuns(calm: RunResult, run: RunResult): readonly string[] {
  const differences = compareStates(calm.state, run.state, run.endMs).map(renderViolation);
  const keys = new Set([...calm.guests.keys(), ...run.guests.keys()]);
  const restarts = [...keys].flatMap((key) => {
    const [wanted, found] = [calm.guests.get(key) ?? 0, run.guests.get(key) ?? 0];
    return wanted === found ? [] : [`I3 ${key}: ${found} guests were started, and ${wanted} in the calm run`];
  });
  return [...differences, ...restarts];
}

type Parts = Pick<Run, 'world' | 'scenario' | 'report' | 'lastWriteMs'> & {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly started: RunningRole[];
};

type Telling = Run & { upgrade(settings: Readonly<Record<string, unknown>>): Promise<void> };

function createRun({ world, scenario, report, lastWriteMs, started, ...parts }: Parts): Telling {
  let settings = parts.settings;
  const startOperator = (more: Readonly<Record<string, unknown>> = {}): RunningRole => {
    const role = world.start('operator', { ...settings, ...more });
    started.push(role);
    return role;
  };
  return {
    world,
    scenario,
    report,
    lastWriteMs,
    startOperator,
    setHooks: (hooks) => world.setHooks(hooks),
    replaceOperator: (afterMs) => {
      world.kill('operator');
      world.scheduler.schedule(OVERSEER, afterMs, () => {
        if (world.running('operator').length === 0) startOperator();
      });
    },
    upgrade: async (next) => {
      settings = { ...settings, ...next };
      for (const role of world.running('operator')) await role.stop();
      if (world.running('operator').length === 0) startOperator();
    },
  };
}

async function takeStep(run: Telling, step: Step, index: number, fault: Fault): Promise<readonly string[]> {
  const { world } = run;
  await fault.beforeAct?.(run, index);
  await step.act(run);
  await fault.afterAct?.(run, index);
  if (step.thenMs !== undefined) await world.runFor(step.thenMs);
  await rest(world, `${step.does}, and all comes to rest`);
  const claims = step.claims?.(world) ?? [];
  await fault.afterRest?.(run, index);
  return claims
    .filter(({ holds }) => !holds)
    .map(
      ({ says, found }) =>
        `after "${step.does}" it does not hold that ${says}${found === undefined ? '' : `: ${found}`}`,
    );
}

function isWrite({ actor, verb, resource }: RequestSent): boolean {
  const reads = verb === 'get' || verb === 'list' || verb === 'watch';
  return actor.startsWith('operator/') && !reads && !resource.startsWith('leases.');
}

async function rest(world: World, what: string): Promise<void> {
  await world.runUntilQuiet({ what, withinMs: HOUR_MS, quietMs: QUIET_MS });
}

/** I1's second half: at rest nobody writes, and a fresh operator that finds everything as it should be does not either. */
async function passAgain({ world, startOperator }: Run): Promise<void> {
  world.mark('settled');
  await world.runFor(60_000);
  world.kill('operator');
  startOperator();
  await world.runFor(SECOND_PASS_MS);
  world.mark('disturbed');
}

function describeExits(started: readonly RunningRole[]): readonly string[] {
  return started.flatMap((role) => {
    const why = role.failure();
    if (why === undefined) return [];
    return [`process ${role.name} gave up: ${why instanceof Error ? why.message : String(why)}`];
  });
}
