/** One thing to try, by values alone, so that it can be printed, sent to a worker and tried again. */
export type Point = {
  readonly class: string;
  readonly scenario: string;
  readonly seed: number;
  /** What goes wrong, as the class reads it: `12:unanswered`. */
  readonly at: string;
};

/** A point that did not end as it has to. */
export type Finding = { readonly point: Point; readonly texts: readonly string[] };

/** Counts something by name that a point brought about, for the report. */
export type Count = (name: string) => void;

/** A kind of trouble. */
export type FaultClass = {
  readonly name: string;
  readonly title: string;
  /** Scenarios of its own, by name, which are told instead of the common ones. */
  readonly own?: readonly string[];
  /** Every point of one scenario; empty where the class does not apply to it. */
  enumerate(scenario: string, seed: number): Promise<readonly Point[]>;
  /** What is wrong after it; empty when nothing is. */
  tryPoint(point: Point, count: Count): Promise<readonly string[]>;
  /** What `count` is told of, as a table. Absent: it is told of nothing. */
  readonly table?: { readonly rows: readonly string[]; readonly columns: readonly string[] };
};

/** The command that tries one point again. */
export function renderCommand({ class: name, scenario, seed, at }: Point): string {
  return `npm run faults -- --class ${name} --scenario ${scenario} --seed ${seed} --at ${at}`;
}
