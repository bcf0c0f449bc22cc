import type { Command } from 'commander';
import type { CliDeps } from './deps.ts';
import { documentCommand } from './help.ts';
import { PLANS } from './remote/apis.ts';
import { addApplyCommand, addDeleteCommand, addGetCommand, addListCommand } from './remote/group.ts';
import { REMOTE_CODES } from './remote/options.ts';
import { PLAN_SHOWN } from './remote/shown.ts';

/** `sublet plan`: the price list of the seller that `--tenant` names. */
export function addPlanCommand(program: Command, deps: CliDeps): void {
  const plan = program.command('plan').description('the price list of a seller');
  documentCommand(plan, {
    examples: [
      ['sublet plan list --tenant acme', 'what acme sells'],
      ['sublet plan apply -f plan.yaml', 'sell something new, or change what it costs'],
    ],
    exitCodes: REMOTE_CODES,
  });
  const group = { api: PLANS, shown: PLAN_SHOWN, plural: 'plans', example: 'pro' };
  addListCommand(plan, deps, group);
  addGetCommand(plan, deps, group);
  addApplyCommand(plan, deps, group);
  addDeleteCommand(plan, deps, group);
}
