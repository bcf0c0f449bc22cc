import type { FaultClass } from '../point.ts';
import { tellCalmly } from './calm.ts';

/** Nothing goes wrong: what every other class is compared with has to be right itself. */
export const told: FaultClass = {
  name: 'told',
  title: 'nothing goes wrong',
  enumerate: async (scenario, seed) => [{ class: 'told', scenario, seed, at: 'calm' }],
  tryPoint: async ({ scenario, seed }) => (await tellCalmly(scenario, seed)).findings,
};
