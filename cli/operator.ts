import type { Command } from 'commander';

const EXAMPLES = `
Reaches the API server as kubectl does: KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount.
SUBLET_OPERATOR_CONFIG may hold settings as JSON; operator/config.ts lists them with their defaults.

Examples:
  sublet operator
  SUBLET_OPERATOR_CONFIG='{"workers": 32, "leaderElection": false}' sublet operator`;

/** `sublet operator`: makes Tenants, Plans, Quotas and RDPInstances real. */
export function addOperatorCommand(program: Command, signal: AbortSignal): void {
  program
    .command('operator')
    .description('run the operator until it is stopped')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const settings = parseSettings(process.env.SUBLET_OPERATOR_CONFIG);
      await (await import('../operator/main.ts')).runOperator(settings, signal);
    });
}

function parseSettings(text: string | undefined): unknown {
  if (text === undefined || text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('SUBLET_OPERATOR_CONFIG is not JSON; unset it for the defaults');
  }
}
