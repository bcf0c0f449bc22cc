import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { CliDeps } from './deps.ts';
import { CliExit, EXIT } from './exit.ts';
import { documentCommand } from './help.ts';
import { showText } from './output/text.ts';
import { call } from './remote/call.ts';
import { addReadOptions, REMOTE_CODES, type ReadOptions } from './remote/options.ts';
import { openSession, requireTenant } from './remote/session.ts';

type ConnectOptions = ReadOptions & { readonly file?: string; readonly force: boolean; readonly open: boolean };

/** `sublet desktop connect NAME`: the .rdp file, which every RDP client opens. It holds no password. */
export function addConnectCommand(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent
      .command('connect')
      .description('write the .rdp file of a desktop, and open it')
      .argument('<name>', 'name of the desktop')
      .option('--file <file>', 'where it goes; - is standard output; without one it is NAME.rdp')
      .option('--force', 'write over a file that is there', false)
      .option('--open', "open it with this machine's RDP client", false),
  ).action((name: string, options: ConnectOptions) => connect(deps, name, options));
  documentCommand(command, {
    examples: [
      ['sublet desktop connect anna-desk --open', 'write anna-desk.rdp and open it'],
      ['sublet desktop connect anna-desk --file - > desk.rdp', 'for programs'],
    ],
    exitCodes: { ...REMOTE_CODES, [EXIT.refused]: 'there is no such desktop, or it has no address yet' },
  });
}

async function connect(
  deps: CliDeps,
  name: string,
  { file, force, open: doOpen, ...options }: ConnectOptions,
): Promise<void> {
  const { client, target } = await openSession(deps, options);
  const place = { path: requireTenant(target), name };
  const { data } = await call(() =>
    client.get('/v1/tenants/{path}/desktops/{name}/connect', { path: place }, { signal: deps.signal }),
  );
  if (file === '-') return deps.out(data);
  const to = path.resolve(deps.cwd, file ?? `${name}.rdp`);
  await writeNew(to, data, force);
  deps.err(`wrote ${showText(to)}\n`);
  if (doOpen) await openFile(deps, to);
}

/** Never through a link that somebody put there, and over a file only when told to. */
async function writeNew(file: string, text: string, force: boolean): Promise<void> {
  try {
    const handle = await open(file, force ? 'w' : 'wx', 0o600);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    const why = isThere
      ? 'is there already; --force writes over it, --file names another'
      : `cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    throw new CliExit(EXIT.usage, `${file} ${why}`, { cause: error });
  }
}

/** What opens a file of a known type on each system; `SUBLET_RDP_CLIENT` names another program. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['mstsc.exe'],
  linux: ['xdg-open'],
};

async function openFile({ env }: CliDeps, file: string): Promise<void> {
  const named = env.SUBLET_RDP_CLIENT ?? '';
  const [program, ...args] = named === '' ? (OPENERS[process.platform] ?? ['xdg-open']) : [named];
  const child = spawn(program ?? 'xdg-open', [...args, file], { detached: true, stdio: 'ignore' });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(
        new CliExit(
          EXIT.refused,
          `${program} cannot be started (${error.message}); open ${file} with your RDP client, or name one in SUBLET_RDP_CLIENT`,
        ),
      ),
    );
  });
  child.unref();
}

/** `sublet desktop password NAME`: a link, because a password has no place on a terminal. */
export function addPasswordCommand(parent: Command, deps: CliDeps): void {
  const command = addReadOptions(
    parent
      .command('password')
      .description('make a link to a page that shows the password once')
      .argument('<name>', 'name of the desktop'),
  ).action(async (name: string, options: ReadOptions) => {
    const { client, target } = await openSession(deps, options);
    const place = { path: requireTenant(target), name };
    const { data } = await call(() =>
      client.post(
        '/v1/tenants/{path}/desktops/{name}/password-link',
        { path: place, body: {} },
        { signal: deps.signal },
      ),
    );
    if (options.output === 'json') return deps.out(`${JSON.stringify(data, null, 2)}\n`);
    if (options.output === 'yaml') return deps.out((await import('yaml')).stringify(data));
    deps.out(`${data.url}\n`);
    deps.err(`the page shows the password of ${name} once, until ${data.expiresAt}\n`);
  });
  documentCommand(command, {
    examples: [['sublet desktop password anna-desk', 'open the link in a browser within ten minutes']],
    exitCodes: REMOTE_CODES,
  });
}
