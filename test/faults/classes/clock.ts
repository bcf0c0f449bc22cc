import type { FaultClass } from '../point.ts';
import { compareRuns, type Fault, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { tellCalmly } from './calm.ts';

const SKEWS_MS: Readonly<Record<string, number>> = {
  '+5s': 5_000,
  '-5s': -5_000,
  '+10min': 600_000,
  '-10min': -600_000,
};

/** They ask for something at a time: an operator whose clock is behind waits until it is that late for it too. */
const TIMED: readonly string[] = ['restart', 'shutdown', 'plan', 'upgrade'];

/** The operator's machine has a wrong time: from the beginning, or from the moment after the first act until the last step has come to rest. */
export const clock: FaultClass = {
  name: 'clock',
  title: "the operator's clock is wrong, or steps, by 5 s or 10 min",
  enumerate: async (scenario, seed) =>
    Object.keys(SKEWS_MS)
      .filter((skew) => skew !== '-10min' || !TIMED.includes(scenario))
      .flatMap((skew) => ['always', 'step'].map((how) => ({ class: 'clock', scenario, seed, at: `${skew}:${how}` }))),
  async tryPoint({ scenario, seed, at }) {
    const [skew = '', how] = at.split(':');
    const calm = await tellCalmly(scenario, seed);
    const result = await tellScenario(findScenario(scenario), seed, buildFault(SKEWS_MS[skew] ?? 0, how));
    return [...result.findings, ...compareRuns(calm, result)];
  },
};

function buildFault(skewMs: number, how: string | undefined): Fault {
  const set = (run: Parameters<NonNullable<Fault['clear']>>[0], ms: number): void => {
    for (const { process } of run.world.running('operator')) process.clock.skew(ms);
  };
  return {
    ...(how === 'always' ? { arm: (run) => set(run, skewMs) } : { afterAct: (run) => set(run, skewMs) }),
    clear: (run) => set(run, 0),
  };
}
