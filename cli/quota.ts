import type { Command } from 'commander';
import type { CliDeps } from './deps.ts';
import { documentCommand } from './help.ts';
import { QUOTAS } from './remote/apis.ts';
import { addApplyCommand, addDeleteCommand, addGetCommand, addListCommand } from './remote/group.ts';
import { REMOTE_CODES } from './remote/options.ts';
import { QUOTA_SHOWN } from './remote/shown.ts';

/** `sublet quota`: limits that a seller sets on the tenants that it sells to, beside those of their plans. */
export function addQuotaCommand(program: Command, deps: CliDeps): void {
  const quota = program.command('quota').description('limits that a seller sets on its tenants');
  documentCommand(quota, {
    details: [
      'A quota has the name of the tenant that it limits, and belongs to its seller: --tenant names the seller.',
    ],
    examples: [
      ['sublet quota list --tenant acme', "limits of acme's customers, and what is used of them"],
      ['sublet quota apply --tenant acme -f bob-quota.yaml', 'set the limits of one'],
    ],
    exitCodes: REMOTE_CODES,
  });
  const group = { api: QUOTAS, shown: QUOTA_SHOWN, plural: 'quotas', example: 'bob' };
  addListCommand(quota, deps, group);
  addGetCommand(quota, deps, group);
  addApplyCommand(quota, deps, group);
  addDeleteCommand(quota, deps, group);
}
