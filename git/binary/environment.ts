import { RepositoryError } from '../repository.ts';

/** How a server is told who calls. */
export type Credentials =
  | { readonly type: 'Basic'; readonly username: string; readonly password: string }
  | { readonly type: 'Bearer'; readonly token: string };

/** `file` is for remotes on this machine, as in tests and the embedded platform. */
export type Protocol = 'https' | 'http' | 'file';

export type RemoteUrl = {
  readonly url: string;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
};

/**
 * A remote's address, or a refusal in the caller's words. Credentials in it are refused, because it stands in arguments and logs; so is what git would take for an
 * option, a helper (`ext::`) or another host.
 */
export function parseRemoteUrl(text: string, allowed: readonly Protocol[]): RemoteUrl {
  const refuse = (why: string): never => {
    throw new RepositoryError('Refused', `the repository's URL ${why}`);
  };
  if (text.length > 2048 || !/^[!-~]+$/.test(text))
    return refuse('must be at most 2048 printable characters without spaces');
  const url = URL.parse(text);
  const protocol = url === null ? undefined : PROTOCOLS.find((name) => `${name}:` === url.protocol);
  if (url === null || protocol === undefined || !allowed.includes(protocol)) {
    return refuse(`must begin with ${allowed.map((name) => `${name}://`).join(' or ')}`);
  }
  if (url.username !== '' || url.password !== '') return refuse('must not hold credentials; put them into the Secret');
  if (url.hash !== '' || url.search !== '') return refuse('must not have a query or a fragment');
  if (protocol === 'file') return { url: text, protocol, host: '', port: 0 };
  const port = url.port === '' ? (protocol === 'https' ? 443 : 80) : Number(url.port);
  return { url: url.href, protocol, host: url.hostname, port };
}

/** A branch's name by git's own rules (`git check-ref-format`), and none that could be an option. */
export function checkBranch(branch: string): string {
  const isFine =
    branch.length <= 200 &&
    /^[A-Za-z0-9_][A-Za-z0-9_./+@=-]*$/.test(branch) &&
    !/\.\.|@\{|\/\/|\/\.|\.(\/|$)|\/$|\.lock(\/|$)/.test(branch);
  if (isFine) return branch;
  throw new RepositoryError('Refused', `${JSON.stringify(branch.slice(0, 80))} is no name for a branch`);
}

export type EnvironmentOptions = {
  /** An empty folder of ours: there is no configuration in it. */
  readonly home: string;
  readonly path: string;
};

/** What every git gets: nothing of the machine's configuration, no prompts, no helpers, no hooks, no other protocols. */
export function buildEnvironment({ home, path }: EnvironmentOptions): Readonly<Record<string, string>> {
  return withConfig(
    {
      PATH: path,
      HOME: home,
      XDG_CONFIG_HOME: home,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '',
      SSH_ASKPASS: '',
      GIT_LITERAL_PATHSPECS: '1',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_ALLOW_PROTOCOL: '',
      // glibc gives memory back to the system and takes it again at each object that fast-import makes, which is more than half of its time.
      MALLOC_TRIM_THRESHOLD_: String(64 * 1024 * 1024),
    },
    [
      ['core.hooksPath', '/dev/null'],
      ['core.fsmonitor', 'false'],
      ['credential.helper', ''],
      ['gc.auto', '0'],
      // What is larger than a text may be goes through in pieces and not as a whole.
      ['core.bigFileThreshold', '16m'],
      // Everything in packs, which are few and whose size is seen at once; `tidy` joins them.
      ['fetch.unpackLimit', '1'],
      ['fastimport.unpackLimit', '0'],
      ['maintenance.auto', 'false'],
      ['submodule.recurse', 'false'],
      ['fetch.recurseSubmodules', 'false'],
      ['push.recurseSubmodules', 'no'],
      ['protocol.version', '2'],
      ['http.followRedirects', 'false'],
      ['http.lowSpeedLimit', '100'],
      ['http.lowSpeedTime', '60'],
    ],
  );
}

export type RemoteAccess = {
  readonly credentials?: Credentials | undefined;
  readonly addresses?: readonly string[] | undefined;
  /** Certificates that are trusted instead of the machine's. */
  readonly authorityFile?: string | undefined;
};

/** The environment of a git that talks to the remote: its protocol, who calls, and the addresses that the host may have. */
export function withRemote(
  environment: Readonly<Record<string, string>>,
  { url, protocol, host, port }: RemoteUrl,
  { credentials, addresses, authorityFile }: RemoteAccess,
): Readonly<Record<string, string>> {
  const config: (readonly [string, string])[] = [];
  if (credentials !== undefined)
    config.push([`http.${url}.extraHeader`, `Authorization: ${renderAuthorization(credentials)}`]);
  if (addresses !== undefined && protocol !== 'file') {
    const list = addresses.map((address) => (address.includes(':') ? `[${address}]` : address)).join(',');
    config.push(['http.curloptResolve', `${host}:${port}:${list}`]);
  }
  const trust = authorityFile === undefined ? {} : { GIT_SSL_CAINFO: authorityFile };
  return withConfig({ ...environment, ...trust, GIT_ALLOW_PROTOCOL: protocol }, config);
}

/** Everything that must not be seen of credentials, longest first. */
export function secretsOf(credentials: Credentials | undefined): readonly string[] {
  if (credentials === undefined) return [];
  const plain = credentials.type === 'Bearer' ? [credentials.token] : [credentials.password];
  const encoded = renderAuthorization(credentials).split(' ')[1] ?? '';
  return [encoded, ...plain, ...plain.map(encodeURIComponent)]
    .filter((text) => text.length > 3)
    .sort((a, b) => b.length - a.length);
}

function renderAuthorization(credentials: Credentials): string {
  const parts = credentials.type === 'Bearer' ? [credentials.token] : [credentials.username, credentials.password];
  if (parts.some((part) => /\p{Cc}/u.test(part))) {
    throw new RepositoryError(
      'Refused',
      'the credentials hold a line break or another control character; write them into the Secret without',
    );
  }
  if (credentials.type === 'Bearer') return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

/** Configuration by environment: it is in no argument, and no file has it. */
function withConfig(
  environment: Readonly<Record<string, string>>,
  config: readonly (readonly [key: string, value: string])[],
): Readonly<Record<string, string>> {
  const before = Number(environment.GIT_CONFIG_COUNT ?? 0);
  const entries = config.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${before + index}`, key],
    [`GIT_CONFIG_VALUE_${before + index}`, value],
  ]);
  return { ...environment, ...Object.fromEntries(entries), GIT_CONFIG_COUNT: String(before + config.length) };
}

const PROTOCOLS: readonly Protocol[] = ['https', 'http', 'file'];
