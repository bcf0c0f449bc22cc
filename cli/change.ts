import { type Command, InvalidArgumentError, Option } from 'commander';
import { listAll, takeAll } from '../client/index.ts';
import type { CliDeps } from './deps.ts';
import { documentCommand } from './help.ts';
import { call } from './remote/call.ts';
import {
  addReadOptions,
  parseLimit,
  parseSeconds,
  REMOTE_CODES,
  type ReadOptions,
  WRITE_CODES,
} from './remote/options.ts';
import { printList } from './remote/print.ts';
import { openSession, requireTenant } from './remote/session.ts';
import { CHANGE_SHOWN, finishChange, followChange, printChange } from './remote/submit.ts';

const STATES = [
  'Accepted',
  'Proposed',
  'Committed',
  'Applied',
  'Held',
  'Ready',
  'Failed',
  'Conflict',
  'Rejected',
  'Superseded',
  'Gone',
] as const;
type State = (typeof STATES)[number];

/** `sublet change`: what became of writes. */
export function addChangeCommand(program: Command, deps: CliDeps): void {
  const change = program.command('change').description('what became of orders and other writes');
  documentCommand(change, {
    examples: [
      ['sublet change list --tenant acme--bob', 'the newest first'],
      ['sublet change wait I0123456789abcdef0123456789abcdef01234567', 'until it is ready, or never will be'],
    ],
    exitCodes: REMOTE_CODES,
  });
  addList(change, deps);
  addGet(change, deps);
  addWait(change, deps);
}

type ListOptions = ReadOptions & { readonly state?: State; readonly limit: number };

function addList(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent
      .command('list')
      .alias('ls')
      .description('list the changes of what a tenant has, newest first')
      .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
      .option('--limit <count>', 'at most so many', parseLimit, 50),
  ).action(async (options: ListOptions) => {
    const { client, target } = await openSession(deps, options);
    const path = { path: requireTenant(target) };
    const { state, limit } = options;
    const pages = listAll(async (cursor) => {
      const query = {
        limit: Math.min(limit, 500),
        ...(state === undefined ? {} : { state }),
        ...(cursor === undefined ? {} : { cursor }),
      };
      return (await client.get('/v1/tenants/{path}/changes', { path, query }, { signal: deps.signal })).data;
    });
    const rows = await call(() => takeAll(pages, limit));
    await printList(deps, options.output, rows, CHANGE_SHOWN);
  });
  documentCommand(command, {
    examples: [
      ['sublet change list --tenant acme--bob', 'the last 50'],
      ['sublet change list --state Held -o wide', 'those that a person has to look at'],
    ],
    exitCodes: REMOTE_CODES,
  });
}

function addGet(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent.command('get').description('show a change').argument('<id>', 'its id: I and 40 hexadecimal digits', parseId),
  ).action(async (id: string, options: ReadOptions) => {
    const { client } = await openSession(deps, options);
    const { data } = await call(() => client.get('/v1/changes/{id}', { path: { id } }, { signal: deps.signal }));
    await printChange(deps, options, data);
  });
  documentCommand(command, {
    examples: [
      [
        'sublet change get I0123456789abcdef0123456789abcdef01234567 -o yaml',
        'with the commit, and the difference where there is a conflict',
      ],
    ],
    exitCodes: REMOTE_CODES,
  });
}

function addWait(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent
      .command('wait')
      .description('wait for a change, and say each of its states')
      .argument('<id>', 'its id: I and 40 hexadecimal digits', parseId)
      .addOption(new Option('--for <state>', 'how far').choices(['Applied', 'Ready']).default('Ready'))
      .option('--timeout <seconds>', 'how long', parseSeconds, 300),
  ).action(
    async (id: string, options: ReadOptions & { readonly for: 'Applied' | 'Ready'; readonly timeout: number }) => {
      const { client } = await openSession(deps, options);
      const waiting = { ...options, wait: options.for };
      await finishChange(deps, waiting, await followChange(deps, client, waiting, id));
    },
  );
  documentCommand(command, {
    examples: [
      ['sublet change wait I0123456789abcdef0123456789abcdef01234567 --for Applied --timeout 60', 'until Flux has it'],
    ],
    exitCodes: WRITE_CODES,
  });
}

function parseId(text: string): string {
  if (/^I[0-9a-f]{40}$/.test(text)) return text;
  throw new InvalidArgumentError('A change is I and 40 hexadecimal digits.');
}
