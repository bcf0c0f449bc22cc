import { type Command, Option } from 'commander';
import { Member } from '../crds/v1alpha1/tenant.ts';
import type { CliDeps } from './deps.ts';
import { documentCommand } from './help.ts';
import { call } from './remote/call.ts';
import {
  addReadOptions,
  addWriteOptions,
  REMOTE_CODES,
  type ReadOptions,
  WRITE_CODES,
  type WriteOptions,
} from './remote/options.ts';
import { printList, type Shown } from './remote/print.ts';
import { openSession, requireTenant } from './remote/session.ts';
import { submitWrite } from './remote/submit.ts';

const ROLES = Member.shape.role.options;

const MEMBER_SHOWN: Shown<Member> = {
  name: ({ kind, name }) => `${kind.toLowerCase()}/${name}`,
  none: 'No members.',
  columns: [
    { title: 'KIND', cell: ({ kind }) => kind },
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'ROLE', cell: ({ role }) => role },
  ],
};

/** `sublet tenant member`: who may use a tenant, and how. */
export function addMemberCommand(parent: Command, deps: CliDeps): void {
  const member = parent.command('member').description('who may use a tenant, and how');
  documentCommand(member, {
    examples: [['sublet tenant member list --tenant acme--bob', 'all of them']],
    exitCodes: REMOTE_CODES,
  });
  addList(member, deps);
  addSet(member, deps);
  addRemove(member, deps);
}

function addList(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(parent.command('list').alias('ls').description('list the members of a tenant')).action(
    async (options: ReadOptions) => {
      const { client, target } = await openSession(deps, options);
      const { data } = await call(() =>
        client.get('/v1/tenants/{path}/members', { path: { path: requireTenant(target) } }, { signal: deps.signal }),
      );
      await printList(deps, options.output, data.items, MEMBER_SHOWN);
    },
  );
  documentCommand(command, {
    examples: [['sublet tenant member list --tenant acme--bob -o json', 'for programs']],
    exitCodes: REMOTE_CODES,
  });
}

type Whose = WriteOptions & { readonly group?: boolean };

function addSet(parent: Command, deps: CliDeps): void {
  const command = addWriteOptions(
    parent
      .command('set')
      .description('make somebody a member, or give a member another role')
      .argument('<name>', 'the user or group exactly as the API server names it, such as oidc:anna')
      .addOption(new Option('--role <role>', 'what the member may do').choices(ROLES).makeOptionMandatory())
      .option('--group', 'it is a group'),
  ).action(async (name: string, options: Whose & { readonly role: Member['role'] }) => {
    const session = await openSession(deps, options);
    const path = locate(requireTenant(session.target), name, options);
    const body = { role: options.role };
    await submitWrite(deps, session, options, {
      preview: { method: 'PUT', path: addressOf(path), body },
      send: (callOptions) =>
        session.client.put('/v1/tenants/{path}/members/{kind}/{member}', { path, body }, callOptions),
    });
  });
  documentCommand(command, {
    examples: [
      ['sublet tenant member set oidc:anna --role Developer --tenant acme--bob', 'a user'],
      ['sublet tenant member set oidc:support --group --role Viewer', 'a group'],
    ],
    exitCodes: WRITE_CODES,
  });
}

function addRemove(parent: Command, deps: CliDeps): void {
  const command = addWriteOptions(
    parent
      .command('remove')
      .alias('rm')
      .description('take a member out')
      .argument('<name>', 'the user or group exactly as the API server names it')
      .option('--group', 'it is a group'),
  ).action(async (name: string, options: Whose) => {
    const session = await openSession(deps, options);
    const path = locate(requireTenant(session.target), name, options);
    await submitWrite(deps, session, options, {
      preview: { method: 'DELETE', path: addressOf(path) },
      send: (callOptions) => session.client.delete('/v1/tenants/{path}/members/{kind}/{member}', { path }, callOptions),
    });
  });
  documentCommand(command, {
    examples: [['sublet tenant member remove oidc:anna --tenant acme--bob', 'a user']],
    exitCodes: WRITE_CODES,
  });
}

function locate(tenant: string, member: string, { group }: Whose) {
  return { path: tenant, kind: group === true ? ('Group' as const) : ('User' as const), member };
}

function addressOf({ path, kind, member }: ReturnType<typeof locate>): string {
  return `/v1/tenants/${path}/members/${kind}/${encodeURIComponent(member)}`;
}
