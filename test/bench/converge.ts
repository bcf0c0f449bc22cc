import { defineBench, type Print } from './lib/bench.ts';
import {
  buildCeiling,
  CLIENT_NODE,
  type Contender,
  DOT_I_OPERATOR,
  installDotI,
  readContenderVersions,
  SUBLET,
} from './lib/contenders.ts';
import { describeEnvironment } from './lib/environment.ts';
import type { OptionValues } from './lib/options.ts';
import { computeTurns } from './lib/order.ts';
import type { Report } from './lib/report.ts';
import { type RunResult, runContender } from './lib/run.ts';
import { computeMedian, renderNumber, renderSummary, summarize } from './lib/stats.ts';
import { renderTable } from './lib/table.ts';
import { startTestbed, type Testbed } from './lib/testbed.ts';
import { CHILDREN_PER_TENANT } from './lib/workload.ts';

const OPTIONS = {
  tenants: { kind: 'integer', help: 'Tenants to converge', fallback: 1_000, min: 1, max: 20_000 },
  reps: { kind: 'integer', help: 'repetitions of the raw client and of Sublet', fallback: 5, min: 1, max: 100 },
  'other-reps': { kind: 'integer', help: 'repetitions of the other operators', fallback: 2, min: 0, max: 100 },
  timeout: { kind: 'integer', help: 'longest time for one run, in seconds', fallback: 600, min: 10, max: 36_000 },
  'cpu-profile': { kind: 'text', hint: 'FOLDER', help: "write the operator's CPU profiles there" },
} as const;

/** P1, P4. */
export const converge = defineBench({
  summary: 'P1, P4: tenants converged a second and calls a tenant, against a raw client and two other operators',
  options: OPTIONS,
  examples: [
    ['--tenants 1000', 'the figures as targets.md wants them'],
    ['--tenants 50 --reps 1', 'a quick look'],
    ['--tenants 200 --reps 1 --cpu-profile /tmp/profile', "see where the operator's CPU time goes"],
  ],
  run,
});

const CONNECTIONS = [8, 16, 32, 64] as const;
const CALIBRATION_TENANTS = 200;
const CALIBRATION_REPETITIONS = 2;

async function run(values: OptionValues<typeof OPTIONS>, print: Print): Promise<Report> {
  installDotI(print);
  const testbed = await startTestbed(print);
  try {
    const versions = { Kubernetes: testbed.kubernetesVersion, ...readContenderVersions() };
    for (const line of describeEnvironment(versions)) print(line);
    const { tenants, reps, 'other-reps': otherReps } = values;
    print(
      `${tenants} tenants, ${CHILDREN_PER_TENANT} children each, in the order A B C D D C B A: ` +
        `${reps} repetitions, ${Math.min(reps, otherReps)} of the other operators`,
    );
    const measure = createMeasure(testbed, values, print);
    await measure(SUBLET, Math.min(tenants, CALIBRATION_TENANTS), 'warm-up');
    const ceiling = await findCeiling(measure, tenants, print);
    const contenders = [ceiling, SUBLET, CLIENT_NODE, DOT_I_OPERATOR];
    const results = new Map<Contender, RunResult[]>(contenders.map((contender) => [contender, []]));
    for (const { contender, repetition } of computeTurns(contenders, reps)) {
      if (contender !== ceiling && contender !== SUBLET && repetition >= otherReps) continue;
      results.get(contender)?.push(await measure(contender, tenants, `${repetition + 1}`));
    }
    return evaluate({ tenants, reps, ceiling, results }, print);
  } finally {
    await testbed.stop();
  }
}

type Measure = (contender: Contender, tenants: number, label: string) => Promise<RunResult>;

/** Each run's objects have names of their own, and are gone when it returns. */
function createMeasure(testbed: Testbed, values: OptionValues<typeof OPTIONS>, print: Print): Measure {
  let runs = 0;
  return async (contender, tenants, label) => {
    runs += 1;
    const timed = contender === SUBLET && label !== 'warm-up';
    const result = await runContender({
      testbed,
      contender,
      run: `b${String(runs).padStart(3, '0')}`,
      tenants,
      timeoutMs: values.timeout * 1_000,
      cpuProfile: timed ? values['cpu-profile'] : undefined,
    });
    print(
      `  ${label.padEnd(9)} ${contender.name.padEnd(24)} ${renderNumber(result.tenantsPerSecond)} tenants/s, ` +
        `${renderNumber(result.seconds)} s, CPU ${renderNumber(result.cpuSeconds)} s, ${result.mutatingCalls} writes ` +
        `(${result.refusedCalls} refused), ${result.readsAfterSync} reads, ${Math.round(result.maxRssBytes / 2 ** 20)} MiB`,
    );
    for (const oddity of result.oddities) print(`            ${oddity}`);
    return result;
  };
}

