import { type Command, Option } from 'commander';
import type { CliDeps } from './deps.ts';
import { addConnectCommand, addPasswordCommand } from './desktopconnect.ts';
import { CliExit, EXIT } from './exit.ts';
import { documentCommand } from './help.ts';
import { DESKTOPS } from './remote/apis.ts';
import { addApplyCommand, addDeleteCommand, addGetCommand, addListCommand } from './remote/group.ts';
import { addWriteOptions, REMOTE_CODES, WRITE_CODES, type WriteOptions } from './remote/options.ts';
import { openSession, requireTenant } from './remote/session.ts';
import { DESKTOP_SHOWN } from './remote/shown.ts';
import { checkNew, submitWrite } from './remote/submit.ts';

/** `sublet desktop`: order, use and give back desktops. */
export function addDesktopCommand(program: Command, deps: CliDeps): void {
  const desktop = program.command('desktop').description('desktops that answer RDP');
  documentCommand(desktop, {
    examples: [
      [
        'sublet desktop new anna-desk --plan pro --image ubuntu-24 --username anna --wait',
        'order one, and wait until it answers',
      ],
      ['sublet desktop connect anna-desk --open', 'use it'],
    ],
    exitCodes: REMOTE_CODES,
  });
  const group = { api: DESKTOPS, shown: DESKTOP_SHOWN, plural: 'desktops', example: 'anna-desk' };
  addListCommand(desktop, deps, group);
  addGetCommand(desktop, deps, group);
  addNew(desktop, deps);
  addSet(desktop, deps);
  addApplyCommand(desktop, deps, group);
  addPower(desktop, deps, 'start', 'Running');
  addPower(desktop, deps, 'stop', 'Stopped');
  addRestart(desktop, deps);
  addConnectCommand(desktop, deps);
  addPasswordCommand(desktop, deps);
  addDeleteCommand(desktop, deps, group);
}

type Access = { readonly access?: string; readonly allow?: readonly string[] };
type NewOptions = WriteOptions &
  Access & { readonly plan: string; readonly image: string; readonly username: string; readonly stopped?: boolean };

function addNew(parent: Command, deps: CliDeps): void {
  const command = addWriteOptions(
    addAccess(
      parent
        .command('new')
        .description('order a desktop')
        .argument('<name>', 'its name and computer name, at most 15 characters')
        .requiredOption('--plan <name>', "a plan of the tenant's seller that offers Desktop")
        .requiredOption('--image <name>', 'an image that the plan allows')
        .requiredOption('--username <name>', 'the account that is made in it')
        .option('--stopped', 'do not start it yet'),
    ),
  ).action(async (name: string, options: NewOptions) => {
    const { plan, image, username, stopped } = options;
    const spec = { plan, image, username, ...(stopped === true ? { power: 'Stopped' } : {}), ...buildAccess(options) };
    checkNew('RDPInstance', name, spec);
    const session = await openSession(deps, options);
    const tenant = requireTenant(session.target);
    await submitWrite(deps, session, options, {
      preview: { method: 'POST', path: DESKTOPS.addressOf(tenant), body: { name, spec } },
      send: (callOptions) => DESKTOPS.create(session.client, { tenant, name }, spec, callOptions),
    });
  });
  documentCommand(command, {
    examples: [
      [
        'sublet desktop new anna-desk --plan pro --image ubuntu-24 --username anna --wait',
        'and wait until it answers RDP',
      ],
      [
        'sublet desktop new lab --plan pro --image windows-11 --username lab --allow 203.0.113.0/24',
        'reachable from one network only',
      ],
    ],
    exitCodes: WRITE_CODES,
  });
}

