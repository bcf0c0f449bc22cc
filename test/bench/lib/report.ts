import { renderNumber } from './stats.ts';

/** One figure that `targets.md` sets a mark for. */
export type Target = {
  /** Its number there, such as `P1`, or `P4_reads` for the second figure of one number. */
  readonly id: string;
  readonly what: string;
  readonly value: number;
  /** Whether a higher or a lower value is better. */
  readonly better: 'higher' | 'lower';
  readonly pass: number;
  readonly aim: number;
  /** The mark holds for another size than was measured; says which, and then never fails the run. */
  readonly unjudged?: string | undefined;
};

/** What a benchmark found out. */
export type Report = {
  readonly targets: readonly Target[];
  /** Comparisons that Sublet lost although no mark is set for them. */
  readonly losses: readonly string[];
  /** Why the measurement itself is not to be trusted; each fails the run. */
  readonly invalid: readonly string[];
};

/**
 * Prints the marks, the losing cells and, as the last line, one line of JSON with the figures by target number. Returns the
 * exit code: 0, or 1 when a figure is below its pass mark or the measurement is invalid.
 */
export function printReport(report: Report, print: (line: string) => void): number {
  print('');
  for (const target of report.targets) print(`  ${renderTarget(target)}`);
  const losing = [
    ...report.targets
      .filter((target) => !reaches(target, target.aim))
      .map((target) => `${target.id}: ${missed(target)}`),
    ...report.losses,
  ];
  print('');
  if (losing.length === 0) print('losing cells: none');
  else print(`losing cells:\n${losing.map((line) => `  ${line}`).join('\n')}`);
  for (const reason of report.invalid) print(`INVALID: ${reason}`);
  print(JSON.stringify(Object.fromEntries(report.targets.map(({ id, value }) => [id, round(value)]))));
  return report.invalid.length === 0 && report.targets.every(passes) ? 0 : 1;
}

/** Whether a figure is at or beyond its pass mark, or is not judged. */
export function passes(target: Target): boolean {
  return target.unjudged !== undefined || reaches(target, target.pass);
}

/** What is printed is judged, so that the two never differ. */
function reaches({ value, better }: Target, mark: number): boolean {
  const shown = round(value);
  return better === 'higher' ? shown >= mark : shown <= mark;
}

function renderTarget(target: Target): string {
  const { id, what, value, pass, aim, unjudged } = target;
  const verdict = unjudged ?? (passes(target) ? 'pass' : 'FAIL');
  return `${id.padEnd(12)} ${renderNumber(value).padStart(7)}  (pass ${pass}, aim ${aim}) ${verdict}: ${what}`;
}

function missed(target: Target): string {
  const mark = reaches(target, target.pass) ? `the aim ${target.aim}` : `the pass mark ${target.pass}`;
  return `${renderNumber(target.value)} misses ${mark}`;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
