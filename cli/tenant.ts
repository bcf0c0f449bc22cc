import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { listAll, takeAll } from '../client/index.ts';
import { splitPath } from '../model/names.ts';
import type { CliDeps } from './deps.ts';
import { CliExit, EXIT } from './exit.ts';
import { documentCommand } from './help.ts';
import { TENANTS } from './remote/apis.ts';
import { call } from './remote/call.ts';
import { addApplyCommand, addListCommand } from './remote/group.ts';
import {
  addReadOptions,
  addWriteOptions,
  REMOTE_CODES,
  type ReadOptions,
  WRITE_CODES,
  type WriteOptions,
} from './remote/options.ts';
import { printList, printOne, type Shown } from './remote/print.ts';
import { openSession, parseTenantPath, requireTenant } from './remote/session.ts';
import { TENANT_SHOWN } from './remote/shown.ts';
import { checkNew, submitWrite } from './remote/submit.ts';
import { addMemberCommand } from './tenantmember.ts';

/** `sublet tenant`: customers and resellers. A tenant is named by its path, and lives at its seller. */
export function addTenantCommand(program: Command, deps: CliDeps): void {
  const tenant = program.command('tenant').description('customers and resellers');
  documentCommand(tenant, {
    examples: [
      ['sublet tenant list --tenant acme', 'those that acme sells to'],
      ['sublet tenant new acme--bob --plan team', 'sell to a new one'],
    ],
    exitCodes: REMOTE_CODES,
  });
  const group = { api: TENANTS, shown: TENANT_SHOWN, plural: 'tenants', example: 'acme--bob' };
  addMine(tenant, deps);
  addListCommand(tenant, deps, group);
  addGet(tenant, deps);
  addNew(tenant, deps);
  addSet(tenant, deps);
  addApplyCommand(tenant, deps, group);
  addDelete(tenant, deps);
  addMemberCommand(tenant, deps);
}

/** A path as the calls want it: the seller's and the name. */
function locate(path: string): { readonly tenant: string; readonly name: string } {
  const { parentPath, name } = splitPath(parseTenantPath(path));
  if (name === '-') throw new CliExit(EXIT.usage, 'the provider is no Tenant: name one below it, such as acme');
  return { tenant: parentPath ?? '-', name };
}

const MINE_SHOWN: Shown<{ readonly path: string; readonly roles: readonly string[] }> = {
  name: ({ path }) => `tenant/${path}`,
  none: 'You are a member of no tenant.',
  columns: [
    { title: 'PATH', cell: ({ path }) => path },
    { title: 'ROLES', cell: ({ roles }) => roles.join(',') },
  ],
};

function addMine(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent.command('mine').description('list the tenants that you may see: your own, and those that they sell to'),
  ).action(async (options: ReadOptions) => {
    const { client } = await openSession(deps, options);
    const pages = listAll(async (cursor) => {
      const query = { limit: 500, ...(cursor === undefined ? {} : { cursor }) };
      return (await client.get('/v1/tenants', { query }, { signal: deps.signal })).data;
    });
    await printList(deps, options.output, await call(() => takeAll(pages)), MINE_SHOWN);
  });
  documentCommand(command, {
    examples: [['sublet tenant mine', 'where to begin: each path is one for --tenant']],
    exitCodes: REMOTE_CODES,
  });
}

function addGet(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent.command('get').description('show a tenant').argument('[path]', "its path; without one the context's"),
  ).action(async (path: string | undefined, options: ReadOptions) => {
    const { client, target } = await openSession(deps, options);
    const place = locate(path ?? requireTenant(target));
    const { data } = await call(() => TENANTS.get(client, place, { signal: deps.signal }));
    await printOne(deps, options.output, data, TENANT_SHOWN);
  });
  documentCommand(command, {
    examples: [
      ['sublet tenant get acme--bob', 'a line'],
      ['sublet tenant get acme--bob -o yaml', 'everything, with status and changes that are on their way'],
    ],
    exitCodes: REMOTE_CODES,
  });
}

type NewOptions = WriteOptions & {
  readonly plan: string;
  readonly type?: string;
  readonly displayName?: string;
  readonly id?: string;
  readonly owner?: readonly string[];
  readonly source: string;
};

function addNew(parent: Command, deps: CliDeps): void {
  const command = addWriteOptions(
    parent
      .command('new')
      .description('sell to a new tenant')
      .argument('<path>', 'its path: the name after the last -- is new, what is before it is the seller')
      .requiredOption('--plan <name>', 'a plan of the seller that offers Tenant')
      .addOption(new Option('--type <type>', 'a Reseller may sell in turn').choices(['Customer', 'Reseller']))
      .option('--display-name <text>', 'a name for people')
      .option('--owner <user...>', 'users who own it, as the API server names them, such as oidc:anna')
      .option('--id <id>', 'its identity for good; without one it is made')
      .addOption(
        new Option('--source <type>', 'where its resources come from').choices(['Fleet', 'none']).default('Fleet'),
      ),
  ).action(async (path: string, options: NewOptions) => {
    const place = locate(path);
    const spec = buildTenantSpec(place.name, options);
    checkNew('Tenant', place.name, spec);
    const session = await openSession(deps, options);
    await submitWrite(deps, session, options, {
      preview: { method: 'POST', path: TENANTS.addressOf(place.tenant), body: { name: place.name, spec } },
      send: (callOptions) => TENANTS.create(session.client, place, spec, callOptions),
    });
  });
  documentCommand(command, {
    details: [
      'The identity is what a tenant is found by when its name was given to another meanwhile. Keep --idempotency-key the same when you repeat the command.',
    ],
    examples: [
      [
        'sublet tenant new acme--bob --plan studio --owner oidc:bob --wait',
        'a customer of acme, and wait until it has its namespace',
      ],
      ['sublet tenant new zoe --plan team --type Reseller', 'a reseller of the provider'],
    ],
    exitCodes: WRITE_CODES,
  });
}

