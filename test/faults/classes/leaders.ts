import type { FaultClass } from '../point.ts';
import { compareRuns, type Fault, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { tellCalmly } from './calm.ts';

const LATE_MS = 20_000;

/**
 * - `both`: two operators work from the beginning and know nothing of each other.
 * - `slow`: the second one sees everything 20 s late.
 * - `joins`: the second one starts in the middle of each step, and the first one dies when all has come to rest.
 */
const OVERLAPS = ['both', 'slow', 'joins'] as const;

/** Two leaders at once: each believes that it is the only one. */
export const leaders: FaultClass = {
  name: 'leaders',
  title: 'two operators work at once, one of them perhaps on old views',
  enumerate: async (scenario, seed) => OVERLAPS.map((at) => ({ class: 'leaders', scenario, seed, at })),
  async tryPoint({ scenario, seed, at }) {
    const calm = await tellCalmly(scenario, seed);
    const result = await tellScenario(findScenario(scenario), seed, buildFault(at));
    return [...result.findings, ...compareRuns(calm, result)];
  },
};

function buildFault(overlap: string): Fault {
  if (overlap === 'joins') {
    return {
      afterAct: async (run) => {
        await run.world.runFor(400);
        run.startOperator();
      },
      afterRest: ({ world }) => {
        for (const role of world.running('operator').slice(0, -1)) role.kill();
      },
    };
  }
  return {
    arm: (run) => {
      const { name } = run.startOperator();
      if (overlap !== 'slow') return;
      run.setHooks({ onLine: ({ process }) => (process === name ? { type: 'delay', ms: LATE_MS } : undefined) });
    },
    clear: (run) => run.setHooks({}),
  };
}
