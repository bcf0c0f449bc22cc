import type { OptionSpecs, OptionValues } from './options.ts';
import { parseOptions } from './options.ts';
import type { Report } from './report.ts';

/** Takes one line of progress or of raw numbers. */
export type Print = (line: string) => void;

/** A benchmark as the command line knows it. */
export type Bench = {
  /** What it measures, in one line, with the numbers of its targets. */
  readonly summary: string;
  readonly options: OptionSpecs;
  /** Arguments of commands worth trying, each with what it does. */
  readonly examples: readonly (readonly [args: string, what: string])[];
  /** Throws UsageError when the arguments are wrong, before anything is started. */
  run(args: readonly string[], print: Print): Promise<Report>;
};

/** Ties a benchmark's options to the function that takes their values. */
export function defineBench<S extends OptionSpecs>(
  bench: Omit<Bench, 'run' | 'options'> & {
    readonly options: S;
    run(values: OptionValues<S>, print: Print): Promise<Report>;
  },
): Bench {
  return { ...bench, run: async (args, print) => bench.run(parseOptions(bench.options, args), print) };
}
