import type { FaultClass } from '../point.ts';
import { compareRuns, type Fault, type Run, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { DAY_MS } from '../story.ts';
import { tellCalmly } from './calm.ts';

const SKEWS_MS: Readonly<Record<string, number>> = {
  '+5s': 5_000,
  '-5s': -5_000,
  '+10min': 600_000,
  '-10min': -600_000,
  '+36d': 36 * DAY_MS,
  '-36d': -36 * DAY_MS,
};

/**
 * The operator's machine has a wrong time: from the beginning (`always`), from the moment after the first act (`step`), or forward and back with each act
 * (`swing`); until the last step has come to rest. Whatever it is, the run ends as the calm one, and what is stated of times is true.
 */
const MANNERS = ['always', 'step', 'swing'] as const;

export const clock: FaultClass = {
  name: 'clock',
  title: "the operator's clock is wrong, steps or swings by 5 s, 10 min or 36 days",
  enumerate: async (scenario, seed) =>
    Object.keys(SKEWS_MS).flatMap((skew) =>
      MANNERS.map((manner) => ({ class: 'clock', scenario, seed, at: `${skew}:${manner}` })),
    ),
  async tryPoint({ scenario, seed, at }) {
    const [skew = '', manner = ''] = at.split(':');
    const calm = await tellCalmly(scenario, seed);
    const result = await tellScenario(findScenario(scenario), seed, buildFault(SKEWS_MS[skew] ?? 0, manner));
    return [...result.findings, ...compareRuns(calm, result)];
  },
};

function buildFault(skewMs: number, manner: string): Fault {
  const set = (run: Run, ms: number): void => {
    for (const { process } of run.world.running('operator')) process.clock.skew(ms);
  };
  return {
    arm: (run) => set(run, manner === 'always' ? skewMs : 0),
    afterAct: (run, index) => set(run, manner === 'swing' && index % 2 === 1 ? -skewMs : skewMs),
    clear: (run) => set(run, 0),
  };
}
