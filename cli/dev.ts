import { type Command, InvalidArgumentError } from 'commander';
import type { DevOptions } from './embedded/dev.ts';
import { documentCommand, SERVER_CODES } from './help.ts';

const DEFAULT_PORT = 7_443;
const LAST_PORT = 65_533;

/** `sublet dev`: all of it on this machine, for whoever tries it out or works on it. */
export function addDevCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command('dev')
    .description('run Sublet on an embedded cluster, with the reference fleet, until it is stopped')
    .option('--data <folder>', 'where everything is kept', parseFolder, '.sublet')
    .option(
      '--port <port>',
      'where the API server listens; the Git remote and the API have the next two',
      parsePort,
      DEFAULT_PORT,
    )
    .option(
      '--environment <name>',
      'the folder of the fleet that is used: staging or production',
      parseEnvironment,
      'staging',
    )
    .option('--quick', 'let simulated machines do every step within a second', false)
    .action(async (options: DevOptions) => (await loadDev()).runDev(options, signal));
  documentCommand(command, {
    details: [
      'A development tool: an API server in this process, with no cluster behind it, simulated Flux and KubeVirt, and a Git remote that anybody on this machine may push',
      'to. No virtual machine boots: each desktop is an RDP listener on a loopback address. Everything is kept in the folder, and the next start goes on from there.',
    ],
    examples: [
      ['sublet dev', 'with everything in .sublet'],
      ['sublet dev --data /tmp/sublet --port 9443', 'another folder, another port'],
      ['KUBECONFIG=.sublet/kubeconfig kubectl get sublet --all-namespaces', 'meanwhile, in another shell'],
    ],
    exitCodes: SERVER_CODES,
  });
}

function parseFolder(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Name a folder.');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= LAST_PORT) return port;
  throw new InvalidArgumentError(`A port is a number from 1 to ${LAST_PORT}: the next two are taken as well.`);
}

function parseEnvironment(text: string): DevOptions['environment'] {
  if (text === 'staging' || text === 'production') return text;
  throw new InvalidArgumentError('The reference fleet has the environments staging and production.');
}

/** The simulators are no part of the program that runs in production. */
async function loadDev(): Promise<typeof import('./embedded/dev.ts')> {
  try {
    return await import('./embedded/dev.ts');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing) throw error;
    throw new Error('sublet dev runs from a checkout of the repository only: npm run dev', { cause: error });
  }
}
