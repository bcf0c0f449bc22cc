import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A clone to commit from. */
export type Repository = {
  /** Writes files (undefined: removes), commits and pushes; gives the commit's hash. */
  commit(files: Readonly<Record<string, string | undefined>>): Promise<string>;
  /** Removes everything below a folder. */
  removeFolder(path: string): Promise<string>;
  close(): Promise<void>;
};

export async function openRepository(url: string): Promise<Repository> {
  const folder = await mkdtemp(join(tmpdir(), 'sublet-fleet-'));
  const git = async (...args: readonly string[]): Promise<string> => {
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
    return (await run('git', [...identity, ...args], { cwd: folder })).stdout.trim();
  };
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', url);
  const push = async (): Promise<string> => {
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '--message=Change the fleet');
    await git('push', '--quiet', 'origin', 'main');
    return git('rev-parse', 'HEAD');
  };
  return {
    async commit(files) {
      for (const [path, text] of Object.entries(files)) {
        const target = join(folder, path);
        if (text === undefined) await rm(target);
        else {
          await mkdir(dirname(target), { recursive: true });
          await writeFile(target, text);
        }
      }
      return push();
    },
    async removeFolder(path) {
      await rm(join(folder, path), { recursive: true });
      return push();
    },
    close: () => rm(folder, { recursive: true }),
  };
}
