import { Command } from 'commander';
import { addDevCommand } from './dev.ts';
import { addOperatorCommand } from './operator.ts';
import { addSourceCommand } from './source.ts';
import { listenForStop } from './stop.ts';

/** `sublet`: the roles of the platform in one program. Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage. */
const program = new Command('sublet')
  .description('Turns a Kubernetes cluster with KubeVirt and Flux into a hosting business')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .showHelpAfterError('Run with --help to see the commands.');

const stop = listenForStop();
addOperatorCommand(program, stop);
addSourceCommand(program, stop);
addDevCommand(program, stop);

try {
  await program.parseAsync(process.argv, { from: 'node' });
} catch (error) {
  process.stderr.write(`sublet: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
