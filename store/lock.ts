import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Another process has the folder open; two at once would destroy it. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

/**
 * Takes the folder for this process; gives the way to let go. A lock whose process is gone (it was killed) is taken over. The lock stands beside the
 * folder, because PostgreSQL wants an empty one at first.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = `${path.resolve(folder)}.lock`;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      await writeFile(file, `${process.pid} ${SELF}\n`, { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const [holder = '', nonce = ''] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
    if (isAlive(Number(holder), nonce)) {
      throw new FolderInUse(
        `the database folder ${folder} is in use by process ${holder}; stop it first, or name another folder`,
      );
    }
    await rm(file, { force: true });
  }
  throw new FolderInUse(`the database folder ${folder} is being opened by another process`);
}

const MAX_ATTEMPTS = 5;
/** Tells this process from an earlier one that had its number, as the first process of a container always has. */
const SELF = randomUUID();

function isAlive(pid: number, nonce: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (pid === process.pid) return nonce === SELF;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
