import path from 'node:path';
import { Command } from 'commander';
import { addApiCommand } from './api.ts';
import { addAuditCommand } from './audit.ts';
import { addChangeCommand } from './change.ts';
import { addCompletionCommand } from './completion.ts';
import { addContextCommand } from './context.ts';
import type { CliDeps } from './deps.ts';
import { addDesktopCommand } from './desktop.ts';
import { addDevCommand } from './dev.ts';
import { addDiffCommand } from './diff.ts';
import { EXIT } from './exit.ts';
import { documentCommand } from './help.ts';
import { addKeyCommand } from './key.ts';
import { addLintCommand } from './lint.ts';
import { addOperatorCommand } from './operator.ts';
import { addPlanCommand } from './plan.ts';
import { addQuotaCommand } from './quota.ts';
import { addSourceCommand } from './source.ts';
import { addTenantCommand } from './tenant.ts';

/** The whole of `sublet`: nothing runs before it is told to parse. `name` is how its user called it. */
export function buildProgram(deps: CliDeps, name = 'sublet'): Command {
  const program = new Command(name)
    .description('Turns a Kubernetes cluster with KubeVirt and Flux into a hosting business')
    .configureOutput({ writeOut: deps.out, writeErr: deps.err })
    .exitOverride()
    .showHelpAfterError('Run with --help to see the commands.');
  documentCommand(program, {
    details: ['Colours go only to a terminal, and not at all where NO_COLOR is set.'],
    examples: [
      ['sublet lint', 'check a fleet repository before a commit'],
      ['sublet diff --base main', 'what a branch changes, and what it costs'],
      ['sublet dev', 'try all of Sublet on this machine'],
    ],
    exitCodes: {
      [EXIT.done]: 'done as asked',
      [EXIT.refused]: 'the answer is no, or it failed; what was printed says why',
      [EXIT.usage]: 'the command line or a setting is wrong',
      [EXIT.later]: 'the server cannot be reached, or it took too long; trying again may help',
    },
  });
  addTenantCommand(program, deps);
  addPlanCommand(program, deps);
  addQuotaCommand(program, deps);
  addDesktopCommand(program, deps);
  addChangeCommand(program, deps);
  addKeyCommand(program, deps);
  addAuditCommand(program, deps);
  addContextCommand(program, deps);
  addLintCommand(program, deps);
  addDiffCommand(program, deps);
  addCompletionCommand(program, deps);
  addOperatorCommand(program, deps.signal);
  addSourceCommand(program, deps.signal);
  addApiCommand(program, deps.signal);
  addDevCommand(program, deps.signal);
  return program;
}

/** `kubectl-sublet` on the path makes `kubectl sublet` of the same program. */
export function nameProgram(argv1: string | undefined): string {
  const called = path.basename(argv1 ?? '').replace(/\.[cm]?[jt]s$/, '');
  return called === 'kubectl-sublet' || called === 'kubectl_sublet' ? 'kubectl sublet' : 'sublet';
}
