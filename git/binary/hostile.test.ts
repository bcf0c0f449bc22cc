import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GitServer, startGitServer } from '../../simulator/git/server.ts';
import { createSelfSignedCertificate } from '../../simulator/rdp/certificate.ts';
import { startForge } from '../../test/support/forge.ts';
import { type Repository, RepositoryError } from '../repository.ts';
import { type GitRemoteHands, openHands } from '../testing/gitremote.ts';
import type { GitDeps } from './git.ts';
import { type GitRepositoryOptions, openGitRepository } from './repository.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });
const PATIENT = { localTimeoutMs: 300_000, remoteTimeoutMs: 300_000 };

const run = promisify(execFile);
const SOMEBODY = { name: 'Somebody', email: 'somebody@example.com' };
const commitOf = (files: Readonly<Record<string, string>>) => ({
  author: SOMEBODY,
  committer: SOMEBODY,
  atMs: 0,
  message: 'x\n',
  files: new Map(Object.entries(files)),
});

let folder: string;
let server: GitServer;
let url: string;
let bare: string;
let hands: GitRemoteHands;
const opened: Repository[] = [];

const open = (options: Partial<GitRepositoryOptions> = {}, deps: Partial<GitDeps> = {}): Repository => {
  const repository = openGitRepository(
    { url, branch: 'main', protocols: ['http', 'file'], ...options, limits: { ...PATIENT, ...options.limits } },
    { folder: path.join(folder, 'copies'), path: process.env.PATH ?? '', ...deps },
  );
  opened.push(repository);
  return repository;
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-hostile-'));
  server = await startGitServer(path.join(folder, 'remotes'));
  ({ url, path: bare } = await server.remote('fleet'));
  hands = openHands(bare);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((repository) => repository.close()));
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a hostile repository', () => {
  it('runs no hooks and no configuration of the machine', async () => {
    const proof = path.join(folder, 'proof');
    const hooks = path.join(folder, 'hooks');
    await mkdir(hooks);
    for (const hook of ['pre-push', 'reference-transaction', 'post-checkout', 'pre-auto-gc', 'post-index-change']) {
      await writeFile(path.join(hooks, hook), `#!/bin/sh\necho ${hook} >> ${proof}\n`);
      await chmod(path.join(hooks, hook), 0o755);
    }
    const home = path.join(folder, 'home');
    await mkdir(home);
    await writeFile(
      path.join(home, '.gitconfig'),
      `[core]\n hooksPath = ${hooks}\n[url "file:///nowhere"]\n insteadOf = ${url}\n`,
    );
    const before = { ...process.env };
    Object.assign(process.env, {
      HOME: home,
      GIT_CONFIG_GLOBAL: path.join(home, '.gitconfig'),
      GIT_DIR: '/nowhere',
      GIT_TRACE: path.join(folder, 'trace'),
    });
    try {
      await hands.write('main', commitOf({ a: '1' }));
      const repository = open();
      const head = await repository.fetch();
      const [next] = await repository.commit(head, [commitOf({ a: '2' })]);
      expect(await repository.push(next ?? '', head)).toEqual({ type: 'pushed' });
    } finally {
      for (const name of ['HOME', 'GIT_CONFIG_GLOBAL', 'GIT_DIR', 'GIT_TRACE']) delete process.env[name];
      Object.assign(process.env, before);
    }
    await expect(readFile(proof)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readFile(path.join(folder, 'trace'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('fetches no submodule', async () => {
    const link = { bytes: Buffer.from('f'.repeat(40)), mode: 'submodule' } as const;
    const modules = `[submodule "s"]\n path = s\n url = file://${folder}/evil\n`;
    await hands.write('main', {
      ...commitOf({}),
      files: new Map<string, string | typeof link>([
        ['.gitmodules', modules],
        ['s', link],
      ]),
    });
    const repository = open();
    const head = await repository.fetch();
    expect((await repository.list(head ?? '', '')).map(({ mode }) => mode)).toEqual(['file', 'submodule']);
  });

  it('is named when it is not there, has another branch, or is no repository', async () => {
    await expect(open({ url: `${server.url}/none.git` }).fetch()).rejects.toMatchObject({
      failure: 'NotFound',
      isTransient: false,
    });
    await hands.write('other', commitOf({ a: '1' }));
    expect(await open().fetch()).toBeUndefined();
    await expect(open({ url: 'http://127.0.0.1:1/x.git' }).fetch()).rejects.toMatchObject({
      failure: 'Unreachable',
      isTransient: true,
    });
    await expect(open({ url: `file://${folder}/none` }).fetch()).rejects.toMatchObject({ failure: 'NotFound' });
  });

  it('with a hundred thousand files is listed, or refused with the number', async () => {
    const files = Array.from({ length: 100_000 }, (_, n) => [`tenants/t/f${n}.yaml`, 'a: 1\n'] as const);
    await hands.write('main', commitOf(Object.fromEntries(files)));
    const repository = open();
    const head = (await repository.fetch()) ?? '';
    expect(await repository.list(head, '')).toHaveLength(100_000);
    const small = open({ limits: { files: 1000 } });
    await small.fetch();
    await expect(small.list(head, '')).rejects.toMatchObject({
      failure: 'TooLarge',
      message: expect.stringContaining('1000 files'),
    });
  }, 900_000);

  it('that is too large is not fetched to its end', async () => {
    await hands.write('main', {
      ...commitOf({}),
      files: new Map([['big', { bytes: randomBytes(8 * 1024 * 1024), mode: 'file' }]] as const),
    });
    const repository = open({ limits: { cloneBytes: 1024 * 1024 } });
    await expect(repository.fetch()).rejects.toMatchObject({ failure: 'TooLarge' });
  });

  it('is left alone when it takes too long, with all that was started', async () => {
    const silent = await listen(() => {});
    try {
      const repository = open({ url: `${silent.url}/x.git`, limits: { remoteTimeoutMs: 300 } });
      await expect(repository.fetch()).rejects.toMatchObject({
        failure: 'Stopped',
        message: 'git fetch took more than 0.3 s',
      });
      const abort = new AbortController();
      const patient = open({ url: `${silent.url}/x.git` });
      const fetching = patient.fetch(abort.signal);
      setTimeout(() => abort.abort(), 200);
      await expect(fetching).rejects.toMatchObject({ failure: 'Stopped' });
      expect(await processesWith(silent.url)).toEqual([]);
    } finally {
      await silent.stop();
    }
  });

  it('leads nowhere else by a redirect', async () => {
    await hands.write('main', commitOf({ a: '1' }));
    const redirecting = await listen((request, response) => {
      response.writeHead(302, { location: `${server.url}${request.url}` }).end();
    });
    try {
      await expect(open({ url: `${redirecting.url}/fleet.git` }).fetch()).rejects.toBeInstanceOf(RepositoryError);
    } finally {
      await redirecting.stop();
    }
  });

  it('is reached at the addresses that the caller allows, and at no other', async () => {
    await hands.write('main', commitOf({ a: '1' }));
    const { port } = new URL(server.url);
    const named = `http://forge.example.com:${port}/fleet.git`;
    expect(await open({ url: named }, { resolve: async () => ['127.0.0.1'] }).fetch()).toMatch(/^[0-9a-f]{40}$/);
    const refused = new RepositoryError('Refused', 'forge.example.com has a private address');
    await expect(open({ url: named }, { resolve: () => Promise.reject(refused) }).fetch()).rejects.toBe(refused);
    // Nothing listens on the discard port, wherever the name would lead.
    const elsewhere = open({ url: 'http://localhost:9/fleet.git' }, { resolve: async () => ['127.0.0.2'] });
    await expect(elsewhere.fetch()).rejects.toMatchObject({
      failure: 'Unreachable',
      message: expect.stringContaining('localhost'),
    });
  });

  it('costs no more packs with every fetch and commit', async () => {
    await hands.write('main', commitOf({ a: '0' }));
    const repository = open({ url: `file://${bare}` });
    let head = (await repository.fetch()) ?? '';
    for (let n = 1; n <= 60; n++) [head = ''] = await repository.commit(head, [commitOf({ a: `${n}` })]);
    const [copy = ''] = await readdir(path.join(folder, 'copies'));
    const packs = await readdir(path.join(folder, 'copies', copy, 'bare.git', 'objects', 'pack'));
    expect(packs.filter((name) => name.endsWith('.pack')).length).toBeLessThan(30);
    expect(await repository.log(head)).toHaveLength(61);
  });

  it('that broke the copy gets another', async () => {
    const head = await hands.write('main', commitOf({ a: '1' }));
    const repository = open();
    await repository.fetch();
    const [copy = ''] = await readdir(path.join(folder, 'copies'));
    await rm(path.join(folder, 'copies', copy, 'bare.git', 'objects'), { recursive: true });
    await writeFile(path.join(folder, 'copies', copy, 'bare.git', 'HEAD'), 'nonsense');
    expect(await repository.fetch()).toBe(head);
    expect((await repository.list(head, '')).map((entry) => entry.path)).toEqual(['a']);
  });
});

describe('a push whose answer is lost', () => {
  it('is unknown, and found again by fetching', async () => {
    await hands.write('main', commitOf({ a: '1' }));
    const proxy = await startProxy(server.url, { dropAfterPush: true });
    try {
      const repository = open({ url: `${proxy.url}/fleet.git` });
      const head = await repository.fetch();
      const [next = ''] = await repository.commit(head, [commitOf({ a: '2' })]);
      expect(await repository.push(next, head)).toMatchObject({ type: 'unknown' });
      expect(await repository.fetch()).toBe(next);
    } finally {
      await proxy.stop();
    }
  });

  it('is told apart from one that the remote refused', async () => {
    await hands.write('main', commitOf({ a: '1' }));
    await mkdir(path.join(bare, 'hooks'), { recursive: true });
    await writeFile(path.join(bare, 'hooks', 'pre-receive'), '#!/bin/sh\necho "no changes on Fridays" >&2\nexit 1\n');
    await chmod(path.join(bare, 'hooks', 'pre-receive'), 0o755);
    const repository = open();
    const head = await repository.fetch();
    const [next = ''] = await repository.commit(head, [commitOf({ a: '2' })]);
    const result = await repository.push(next, head);
    expect(result).toMatchObject({
      type: 'rejected',
      stale: false,
      why: expect.stringContaining('no changes on Fridays'),
    });
  });
});

describe('credentials', () => {
  const password = 'p4ssw0rd/with+signs=';
  const token = Buffer.from(`sublet:${password}`).toString('base64');

  it('reach the server, and no argument, file or message', async () => {
    await hands.write('main', commitOf({ a: '1' }));
    const seen: string[] = [];
    const proxy = await startProxy(server.url, {
      authorization: `Basic ${token}`,
      onRequest: async () => {
        seen.push(...(await processesWith('git')));
      },
    });
    try {
      const asked = { credentials: async () => ({ type: 'Basic', username: 'sublet', password }) as const };
      const repository = open({ url: `${proxy.url}/fleet.git` }, asked);
      const head = await repository.fetch();
      const [next = ''] = await repository.commit(head, [commitOf({ a: '2' })]);
      expect(await repository.push(next, head)).toEqual({ type: 'pushed' });
      expect(seen.some((line) => line.includes('fetch')) && seen.some((line) => line.includes('push'))).toBe(true);
      expect(seen.filter((line) => line.includes(password) || line.includes(token))).toEqual([]);
      const found = await run('grep', ['-r', '-l', '-e', password, '-e', token, path.join(folder, 'copies')]).catch(
        (error) => error,
      );
      expect(found.stdout).toBe('');
    } finally {
      await proxy.stop();
    }
  });

  it('that are wrong or missing are named as such, and not shown', async () => {
    await hands.write('main', commitOf({ a: '1' }));
    const proxy = await startProxy(server.url, {
      authorization: 'Basic other',
      answer: `bad credentials ${password} ${token}`,
    });
    try {
      const wrong = { credentials: async () => ({ type: 'Basic', username: 'sublet', password }) as const };
      for (const deps of [wrong, {}, { credentials: async () => ({ type: 'Bearer', token: password }) as const }]) {
        const error = await open({ url: `${proxy.url}/fleet.git` }, deps)
          .fetch()
          .catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ failure: 'Denied', isTransient: false });
        expect(String(error)).not.toContain(password);
        expect(String(error)).not.toContain(token);
        expect(String(error)).not.toContain(folder);
      }
    } finally {
      await proxy.stop();
    }
  });

  it('with a line break are refused', async () => {
    const deps = { credentials: async () => ({ type: 'Bearer', token: 'a\r\nX: y' }) as const };
    await expect(open({}, deps).fetch()).rejects.toMatchObject({ failure: 'Refused' });
  });
});

describe('a remote with a certificate of its own', () => {
  it('is trusted by that certificate, and by no other', async () => {
    const forge = await startForge(path.join(folder, 'forge'));
    try {
      const remote = await forge.repository('own');
      await remote.write('a', '1');
      const head = await remote.push('Add a');
      const { username, password, 'ca.crt': own } = forge.access;
      const known = { credentials: async () => ({ type: 'Basic', username, password }) as const };
      const asked = { url: remote.url, protocols: ['https'] } as const;
      expect(await open(asked, { ...known, authority: async () => own }).fetch()).toBe(head);
      await expect(open(asked, known).fetch()).rejects.toMatchObject({ failure: 'Unreachable' });
      const other = createSelfSignedCertificate('other', Date.now() - 3_600_000, ['127.0.0.1']).cert;
      await expect(open(asked, { ...known, authority: async () => other }).fetch()).rejects.toMatchObject({
        failure: 'Unreachable',
      });
      await expect(open(asked, { ...known, authority: async () => 'x' }).fetch()).rejects.toMatchObject({
        failure: 'Refused',
      });
    } finally {
      await forge.stop();
    }
  });
});

type Listening = { readonly url: string; stop(): Promise<void> };

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Listening> {
  const listening: Server = createServer(handle);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      listening.closeAllConnections();
      await new Promise<void>((resolve) => listening.close(() => resolve()));
    },
  };
}

type ProxyOptions = {
  readonly authorization?: string;
  readonly answer?: string;
  readonly onRequest?: () => Promise<void>;
  /** Ends the connection instead of giving the answer to a push. */
  readonly dropAfterPush?: boolean;
};

function startProxy(target: string, options: ProxyOptions): Promise<Listening> {
  return listen(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await options.onRequest?.();
    if (options.authorization !== undefined && request.headers.authorization !== options.authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(options.answer);
      return;
    }
    const { host: _host, connection: _connection, 'transfer-encoding': _encoding, ...headers } = request.headers;
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method ?? 'GET',
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      ...(request.method === 'POST' ? { body: Buffer.concat(chunks) } : {}),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (options.dropAfterPush === true && request.url?.endsWith('/git-receive-pack') === true) {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(body);
  });
}

/** Command lines of this machine's processes that hold a text. */
async function processesWith(text: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const line = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (line.includes(text)) lines.push(line);
  }
  return lines;
}
