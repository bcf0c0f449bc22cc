// `npm run simulate`: whole years of the product in seconds, decided by a seed.

import { parseArgs } from 'node:util';
import { FAULT_KINDS, type FaultKind, GIT_FAULT_KINDS } from '../../simulator/scenario/steps.ts';
import { findShortest } from './bisect.ts';
import { type Progress, type RunOptions, type RunResult, runScenario, START_MS } from './run.ts';

const HELP = `The whole product in virtual time: people order, change, remove and bring back desktops by commits and kubectl, and things break.
What happens is decided by the seed alone; a failure repeats with the same seed on the same commit.

Usage: npm run simulate -- [options]

  --seed N                 what happens; default: a new one, which is printed
  --days D                 of virtual time (default 365)
  --tenants T              default 100
  --desktops K             of each customer, to begin with (default 3)
  --faults none|all|LIST   what goes wrong, by comma (default all):
                           ${FAULT_KINDS.slice(0, 8).join(', ')},
                           ${FAULT_KINDS.slice(8).join(', ')}
  --deeds N                what people do on a day, on the average; more on few days by default
  --fault-rate N           what goes wrong on a day, on the average
  --engine                 orders go through the Git write engine; more can go wrong then:
                           ${GIT_FAULT_KINDS.join(', ')}
  --production-intervals   probes, leases, watches and Flux as often as deployed; default: nothing by itself more than daily
  --actions N              only so many actions of the scenario, then everything must come true
  --no-shrink              a failure is not reduced to the shortest prefix that still fails
  --verbose                each action as it happens
  --help                   this text

Examples:
  npm run simulate -- --seed 7
      one year of 100 tenants with 3 desktops each, everything goes wrong now and then
  npm run simulate -- --days 3 --tenants 10 --production-intervals
  npm run simulate -- --seed 7 --days 30 --tenants 5 --faults kill-operator,api-errors --verbose
  npm run simulate -- --seed 7 --days 2 --tenants 3 --engine
  npm run simulate -- --days 2 --tenants 200 --desktops 5 --deeds 20
      1 000 desktops at once

The last line is one line of JSON; P20 is virtual time by wall time. Exit code 0: every promise held; 1: one was broken; 2: the command line is wrong.`;

const PROGRESS_MS = 1_000;
const TAIL_LINES = 40;

