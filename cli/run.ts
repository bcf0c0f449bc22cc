import { CommanderError } from 'commander';
import type { CliDeps } from './deps.ts';
import { CliExit, EXIT } from './exit.ts';
import { showText } from './output/text.ts';
import { buildProgram } from './program.ts';

/** Runs one command line and gives the exit code. Never rejects: what goes wrong is said on standard error. */
export async function runCli(deps: CliDeps, args: readonly string[], name?: string): Promise<number> {
  try {
    await buildProgram(deps, name).parseAsync([...args], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    // commander has printed its own complaint, with a hint, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof CliExit) {
      if (error.message !== '') deps.err(`sublet: ${renderLines(error.message)}\n`);
      return error.code;
    }
    deps.err(`sublet: ${renderLines(error instanceof Error ? error.message : String(error))}\n`);
    return EXIT.refused;
  }
}

function renderLines(message: string): string {
  return message.split('\n').map(showText).join('\n');
}
