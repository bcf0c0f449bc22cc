import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { World } from './stage.ts';

/** What changes in a commit; `null` removes the file. */
export type Files = Readonly<Record<string, string | null>>;

/** A working copy and its remote, made when first used. */
export function createWork(world: Pick<World, 'folder' | 'gitRemote'>, name: string) {
  const path = join(world.folder, name);
  const run = promisify(execFile);
  let commits = 0;
  const git = (...args: readonly string[]) => {
    const date = `2026-01-01T00:00:${String(commits).padStart(2, '0')}Z`;
    const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date, GIT_CONFIG_GLOBAL: '/dev/null' };
    return run('git', ['-C', path, '-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], { env });
  };
  let opened: Promise<{ readonly url: string }> | undefined;
  const open = async () => {
    const remote = await world.gitRemote(name);
    await mkdir(path, { recursive: true });
    await git('init', '--quiet', '--initial-branch=main');
    await git('remote', 'add', 'origin', remote.url);
    return remote;
  };
  const remote = () => {
    opened ??= open();
    return opened;
  };
  return {
    url: async () => (await remote()).url,
    push: async (changes: Files) => {
      await remote();
      for (const [file, text] of Object.entries(changes)) {
        await mkdir(dirname(join(path, file)), { recursive: true });
        if (text === null) await rm(join(path, file));
        else await writeFile(join(path, file), text);
      }
      commits += 1;
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message', `Change ${commits}`);
      await git('push', '--quiet', '--force', 'origin', 'HEAD:main', `HEAD:refs/tags/v${commits}`);
      return (await git('rev-parse', 'HEAD')).stdout.trim();
    },
  };
}
