import type { LinkHooks } from '../../../simulator/link.ts';
import type { FaultClass } from '../point.ts';
import { compareRuns, REVIVAL_MS, type Run, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { isOperatorWrite, tellCalmly } from './calm.ts';

/** `before`: the write is never sent. `unanswered`: it is committed, and its answer is not heard. `after`: it is heard, and nothing more. */
const MOMENTS = ['before', 'unanswered', 'after'] as const;
type Moment = (typeof MOMENTS)[number];

/** The operator dies at one write of the scenario, another one starts a second later and finishes the work. */
export const crash: FaultClass = {
  name: 'crash',
  title: 'the operator is killed at each write, before it is sent, unanswered, and after',
  async enumerate(scenario, seed) {
    const { writes } = await tellCalmly(scenario, seed);
    return writes.flatMap((_, index) =>
      MOMENTS.map((moment) => ({ class: 'crash', scenario, seed, at: `${index + 1}:${moment}` })),
    );
  },
  async tryPoint({ scenario, seed, at }) {
    const [text = '', moment] = at.split(':');
    const write = Number(text);
    if (!(write >= 1) || !isMoment(moment)) throw new RangeError(`${at} is no write and moment, such as 3:unanswered`);
    const calm = await tellCalmly(scenario, seed);
    let reached = false;
    const result = await tellScenario(findScenario(scenario), seed, {
      arm: (run) =>
        run.setHooks(
          dieAt(run, write, moment, () => {
            reached = true;
          }),
        ),
      clear: (run) => run.setHooks({}),
    });
    const missed = reached
      ? []
      : [`the operator never sent write ${write}, and the calm run has ${calm.writes.length}`];
    return [...missed, ...result.findings, ...compareRuns(calm, result)];
  },
};

function isMoment(text: string | undefined): text is Moment {
  return MOMENTS.some((moment) => moment === text);
}

function dieAt(run: Run, write: number, moment: Moment, onReached: () => void): LinkHooks {
  let writes = 0;
  let doomed: unknown;
  const die = (): undefined => {
    onReached();
    doomed = undefined;
    run.replaceOperator(REVIVAL_MS);
  };
  return {
    onCall: (call) => {
      if (!isOperatorWrite(call)) return undefined;
      writes += 1;
      if (writes !== write) return undefined;
      if (moment === 'before') return die();
      doomed = call;
      return undefined;
    },
    onCarriedOut: (call) => {
      if (moment === 'unanswered' && call === doomed) die();
    },
    onAnswer: (call) => {
      if (moment === 'after' && call === doomed) die();
    },
  };
}
