import type { Command } from 'commander';

const EXAMPLES = `
Reaches the API server as kubectl does: KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount.
SUBLET_SOURCE_CONFIG may hold settings as JSON; source/config.ts lists them with their defaults.

Examples:
  SUBLET_ENVIRONMENT=production SUBLET_SOURCE_DIRECTORY=/data sublet source`;

/** `sublet source`: publishes one gated artifact a folder of the fleet repository. */
export function addSourceCommand(program: Command, signal: AbortSignal): void {
  program
    .command('source')
    .description('run the fleet source until it is stopped')
    .addHelpText('after', EXAMPLES)
    .action(async () => (await import('../source/start.ts')).startSource(process.env, signal));
}
