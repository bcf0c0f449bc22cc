import { type Command, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../exit.ts';
import type { CommandDoc } from '../help.ts';
import type { RemoteOptions } from './session.ts';

export const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof OUTPUTS)[number];

export type ReadOptions = RemoteOptions & { readonly output: OutputFormat };

export type WriteOptions = ReadOptions & {
  /** `true`: as far as the resource goes. */
  readonly wait?: true | 'Applied' | 'Ready' | undefined;
  readonly timeout: number;
  readonly dryRun: boolean;
  readonly idempotencyKey?: string | undefined;
};

/** Where to and in whose name; how the answer is printed. */
export function addReadOptions(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(OUTPUTS).default('table'))
    .option('-t, --tenant <path>', 'the tenant that it is about, such as acme--bob; - is the provider')
    .option('--context <name>', 'a context of sublet context')
    .option('--server <url>', 'address of the API')
    .option('--token-file <file>', 'a file that its owner alone may read, with the token in its first line')
    .option('--insecure', 'allow plain http to other machines');
}

export function addWriteOptions(command: Command): Command {
  return addReadOptions(command)
    .addOption(new Option('--wait [state]', 'wait until the change is Applied or Ready').choices(['Applied', 'Ready']))
    .option('--timeout <seconds>', 'how long --wait waits', parseSeconds, 300)
    .option('--dry-run', 'print what would be sent, and send nothing', false)
    .option('--idempotency-key <key>', 'makes repeated calls with it one request for seven days');
}

/** Codes of every command that speaks to a server. */
export const REMOTE_CODES = {
  [EXIT.done]: 'done as asked',
  [EXIT.refused]: 'the server refused; the message names the field and what to do',
  [EXIT.usage]: 'the command line or a setting is wrong',
  [EXIT.later]: 'the server gave no answer, or is too busy; trying again may help',
} as const satisfies CommandDoc['exitCodes'];

export const WRITE_CODES = {
  ...REMOTE_CODES,
  [EXIT.done]: 'accepted; with --wait: got there',
  [EXIT.refused]: 'refused, or with --wait: the change failed, is in conflict, was rejected, superseded or is held',
  [EXIT.later]: 'the server gave no answer, or is too busy, or --timeout is over; trying again may help',
} as const satisfies CommandDoc['exitCodes'];

const MOST_SECONDS = 86_400;

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_SECONDS) return seconds;
  throw new InvalidArgumentError(`Seconds are a whole number from 1 to ${MOST_SECONDS}.`);
}

const MOST_LISTED = 10_000;

export function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_LISTED) return limit;
  throw new InvalidArgumentError(`A limit is a whole number from 1 to ${MOST_LISTED}.`);
}