function buildTenantSpec(name: string, options: NewOptions) {
  const { plan, type, displayName, id, owner = [], source } = options;
  return {
    id: id ?? mintId(name),
    plan,
    ...(displayName === undefined ? {} : { displayName }),
    ...(type === undefined ? {} : { type }),
    ...(owner.length === 0 ? {} : { members: owner.map((user) => ({ kind: 'User', name: user, role: 'Owner' })) }),
    ...(source === 'Fleet' ? { source: { type: 'Fleet' } } : {}),
  };
}

const ID_SUFFIX = 5;
const MOST_ID = 40;
/** 32 letters, none of which looks like another. */
const ID_LETTERS = 'abcdefghjkmnpqrstvwxyz0123456789';

/** The name for people who read it, and 25 random bits for what the name cannot promise. */
function mintId(name: string): string {
  const suffix = [...randomBytes(ID_SUFFIX)].map((byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('');
  return `${name.slice(0, MOST_ID - ID_SUFFIX - 1).replace(/-+$/, '')}-${suffix}`;
}

type SetOptions = WriteOptions & {
  readonly plan?: string;
  readonly displayName?: string;
  readonly type?: string;
  readonly suspend?: string;
  readonly resume?: boolean;
};

function addSet(parent: Command, deps: CliDeps): void {
  const command = addWriteOptions(
    parent
      .command('set')
      .description('change a tenant')
      .argument('<path>', 'its path')
      .option('--plan <name>', 'another plan of its seller')
      .option('--display-name <text>', 'a name for people')
      .addOption(new Option('--type <type>', 'whether it may sell in turn').choices(['Customer', 'Reseller']))
      .addOption(
        new Option('--suspend <reason>', 'stop everything of it and below it')
          .choices(['Payment', 'Abuse', 'Request', 'Maintenance', 'Other'])
          .conflicts('resume'),
      )
      .option('--resume', 'lift every suspension that its seller set'),
  ).action(async (path: string, options: SetOptions) => {
    const place = locate(path);
    const session = await openSession(deps, options);
    const spec = await buildTenantPatch(
      options,
      async () =>
        (await call(() => TENANTS.get(session.client, place, { signal: deps.signal }))).data.spec.suspensions ?? [],
    );
    await submitWrite(deps, session, options, {
      preview: { method: 'PATCH', path: TENANTS.addressOf(place.tenant, place.name), body: { spec } },
      send: (callOptions) => TENANTS.patch(session.client, place, spec, callOptions),
    });
  });
  documentCommand(command, {
    examples: [
      ['sublet tenant set acme--bob --plan studio-large --wait', 'move it to another plan'],
      ['sublet tenant set acme--bob --suspend Payment', 'stop what it runs; its data stays'],
      ['sublet tenant set acme--bob --resume', 'let it run again'],
    ],
    exitCodes: WRITE_CODES,
  });
}

async function buildTenantPatch(
  options: SetOptions,
  readSuspensions: () => Promise<readonly { readonly reason: string }[]>,
) {
  const { plan, displayName, type, suspend, resume } = options;
  const present = suspend === undefined ? [] : await readSuspensions();
  const spec = {
    ...(plan === undefined ? {} : { plan }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(type === undefined ? {} : { type }),
    ...(suspend === undefined
      ? {}
      : { suspensions: [...present.filter(({ reason }) => reason !== suspend), { reason: suspend }] }),
    ...(resume === true ? { suspensions: null } : {}),
  };
  if (Object.keys(spec).length === 0)
    throw new CliExit(EXIT.usage, 'nothing is to be set: name --plan, --display-name, --type, --suspend or --resume');
  return spec;
}

function addDelete(parent: Command, deps: CliDeps): void {
  const command = addWriteOptions(
    parent
      .command('delete')
      .alias('rm')
      .description('remove a tenant with everything that it has and sold')
      .argument('<path>', 'its path'),
  ).action(async (path: string, options: WriteOptions) => {
    const place = locate(path);
    const session = await openSession(deps, options);
    await submitWrite(deps, session, options, {
      preview: { method: 'DELETE', path: TENANTS.addressOf(place.tenant, place.name) },
      send: (callOptions) => TENANTS.remove(session.client, place, callOptions),
    });
  });
  documentCommand(command, {
    details: ['Its data is kept for the days of grace that it states; the same path with the same id takes it back.'],
    examples: [['sublet tenant delete acme--bob --wait', 'and say when it is gone']],
    exitCodes: WRITE_CODES,
  });
}
