import { createHook } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../simulator/scenario/steps.ts';
import { findShortest } from './bisect.ts';
import { type RunOptions, type RunResult, runScenario } from './run.ts';

const SMALL = { days: 2, tenants: 3, desktops: 2, faults: FAULT_KINDS, intervals: 'year' } as const;
const TIMEOUT_MS = 300_000;
/** How many seeds nobody has tried before are tried in each run. */
const FRESH = 3;
/** What a person needs in order to see it again. */
function describeFailure({ seed, days, tenants, desktops, intervals, faults }: RunOptions, result: RunResult): string {
  const last = result.actions.slice(-5).map(({ what }) => what);
  const production = intervals === 'production' ? ' --production-intervals' : '';
  return [
    `npm run simulate -- --seed ${seed} --days ${days} --tenants ${tenants} --desktops ${desktops} --faults ${faults.join(',')}${production}`,
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
  it.each([1, 2, 3, 4, 5, 6, 206, 588_477_084])(
    'seed %i: every promise holds, whatever goes wrong',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      const result = await expectHolds({ ...SMALL, seed });
      expect(result.actions.length).toBeGreaterThan(30);
      expect(result.checkpoints).toBeGreaterThan(2);
      expect(result.desktops).toBeGreaterThan(0);
    },
  );

  it('holds for seeds that nobody has tried before', { timeout: FRESH * TIMEOUT_MS }, async () => {
    const seeds = Array.from({ length: FRESH }, () => Math.floor(Math.random() * 1_000_000_000));
    console.info(`fresh seeds: ${seeds.join(', ')}`);
    for (const seed of seeds) await expectHolds({ ...SMALL, seed });
  });

  it('holds with every interval as deployed', { timeout: TIMEOUT_MS }, async () => {
    await expectHolds({ ...SMALL, seed: 7, days: 0.25, tenants: 2, intervals: 'production' });
  });

  it('is the same history for the same seed, byte for byte, and another for another', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const run = async (seed: number) => runScenario({ ...SMALL, seed, days: 1, recordHistory: true });
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
      await runScenario({ ...SMALL, seed: 31, days: 0.5, onWorld: enable });
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
const OURS = /\/(operator|source|kube|simulator)\//;

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