// Thousands of connections break in a simulated year; where in the code says nothing about why.
Error.stackTraceLimit = 0;
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: RunOptions & { readonly shrinks: boolean };
  try {
    const parsed = parseOptions(args);
    if (parsed === undefined) {
      console.log(HELP);
      return 0;
    }
    options = parsed;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\nnpm run simulate -- --help shows the options.`);
    return 2;
  }
  const { seed, days, tenants, desktops, intervals } = options;
  console.error(`seed ${seed}: ${days} days, ${tenants} tenants, ${desktops} desktops each, ${intervals} intervals`);
  const result = await runScenario(options);
  if (result.problems.length > 0) await explain(options, result);
  console.log(JSON.stringify(summarise(options, result)));
  return result.problems.length === 0 ? 0 : 1;
}

/** Undefined: help is asked for. Throws on what cannot be. */
function parseOptions(args: readonly string[]): (RunOptions & { readonly shrinks: boolean }) | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      days: { type: 'string' },
      tenants: { type: 'string' },
      desktops: { type: 'string' },
      faults: { type: 'string' },
      deeds: { type: 'string' },
      'fault-rate': { type: 'string' },
      engine: { type: 'boolean' },
      'production-intervals': { type: 'boolean' },
      actions: { type: 'string' },
      'no-shrink': { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return undefined;
  const verbose = values.verbose === true;
  const engine = values.engine === true;
  return {
    seed: parseNumber('seed', values.seed, Math.floor(Math.random() * 1_000_000), { min: 0 }),
    days: parseNumber('days', values.days, 365, { min: 0.1, max: 3_660, fraction: true }),
    tenants: parseNumber('tenants', values.tenants, 100, { min: 1, max: 5_000 }),
    desktops: parseNumber('desktops', values.desktops, 3, { min: 1, max: 8 }),
    engine,
    faults: parseFaults(values.faults ?? 'all', listFaults(engine)),
    intervals: values['production-intervals'] === true ? 'production' : 'year',
    deedsADay: optional(values.deeds, (text) => parseNumber('deeds', text, 0, { min: 0, fraction: true })),
    faultsADay: optional(values['fault-rate'], (text) =>
      parseNumber('fault-rate', text, 0, { min: 0, fraction: true }),
    ),
    actions: optional(values.actions, (text) => parseNumber('actions', text, 0, { min: 1 })),
    shrinks: values['no-shrink'] !== true,
    onProgress: verbose ? printAction : createProgress(),
  };
}

function optional<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : parse(text);
}

type Bounds = { readonly min: number; readonly max?: number; readonly fraction?: boolean };

function parseNumber(name: string, text: string | undefined, fallback: number, bounds: Bounds): number {
  if (text === undefined) return fallback;
  const { min, max = Number.MAX_SAFE_INTEGER, fraction = false } = bounds;
  const value = Number(text);
  const fits = text.trim() !== '' && value >= min && value <= max && (fraction || Number.isInteger(value));
  if (fits) return value;
  throw new RangeError(`--${name} ${text}: expected a ${fraction ? '' : 'whole '}number from ${min} to ${max}`);
}

function listFaults(engine: boolean | undefined): readonly FaultKind[] {
  return engine === true ? [...FAULT_KINDS, ...GIT_FAULT_KINDS] : FAULT_KINDS;
}

function parseFaults(text: string, all: readonly FaultKind[]): readonly FaultKind[] {
  if (text === 'none') return [];
  if (text === 'all') return all;
  return text.split(',').map((name) => {
    const known = all.find((kind) => kind === name);
    if (known === undefined)
      throw new RangeError(`--faults: there is no ${JSON.stringify(name)}; there are: ${all.join(', ')}`);
    return known;
  });
}

function createProgress(): (progress: Progress) => void {
  const startedMs = performance.now();
  let lastMs = startedMs;
  return ({ atMs, actions, events }) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < PROGRESS_MS) return;
    lastMs = nowMs;
    const speed = Math.round(atMs / (nowMs - startedMs));
    const day = (atMs / 86_400_000).toFixed(1);
    console.error(
      `day ${day}: ${actions} actions, ${events} events, ${speed.toLocaleString('en-US')} times as fast as life`,
    );
  };
}

function printAction({ atMs, what }: Progress): void {
  console.error(`${new Date(START_MS + atMs).toISOString()} ${what}`);
}

/** What was broken, and how little it takes to see it. */
async function explain(options: RunOptions & { readonly shrinks: boolean }, failed: RunResult): Promise<void> {
  let result = failed;
  if (options.shrinks && options.actions === undefined) {
    const onTry = (actions: number): void => console.error(`does it fail with ${actions} actions?`);
    const shortest = await findShortest(runScenario, options, failed, onTry);
    result = shortest.result;
    console.error(`\nThe shortest prefix that fails has ${shortest.actions} actions.`);
  }
  const told = result.actions.map(({ atMs, what }) => `${new Date(START_MS + atMs).toISOString()} ${what}`);
  console.error(`\nThe last actions:\n  ${told.slice(-15).join('\n  ')}`);
  console.error(`\nThe last calls and changes:\n  ${result.tail.slice(-TAIL_LINES).join('\n  ')}`);
  console.error(`\nBroken:\n  ${result.problems.slice(0, 10).join('\n  ')}`);
  console.error(`\nTo see it again: ${renderCommand(options, result.actions.length)}`);
}

function renderCommand(options: RunOptions, actions: number): string {
  const { seed, days, tenants, desktops, faults, engine, intervals, deedsADay, faultsADay } = options;
  const kinds = faults.length === 0 ? 'none' : faults.length === listFaults(engine).length ? 'all' : faults.join(',');
  return [
    `npm run simulate -- --seed ${seed} --days ${days} --tenants ${tenants} --desktops ${desktops} --faults ${kinds}`,
    ...(deedsADay === undefined ? [] : [`--deeds ${deedsADay}`]),
    ...(faultsADay === undefined ? [] : [`--fault-rate ${faultsADay}`]),
    ...(engine === true ? ['--engine'] : []),
    ...(intervals === 'production' ? ['--production-intervals'] : []),
    `--actions ${actions}`,
  ].join(' ');
}

function summarise(options: RunOptions, result: RunResult) {
  const { seed, days, tenants, faults, engine, intervals } = options;
  const { user, system } = process.cpuUsage();
  const wallS = result.wallMs / 1_000;
  return {
    P20: Math.round(result.simulatedMs / result.wallMs),
    seed,
    days,
    tenants,
    desktops: result.desktops,
    intervals,
    engine: engine === true,
    faults: faults.length,
    actions: result.actions.length,
    checkpoints: result.checkpoints,
    events: result.events,
    writes: result.writes,
    changes: result.changes,
    wallSeconds: Number(wallS.toFixed(1)),
    cpuSeconds: Number(((user + system) / 1_000_000).toFixed(1)),
    eventsPerSecond: Math.round(result.events / wallS),
    invariants: result.problems.length === 0 ? 'hold' : 'broken',
  };
}
