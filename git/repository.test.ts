import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startGitServer } from '../simulator/git/server.ts';
import { openGitRepository } from './binary/repository.ts';
import { createMemoryRemote } from './memory/remote.ts';
import { openMemoryRepository } from './memory/repository.ts';
import { openHands } from './testing/gitremote.ts';
import { describeRepository, type RemoteUnderTest } from './testing/repositorycontract.ts';

const run = promisify(execFile);

describeRepository('a repository in memory', async () => {
  const remote = createMemoryRemote();
  return {
    head: async (branch) => remote.head(branch),
    text: async (branch, file) => remote.text(branch, file),
    write: async (branch, commit) => remote.write(branch, commit),
    move: async (branch, to) => remote.move(branch, to),
    open: () => openMemoryRepository(remote, { branch: 'main' }),
    close: async () => {},
  };
});

describeRepository('a repository by git, of files', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-gitops-'));
  const bare = path.join(folder, 'remote.git');
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  return openGitRemote(folder, { bare, url: `file://${bare}` });
});

describeRepository('a repository by git, over HTTP, with a short history', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-gitops-'));
  const server = await startGitServer(path.join(folder, 'remotes'));
  const { url, path: bare } = await server.remote('fleet');
  return openGitRemote(folder, { bare, url, depth: 1, stop: server.stop });
});

function openGitRemote(
  folder: string,
  remote: { readonly bare: string; readonly url: string; readonly depth?: number; readonly stop?: () => Promise<void> },
): RemoteUnderTest {
  const { url, depth } = remote;
  return {
    ...openHands(remote.bare),
    open: () =>
      openGitRepository(
        { url, branch: 'main', protocols: ['http', 'file'], depth },
        { folder: path.join(folder, 'copies'), path: process.env.PATH ?? '' },
      ),
    close: async () => {
      await remote.stop?.();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
