import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { startGitServer } from '../../simulator/git/server.ts';
import { createSelfSignedCertificate } from '../../simulator/rdp/certificate.ts';

const run = promisify(execFile);
const HOUR_MS = 3_600_000;

/** Git over https on loopback for those who know the password, as a tenant has it somewhere on the internet. */
export type Forge = {
  /** `127.0.0.1:<port>`: what an operator has to allow. */
  readonly host: string;
  /** What Flux reads from a Secret to fetch from here. */
  readonly access: Readonly<Record<'ca.crt' | 'username' | 'password', string>>;
  /** Makes an empty repository, and a clone of it as its owner has one. */
  repository(name: string): Promise<ForgeRepository>;
  stop(): Promise<void>;
};

export type ForgeRepository = {
  readonly url: string;
  write(file: string, content: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Commits whatever changed and pushes it; gives the commit. */
  push(message: string): Promise<string>;
};

export async function startForge(folder: string): Promise<Forge> {
  const tls = createSelfSignedCertificate('forge', Date.now() - HOUR_MS, ['127.0.0.1']);
  const credentials = { username: 'flux', password: 'fetch-and-nothing-else' };
  const server = await startGitServer(path.join(folder, 'forge'), { tls, credentials });
  return {
    host: new URL(server.url).host,
    access: { 'ca.crt': tls.cert, ...credentials },
    repository: async (name) => {
      const remote = await server.remote(name);
      return clone(remote, path.join(folder, `clone-${name}`));
    },
    stop: () => server.stop(),
  };
}

async function clone(
  remote: { readonly url: string; readonly path: string },
  checkout: string,
): Promise<ForgeRepository> {
  await run('git', ['clone', '--quiet', remote.path, checkout]);
  const git = async (...args: readonly string[]) =>
    (await run('git', ['-C', checkout, '-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args])).stdout.trim();
  return {
    url: remote.url,
    write: async (file, content) => {
      await mkdir(path.dirname(path.join(checkout, file)), { recursive: true });
      await writeFile(path.join(checkout, file), content);
    },
    remove: (file) => rm(path.join(checkout, file), { recursive: true }),
    push: async (message) => {
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message', message);
      await git('push', '--quiet', 'origin', 'HEAD:main');
      return git('rev-parse', 'HEAD');
    },
  };
}
