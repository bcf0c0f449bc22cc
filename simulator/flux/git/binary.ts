import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GitAccess, type GitFile, type GitReader, type Head, parseReference } from './reader.ts';

/**
 * Reads repositories on this machine (`file://`, and `http://` and `https://` on loopback) through the git binary: one bare repository a URL below `folder`, into which
 * single commits are fetched. Runs no hooks, asks nobody anything and reads no configuration of the user's. Rejects with git's own
 * words, and names the URL when it is not on this machine.
 */
export function createGitReader(options: { readonly folder: string; readonly timeoutMs?: number }): GitReader {
  const { folder, timeoutMs = 60_000 } = options;
  const git = (args: readonly string[], signal: AbortSignal, more: Pick<RunOptions, 'input' | 'settings'> = {}) =>
    run(args, { ...more, home: folder, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });

  const cloneOf = async (url: string, signal: AbortSignal): Promise<string> => {
    refuseRemote(url);
    const path = join(folder, `${createHash('sha256').update(url).digest('hex').slice(0, 16)}.git`);
    if (!existsSync(join(path, 'HEAD'))) {
      await mkdir(folder, { recursive: true });
      await git(['init', '--quiet', '--bare', path], signal);
    }
    return path;
  };

  /** Git's settings for a fetch: never in arguments, which others on the machine can read. */
  const settingsOf = async (url: string, access: GitAccess = {}): Promise<Settings> => {
    const { username, password, bearerToken, ca } = access;
    const basic = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64');
    const said = bearerToken === undefined ? username !== undefined && `Basic ${basic}` : `Bearer ${bearerToken}`;
    const header: Settings = said === false ? [] : [['http.extraHeader', `Authorization: ${said}`]];
    if (ca === undefined) return header;
    const file = join(folder, `${createHash('sha256').update(url).digest('hex').slice(0, 16)}.pem`);
    await mkdir(folder, { recursive: true });
    await writeFile(file, ca);
    return [...header, ['http.sslCAInfo', file]];
  };

  /** A repository that holds the commit. */
  const fetched = async (
    url: string,
    { commit }: Head,
    signal: AbortSignal,
    access: GitAccess | undefined,
  ): Promise<string> => {
    const path = await cloneOf(url, signal);
    const has = () => git(['-C', path, 'cat-file', '-e', `${commit}^{tree}`], signal).then(() => true);
    if (await has().catch(() => false)) return path;
    await git(
      ['-C', path, 'fetch', '--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', url, commit],
      signal,
      { settings: await settingsOf(url, access) },
    ).catch((error: unknown) => {
      throw new Error(`unable to clone '${url}': ${messageOf(error)}`);
    });
    return path;
  };

  return {
    resolve: async (url, reference, signal, access) => {
      refuseRemote(url);
      const settings = await settingsOf(url, access);
      const { ref, commit, shown } = parseReference(reference);
      if (commit !== undefined) return { commit, reference: shown };
      const refs = await listRefs(url, ref ?? '', (args) => git(args, signal, { settings }));
      const found = refs.get(`${ref}^{}`) ?? refs.get(ref ?? '');
      if (found !== undefined) return { commit: found, reference: shown };
      const all = await git(['ls-remote', '--quiet', url], signal, { settings });
      if (all.length === 0) return undefined;
      throw new Error(`unable to clone '${url}': couldn't find remote ref "${ref}"`);
    },

    listFiles: async (url, head, signal, access) => {
      const path = await fetched(url, head, signal, access);
      const listed = await git(['-C', path, 'ls-tree', '-r', '-z', head.commit], signal);
      return listed
        .toString('utf8')
        .split('\0')
        .flatMap((line) => {
          const [, mode, blob, name] = /^(\d+) blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
          return blob === undefined || name === undefined || mode === LINK_MODE
            ? []
            : [{ path: name, executable: mode === EXECUTABLE_MODE, blob }];
        });
    },

    readFiles: async (url, head, files, signal, access) => {
      if (files.length === 0) return [];
      const path = await fetched(url, head, signal, access);
      const asked = files.map(({ blob }) => `${blob}\n`).join('');
      return parseBatch(await git(['-C', path, 'cat-file', '--batch'], signal, { input: asked }), files);
    },
  };
}

const LINK_MODE = '120000';
const EXECUTABLE_MODE = '100755';

function refuseRemote(url: string): void {
  const { protocol, hostname } = new URL(url);
  const loopback = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname);
  if (protocol === 'file:' || ((protocol === 'http:' || protocol === 'https:') && loopback)) return;
  throw new Error(`'${url}' is not on this machine; the simulated Flux reads file:// and http:// on loopback`);
}

async function listRefs(
  url: string,
  ref: string,
  git: (args: readonly string[]) => Promise<Buffer>,
): Promise<ReadonlyMap<string, string>> {
  try {
    const output = await git(['ls-remote', '--quiet', url, ref, `${ref}^{}`]);
    const lines = output.toString('utf8').split('\n').filter(Boolean);
    return new Map(lines.map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]));
  } catch (error) {
    throw new Error(`unable to clone '${url}': ${messageOf(error)}`);
  }
}

/** Answers of `cat-file --batch`: a line with the size, the bytes, a line feed. */
function parseBatch(output: Buffer, files: readonly GitFile[]): readonly Buffer[] {
  let offset = 0;
  return files.map(({ path }) => {
    const end = output.indexOf(0x0a, offset);
    const head = output.toString('utf8', offset, end);
    const size = / blob (\d+)$/.exec(head)?.[1];
    if (end < 0 || size === undefined) throw new Error(`${path} could not be read from the repository: ${head}`);
    const start = end + 1;
    offset = start + Number(size) + 1;
    return output.subarray(start, start + Number(size));
  });
}

/** Git's configuration, by key. */
type Settings = readonly (readonly [key: string, value: string])[];

type RunOptions = {
  readonly home: string;
  readonly signal: AbortSignal;
  readonly input?: string | undefined;
  readonly settings?: Settings | undefined;
};

function run(args: readonly string[], { home, signal, input, settings = [] }: RunOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const env = { ...environment(home), ...renderSettings(settings) };
    const child = spawn('git', [...SAFE, ...args], { env, signal, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    let words = '';
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      words = (words + chunk).slice(-2_000);
    });
    child.on('error', (error) =>
      reject('code' in error && error.code === 'ENOENT' ? new Error('git is not installed: install it') : error),
    );
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output));
      else reject(new Error(words.trim().split('\n').at(-1) || `git ended with code ${code}`));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

const SAFE = [
  ['core.hooksPath', '/dev/null'],
  ['credential.helper', ''],
  ['protocol.allow', 'never'],
  ['protocol.file.allow', 'always'],
  ['protocol.http.allow', 'always'],
  ['protocol.https.allow', 'always'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** Nothing of the user's but the way to the binary; the program itself has no other use of the environment. */
function environment(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
  };
}

function renderSettings(settings: Settings): NodeJS.ProcessEnv {
  const pairs = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key] as const,
    [`GIT_CONFIG_VALUE_${index}`, value] as const,
  ]);
  return { GIT_CONFIG_COUNT: String(settings.length), ...Object.fromEntries(pairs) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
