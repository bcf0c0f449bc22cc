import { type Client, createClient, parseServer } from '../../client/index.ts';
import { TENANT_NAME } from '../../crds/v1alpha1/common.ts';
import type { CliDeps } from '../deps.ts';
import { CliExit, EXIT } from '../exit.ts';
import { readContexts, readPrivate } from './contexts.ts';

/** Options that every command has which speaks to a server. */
export type RemoteOptions = {
  readonly context?: string | undefined;
  readonly server?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly tenant?: string | undefined;
  readonly insecure?: boolean | undefined;
};

/** Where commands go and in whose name. */
export type Target = {
  readonly server: string;
  readonly token: string | undefined;
  readonly tenant: string | undefined;
  readonly insecure: boolean;
};

export type Session = { readonly client: Client; readonly target: Target };

export async function openSession(deps: CliDeps, options: RemoteOptions): Promise<Session> {
  const target = await resolveTarget(deps, options);
  checkServer(target);
  return { client: createClient({ ...target, userAgent: 'sublet-cli' }), target };
}

/** Throws a {@link CliExit} for an address that no token should go to. */
export function checkServer(target: Pick<RemoteOptions, 'insecure'> & { readonly server: string }): void {
  try {
    parseServer(target);
  } catch (error) {
    throw new CliExit(EXIT.usage, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/**
 * What is stated nearest counts: an option, a variable of the environment, the context. A context's token goes to that context's server and to no other.
 * `SUBLET_SERVER`, `SUBLET_TOKEN`, `SUBLET_TOKEN_FILE`, `SUBLET_TENANT`, `SUBLET_CONTEXT`.
 */
export async function resolveTarget(deps: CliDeps, options: RemoteOptions): Promise<Target> {
  const { env } = deps;
  const { current, contexts } = await readContexts(deps);
  const name = options.context ?? stated(env.SUBLET_CONTEXT) ?? current;
  const context = name === undefined ? undefined : contexts[name];
  if (name !== undefined && context === undefined) {
    const known = Object.keys(contexts);
    throw new CliExit(
      EXIT.usage,
      `there is no context ${JSON.stringify(name)}; there ${known.length === 0 ? 'is none' : `are ${known.join(', ')}`}: sublet context set`,
    );
  }
  const server = options.server ?? stated(env.SUBLET_SERVER) ?? context?.server;
  if (server === undefined) {
    throw new CliExit(
      EXIT.usage,
      'no server is named: sublet context set NAME --server https://..., or --server, or SUBLET_SERVER',
    );
  }
  const isContexts = server === context?.server;
  const file = options.tokenFile ?? stated(env.SUBLET_TOKEN_FILE);
  const token =
    options.tokenFile === undefined
      ? (stated(env.SUBLET_TOKEN) ?? (file === undefined ? undefined : await readToken(file)))
      : await readToken(options.tokenFile);
  return {
    server,
    token: token ?? (isContexts ? context?.token : undefined),
    tenant: options.tenant ?? stated(env.SUBLET_TENANT) ?? (isContexts ? context?.tenant : undefined),
    insecure: options.insecure ?? (isContexts ? (context?.insecure ?? false) : false),
  };
}

/** The first line of a file that its owner alone may read. */
export async function readToken(file: string): Promise<string> {
  const text = await readPrivate(file);
  if (text === undefined) throw new CliExit(EXIT.usage, `there is no token file ${file}`);
  const token = text.split('\n')[0]?.trim() ?? '';
  if (token === '') throw new CliExit(EXIT.usage, `${file} is empty; its first line has to be the token`);
  return token;
}

/** The tenant that a command is about; `-` is the provider. */
export function requireTenant({ tenant }: Target): string {
  if (tenant === undefined)
    throw new CliExit(
      EXIT.usage,
      'no tenant is named: --tenant acme--bob (- is the provider), SUBLET_TENANT, or sublet context set NAME --tenant',
    );
  return parseTenantPath(tenant);
}

export function parseTenantPath(text: string): string {
  if (text === '-' || text.split('--').every((name) => TENANT_NAME.test(name))) return text;
  throw new CliExit(
    EXIT.usage,
    `${JSON.stringify(text.slice(0, 80))} is no path of a tenant such as acme--bob (- is the provider)`,
  );
}

function stated(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
