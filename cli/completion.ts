import { Argument, type Command } from 'commander';
import type { CliDeps } from './deps.ts';
import { EXIT } from './exit.ts';
import { documentCommand } from './help.ts';
import { computeCandidates } from './output/candidates.ts';
import { SCRIPTS, type Shell } from './output/completionscripts.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const satisfies readonly Shell[];

/** `sublet completion`: a script that asks this program what could come next, so that it never lags behind the commands. */
export function addCompletionCommand(program: Command, deps: CliDeps): void {
  const command = program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell that will read it').choices(SHELLS))
    .action((shell: Shell) => deps.out(SCRIPTS[shell](program.name())));
  documentCommand(command, {
    details: [
      'The script calls this program by name, so sublet has to be on the PATH. As kubectl sublet, bash and zsh are completed by kubectl itself.',
    ],
    examples: [
      ['source <(sublet completion bash)', 'in this shell; add the line to ~/.bashrc for every one'],
      ['sublet completion zsh > ~/.zfunc/_sublet', 'for zsh, with ~/.zfunc in fpath; begin a new shell afterwards'],
      ['sublet completion fish > ~/.config/fish/completions/sublet.fish', 'for fish'],
    ],
    exitCodes: { [EXIT.done]: 'printed', [EXIT.usage]: 'there is no script for that shell' },
  });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action((words: readonly string[]) => {
      const { candidates, files } = computeCandidates(program, words);
      const lines = candidates.map(({ value, description }) => `${value}\t${description}`);
      deps.out([...lines, files ? ':files' : ':none', ''].join('\n'));
    });
}
