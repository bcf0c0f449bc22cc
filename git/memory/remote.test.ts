import { expect, it } from 'vitest';
import { createMemoryRemote } from './remote.ts';
import { openMemoryRepository } from './repository.ts';

const SOMEBODY = { name: 'Somebody', email: 'somebody@example.com' };
const commitOf = (files: Readonly<Record<string, string | null>>) => ({
  author: SOMEBODY,
  committer: SOMEBODY,
  atMs: 0,
  message: 'x\n',
  files: new Map(Object.entries(files)),
});

async function prepare() {
  const remote = createMemoryRemote();
  const base = remote.write('main', commitOf({ a: '1' }));
  const repository = openMemoryRepository(remote, { branch: 'main' });
  const [next = ''] = await repository.commit(base, [commitOf({ a: '2' })]);
  return { remote, repository, base, next };
}

it.each([
  ['lost', { type: 'unknown' }, '2'],
  ['dropped', { type: 'unknown' }, '1'],
  ['refused', { type: 'rejected', stale: false }, '1'],
] as const)('a push that is %s is so once', async (type, result, text) => {
  const { remote, repository, base, next } = await prepare();
  remote.fail({ call: 'push', type });
  expect(await repository.push(next, base)).toMatchObject(result);
  expect(remote.text('main', 'a')).toBe(text);
  expect(await repository.push(next, remote.head('main'))).toEqual({ type: 'pushed' });
  expect(remote.text('main', 'a')).toBe('2');
});

it('somebody else is faster once', async () => {
  const { remote, repository, base, next } = await prepare();
  remote.fail({ call: 'push', type: 'race', commit: commitOf({ b: 'theirs' }) });
  expect(await repository.push(next, base)).toMatchObject({ type: 'rejected', stale: true });
  expect(remote.text('main', 'b')).toBe('theirs');
  expect(remote.text('main', 'a')).toBe('1');
});

it('is not there once', async () => {
  const { remote, repository, base, next } = await prepare();
  remote.fail({ call: 'push', type: 'unreachable' });
  remote.fail({ call: 'fetch', type: 'unreachable' });
  await expect(repository.push(next, base)).rejects.toMatchObject({ failure: 'Unreachable', isTransient: true });
  await expect(repository.fetch()).rejects.toMatchObject({ failure: 'Unreachable' });
  expect(await repository.fetch()).toBe(base);
});

it('tells of each move, and keeps long histories small', async () => {
  const remote = createMemoryRemote();
  const seen: (string | undefined)[] = [];
  const stop = remote.onMove((_branch, commit) => seen.push(commit));
  const first = remote.write(
    'main',
    commitOf(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, '0']))),
  );
  for (let n = 0; n < 2_000; n++) remote.write('main', commitOf({ [`f${n % 500}`]: `${n}` }));
  const repository = openMemoryRepository(remote, { branch: 'main' });
  const head = (await repository.fetch()) ?? '';
  expect(await repository.isAncestor(first, head)).toBe(true);
  expect(await repository.log(head, { since: first, most: 5_000 })).toHaveLength(2_000);
  expect((await repository.list(first, '')).length).toBe(500);
  expect(remote.objects.commit(head)?.changes.size).toBe(1);
  stop();
  remote.move('main', undefined);
  expect(seen).toHaveLength(2_001);
});
