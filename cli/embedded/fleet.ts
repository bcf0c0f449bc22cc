import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type GitRemote, renderGitFailure } from '../../simulator/git/server.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** A person's clone of the fleet repository. */
export type Checkout = {
  readonly path: string;
  git(...args: readonly string[]): Promise<string>;
  /** Commits whatever changed and pushes it; gives the commit. */
  push(message: string): Promise<string>;
};

/**
 * The clone at `folder`, which is made when it is not there. While the remote has no branch `main` (`isPublished` is false) it holds the reference fleet's `clusters/`, the schemas that
 * new files name and, where `orders` says so, its `tenants/`, which nobody has committed yet. Rejects when the folder holds something else.
 */
export async function openCheckout(
  folder: string,
  remote: GitRemote,
  options: { readonly orders: boolean },
): Promise<Checkout & { readonly isPublished: boolean }> {
  const git = async (...args: readonly string[]): Promise<string> =>
    // Named, lest git takes a repository around a damaged one for this.
    (await run('git', ['-C', folder, '--git-dir=.git', '--work-tree=.', ...args])).stdout.trim();
  const checkout: Checkout = {
    path: folder,
    git,
    push: async (message) => {
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message', message);
      await git('push', '--quiet', 'origin', 'HEAD:main');
      return git('rev-parse', 'HEAD');
    },
  };
  const isPublished = await hasMain(remote);
  if (await exists(path.join(folder, '.git'))) {
    await git('remote', 'set-url', 'origin', remote.url).catch((error: unknown) => {
      const why = `${folder} is no usable clone of the fleet repository (${renderGitFailure(error)})`;
      throw new Error(`${why}: move it away, and start again`, { cause: error });
    });
    return { ...checkout, isPublished };
  }
  if ((await readdir(folder).catch(() => [])).length > 0) {
    throw new Error(`${folder} holds files and is no clone of the fleet repository: move it away, and start again`);
  }
  if (isPublished) await run('git', ['clone', '--quiet', '--origin', 'local', remote.path, folder]);
  else await run('git', ['init', '--quiet', '--initial-branch=main', folder]);
  await appendFile(path.join(folder, '.git', 'config'), renderConfig(remote.url));
  if (isPublished) await git('remote', 'remove', 'local');
  else {
    for (const name of ['clusters', 'crds/schemas'])
      await cp(path.join(ROOT, name), path.join(folder, name), { recursive: true });
    if (options.orders) await cp(path.join(ROOT, 'tenants'), path.join(folder, 'tenants'), { recursive: true });
    else await mkdir(path.join(folder, 'tenants'));
  }
  return { ...checkout, isPublished };
}

async function hasMain(remote: GitRemote): Promise<boolean> {
  return run('git', [`--git-dir=${remote.path}`, 'rev-parse', '--quiet', '--verify', 'refs/heads/main']).then(
    () => true,
    () => false,
  );
}

function renderConfig(url: string): string {
  return `[user]
	name = Provider
	email = provider@example.com
[commit]
	gpgsign = false
[remote "origin"]
	url = ${url}
	fetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
	remote = origin
	merge = refs/heads/main
`;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