async function findCeiling(measure: Measure, tenants: number, print: Print): Promise<Contender> {
  const count = Math.min(tenants, CALIBRATION_TENANTS);
  const candidates = CONNECTIONS.map(buildCeiling);
  const rates = new Map<Contender, number[]>(candidates.map((candidate) => [candidate, []]));
  for (const { contender } of computeTurns(candidates, CALIBRATION_REPETITIONS)) {
    rates.get(contender)?.push((await measure(contender, count, 'ceiling')).tenantsPerSecond);
  }
  const rateOf = (candidate: Contender): number => computeMedian(rates.get(candidate) ?? []);
  const best = candidates.reduce((one, other) => (rateOf(other) > rateOf(one) ? other : one));
  print(`best raw client: ${best.name}`);
  return best;
}

type Measured = {
  readonly tenants: number;
  readonly reps: number;
  readonly ceiling: Contender;
  readonly results: ReadonlyMap<Contender, readonly RunResult[]>;
};

function evaluate({ tenants, reps, ceiling, results }: Measured, print: Print): Report {
  const of = (contender: Contender): readonly RunResult[] => results.get(contender) ?? [];
  const ratios = (contender: Contender): readonly number[] =>
    of(contender).map(
      ({ tenantsPerSecond }, index) => tenantsPerSecond / (of(ceiling)[index]?.tenantsPerSecond ?? Number.NaN),
    );
  const callsATenant = (result: RunResult): number => result.mutatingCalls / tenants;
  const median = (contender: Contender, of_: (result: RunResult) => number): number =>
    computeMedian(of(contender).map(of_));
  const contenders = [...results.keys()].filter((contender) => of(contender).length > 0);
  const rows = contenders.map((contender) => [
    contender.name,
    renderSummary(summarize(of(contender).map(({ tenantsPerSecond }) => tenantsPerSecond))),
    renderSummary(summarize(ratios(contender))),
    renderNumber((median(contender, ({ cpuSeconds }) => cpuSeconds) / tenants) * 1_000),
    renderNumber(median(contender, callsATenant)),
    renderNumber(median(contender, ({ readsAfterSync }) => readsAfterSync)),
    renderNumber(median(contender, ({ maxRssBytes }) => maxRssBytes) / 2 ** 20),
  ]);
  print('');
  print(renderTable(['', 'tenants/s', '/ ceiling', 'CPU ms/tenant', 'writes/tenant', 'reads', 'MiB'], rows));
  const others = contenders.filter((contender) => contender !== SUBLET && contender !== ceiling);
  const losses = others.flatMap((other) => [
    ...(median(other, ({ tenantsPerSecond }) => tenantsPerSecond) >
    median(SUBLET, ({ tenantsPerSecond }) => tenantsPerSecond)
      ? [`${other.name} converges more tenants a second`]
      : []),
    ...(median(other, ({ cpuSeconds }) => cpuSeconds) < median(SUBLET, ({ cpuSeconds }) => cpuSeconds)
      ? [`${other.name} needs less CPU time`]
      : []),
    ...(median(other, ({ maxRssBytes }) => maxRssBytes) < median(SUBLET, ({ maxRssBytes }) => maxRssBytes)
      ? [`${other.name} needs less memory`]
      : []),
  ]);
  const beaten = contenders.filter((contender) => contender !== ceiling && computeMedian(ratios(contender)) > 1);
  const minimum = CHILDREN_PER_TENANT + 2;
  const worst = (of_: (result: RunResult) => number): number => Math.max(...of(SUBLET).map(of_));
  return {
    targets: [
      {
        id: 'P1',
        what: `convergence of ${tenants} tenants / raw ceiling, ${reps} repetitions`,
        value: computeMedian(ratios(SUBLET)),
        better: 'higher',
        pass: 0.7,
        aim: 0.9,
      },
      {
        id: 'P4',
        what: `mutating calls a tenant / ${minimum}, worst repetition`,
        value: worst(callsATenant) / minimum,
        better: 'lower',
        pass: 1.1,
        aim: 1,
      },
      {
        id: 'P4_reads',
        what: 'reads after sync, worst repetition',
        value: worst(({ readsAfterSync }) => readsAfterSync),
        better: 'lower',
        pass: 0,
        aim: 0,
      },
    ],
    losses,
    invalid: beaten.map(({ name }) => `${name} beats the raw ceiling, which is then none`),
  };
}
