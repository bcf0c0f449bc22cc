// `npm run bench -- <name>`: measurements side by side, with the marks of each.

import { UnavailableError } from '../cluster/binaries.ts';
import { api } from './api.ts';
import { change } from './change.ts';
import { converge } from './converge.ts';
import { decode } from './decode.ts';
import { fleet } from './fleet.ts';
import { git } from './git.ts';
import type { Bench } from './lib/bench.ts';
import { renderOptions, UsageError } from './lib/options.ts';
import { printReport } from './lib/report.ts';
import { restart } from './restart.ts';

const BENCHES: Readonly<Record<string, Bench>> = { api, change, converge, restart, decode, fleet, git };
const COMMAND = 'npm run bench --';

process.exitCode = await main(process.argv.slice(2));
// Informers of client libraries keep timers and sockets that nothing can close.
process.exit();

/** 0: every mark reached; 1: a mark missed or the run failed; 2: the command line is wrong. */
async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(renderIndex());
    return 0;
  }
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (bench === undefined) {
    console.error(`there is no benchmark named ${JSON.stringify(name)}\n\n${renderIndex()}`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(renderHelp(name, bench));
    return 0;
  }
  try {
    return printReport(await bench.run(args, console.log), console.log);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${renderHelp(name, bench)}`);
      return 2;
    }
    console.error(error instanceof UnavailableError ? error.message : error);
    return 1;
  }
}

function renderIndex(): string {
  const lines = Object.entries(BENCHES).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return `Benchmarks:\n${lines.join('\n')}\n\n${COMMAND} <name> --help shows a benchmark's options and examples.`;
}

function renderHelp(name: string, bench: Bench): string {
  const examples = bench.examples.map(([args, what]) => `  ${COMMAND} ${`${name} ${args}`.trimEnd()}\n      ${what}`);
  return [
    `${COMMAND} ${name} [options]\n`,
    `  ${bench.summary}\n`,
    `Options:\n${renderOptions(bench.options)}\n`,
    `Examples:\n${examples.join('\n')}\n`,
    'The last line is one line of JSON with the figures by target number. Exit code 0: every mark was reached;',
    '1: a figure is below its pass mark, or the run failed; 2: the command line is wrong.',
  ].join('\n');
}