function addSet(parent: Command, deps: CliDeps): void {
  const command = addWriteOptions(
    addAccess(
      parent
        .command('set')
        .description('change a desktop')
        .argument('<name>', 'name of the desktop')
        .option('--plan <name>', 'another plan; its disk may grow and never shrink')
        .option('--allow-anyone', 'let every network connect'),
    ),
  ).action(
    async (
      name: string,
      options: WriteOptions & Access & { readonly plan?: string; readonly allowAnyone?: boolean },
    ) => {
      const { plan, allowAnyone } = options;
      const access = { ...buildAccess(options).access, ...(allowAnyone === true ? { allow: null } : {}) };
      const spec = { ...(plan === undefined ? {} : { plan }), ...(Object.keys(access).length === 0 ? {} : { access }) };
      if (Object.keys(spec).length === 0)
        throw new CliExit(EXIT.usage, 'nothing is to be set: name --plan, --access, --allow or --allow-anyone');
      const session = await openSession(deps, options);
      const tenant = requireTenant(session.target);
      await submitWrite(deps, session, options, {
        preview: { method: 'PATCH', path: DESKTOPS.addressOf(tenant, name), body: { spec } },
        send: (callOptions) => DESKTOPS.patch(session.client, { tenant, name }, spec, callOptions),
      });
    },
  );
  documentCommand(command, {
    examples: [
      ['sublet desktop set anna-desk --plan pro-large', 'a larger one; it takes effect at the next restart'],
      ['sublet desktop set anna-desk --allow 203.0.113.0/24 198.51.100.7/32', 'who may connect'],
    ],
    exitCodes: WRITE_CODES,
  });
}

function addAccess(command: Command): Command {
  return command
    .addOption(new Option('--access <type>', 'how it is reached').choices(['LoadBalancer', 'NodePort', 'ClusterIP']))
    .option('--allow <network...>', 'networks that may connect, such as 203.0.113.0/24; without any: all');
}

function buildAccess({ access, allow }: Access): { readonly access?: Readonly<Record<string, unknown>> } {
  if (access === undefined && allow === undefined) return {};
  return { access: { ...(access === undefined ? {} : { type: access }), ...(allow === undefined ? {} : { allow }) } };
}

function addPower(parent: Command, deps: CliDeps, word: 'start' | 'stop', power: 'Running' | 'Stopped'): void {
  const what = word === 'start' ? 'start a desktop' : 'stop a desktop; its disk stays';
  const command = addWriteOptions(
    parent.command(word).description(what).argument('<name>', 'name of the desktop'),
  ).action(async (name: string, options: WriteOptions) => {
    const session = await openSession(deps, options);
    const path = { path: requireTenant(session.target), name };
    const body = { power };
    await submitWrite(deps, session, options, {
      preview: { method: 'POST', path: `${DESKTOPS.addressOf(path.path, name)}/power`, body },
      send: (callOptions) =>
        session.client.post('/v1/tenants/{path}/desktops/{name}/power', { path, body }, callOptions),
    });
  });
  documentCommand(command, {
    examples: [
      [
        `sublet desktop ${word} anna-desk --wait`,
        word === 'start' ? 'and wait until it answers' : 'and wait until it is off',
      ],
    ],
    exitCodes: WRITE_CODES,
  });
}

function addRestart(parent: Command, deps: CliDeps): void {
  const command = addWriteOptions(
    parent
      .command('restart')
      .description('restart a desktop, or start one again that its guest shut down')
      .argument('<name>', 'name of the desktop'),
  ).action(async (name: string, options: WriteOptions) => {
    const session = await openSession(deps, options);
    const path = { path: requireTenant(session.target), name };
    await submitWrite(deps, session, options, {
      preview: { method: 'POST', path: `${DESKTOPS.addressOf(path.path, name)}/restart`, body: {} },
      send: (callOptions) =>
        session.client.post('/v1/tenants/{path}/desktops/{name}/restart', { path, body: {} }, callOptions),
    });
  });
  documentCommand(command, {
    examples: [['sublet desktop restart anna-desk', 'a change of plan takes effect with it']],
    exitCodes: WRITE_CODES,
  });
}
