// `npm run faults`: every class of trouble over every scenario. Prints each finding with the command that repeats it, then a table,
// then one line of JSON. Exit code 0: nothing was found; 1: something was; 2: the command line is wrong.
import { parseArgs } from 'node:util';
import { CLASSES, findClass } from './classes/index.ts';
import { type FaultClass, renderCommand } from './point.ts';
import { findScenario, SCENARIOS } from './scenarios/index.ts';
import { type ClassResult, type SweepOptions, sweep } from './sweep.ts';

const USAGE = `Tells the lives of tenants and desktops, each with one thing that goes wrong at one point, for every point, and judges how they end.

Usage: npm run faults -- [options]

  --class NAME[,NAME]     ${CLASSES.map(({ name }) => name).join(', ')}
  --scenario NAME[,NAME]  ${SCENARIOS.map(({ name }) => name).join(', ')};
                          ${CLASSES.flatMap(({ own = [] }) => own).join(', ')}
  --seed N                of the worlds; default 1
  --at POINT              one point, as a finding names it; with one class and one scenario
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
  if (at !== undefined && !(classes?.length === 1 && scenarios?.length === 1))
    throw new RangeError('--at names one point: give the --class and the --scenario that it belongs to, one each');
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
  for (const result of results) printCounts(result);
  const figures = Object.fromEntries(
    results.map(({ class: name, points, findings, counts }) => {
      const { table } = findClass(name);
      const cells = table === undefined ? {} : { cells: cellsOf(table).length, empty: listEmpty(table, counts).length };
      return [name, { points, findings: findings.length, ...cells }];
    }),
  );
  console.log(JSON.stringify({ faults: figures }));
  if (results.every(({ points }) => points === 0))
    console.error('no point was tried: those classes and scenarios have none, or none that is called so by --at');
  return results.every(({ points, findings }) => points >= 0 && findings.length === 0) &&
    results.some(({ points }) => points > 0)
    ? 0
    : 1;
}

type Table = NonNullable<FaultClass['table']>;

/** How often each cell of a class's table was met with. */
function printCounts({ class: name, counts }: ClassResult): void {
  const { table } = findClass(name);
  if (table === undefined || counts.size === 0) return;
  const { rows, columns } = table;
  const widths = columns.map((column) => Math.max(column.length, 6));
  const first = Math.max(...rows.map(({ length }) => length));
  const line = (head: string, cells: readonly string[]): string =>
    [head.padEnd(first), ...cells.map((cell, at) => cell.padStart(widths[at] ?? 0))].join('  ');
  console.log(`\n${line('', columns)}`);
  for (const row of rows.filter((name) => columns.some((column) => counts.has(`${column}:${name}`))))
    console.log(
      line(
        row,
        columns.map((column) => String(counts.get(`${column}:${row}`) ?? 0)),
      ),
    );
}

function cellsOf({ rows, columns }: Table): readonly string[] {
  return rows.flatMap((row) => columns.map((column) => `${column}:${row}`));
}

function listEmpty(table: Table, counts: ReadonlyMap<string, number>): readonly string[] {
  return cellsOf(table).filter((cell) => (counts.get(cell) ?? 0) === 0);
}
