import { availableParallelism } from 'node:os';
import { CLASSES } from './classes/index.ts';
import type { Finding, Point } from './point.ts';
import { createPool } from './pool.ts';
import { SCENARIOS } from './scenarios/index.ts';

export type SweepOptions = {
  /** Names of classes and scenarios; absent: all. */
  readonly classes?: readonly string[] | undefined;
  readonly scenarios?: readonly string[] | undefined;
  readonly seed: number;
  /** One point by its own name, in each class and scenario. */
  readonly at?: string | undefined;
  /** Every n-th point of a scenario, at least one, from a place that the seed decides. 1: all. */
  readonly every: number;
  readonly threads?: number | undefined;
  /** Ends at the first finding. */
  readonly untilFound?: boolean | undefined;
  readonly onFinding?: ((finding: Finding) => void) | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
};

export type ClassResult = {
  readonly class: string;
  readonly title: string;
  readonly points: number;
  readonly findings: readonly Finding[];
  /** What points counted, by name: how often over all of them. */
  readonly counts: ReadonlyMap<string, number>;
  readonly seconds: number;
};

/** Tries the points of classes and scenarios on all processors. Rejects only when it cannot work at all. */
export async function sweep(options: SweepOptions): Promise<readonly ClassResult[]> {
  const pool = createPool(options.threads ?? Math.min(availableParallelism(), MOST_THREADS));
  const results: ClassResult[] = [];
  let stop = false;
  try {
    for (const { name, title, own } of CLASSES.filter((one) => options.classes?.includes(one.name) ?? true)) {
      if (stop) break;
      const startMs = performance.now();
      const findings: Finding[] = [];
      const counts = new Map<string, number>();
      let points = 0;
      const found = (finding: Finding): void => {
        findings.push(finding);
        options.onFinding?.(finding);
        stop ||= options.untilFound === true;
      };
      const tryOne = async (point: Point): Promise<void> => {
        if (stop) return;
        const answer = await pool.ask({ kind: 'try', point });
        points += 1;
        for (const [what, times] of answer.kind === 'tried' ? answer.counts : [])
          counts.set(what, (counts.get(what) ?? 0) + times);
        const texts = answer.kind === 'tried' ? answer.texts : [answer.kind === 'failed' ? answer.text : 'no answer'];
        if (texts.length > 0) found({ point, texts });
      };
      await Promise.all(
        scenariosOf(options, own).map(async (scenario) => {
          const answer = await pool.ask({ kind: 'enumerate', class: name, scenario, seed: options.seed });
          if (answer.kind !== 'points') {
            found({
              point: { class: name, scenario, seed: options.seed, at: 'enumerate' },
              texts: [answer.kind === 'failed' ? answer.text : ''],
            });
            return;
          }
          const chosen = choose(answer.points, options);
          await Promise.all(chosen.map(tryOne));
          options.onProgress?.(`${name} ${scenario}: ${chosen.length} points`);
        }),
      );
      const seconds = (performance.now() - startMs) / 1_000;
      options.onProgress?.(`${name}: ${points} points, ${findings.length} findings, ${Math.round(seconds)} s`);
      results.push({ class: name, title, points, findings, counts, seconds });
    }
  } finally {
    await pool.close();
  }
  return results;
}

const MOST_THREADS = 8;

function scenariosOf({ scenarios }: SweepOptions, own: readonly string[] | undefined): readonly string[] {
  const told = own ?? SCENARIOS.map(({ name }) => name);
  return told.filter((name) => scenarios?.includes(name) ?? true);
}

/** At least one point of each scenario, and another one for each seed. */
function choose(points: readonly Point[], { at, every, seed }: SweepOptions): readonly Point[] {
  if (at !== undefined) return points.filter((point) => point.at === at);
  const step = Math.max(1, Math.min(every, points.length));
  return points.filter((_, index) => index % step === seed % step);
}
