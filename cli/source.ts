import type { Command } from 'commander';
import { documentCommand, SERVER_CODES } from './help.ts';

/** `sublet source`: publishes one gated artifact a folder of the fleet repository. */
export function addSourceCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command('source')
    .description('run the fleet source until it is stopped')
    .action(async () => (await import('../source/start.ts')).startSource(process.env, signal));
  documentCommand(command, {
    details: [
      "Reaches the API server as kubectl does: KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount.",
      'SUBLET_SOURCE_CONFIG may hold settings as JSON; source/config.ts lists them with their defaults.',
    ],
    examples: [
      [
        'SUBLET_ENVIRONMENT=production SUBLET_SOURCE_DIRECTORY=/data sublet source',
        'for the production folders, with archives in /data',
      ],
    ],
    exitCodes: SERVER_CODES,
  });
}
