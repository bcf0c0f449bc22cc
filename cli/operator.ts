import type { Command } from 'commander';
import { documentCommand, SERVER_CODES } from './help.ts';

/** `sublet operator`: makes Tenants, Plans, Quotas and RDPInstances real. */
export function addOperatorCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command('operator')
    .description('run the operator until it is stopped')
    .action(async () => {
      const settings = parseSettings(process.env.SUBLET_OPERATOR_CONFIG);
      await (await import('../operator/main.ts')).runOperator(settings, signal);
    });
  documentCommand(command, {
    details: [
      "Reaches the API server as kubectl does: KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount.",
      'SUBLET_OPERATOR_CONFIG may hold settings as JSON; operator/config.ts lists them with their defaults.',
    ],
    examples: [
      ['sublet operator', 'with the defaults'],
      [`SUBLET_OPERATOR_CONFIG='{"workers": 32, "leaderElection": false}' sublet operator`, 'with settings of its own'],
    ],
    exitCodes: SERVER_CODES,
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
