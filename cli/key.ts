import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Operation, Output } from '../client/index.ts';
import { Member } from '../crds/v1alpha1/tenant.ts';
import type { CliDeps } from './deps.ts';
import { documentCommand } from './help.ts';
import { call } from './remote/call.ts';
import { addReadOptions, REMOTE_CODES, type ReadOptions } from './remote/options.ts';
import { printList, type Shown } from './remote/print.ts';
import { openSession, requireTenant } from './remote/session.ts';

type Key = Output<Operation<'/v1/tenants/{path}/keys', 'get'>>['items'][number];

const KEY_SHOWN: Shown<Key> = {
  name: ({ id }) => `key/${id}`,
  none: 'No keys.',
  columns: [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'ROLE', cell: ({ role }) => role },
    { title: 'MAKER', cell: ({ maker }) => maker },
    { title: 'EXPIRES', cell: ({ expiresAt }) => expiresAt },
    { title: 'LAST USED', cell: ({ lastUsedAt }) => lastUsedAt ?? 'never' },
    { title: 'CREATED', wide: true, cell: ({ createdAt }) => createdAt },
  ],
};

/** `sublet key`: API keys, for programs that act in somebody's name. */
export function addKeyCommand(program: Command, deps: CliDeps): void {
  const key = program.command('key').description('API keys, for programs that act in your name');
  documentCommand(key, {
    examples: [
      ['sublet key list --tenant acme', 'yours; an Owner or Admin sees all'],
      ['sublet key new ci --role Developer --tenant acme--bob', 'make one'],
    ],
    exitCodes: REMOTE_CODES,
  });
  addList(key, deps);
  addNew(key, deps);
  addRevoke(key, deps);
}

function addList(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent.command('list').alias('ls').description('list API keys that were not revoked'),
  ).action(async (options: ReadOptions) => {
    const { client, target } = await openSession(deps, options);
    const { data } = await call(() =>
      client.get('/v1/tenants/{path}/keys', { path: { path: requireTenant(target) } }, { signal: deps.signal }),
    );
    await printList(deps, options.output, data.items, KEY_SHOWN);
  });
  documentCommand(command, {
    examples: [['sublet key list --tenant acme', 'with their last use']],
    exitCodes: REMOTE_CODES,
  });
}

function addNew(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent
      .command('new')
      .description('make an API key for a tenant and those below it')
      .argument('<name>', 'a name for people')
      .addOption(
        new Option('--role <role>', 'what it may do at most').choices(Member.shape.role.options).makeOptionMandatory(),
      )
      .option('--days <days>', 'how long it is good', parseDays, 90),
  ).action(async (name: string, options: ReadOptions & { readonly role: Member['role']; readonly days: number }) => {
    const { client, target } = await openSession(deps, options);
    const body = { name, role: options.role, expiresInDays: options.days };
    const { data } = await call(() =>
      client.post('/v1/tenants/{path}/keys', { path: { path: requireTenant(target) }, body }, { signal: deps.signal }),
    );
    if (options.output === 'json') return deps.out(`${JSON.stringify(data, null, 2)}\n`);
    if (options.output === 'yaml') return deps.out((await import('yaml')).stringify(data));
    // The one time that it can be had, so this is what the command is for.
    deps.out(`${data.token}\n`);
    deps.err(`key ${data.id}, good until ${data.expiresAt}. The token is shown this once: put it where it is needed\n`);
  });
  documentCommand(command, {
    details: [
      'The token alone goes to standard output. It acts in your name, never beyond what you may do at that moment.',
    ],
    examples: [
      ['sublet key new ci --role Developer --tenant acme--bob > ci.token', 'keep it in a file; chmod 600 it'],
      ['sublet key new ci --role Viewer --days 7 -o json', 'with its id and end'],
    ],
    exitCodes: REMOTE_CODES,
  });
}

function addRevoke(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent.command('revoke').description('revoke an API key at once').argument('<id>', 'its id, 20 hexadecimal digits'),
  ).action(async (id: string, options: ReadOptions) => {
    const { client, target } = await openSession(deps, options);
    await call(() =>
      client.delete(
        '/v1/tenants/{path}/keys/{id}',
        { path: { path: requireTenant(target), id } },
        { signal: deps.signal },
      ),
    );
    deps.err(`key ${id} is revoked\n`);
  });
  documentCommand(command, {
    examples: [['sublet key revoke 0123456789abcdef0123 --tenant acme', 'nobody gets in with it any more']],
    exitCodes: REMOTE_CODES,
  });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 365) return days;
  throw new InvalidArgumentError('Days are a whole number from 1 to 365.');
}
