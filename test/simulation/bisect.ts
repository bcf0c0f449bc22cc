import type { RunOptions, RunResult } from './run.ts';

export type Shortest = { readonly result: RunResult; readonly actions: number; readonly runs: number };

/**
 * The shortest prefix of a scenario that still fails, by halving: what holds after n actions is taken to hold after fewer. `known` is the run
 * that failed; `onTry` hears of each prefix that is tried.
 */
export async function findShortest(
  run: (options: RunOptions) => Promise<RunResult>,
  options: RunOptions,
  known: RunResult,
  onTry: (actions: number) => void = () => {},
): Promise<Shortest> {
  let failing = known.actions.length;
  let passing = 0;
  let result = known;
  let runs = 0;
  while (failing - passing > 1) {
    const actions = (failing + passing) >> 1;
    onTry(actions);
    const { onProgress: _, ...rest } = options;
    const tried = await run({ ...rest, actions });
    runs += 1;
    if (tried.problems.length === 0) passing = actions;
    else {
      failing = Math.min(actions, tried.actions.length);
      result = tried;
    }
  }
  return { result, actions: failing, runs };
}
