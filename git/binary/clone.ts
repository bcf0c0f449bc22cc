import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommitId, RepositoryError } from '../repository.ts';
import { createObjectReader, type ObjectReader } from './catfile.ts';
import { parseMarks } from './fastimport.ts';
import { runGit } from './process.ts';

/** A bare repository of our own, thrown away at the end. */
export type Clone = {
  readonly folder: string;
  /** Of every git that works on it. */
  readonly env: Readonly<Record<string, string>>;
  readonly objects: ObjectReader;
  remove(): Promise<void>;
};

/** Makes an empty one below `parent`. */
export async function openClone(
  parent: string,
  environment: Readonly<Record<string, string>>,
  limits: { readonly localTimeoutMs: number; readonly memoryBytes: number },
): Promise<Clone> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const root = await mkdtemp(join(parent, 'repository-'));
  const folder = join(root, 'bare.git');
  const home = join(root, 'home');
  await mkdir(home);
  const env = { ...environment, HOME: home, XDG_CONFIG_HOME: home };
  const { localTimeoutMs: timeoutMs, memoryBytes: maxMemoryBytes } = limits;
  const run = (args: readonly string[]) => runGit({ args, env, timeoutMs, maxMemoryBytes, maxOutputBytes: 64 * 1024 });
  const version = (await run(['version'])).stdout.toString('latin1').trim();
  if (!isRecent(version)) {
    await rm(root, { recursive: true, force: true });
    throw new RepositoryError(
      'Broken',
      `git ${MIN_VERSION.join('.')} or newer is needed, and there is ${version.slice(0, 60)}`,
    );
  }
  const result = await run(['init', '--quiet', '--bare', '--template=', '--initial-branch=main', folder]);
  if (result.code !== 0) {
    await rm(root, { recursive: true, force: true });
    throw new RepositoryError(
      'Broken',
      `a copy of the repository cannot be made: ${result.stderr.trim().slice(0, 200)}`,
    );
  }
  const bound = { ...env, GIT_DIR: folder };
  const objects = createObjectReader(folder, bound);
  return {
    folder,
    env: bound,
    objects,
    remove: async () => {
      objects.close();
      await rm(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Older ones do not know `http.curloptResolve`, and would connect wherever a name leads. */
const MIN_VERSION = [2, 37] as const;

function isRecent(version: string): boolean {
  const [, major = 0, minor = 0] = (/^git version ([0-9]+)[.]([0-9]+)/.exec(version) ?? []).map(Number);
  return major > MIN_VERSION[0] || (major === MIN_VERSION[0] && minor >= MIN_VERSION[1]);
}

/** Puts certificates where git reads them; gives the file. */
export async function writeAuthority(folder: string, pem: string): Promise<string> {
  if (pem.length > MAX_PEM || !pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new RepositoryError('Refused', `the certificates of the remote are no PEM of at most ${MAX_PEM} characters`);
  }
  const file = join(folder, `authority-${createHash('sha256').update(pem).digest('hex')}.pem`);
  await writeFile(file, pem);
  return file;
}

const MAX_PEM = 256 * 1024;

/** The ids that an import wrote down; the file is removed. */
export async function readMarks(file: string, count: number): Promise<readonly CommitId[]> {
  const text = await readFile(file, 'latin1').catch(() => '');
  await rm(file, { force: true });
  const ids = parseMarks(text, count);
  if (ids === undefined) throw new RepositoryError('Broken', `git fast-import did not make ${count} commits`);
  return ids;
}

/** Why a copy is too large, or undefined. Looks at packs only, complete or on their way in: that is where size comes from. */
export async function findTooLarge(folder: string, maxBytes: number): Promise<string | undefined> {
  const packs = join(folder, 'objects', 'pack');
  let bytes = 0;
  for (const name of await readdir(packs)) bytes += (await stat(join(packs, name)).catch(() => ({ size: 0 }))).size;
  return bytes > maxBytes ? `the repository has more than ${maxBytes} bytes` : undefined;
}
