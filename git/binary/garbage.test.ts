import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Repository } from '../repository.ts';
import { type GitRemoteHands, openHands } from '../testing/gitremote.ts';
import { type GitRepositoryOptions, openGitRepository } from './repository.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });
const PATIENT = { localTimeoutMs: 300_000, remoteTimeoutMs: 300_000 };

const run = promisify(execFile);
const SOMEBODY = { name: 'Somebody', email: 'somebody@example.com' };
const MiB = 1024 * 1024;

let folder: string;
let bare: string;
let hands: GitRemoteHands;
const opened: Repository[] = [];

const open = (options: Partial<GitRepositoryOptions> = {}): Repository => {
  const repository = openGitRepository(
    {
      url: `file://${bare}`,
      branch: 'main',
      protocols: ['file', 'http'],
      ...options,
      limits: { ...PATIENT, ...options.limits },
    },
    { folder: path.join(folder, 'copies'), path: process.env.PATH ?? '' },
  );
  opened.push(repository);
  return repository;
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-garbage-'));
  bare = path.join(folder, 'remote.git');
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  hands = openHands(bare);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((repository) => repository.close()));
  await rm(folder, { recursive: true, force: true });
});

/** Writes an object as it is, whatever git thinks of it. */
async function writeObject(
  type: 'blob' | 'tree' | 'commit',
  ...parts: readonly (string | Uint8Array)[]
): Promise<string> {
  const child = spawn('git', ['--git-dir', bare, 'hash-object', '-t', type, '-w', '--stdin', '--literally']);
  let id = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    id += text;
  });
  for (const part of parts) child.stdin.write(part);
  child.stdin.end();
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(0);
  return id.trim();
}

const entry = (mode: string, name: string, id: string): Buffer =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);

async function writeCommit(tree: string, message: string, ...parents: readonly string[]): Promise<string> {
  const head = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`)].join('\n');
  const who = `${SOMEBODY.name} <${SOMEBODY.email}> 0 +0000`;
  const id = await writeObject('commit', `${head}\nauthor ${who}\ncommitter ${who}\n\n`, message);
  await hands.move('main', id);
  return id;
}

describe('a repository of garbage', () => {
  it('that is ten thousand million files in eleven objects is refused, not unpacked', async () => {
    let id = await writeObject('blob', 'a: 1\n');
    let mode = '100644';
    for (let level = 0; level < 10; level++) {
      id = await writeObject('tree', ...Array.from({ length: 10 }, (_, n) => entry(mode, `f${n}`, id)));
      mode = '40000';
    }
    const head = await writeCommit(id, 'bomb\n');
    const repository = open();
    expect(await repository.fetch()).toBe(head);
    await expect(repository.list(head, '')).rejects.toMatchObject({ failure: 'TooLarge' });
    expect(await repository.list(head, 'f0/f0/f0/f0/f0/f0/f0/f0')).toHaveLength(100);
    const little = open({ limits: { memoryBytes: 64 * MiB } });
    await little.fetch();
    await expect(little.log(head)).rejects.toMatchObject({
      failure: 'TooLarge',
      message: 'git needs more than 67108864 bytes of memory for it',
    });
  });

  it('with a huge commit is read without what that says, and written to', async () => {
    const tree = await writeObject('tree', entry('100644', 'a.yaml', await writeObject('blob', 'a: 1\n')));
    const first = await writeCommit(tree, 'First\n');
    const huge = await writeCommit(tree, 'x'.repeat(66 * MiB), first);
    const last = await writeCommit(tree, 'Last\n', huge);
    const repository = open();
    expect(await repository.fetch()).toBe(last);
    const log = await repository.log(last);
    expect(log.map(({ commit, message }) => [commit, message.slice(0, 10)])).toEqual([
      [last, 'Last\n'],
      [huge, ''],
      [first, 'First\n'],
    ]);
    const files = new Map([['b.yaml', 'b: 1\n']]);
    const [next = ''] = await repository.commit(huge, [
      { author: SOMEBODY, committer: SOMEBODY, atMs: 0, message: 'x\n', files },
    ]);
    expect((await repository.list(next, '')).map((file) => file.path)).toEqual(['a.yaml', 'b.yaml']);
  });

  it('whose files are named as commits are tells each commit its own files', async () => {
    const write = (message: string, ...paths: readonly string[]) => {
      const files = new Map(paths.map((name) => [name, message] as const));
      return hands.write('main', { author: SOMEBODY, committer: SOMEBODY, atMs: 0, message, files });
    };
    const first = await write('First\n', 'a');
    const second = await write('Second\n', 'b');
    const third = await write('Third\n', first, `x/${second}`);
    const repository = open();
    await repository.fetch();
    expect((await repository.log(third)).map(({ commit, paths }) => [commit, paths])).toEqual([
      [third, [first, `x/${second}`]],
      [second, ['b']],
      [first, ['a']],
    ]);
  });

  it('with a file that unpacks to many times its size is fetched, and the file is no text', async () => {
    const size = 96 * MiB;
    // The other side is a process of this machine, too, and counts.
    await hands.git('config', 'core.bigFileThreshold', '1m');
    const blob = await writeObject('blob', ...Array.from({ length: size / MiB }, () => Buffer.alloc(MiB)));
    const head = await writeCommit(await writeObject('tree', entry('100644', 'zeros.yaml', blob)), 'x\n');
    const repository = open({ limits: { memoryBytes: 64 * MiB } });
    expect(await repository.fetch()).toBe(head);
    expect(await repository.list(head, '')).toMatchObject([{ path: 'zeros.yaml', size }]);
    expect(await repository.read([blob])).toEqual(new Map([[blob, undefined]]));
  });
});

describe('a server', () => {
  let server: Server;
  let url = '';
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('that sends without end what unpacks to a thousand times as much is left, with its git', async () => {
    answer = (_request, response) => {
      const head = { 'content-type': 'application/x-git-upload-pack-advertisement', 'content-encoding': 'gzip' };
      response.writeHead(200, head);
      pipeline(endless(), createGzip({ level: 1 }), response).catch(() => {});
    };
    await expect(open({ url, limits: { memoryBytes: 64 * MiB } }).fetch()).rejects.toMatchObject({
      failure: 'TooLarge',
      message: expect.stringContaining('of memory'),
    });
  });

  it('of files alone leads to no other by alternates, and into no file of this machine', async () => {
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(String(request.url));
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const head = await writeCommit(await writeObject('tree'), 'x\n');
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    answer = ({ url: asks = '' }, response) => {
      const files: Readonly<Record<string, string>> = {
        'info/refs': `${head}\trefs/heads/main\n`,
        HEAD: 'ref: refs/heads/main\n',
        'objects/info/http-alternates': `${elsewhere}/evil.git/objects\n/../../evil.git/objects\n`,
        'objects/info/alternates': `${bare}/objects\n`,
      };
      const text = files[asks.replace(/^\/x\.git\//, '').replace(/\?.*$/, '')];
      response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(text);
    };
    try {
      await expect(open({ url }).fetch()).rejects.toMatchObject({ name: 'RepositoryError' });
      expect(asked).toEqual([]);
    } finally {
      other.closeAllConnections();
      await new Promise((resolve) => other.close(resolve));
    }
  });
});

function endless(): Readable {
  const piece = Buffer.alloc(MiB, 'a');
  return new Readable({
    read() {
      this.push(piece);
    },
  });
}
