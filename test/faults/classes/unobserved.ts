import type { LinkHooks } from '../../../simulator/link.ts';
import type { FaultClass } from '../point.ts';
import { compareRuns, OVERSEER, type Run, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { parseLine, tellCalmly } from './calm.ts';

/**
 * - `lost`: the connection breaks at the line, as a stream without its middle cannot go on; the watch resumes.
 * - `merged`: from the line on the watch is silent until the history that holds it is gone; then only the outcome of what happened since is seen.
 * - `late`: the line, and what follows on its watch, comes 20 s later than what other watches show.
 */
const TROUBLES = ['lost', 'merged', 'late'] as const;
const LATE_MS = 20_000;
const SILENT_MS = 20_000;

/** The operator does not see one watch event as it happens. */
export const unobserved: FaultClass = {
  name: 'unobserved',
  title: 'each watch event is lost with its connection, merged with what follows, or late',
  async enumerate(scenario, seed) {
    const { lines } = await tellCalmly(scenario, seed);
    return lines.flatMap((_, index) =>
      TROUBLES.map((trouble) => ({ class: 'unobserved', scenario, seed, at: `${index + 1}:${trouble}` })),
    );
  },
  async tryPoint({ scenario, seed, at }) {
    const [text = '', trouble] = at.split(':');
    const calm = await tellCalmly(scenario, seed);
    let reached = false;
    const onReached = (): void => {
      reached = true;
    };
    const result = await tellScenario(findScenario(scenario), seed, {
      arm: (run) => run.setHooks(disturbLine(run, Number(text), trouble ?? '', onReached)),
      clear: (run) => run.setHooks({}),
    });
    const missed = reached
      ? []
      : [`the operator was never shown event ${text}, and the calm run has ${calm.lines.length}`];
    return [...missed, ...result.findings, ...compareRuns(calm, result)];
  },
};

function disturbLine(run: Run, event: number, trouble: string, onReached: () => void): LinkHooks {
  let seen = 0;
  return {
    onLine: ({ process, text }) => {
      if (!process.startsWith('operator/')) return undefined;
      if (parseLine(text).type === 'BOOKMARK') return undefined;
      seen += 1;
      if (seen !== event) return undefined;
      onReached();
      if (trouble === 'lost') return { type: 'reset' };
      if (trouble === 'late') return { type: 'delay', ms: LATE_MS };
      run.world.scheduler.schedule(OVERSEER, SILENT_MS, () => {
        run.world.compact();
        for (const role of run.world.running('operator')) role.link.breakStreams();
      });
      return { type: 'blackhole' };
    },
  };
}
