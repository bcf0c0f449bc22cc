/** Name of everything in a tenant's namespace that feeds it from its own repository: GitRepository, Kustomization, ServiceAccount. */
export const TENANT_REPOSITORY_NAME = 'sublet-repository';

/** Type of the Secrets with which Flux may fetch a tenant's repository. No other software makes Secrets of it. */
export const GIT_SECRET_TYPE = 'sublet.dev/git';

const HOST = '[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*';
const PORT = '([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
const SEGMENT = '[A-Za-z0-9_~][A-Za-z0-9._~+-]*';

/**
 * One spelling for each repository: `https://<host>[:<port>]/<path>` or `ssh://<user>@<host>[:<port>]/<path>`, the host in lower case. No password, no query,
 * no fragment, no escapes, no part that starts with a dot or a hyphen: nothing that another parser could read as another host or an option.
 */
export const GIT_URL = new RegExp(`^(https://|ssh://[a-z_][a-z0-9_.-]{0,31}@)${HOST}(:${PORT})?(/${SEGMENT})+$`);

/** `port` is absent where the URL states none. */
export type GitUrl = { readonly scheme: 'https' | 'ssh'; readonly host: string; readonly port: number | undefined };

const DEFAULT_PORTS = { https: 443, ssh: 22 } as const;

/** The parts of a URL of {@link GIT_URL}'s form; undefined for any other text. */
export function parseGitUrl(url: string): GitUrl | undefined {
  if (!GIT_URL.test(url)) return undefined;
  const scheme = url.startsWith('https:') ? 'https' : 'ssh';
  const authority = url.slice(url.indexOf('//') + 2).split('/', 1)[0] ?? '';
  const [host = '', port] = authority.slice(authority.indexOf('@') + 1).split(':');
  return { scheme, host, port: port === undefined ? undefined : Number(port) };
}

/**
 * The one name that a Secret for this host can have: `git.<host>`, or `git.<host>.<port>` where the URL states a port. A name never changes, so a Secret
 * cannot be sent to another host by changing the URL, nor by changing the Secret. No two hosts share a name: one that ends in a number is an address.
 */
export function gitSecretName({ host, port }: GitUrl): string {
  return port === undefined ? `git.${host}` : `git.${host}.${port}`;
}

/** What a list of allowed hosts holds: `host`, or `host:port`. At most 259 characters. */
export const GIT_HOST = /^(?=.{1,259}$)[a-z0-9.-]+(:[1-9][0-9]{0,4})?$/;

/** `host` of the list means the scheme's own port, `host:port` that one. */
export function isAllowedGitHost({ scheme, host, port }: GitUrl, allowed: readonly string[]): boolean {
  const effective = port ?? DEFAULT_PORTS[scheme];
  return allowed.includes(`${host}:${effective}`) || (effective === DEFAULT_PORTS[scheme] && allowed.includes(host));
}
