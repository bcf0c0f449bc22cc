import { type Command, Option } from 'commander';
import type { CliDeps } from './deps.ts';
import { CliExit, EXIT } from './exit.ts';
import { documentCommand } from './help.ts';
import { type Context, contextsFile, parseContextName, readContexts, writeContexts } from './remote/contexts.ts';
import { OUTPUTS, type OutputFormat } from './remote/options.ts';
import { printList, type Shown } from './remote/print.ts';
import { checkServer, parseTenantPath, readToken } from './remote/session.ts';

const CODES = {
  [EXIT.done]: 'done as asked',
  [EXIT.usage]: 'the command line is wrong, or the file of contexts cannot be read',
} as const;

/** `sublet context`: servers and who one is there, in a file that its owner alone may read. */
export function addContextCommand(program: Command, deps: CliDeps): void {
  const context = program.command('context').description('servers, and who you are there');
  documentCommand(context, {
    details: [
      'Options go before SUBLET_SERVER, SUBLET_TOKEN, SUBLET_TOKEN_FILE and SUBLET_TENANT, and these before the context, which --context or SUBLET_CONTEXT name.',
      'The file is SUBLET_CONFIG, or sublet/config.json in XDG_CONFIG_HOME or ~/.config. A token in it goes to its own server only, and is never printed.',
    ],
    examples: [
      ['sublet context set work --server https://sublet.example.com --tenant acme', 'begin with a server'],
      ['sublet context list', 'all of them'],
    ],
    exitCodes: CODES,
  });
  addSet(context, deps);
  addList(context, deps);
  addUse(context, deps);
  addRemove(context, deps);
}

type SetOptions = {
  readonly server?: string;
  readonly tenant?: string;
  readonly tokenFile?: string;
  readonly tokenStdin?: boolean;
  readonly insecure?: boolean;
};

function addSet(parent: Command, deps: CliDeps): void {
  const command = parent
    .command('set')
    .description('make a context, or change one; the first is used from then on')
    .argument('<name>', 'its name')
    .option('--server <url>', 'address of the API')
    .option('-t, --tenant <path>', 'the tenant that commands are about when none is named')
    .option('--token-file <file>', 'copy the token from a file that its owner alone may read')
    .option('--token-stdin', 'read the token from standard input')
    .option('--insecure', 'allow plain http to another machine')
    .action((name: string, options: SetOptions) => setContext(deps, parseContextName(name), options));
  documentCommand(command, {
    examples: [
      [
        'sublet context set work --server https://sublet.example.com --tenant acme',
        'without a token, to see what needs none',
      ],
      ['sublet context set work --token-stdin < ci.token', 'who you are: an API key or an ID token'],
    ],
    exitCodes: CODES,
  });
}

async function setContext(deps: CliDeps, name: string, options: SetOptions): Promise<void> {
  const known = await readContexts(deps);
  const before = known.contexts[name];
  const server = options.server ?? before?.server;
  if (server === undefined)
    throw new CliExit(EXIT.usage, `context ${name} is new: name its server with --server https://...`);
  const token =
    options.tokenStdin === true
      ? firstLine(await deps.readStdin())
      : options.tokenFile === undefined
        ? undefined
        : await readToken(options.tokenFile);
  // Another server gets no token that was meant for the one before.
  const kept = server === before?.server ? before : undefined;
  const next: Context = {
    server,
    ...pick('token', token ?? kept?.token),
    ...pick('tenant', options.tenant === undefined ? before?.tenant : parseTenantPath(options.tenant)),
    ...pick('insecure', options.insecure ?? kept?.insecure),
  };
  // What no session could be opened with is refused now, and not at the next command.
  checkServer({ server, insecure: next.insecure });
  await writeContexts(deps, { current: known.current ?? name, contexts: { ...known.contexts, [name]: next } });
  deps.err(`wrote context ${name} to ${contextsFile(deps)}\n`);
}

function pick<K extends string, T>(name: K, value: T | undefined): { readonly [N in K]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in K]?: T };
}

function firstLine(given: string): string {
  const line = given.split('\n')[0]?.trim() ?? '';
  if (line === '') throw new CliExit(EXIT.usage, 'standard input is empty; its first line has to be the token');
  return line;
}

type Listed = Omit<Context, 'token'> & {
  readonly name: string;
  readonly isCurrent: boolean;
  readonly token: 'stored' | 'none';
};

const CONTEXT_SHOWN: Shown<Listed> = {
  name: ({ name }) => `context/${name}`,
  none: 'No contexts: sublet context set NAME --server https://...',
  columns: [
    { title: 'CURRENT', cell: ({ isCurrent }) => (isCurrent ? '*' : '') },
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'SERVER', cell: ({ server }) => server },
    { title: 'TENANT', cell: ({ tenant = '' }) => tenant },
    { title: 'TOKEN', cell: ({ token }) => token },
  ],
};

function addList(parent: Command, deps: CliDeps): void {
  const command = parent
    .command('list')
    .alias('ls')
    .description('list the contexts')
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(OUTPUTS).default('table'))
    .action(async ({ output }: { readonly output: OutputFormat }) => {
      const { current, contexts } = await readContexts(deps);
      const rows = Object.entries(contexts).map(([name, context]): Listed => {
        const token = context.token === undefined ? 'none' : 'stored';
        return { name, isCurrent: name === current, ...context, token };
      });
      await printList(deps, output, rows, CONTEXT_SHOWN);
    });
  documentCommand(command, {
    examples: [['sublet context list', 'whether there is a token is shown, and never the token']],
    exitCodes: CODES,
  });
}

function addUse(parent: Command, deps: CliDeps): void {
  const command = parent
    .command('use')
    .description('use a context from now on')
    .argument('<name>', 'its name')
    .action(async (name: string) => {
      const known = await readContexts(deps);
      requireKnown(known.contexts, name);
      await writeContexts(deps, { ...known, current: name });
      deps.err(`context ${name} is used now\n`);
    });
  documentCommand(command, {
    examples: [['sublet context use work', 'another server, another tenant']],
    exitCodes: CODES,
  });
}

function addRemove(parent: Command, deps: CliDeps): void {
  const command = parent
    .command('remove')
    .alias('rm')
    .description('remove a context with its token')
    .argument('<name>', 'its name')
    .action(async (name: string) => {
      const { current, contexts } = await readContexts(deps);
      requireKnown(contexts, name);
      const { [name]: _, ...left } = contexts;
      await writeContexts(deps, { ...(current === undefined || current === name ? {} : { current }), contexts: left });
      deps.err(`context ${name} is removed\n`);
    });
  documentCommand(command, {
    examples: [['sublet context remove work', 'the server is not told: revoke a key with sublet key revoke']],
    exitCodes: CODES,
  });
}

function requireKnown(contexts: Readonly<Record<string, Context>>, name: string): void {
  if (Object.hasOwn(contexts, name)) return;
  const known = Object.keys(contexts);
  throw new CliExit(
    EXIT.usage,
    `there is no context ${JSON.stringify(name)}; there ${known.length === 0 ? 'is none' : `are ${known.join(', ')}`}`,
  );
}
