import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A data folder that is this process's alone until it is released. */
export type LockedFolder = { readonly path: string; release(): Promise<void> };

/**
 * Makes the folder where it is missing and takes it. Rejects with an Error that names the folder and the process when a living process has it;
 * what a killed one left behind is taken over.
 */
export async function lockFolder(folder: string): Promise<LockedFolder> {
  const file = path.join(folder, LOCK);
  if (!(await makeAndLock(folder, file))) {
    const owner = await readOwner(file);
    if (owner !== undefined && isAlive(owner)) {
      throw new Error(
        `${folder} is in use by process ${owner}: stop that one, or name another folder with --data ` +
          `(if process ${owner} is something else, remove ${file})`,
      );
    }
    await rm(file, { force: true });
    if (!(await tryLock(file))) throw new Error(`${folder} was taken by another process just now: try again`);
  }
  return { path: folder, release: () => rm(file, { force: true }) };
}

/**
 * Writes down whose the locked folder is: the environment that was begun in it. Rejects with an Error that says what to do when the folder was begun with
 * another environment, whose tenants would all be removed, or holds somebody else's files.
 */
export async function claimFolder(folder: string, environment: string): Promise<void> {
  const file = path.join(folder, ENVIRONMENT);
  const begun = (await readFile(file, 'utf8').catch(() => undefined))?.trim();
  if (begun === environment) return;
  if (begun !== undefined) {
    throw new Error(
      `${folder} was begun with environment ${JSON.stringify(begun)}: give --environment the same, or name another folder with --data`,
    );
  }
  const foreign = (await readdir(folder)).find((name) => name !== LOCK);
  if (foreign !== undefined) {
    throw new Error(
      `${folder} holds ${JSON.stringify(foreign)} and was not begun by sublet dev: name a new or empty folder with --data`,
    );
  }
  await writeFile(file, `${environment}\n`);
}

const LOCK = 'lock';
const ENVIRONMENT = 'environment';

async function makeAndLock(folder: string, file: string): Promise<boolean> {
  try {
    await makeFolder(folder);
    return await tryLock(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${folder} cannot hold data: ${why}; name another folder with --data`, { cause: error });
  }
}

/** As `mkdir -p`. Node's own never returns where a folder is there and none can be made in it, as below /proc. */
async function makeFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) await makeFolder(parent);
  try {
    await mkdir(folder);
  } catch (error) {
    // Somebody else was faster.
    if (!(await isFolder(folder))) throw error;
  }
}

async function isFolder(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function tryLock(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(`${process.pid}\n`);
    await handle.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function readOwner(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const owner = Number.parseInt(text, 10);
  return Number.isInteger(owner) && owner > 0 ? owner : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, but another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
