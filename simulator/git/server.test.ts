import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSelfSignedCertificate } from '../rdp/certificate.ts';
import { type GitServer, startGitServer } from './server.ts';

const run = promisify(execFile);

describe('a git server', () => {
  let folder: string;
  let server: GitServer;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-git-'));
    server = await startGitServer(path.join(folder, 'remotes'));
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const git = async (cwd: string, ...args: readonly string[]) =>
    (await run('git', ['-C', cwd, '-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args])).stdout.trim();

  it('takes a push and gives it to a clone, also after it was made again', async () => {
    const remote = await server.remote('fleet');
    const work = path.join(folder, 'work');
    await run('git', ['clone', '--quiet', remote.url, work]);
    await writeFile(path.join(work, 'file'), 'content\n');
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--message', 'Add a file');
    await git(work, 'push', '--quiet', 'origin', 'HEAD:main');
    expect(await server.remote('fleet')).toEqual(remote);
    const second = path.join(folder, 'second');
    await run('git', ['clone', '--quiet', remote.url, second]);
    expect(await git(second, 'rev-parse', 'HEAD')).toBe(await git(work, 'rev-parse', 'HEAD'));
  });

  it('serves nothing outside its folder', async () => {
    await mkdir(path.join(folder, 'secret.git'));
    const answers = await Promise.all(
      ['/nothing.git/info/refs', '/..%2fsecret.git/HEAD', '/%2e%2e/secret.git/HEAD', '/%ff/HEAD'].map((target) =>
        fetch(`${server.url}${target}?service=git-upload-pack`),
      ),
    );
    expect(answers.map(({ ok }) => ok)).toEqual([false, false, false, false]);
    expect(answers[3]?.status).toBe(400);
  });

  it('serves https, and only those who know the password', async () => {
    const tls = createSelfSignedCertificate('git', Date.now() - 60_000, ['127.0.0.1']);
    const credentials = { username: 'bob', password: 'secret' };
    const secure = await startGitServer(path.join(folder, 'remotes'), { tls, credentials });
    try {
      const { url } = await secure.remote('fleet');
      expect(url).toMatch(/^https:/);
      const ca = path.join(folder, 'ca.pem');
      await writeFile(ca, tls.cert);
      const ask = (who: string) =>
        run('git', ['ls-remote', url.replace('https://', `https://${who}@`)], {
          env: { ...process.env, GIT_SSL_CAINFO: ca, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'true' },
        });
      expect((await ask('bob:secret')).stderr).toBe('');
      await expect(ask('bob:other')).rejects.toThrow('Authentication failed');
    } finally {
      await secure.stop();
    }
  });

  it('refuses names that are no repository, and a taken port', async () => {
    await expect(server.remote('../fleet')).rejects.toThrow('lower-case letters, digits and hyphens, not "../fleet"');
    const port = Number(new URL(server.url).port);
    await expect(startGitServer(folder, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
