import type { Step } from '../case.ts';
import { type Difference, renderDifference } from '../compare.ts';
import type { Servers } from '../servers.ts';
import { judgeCase } from '../suite.ts';
import type { Scope } from '../transcript.ts';
import { generateSteps, surround } from './generate.ts';
import { shrink } from './shrink.ts';

export type Finding = { readonly seed: number; readonly steps: readonly Step[]; readonly difference: Difference };

/** Runs one seed's calls on both servers; of a difference it gives the shortest sequence that still shows one. */
export async function judgeSeed(
  seed: number,
  length: number,
  servers: Servers,
  scopes: () => Scope,
): Promise<Finding | undefined> {
  let difference: Difference | undefined;
  const fails = async (steps: readonly Step[]): Promise<boolean> => {
    const result = await judgeCase({ name: `seed ${seed}`, steps: surround(steps) }, servers, scopes);
    const [first] = result.differences;
    if (first !== undefined) difference = first;
    return first !== undefined;
  };
  const all = generateSteps(seed, length);
  if (!(await fails(all))) return undefined;
  const steps = await shrink(all, fails);
  await fails(steps);
  return difference === undefined ? undefined : { seed, steps, difference };
}

export function renderFinding({ seed, steps, difference }: Finding): string {
  const lines = steps.map((step) =>
    step.type === 'call' ? `  ${step.method} ${step.path}${renderBody(step.body)}` : `  ${step.type}`,
  );
  return [`seed ${seed}, ${steps.length} calls:`, ...lines, renderDifference(difference)].join('\n');
}

function renderBody(body: string | Uint8Array | undefined): string {
  return body === undefined ? '' : ` ${body}`;
}
