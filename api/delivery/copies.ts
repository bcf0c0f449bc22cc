import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/** Who makes copies. A folder belongs to the processes of one machine (or container), of which each has its own part of it. */
export type CopiesOwner = {
  readonly folder: string;
  readonly host: string;
  readonly pid: number;
  /** Whether a process with that id runs here. */
  readonly isAlive: (pid: number) => boolean;
};

/** Makes folders for copies of repositories; whoever gets one removes it. */
export type Copies = { make(name: string): Promise<string> };

/**
 * Takes a part of the folder for this process and removes those of processes that were killed: their copies are of no use to anybody. The id of a process that is
 * gone may be another's by now; then its copies stay until that one is gone, too.
 */
export async function claimCopies({ folder, host, pid, isAlive }: CopiesOwner): Promise<Copies> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    const owner = parseOwner(name, host);
    // This very process has made nothing yet: in a container each start has the same id.
    if (owner === undefined || (owner !== pid && isAlive(owner))) continue;
    await rm(path.join(folder, name), { recursive: true, force: true });
  }
  const own = path.join(folder, renderOwner(host, pid));
  return {
    make: async (name) => {
      await mkdir(own, { recursive: true, mode: 0o700 });
      return mkdtemp(path.join(own, `${name}-`));
    },
  };
}

/** Host names hold no `@`. */
function renderOwner(host: string, pid: number): string {
  return `copies-${host}@${pid}`;
}

function parseOwner(name: string, host: string): number | undefined {
  const [, on, pid = ''] = /^copies-(.*)@([1-9][0-9]{0,9})$/.exec(name) ?? [];
  return on === host ? Number(pid) : undefined;
}

/** Whether a process of this machine has that id; one of another user counts. */
export function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
