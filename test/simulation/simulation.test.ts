import { createHook } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, GIT_FAULT_KINDS } from '../../simulator/scenario/steps.ts';
import { findShortest } from './bisect.ts';
import { type RunOptions, type RunResult, runScenario } from './run.ts';

const SMALL = { days: 2, tenants: 3, desktops: 2, faults: FAULT_KINDS, intervals: 'year' } as const;
const ENGINE = { ...SMALL, engine: true, faults: [...FAULT_KINDS, ...GIT_FAULT_KINDS] } as const;
const TIMEOUT_MS = 1_200_000;
/** How many seeds nobody has tried before are tried in each run. */
const FRESH = 3;
/** What a person needs in order to see it again. */
function describeFailure(
  { seed, days, tenants, desktops, intervals, engine, faults }: RunOptions,
  result: RunResult,
): string {
  const last = result.actions.slice(-5).map(({ what }) => what);
  const production = intervals === 'production' ? ' --production-intervals' : '';
  const ordered = engine === true ? ' --engine' : '';
  return [
    `npm run simulate -- --seed ${seed} --days ${days} --tenants ${tenants} --desktops ${desktops} --faults ${faults.join(',')}${ordered}${production}`,
    ...last,
    ...result.problems,
  ].join('\n');
}

async function expectHolds(options: RunOptions): Promise<RunResult> {
  const result = await runScenario(options);
  expect(result.problems, describeFailure(options, result)).toEqual([]);
  return result;
}

describe('simulated lives', () => {
  it.each([1, 3, 5, 206, 588_477_084])(
    'seed %i: every promise holds, whatever goes wrong',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      const result = await expectHolds({ ...SMALL, seed });
      expect(result.actions.length).toBeGreaterThan(30);
      expect(result.checkpoints).toBeGreaterThan(2);
      expect(result.desktops).toBeGreaterThan(0);
    },
  );

  it.each([2, 4, 6])(
    'seed %i: every promise holds, and every order ends, with orders through the Git write engine',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      const { changes = {}, desktops } = await expectHolds({ ...ENGINE, seed });
      expect(changes.Ready).toBeGreaterThan(20);
      expect(changes.Gone).toBeGreaterThan(0);
      expect(desktops).toBeGreaterThan(0);
    },
  );

  it('orders in spite of races, lost answers, refusals, killed writers and branches that go', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const seen = new Set<string>();
    const faults = [...GIT_FAULT_KINDS, ...GIT_FAULT_KINDS, 'force-push', 'emptied', 'repository'] as const;
    await expectHolds({
      ...ENGINE,
      ...{ seed: 113, days: 1, deedsADay: 40, faultsADay: 30, faults },
      log: (line) => {
        for (const what of DISTURBANCES) if (line.includes(what)) seen.add(what);
      },
    });
    expect([...seen].sort()).toEqual([...DISTURBANCES].sort());
  });

  it('holds for seeds that nobody has tried before', { timeout: FRESH * TIMEOUT_MS }, async () => {
    const seeds = Array.from({ length: FRESH }, () => Math.floor(Math.random() * 1_000_000_000));
    console.info(`fresh seeds: ${seeds.join(', ')}`);
    for (const [index, seed] of seeds.entries()) await expectHolds({ ...(index === 0 ? ENGINE : SMALL), seed });
  });

  it('holds with every interval as deployed', { timeout: TIMEOUT_MS }, async () => {
    await expectHolds({ ...SMALL, seed: 7, days: 0.25, tenants: 2, intervals: 'production' });
  });

  it('is the same history for the same seed, byte for byte, and another for another', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const run = async (seed: number) => runScenario({ ...ENGINE, seed, days: 1, recordHistory: true });
    const first = await run(21);
    const second = await run(21);
    expect(second.historyHash).toBe(first.historyHash);
    expect(second.events).toBe(first.events);
    expect((await run(22)).historyHash).not.toBe(first.historyHash);
  });

  it('never waits for a real timer, file, socket or thread', { timeout: TIMEOUT_MS }, async () => {
    const found = new Set<string>();
    const hook = createHook({
      init: (_, type) => {
        if (VIRTUAL.has(type)) return;
        const stack = new Error(type).stack ?? '';
        if (OURS.test(stack) && !stack.includes(AT_ONCE)) found.add(stack.split('\n').slice(0, 12).join('\n'));
      },
    });
    const enable = (): void => void hook.enable();
    try {
      await runScenario({ ...ENGINE, seed: 31, days: 0.5, onWorld: enable });
    } finally {
      hook.disable();
    }
    expect([...found]).toEqual([]);
  });
});

/** What promises and the scheduler itself are made of. */
const VIRTUAL: ReadonlySet<string> = new Set(['PROMISE', 'TickObject', 'Immediate', 'Microtask']);
/** Packing in the calling turn uses the same machinery as packing on a thread. */
const AT_ONCE = 'syncBufferWrapper';
const OURS = /\/(operator|source|kube|simulator|git|gitops)\//;

/** What the writer says of what is done to it. */
const DISTURBANCES = [
  'stale info',
  'the connection ended',
  'a hook declined',
  'the remote does not answer',
  'the branch is gone',
  'writer/2',
] as const;

describe('the shortest prefix', () => {
  const base: RunResult = {
    problems: [],
    actions: [],
    tail: [],
    simulatedMs: 0,
    wallMs: 1,
    events: 0,
    writes: 0,
    checkpoints: 0,
    desktops: 0,
    changes: undefined,
    historyHash: undefined,
  };
  const action = { atMs: 0, what: 'something', step: { type: 'confirm' } } as const;
  /** A run that fails as soon as `from` actions have happened. */
  const failing =
    (from: number) =>
    async ({ actions = 1_000 }: RunOptions): Promise<RunResult> => {
      const happened = Math.min(actions, Math.max(actions >= from ? from : 0, actions));
      return {
        ...base,
        problems: actions >= from ? ['broken'] : [],
        actions: Array.from({ length: happened }, () => action),
      };
    };

  it.each([1, 2, 3, 499, 500, 999, 1_000])('is found when it has %i actions', async (from) => {
    const options: RunOptions = { ...SMALL, seed: 1 };
    const tried: number[] = [];
    const shortest = await findShortest(failing(from), options, await failing(from)(options), (n) => tried.push(n));
    expect(shortest.actions).toBe(from);
    expect(shortest.result.problems).toEqual(['broken']);
    expect(tried.length).toBeLessThanOrEqual(10);
    expect(shortest.runs).toBe(tried.length);
  });
});
