import type { LinkHooks } from '../../../simulator/link.ts';
import { buildOperatorConfig } from '../../simulation/settings.ts';
import type { FaultClass } from '../point.ts';
import { compareRuns, type Fault, OVERSEER, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { DAY_MS } from '../story.ts';
import { kindOfPath, tellCalmly } from './calm.ts';

/** Within so long an event has to be seen whatever is wrong with its watch, and what is written because of it follows at once. */
const SEEN_WITHIN_MS = 35_000;
const HALF_OPEN_MS = 10;
const ALL = 'all';

/**
 * The watch of one kind, or all of them, goes mute just before somebody acts: `quiet`, the server still ends it at its time; `half-open`, nothing is ever heard
 * of it. With the intervals of production; scenarios that last days are left out.
 */
export const quiet: FaultClass = {
  name: 'quiet',
  title: 'watches go mute just before each act, with and without an end',
  async enumerate(scenario, seed) {
    const { steps } = findScenario(scenario);
    if (steps.some(({ thenMs = 0 }) => thenMs >= DAY_MS)) return [];
    const { kinds } = await tellCalmly(scenario, seed);
    return [
      ...[ALL, ...kinds].map((kind) => ({ class: 'quiet', scenario, seed, at: `quiet:${kind}` })),
      { class: 'quiet', scenario, seed, at: `half-open:${ALL}` },
    ];
  },
  async tryPoint({ scenario, seed, at }) {
    const [how, kind = ALL] = at.split(':');
    const calm = await tellCalmly(scenario, seed);
    const fault = how === 'quiet' ? buildQuiet(kind) : buildHalfOpen();
    const result = await tellScenario(findScenario(scenario), seed, { ...IN_PRODUCTION, ...fault });
    return [...result.findings, ...compareRuns(calm, result)];
  },
};

/** What is asked of Flux is compared, so it is asked the same. */
const IN_PRODUCTION: Fault = {
  world: { intervals: 'production' },
  operator: { kustomizationInterval: buildOperatorConfig({ seed: 0, intervals: 'year' }, {}).kustomizationInterval },
};

function buildQuiet(kind: string): Fault {
  return {
    beforeAct: (run) => {
      const since = run.world.scheduler.elapsedMs();
      const mute = new Set<string>();
      const hooks: LinkHooks = {
        // A watch that begins from now on works.
        onStream: ({ process, path }) => {
          mute.add(`${process} ${path.split('?')[0]}`);
          return undefined;
        },
        onLine: ({ process, path }) => {
          const isMeant = process.startsWith('operator/') && (kind === ALL || kindOfPath(path) === kind);
          if (!isMeant || mute.has(`${process} ${path.split('?')[0]}`)) return undefined;
          return run.world.scheduler.elapsedMs() >= since ? { type: 'blackhole' } : undefined;
        },
      };
      run.setHooks(hooks);
    },
    afterAct: expectReaction,
  };
}

/** Whatever comes in the first moments after somebody acts vanishes, and its watch with it. */
function buildHalfOpen(): Fault {
  return {
    beforeAct: ({ world }) => {
      const links = world.running('operator').map(({ link }) => link);
      for (const link of links) link.setState('black-hole');
      // By itself, because an act may wait for what the operator does.
      world.scheduler.schedule(OVERSEER, HALF_OPEN_MS, () => {
        for (const link of links) link.setState('open');
      });
    },
    afterAct: expectReaction,
  };
}

/** The operator has something to do after each act of the scenarios that are told here: it does so in time. */
async function expectReaction(run: Parameters<NonNullable<Fault['afterAct']>>[0]): Promise<void> {
  const actedAtMs = run.world.nowMs();
  await run.world.runFor(SEEN_WITHIN_MS);
  if (run.lastWriteMs() < actedAtMs) run.report(`nothing was written within ${SEEN_WITHIN_MS / 1_000} s of the act`);
}
