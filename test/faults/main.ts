// `npm run faults`: every class of trouble over every scenario. Prints each finding with the command that repeats it, then a table,
// then one line of JSON. Exit code 0: nothing was found; 1: something was; 2: the command line is wrong.
import { parseArgs } from 'node:util';
import { CLASSES, findClass } from './classes/index.ts';
import { renderCommand } from './point.ts';
import { findScenario, SCENARIOS } from './scenarios/index.ts';
import { type ClassResult, type SweepOptions, sweep } from './sweep.ts';

const USAGE = `Tells the lives of tenants and desktops, each with one thing that goes wrong at one point, for every point, and judges how they end.

Usage: npm run faults -- [options]

  --class NAME[,NAME]     ${CLASSES.map(({ name }) => name).join(', ')}
  --scenario NAME[,NAME]  ${SCENARIOS.map(({ name }) => name).join(', ')};
                          ${CLASSES.flatMap(({ own = [] }) => own).join(', ')}
  --seed N                of the worlds; default 1
  --at POINT              one point, as a finding names it
  --every N               every n-th point only; default 1
  --threads N             default: one a processor
  --until-found           stop at the first finding

The last line is JSON. Exit code 0: nothing was found; 1: something was, or there is no such point; 2: the command line is wrong.`;

/** Texts of one finding that are shown. */
const MOST_TEXTS = 12;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  let options: SweepOptions;
  try {
    options = parse(args);
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nnpm run faults -- --help shows the options.`,
    );
    return 2;
  }
  const results = await sweep({
    ...options,
    onFinding: ({ point, texts }) => {
      console.log(`\n${point.class} ${point.scenario} ${point.at}: ${renderCommand(point)}`);
      for (const text of texts.slice(0, MOST_TEXTS)) console.log(`  ${text}`);
      if (texts.length > MOST_TEXTS) console.log(`  and ${texts.length - MOST_TEXTS} more`);
    },
    onProgress: (text) => console.error(`  ${text}`),
  });
  return print(results);
}

function parse(args: readonly string[]): SweepOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      class: text,
      scenario: text,
      seed: text,
      at: text,
      every: text,
      threads: text,
      'until-found': { type: 'boolean' },
    },
  });
  const classes = values.class?.split(',');
  const scenarios = values.scenario?.split(',');
  for (const name of classes ?? []) findClass(name);
  const own = CLASSES.flatMap((one) => one.own ?? []);
  for (const name of scenarios ?? []) if (!own.includes(name)) findScenario(name);
  const { at } = values;
  return {
    classes,
    scenarios,
    at,
    seed: parseCount('seed', values.seed ?? '1'),
    every: parseCount('every', values.every ?? '1'),
    threads: values.threads === undefined ? undefined : parseCount('threads', values.threads),
    untilFound: values['until-found'] === true,
  };
}

function parseCount(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RangeError(`--${name}: ${text} is no whole number from 1`);
  return Number(text);
}

function print(results: readonly ClassResult[]): number {
  const width = Math.max(...results.map(({ class: name }) => name.length), 'class'.length);
  console.log(`\n${'class'.padEnd(width)}  points  findings  seconds`);
  for (const { class: name, points, findings, seconds } of results) {
    console.log(
      `${name.padEnd(width)}  ${String(points).padStart(6)}  ${String(findings.length).padStart(8)}  ${seconds.toFixed(1).padStart(7)}`,
    );
  }
  const figures = Object.fromEntries(
    results.map(({ class: name, points, findings }) => [name, { points, findings: findings.length }]),
  );
  console.log(JSON.stringify({ faults: figures }));
  if (results.every(({ points }) => points === 0))
    console.error('no point was tried: those classes and scenarios have none, or none that is called so by --at');
  return results.every(({ points, findings }) => points >= 0 && findings.length === 0) &&
    results.some(({ points }) => points > 0)
    ? 0
    : 1;
}
