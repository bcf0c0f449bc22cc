import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type LogLine, obtainGitea } from './binaries.ts';
import { pickPorts } from './ports.ts';
import { Processes } from './processes.ts';

const HOST = '127.0.0.1';
const READY_TIMEOUT_MS = 300_000;
const COMMAND_TIMEOUT_MS = 300_000;

/** A real Gitea on loopback with a database of its own. Its repositories are served by HTTP, and want a token for everything but public reads. */
export type Gitea = {
  readonly url: string;
  /** Makes a user and gives a token for the API and for git, with all rights of that user. */
  createUser(name: string, options?: { readonly isAdmin?: boolean }): Promise<string>;
  /** Calls the API at `/api/v1<path>` as the owner of a token; throws for every answer that is no success. */
  call(token: string, method: string, path: string, body?: object): Promise<unknown>;
  /** The end of its log, for failures. */
  log(): string;
  stop(): Promise<void>;
};

/** Starts one; builds the program first where it is not in the cache (minutes, once a machine). Throws UnavailableError when there is none. */
export async function startGitea(log: LogLine): Promise<Gitea> {
  const program = await obtainGitea(log);
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-gitea-'));
  const [port = 0] = await pickPorts(1);
  const url = `http://${HOST}:${port}`;
  const config = path.join(folder, 'app.ini');
  const env = { GITEA_WORK_DIR: folder, GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: 'true', HOME: folder, USER: 'git' };
  await mkdir(path.join(folder, 'data'), { recursive: true });
  await writeFile(config, renderConfig(folder, port, program.staticRoot));
  const run = async (...args: readonly string[]): Promise<string> => {
    const options = { env: { PATH: process.env.PATH ?? '', ...env }, timeout: COMMAND_TIMEOUT_MS };
    return (await promisify(execFile)(program.command, [...args, '--config', config], options)).stdout.trim();
  };
  const processes = new Processes(folder);
  try {
    await run('migrate');
    await processes.start({ name: 'gitea', command: program.command, args: ['web', '--config', config], env });
    await waitUntilReady(url, () => processes.logTail('gitea'));
  } catch (error) {
    await processes.stop();
    throw error;
  }
  return {
    url,
    createUser: async (name, options = {}) => {
      const password = randomBytes(16).toString('hex');
      const rights = options.isAdmin === true ? ['--admin'] : [];
      const account = ['--username', name, '--password', password, '--email', `${name}@example.com`];
      await run('admin', 'user', 'create', ...account, '--must-change-password=false', ...rights);
      const output = await run(
        'admin',
        'user',
        'generate-access-token',
        '--username',
        name,
        '--token-name',
        'test',
        '--scopes',
        'all',
        '--raw',
      );
      // Warnings may come before it.
      return output.split('\n').at(-1) ?? '';
    },
    call: (token, method, target, body) => callApi(`${url}/api/v1${target}`, token, method, body),
    log: () => processes.logTail('gitea'),
    stop: () => processes.stop(),
  };
}

/** As little of Gitea as a forge for tests needs: nothing that calls out, nobody who may register. */
function renderConfig(folder: string, port: number, staticRoot: string): string {
  const sections: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>> = {
    '': { APP_NAME: 'Test', RUN_MODE: 'prod', WORK_PATH: folder, RUN_USER: userInfo().username },
    server: {
      PROTOCOL: 'http',
      HTTP_ADDR: HOST,
      HTTP_PORT: port,
      ROOT_URL: `http://${HOST}:${port}/`,
      STATIC_ROOT_PATH: staticRoot,
      APP_DATA_PATH: path.join(folder, 'data'),
      OFFLINE_MODE: true,
      DISABLE_SSH: true,
      LFS_START_SERVER: false,
    },
    // Half a second otherwise, after which a busy machine's calls fail with "database is locked".
    database: { DB_TYPE: 'sqlite3', PATH: path.join(folder, 'data', 'gitea.db'), SQLITE_TIMEOUT: 60_000 },
    repository: { ROOT: path.join(folder, 'repositories'), DEFAULT_BRANCH: 'main' },
    security: { INSTALL_LOCK: true, SECRET_KEY: randomBytes(32).toString('hex'), PASSWORD_HASH_ALGO: 'pbkdf2' },
    service: { DISABLE_REGISTRATION: true, REGISTER_EMAIL_CONFIRM: false, ENABLE_NOTIFY_MAIL: false },
    indexer: { ISSUE_INDEXER_TYPE: 'db', REPO_INDEXER_ENABLED: false },
    session: { PROVIDER: 'memory' },
    actions: { ENABLED: false },
    packages: { ENABLED: false },
    cron: { ENABLED: false },
    'cron.update_checker': { ENABLED: false },
    log: { MODE: 'console', LEVEL: 'Warn', ROOT_PATH: path.join(folder, 'log') },
  };
  return Object.entries(sections)
    .map(([name, members]) => {
      const lines = Object.entries(members).map(([key, value]) => `${key} = ${value}`);
      return [...(name === '' ? [] : [`[${name}]`]), ...lines, ''].join('\n');
    })
    .join('\n');
}

async function waitUntilReady(url: string, log: () => string): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadlineMs) {
    const answer = await fetch(`${url}/api/v1/version`).catch(() => undefined);
    if (answer?.ok === true) return;
    await delay(200);
  }
  throw new Error(`Gitea was not ready after ${READY_TIMEOUT_MS / 1000} s:\n${log()}`);
}

async function callApi(url: string, token: string, method: string, body: object | undefined): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `token ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${method} ${new URL(url).pathname}: Gitea answered ${response.status}: ${text.slice(0, 500)}`);
  return text === '' ? undefined : JSON.parse(text);
}
