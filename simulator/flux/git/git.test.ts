import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGitReader } from './binary.ts';
import { createMemoryGitReader, createMemoryRepository } from './memory.ts';
import { type GitReader, renderRevision } from './reader.ts';

const { signal } = new AbortController();

/** The same steps on a repository of either sort. */
type Stage = {
  readonly url: string;
  readonly reader: GitReader;
  commit(changes: Readonly<Record<string, string | null>>): string;
  forcePush(files: Readonly<Record<string, string>>): string;
  tag(name: string, id: string): void;
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sublet-git-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ['git', stageGit],
  ['memory', stageMemory],
] as const)('a repository read by %s', (_name, stage) => {
  const read = async ({ reader, url }: Stage, reference = {}) => {
    const head = await reader.resolve(url, { branch: 'main', ...reference }, signal);
    if (head === undefined) return undefined;
    const files = await reader.listFiles(url, head, signal);
    const contents = await reader.readFiles(url, head, files, signal);
    return {
      revision: renderRevision(head),
      files: Object.fromEntries(files.map(({ path }, index) => [path, contents[index]?.toString()])),
    };
  };

  it('resolves a branch and reads its files, and the next commit too', async () => {
    const world = stage();
    const first = world.commit({ 'a/x.yaml': 'one', 'b.txt': '' });
    expect(await read(world)).toEqual({ revision: `main@sha1:${first}`, files: { 'a/x.yaml': 'one', 'b.txt': '' } });
    const second = world.commit({ 'a/x.yaml': 'two\nlines\0', 'b.txt': null, ü: 'umlaut' });
    const files = { 'a/x.yaml': 'two\nlines\0', ü: 'umlaut' };
    expect(await read(world)).toEqual({ revision: `main@sha1:${second}`, files });
  });

  it('reads tags, full names and single commits', async () => {
    const world = stage();
    const first = world.commit({ x: '1' });
    world.tag('v1', first);
    world.commit({ x: '2' });
    expect(await read(world, { tag: 'v1' })).toEqual({ revision: `v1@sha1:${first}`, files: { x: '1' } });
    const name = 'refs/tags/v1';
    expect(await read(world, { name })).toEqual({ revision: `${name}@sha1:${first}`, files: { x: '1' } });
    expect(await read(world, { commit: first, branch: '' })).toEqual({ revision: `sha1:${first}`, files: { x: '1' } });
  });

  it('follows a forced push, and a tree without files', async () => {
    const world = stage();
    world.commit({ x: '1', y: '1' });
    await read(world);
    const forced = world.forcePush({ z: '9' });
    expect(await read(world)).toEqual({ revision: `main@sha1:${forced}`, files: { z: '9' } });
    const empty = world.commit({ z: null });
    expect(await read(world)).toEqual({ revision: `main@sha1:${empty}`, files: {} });
  });

  it('says which branch is not there, and that a repository is empty', async () => {
    const world = stage();
    expect(await read(world)).toBeUndefined();
    world.commit({ x: '1' });
    await expect(read(world, { branch: 'gone' })).rejects.toThrow(
      `unable to clone '${world.url}': couldn't find remote ref "refs/heads/gone"`,
    );
    await expect(read(world, { commit: 'f'.repeat(40) })).rejects.toThrow(/unable to/);
  });
});

describe('the git binary', () => {
  it('keeps the mode of programs and passes links over', async () => {
    const { reader, url, work, push } = openWork();
    writeFileSync(join(work, 'run'), '#!');
    chmodSync(join(work, 'run'), 0o755);
    symlinkSync('run', join(work, 'link'));
    const commit = push();
    const files = await reader.listFiles(url, { commit, reference: 'main' }, signal);
    expect(files.map(({ path, executable }) => [path, executable])).toEqual([['run', true]]);
  });

  it('refuses what is not on this machine', async () => {
    const reader = createGitReader({ folder });
    for (const url of ['https://example.com/fleet', 'ssh://git@git.example.com/fleet', 'http://10.0.0.1/fleet']) {
      await expect(reader.resolve(url, {}, signal)).rejects.toThrow(`'${url}' is not on this machine`);
    }
  });

  it('shows a Secret to git and to nobody else', async () => {
    const reader = createGitReader({ folder });
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(401).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/fleet.git`;
    try {
      const known = { username: 'bob', password: 'se:cret' };
      const refused = reader.resolve(url, {}, signal, known);
      await expect(refused).rejects.toThrow(`unable to clone '${url}': `);
      await expect(refused).rejects.not.toThrow('cret');
      await expect(reader.resolve(url, {}, signal, { bearerToken: 'token' })).rejects.toThrow();
    } finally {
      server.close();
    }
    expect(new Set(asked)).toEqual(new Set([`Basic ${Buffer.from('bob:se:cret').toString('base64')}`, 'Bearer token']));
  });

  it('says in git’s words why a repository cannot be read', async () => {
    const reader = createGitReader({ folder });
    const gone = `file://${folder}/gone.git`;
    await expect(reader.resolve(gone, {}, signal)).rejects.toThrow(`unable to clone '${gone}': `);
    const nobody = 'http://127.0.0.1:9/fleet.git';
    await expect(reader.resolve(nobody, {}, signal)).rejects.toThrow(`unable to clone '${nobody}': `);
  });

  it('runs no hook of the repository and reads no configuration of the user', async () => {
    const { reader, url, work, push } = openWork();
    const trap = join(folder, 'trapped');
    const template = join(folder, 'template', 'hooks');
    mkdirSync(template, { recursive: true });
    writeFileSync(join(template, 'reference-transaction'), `#!/bin/sh\ntouch ${trap}\n`, { mode: 0o755 });
    writeFileSync(join(folder, '.gitconfig'), `[init]\ntemplateDir = ${dirname(template)}\n`);
    writeFileSync(join(work, 'x'), '1');
    const commit = push();
    await reader.listFiles(url, { commit, reference: 'main' }, signal);
    expect(existsSync(trap)).toBe(false);
  });

  it('stops when told to', async () => {
    const { reader, url, work, push } = openWork();
    writeFileSync(join(work, 'x'), '1');
    push();
    const stop = new AbortController();
    const asked = reader.resolve(url, { branch: 'main' }, stop.signal);
    stop.abort();
    await expect(asked).rejects.toThrow(/abort/);
  });
});

it('makes the same commits by the same steps, and fails as told', async () => {
  const steps = () => {
    const repository = createMemoryRepository();
    repository.commit({ b: '1', a: '1' }, { message: 'first' });
    repository.empty();
    return repository;
  };
  const [one, two] = [steps(), steps()];
  expect(one.history().map(({ id }) => id)).toEqual(two.history().map(({ id }) => id));
  const first = one.history()[1];
  one.reset(first?.id ?? '');
  expect(one.head()).toBe(first);
  expect(() => one.reset('nowhere')).toThrow('the repository holds no commit nowhere');
  const reader = createMemoryGitReader(new Map([['http://git/fleet', one]]));
  one.setFault('unreachable');
  await expect(reader.resolve('http://git/fleet', {}, signal)).rejects.toThrow(
    "unable to clone 'http://git/fleet': connection refused",
  );
  await expect(reader.resolve('http://git/other', {}, signal)).rejects.toThrow('repository not found');
});

function stageMemory(): Stage {
  const repository = createMemoryRepository();
  const url = 'http://git.example.com/fleet.git';
  return {
    url,
    reader: createMemoryGitReader(new Map([[url, repository]])),
    commit: (changes) => repository.commit(changes).id,
    forcePush: (files) => repository.forcePush(files).id,
    tag: (name, id) => repository.tag(name, id),
  };
}

function openWork() {
  const bare = join(folder, 'remote.git');
  const work = join(folder, 'work');
  const git = (...args: readonly string[]) => execFileSync('git', args, { encoding: 'utf8', cwd: folder }).trim();
  git('init', '--quiet', '--bare', '--initial-branch=main', bare);
  git('-C', bare, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  git('init', '--quiet', '--initial-branch=main', work);
  for (const [name, value] of [
    ['user.name', 'Test'],
    ['user.email', 'test@example.com'],
  ] as const)
    git('-C', work, 'config', name, value);
  const push = (): string => {
    git('-C', work, 'add', '--all');
    git('-C', work, 'commit', '--quiet', '--allow-empty', '--message', 'change');
    git('-C', work, 'push', '--quiet', '--force', bare, 'HEAD:main');
    return git('-C', work, 'rev-parse', 'HEAD');
  };
  return { git, bare, work, push, url: `file://${bare}`, reader: createGitReader({ folder: join(folder, 'clones') }) };
}

function stageGit(): Stage {
  const { git, bare, work, push, url, reader } = openWork();
  const write = (changes: Readonly<Record<string, string | null>>): void => {
    for (const [path, text] of Object.entries(changes)) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      if (text === null) rmSync(join(work, path));
      else writeFileSync(join(work, path), text);
    }
  };
  return {
    url,
    reader,
    commit: (changes) => {
      write(changes);
      return push();
    },
    forcePush: (files) => {
      git('-C', work, 'checkout', '--quiet', '--orphan', `other-${Object.keys(files).join('')}`);
      git('-C', work, 'rm', '--quiet', '-rf', '.');
      write(files);
      return push();
    },
    tag: (name, id) => {
      git('-C', work, 'tag', '--annotate', '--message', name, name, id);
      git('-C', work, 'push', '--quiet', bare, name);
    },
  };
}

describe('a repository in memory that asks who reads', () => {
  it('lets those in who know', async () => {
    const repository = createMemoryRepository();
    const { id } = repository.commit({ x: '1' });
    const url = 'https://git.example.com/fleet';
    const reader = createMemoryGitReader(new Map([[url, repository]]));
    repository.setCredentials({ username: 'bob', password: 'secret' });
    const reference = { branch: 'main' };
    await expect(reader.resolve(url, reference, signal)).rejects.toThrow('authentication required');
    const other = { username: 'bob', password: 'other' };
    await expect(reader.resolve(url, reference, signal, other)).rejects.toThrow('authentication required');
    const known = { username: 'bob', password: 'secret' };
    expect(await reader.resolve(url, reference, signal, known)).toEqual({ commit: id, reference: 'main' });
    await expect(reader.listFiles(url, { commit: id, reference: 'main' }, signal)).rejects.toThrow('authentication');
  });
});
