import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MadeCommit } from '../memory/objects.ts';
import type { CommitId, NewCommit, Repository } from '../repository.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

/** What somebody else does to the remote, and copies of it. */
export type RemoteUnderTest = {
  head(branch: string): Promise<CommitId | undefined>;
  text(branch: string, path: string): Promise<string | undefined>;
  write(branch: string, commit: MadeCommit): Promise<CommitId>;
  move(branch: string, to: CommitId | undefined): Promise<void>;
  /** A new copy of the branch `main`. */
  open(): Repository;
  close(): Promise<void>;
};

const ANNA = { name: 'Anna', email: 'anna@example.com' };
const SUBLET = { name: 'Sublet', email: 'sublet@example.com' };
const AT_MS = Date.UTC(2026, 10, 26, 9, 0, 0);
const NO_COMMIT = 'f'.repeat(40);

type Files = Readonly<Record<string, string | null>>;

function commitOf(files: Files, message = 'Change files\n', atMs = AT_MS): NewCommit {
  return { author: ANNA, committer: SUBLET, atMs, message, files: new Map(Object.entries(files)) };
}

/** The cases that every Repository passes. */
export function describeRepository(name: string, openRemote: () => Promise<RemoteUnderTest>): void {
  describe(name, () => {
    let remote: RemoteUnderTest;
    let repository: Repository;

    beforeEach(async () => {
      remote = await openRemote();
      repository = remote.open();
    });
    afterEach(async () => {
      await repository.close();
      await remote.close();
    });

    const fetched = async (): Promise<CommitId> => {
      const head = await repository.fetch();
      if (head === undefined) throw new Error('the branch is not there');
      return head;
    };
    const textsOf = async (commit: CommitId): Promise<Readonly<Record<string, string | undefined>>> => {
      const entries = await repository.list(commit, '');
      const texts = await repository.read(entries.map(({ blob }) => blob));
      return Object.fromEntries(entries.map(({ path, blob }) => [path, texts.get(blob)]));
    };

    it('begins a history on a remote that has none', async () => {
      expect(await repository.fetch()).toBeUndefined();
      const [first] = await repository.commit(undefined, [commitOf({ 'a/b.yaml': 'one\n' })]);
      expect(await remote.head('main')).toBeUndefined();
      expect(await repository.push(first ?? '', undefined)).toEqual({ type: 'pushed' });
      expect(await remote.head('main')).toBe(first);
      expect(await remote.text('main', 'a/b.yaml')).toBe('one\n');
      expect(await repository.fetch()).toBe(first);
    });

    it('lists files sorted by path, below a folder or all', async () => {
      await remote.write(
        'main',
        commitOf({ 'b/z.yaml': 'z', 'b/a/x.yaml': 'xx', 'b.yaml': '', 'a.md': 'äö', 'bb/c': 'c' }),
      );
      const head = await fetched();
      const all = await repository.list(head, '');
      expect(all.map(({ path, size, mode }) => [path, size, mode])).toEqual([
        ['a.md', 4, 'file'],
        ['b.yaml', 0, 'file'],
        ['b/a/x.yaml', 2, 'file'],
        ['b/z.yaml', 1, 'file'],
        ['bb/c', 1, 'file'],
      ]);
      expect((await repository.list(head, 'b')).map(({ path }) => path)).toEqual(['b/a/x.yaml', 'b/z.yaml']);
      expect(await repository.list(head, 'c')).toEqual([]);
      expect(await repository.list(head, 'b/z.yaml/none')).toEqual([]);
      expect((await repository.list(head, 'b.yaml')).map(({ path }) => path)).toEqual(['b.yaml']);
    });

    it('says what is no file, and follows nothing', async () => {
      const files = new Map([
        ['t/link.yaml', { bytes: Buffer.from('/etc/passwd'), mode: 'symlink' }],
        ['t/run.yaml', { bytes: Buffer.from('#!'), mode: 'executable' }],
        ['t/sub', { bytes: Buffer.from(NO_COMMIT), mode: 'submodule' }],
        ['folder', { bytes: Buffer.from('t'), mode: 'symlink' }],
      ] as const);
      await remote.write('main', { ...commitOf({}), files });
      const head = await fetched();
      expect((await repository.list(head, 't')).map(({ path, mode, size }) => [path, mode, size])).toEqual([
        ['t/link.yaml', 'symlink', undefined],
        ['t/run.yaml', 'executable', 2],
        ['t/sub', 'submodule', undefined],
      ]);
      expect((await repository.list(head, 'folder')).map(({ path, mode }) => [path, mode])).toEqual([
        ['folder', 'symlink'],
      ]);
    });

    it('keeps a file executable when its text changes', async () => {
      await remote.write('main', {
        ...commitOf({}),
        files: new Map([['x', { bytes: Buffer.from('a'), mode: 'executable' }]]),
      });
      const [next] = await repository.commit(await fetched(), [commitOf({ x: 'b', y: 'c' })]);
      const entries = await repository.list(next ?? '', '');
      expect(entries.map(({ path, mode }) => [path, mode])).toEqual([
        ['x', 'executable'],
        ['y', 'file'],
      ]);
    });

    it('reads texts, and nothing that is none', async () => {
      const files = new Map<string, string | { readonly bytes: Uint8Array; readonly mode: 'file' }>([
        ['bom', '\ufefftext\r\n'],
        ['binary', { bytes: Buffer.from([0xff, 0xfe, 0x00]), mode: 'file' }],
        ['empty', ''],
        ['large', 'x'.repeat(1024 * 1024 + 1)],
        ['nul', 'a\0b'],
      ]);
      await remote.write('main', { ...commitOf({}), files });
      expect(await textsOf(await fetched())).toEqual({
        bom: '\ufefftext\r\n',
        binary: undefined,
        empty: '',
        large: undefined,
        nul: 'a\0b',
      });
      expect(await repository.read([NO_COMMIT])).toEqual(new Map([[NO_COMMIT, undefined]]));
      expect(await repository.read([])).toEqual(new Map());
    });

    it('makes commits one on the other, with authors, messages and removals', async () => {
      await remote.write('main', commitOf({ 'a.yaml': '1', 'b.yaml': '2' }, 'Begin\n'));
      const base = await fetched();
      const message = 'Ändere "a"\n\nBody: x\n\nChange-Id: I0\n';
      const ids = await repository.commit(base, [
        commitOf({ 'a.yaml': 'one', 'c/d.yaml': 'new' }, message, AT_MS + 1_999),
        commitOf({ 'b.yaml': null, 'c/e.yaml': '' }, 'Remove b\n', AT_MS + 60_000),
      ]);
      expect(new Set(ids).size).toBe(2);
      expect(await textsOf(ids[0] ?? '')).toEqual({ 'a.yaml': 'one', 'b.yaml': '2', 'c/d.yaml': 'new' });
      expect(await textsOf(ids[1] ?? '')).toEqual({ 'a.yaml': 'one', 'c/d.yaml': 'new', 'c/e.yaml': '' });
      expect(await repository.log(ids[1] ?? '', { since: base })).toEqual([
        { commit: ids[1], author: ANNA, atMs: AT_MS + 60_000, message: 'Remove b\n', paths: ['b.yaml', 'c/e.yaml'] },
        { commit: ids[0], author: ANNA, atMs: AT_MS + 1_000, message, paths: ['a.yaml', 'c/d.yaml'] },
      ]);
      expect(await repository.commit(base, [])).toEqual([]);
    });

    it('cleans identities that git cannot hold', async () => {
      const author = { name: 'Eve\n<root>\0', email: 'eve@x>\nfrom deadbeef' };
      const [commit] = await repository.commit(undefined, [{ ...commitOf({ a: 'b' }, 'x\0y\n'), author }]);
      const [entry] = await repository.log(commit ?? '');
      expect(entry).toMatchObject({ author: { name: 'Eve root', email: 'eve@xfromdeadbeef' }, message: 'xy\n' });
    });

    it.each([
      ...['../a', 'a/../b', '/a', 'a//b', 'a/./b', 'a/', '', '.', '..', '.git/config', 'a/.GIT/hooks/x', 'git~1/x'],
      ...['a\nb', 'a\0b', 'a\\b', 'a/.g\u200cit/x', 'a"b', 'C:x', 'a.', 'x'.repeat(1025), 'a\ufffdb', '\ud800'],
    ])('refuses to write to the path %j', async (path) => {
      await expect(repository.commit(undefined, [commitOf({ [path]: 'x' })])).rejects.toMatchObject({
        name: 'RepositoryError',
        failure: 'Refused',
        isTransient: false,
      });
    });

    it('refuses to make a folder of what is none, and a file of what is none', async () => {
      const link = { bytes: Buffer.from('/etc'), mode: 'symlink' } as const;
      const sub = { bytes: Buffer.from(NO_COMMIT), mode: 'submodule' } as const;
      await remote.write('main', {
        ...commitOf({}),
        files: new Map<string, typeof link | typeof sub | string>([
          ['link', link],
          ['sub', sub],
          ['file', 'x'],
          ['folder/a', 'x'],
        ]),
      });
      const base = await fetched();
      for (const path of ['link/a', 'sub/a', 'file/a', 'file/a/b', 'folder', 'link', 'sub']) {
        await expect(repository.commit(base, [commitOf({ [path]: 'x' })]), path).rejects.toMatchObject({
          failure: 'Refused',
        });
      }
      const nested = [commitOf({ new: 'x' }), commitOf({ 'new/a': 'x' })];
      await expect(repository.commit(base, nested)).rejects.toMatchObject({ failure: 'Refused' });
    });

    it('pushes only onto what the caller saw', async () => {
      await remote.write('main', commitOf({ a: '1' }));
      const base = await fetched();
      const [ours] = await repository.commit(base, [commitOf({ b: 'ours' })]);
      const theirs = await remote.write('main', commitOf({ c: 'theirs' }));
      expect(await repository.push(ours ?? '', base)).toMatchObject({ type: 'rejected', stale: true });
      expect(await remote.head('main')).toBe(theirs);
      expect(await fetched()).toBe(theirs);
      const [again] = await repository.commit(theirs, [commitOf({ b: 'ours' })]);
      expect(await repository.push(again ?? '', theirs)).toEqual({ type: 'pushed' });
      expect(await remote.text('main', 'c')).toBe('theirs');
      expect(await remote.text('main', 'b')).toBe('ours');
    });

    it('takes the same push twice for one', async () => {
      const [commit] = await repository.commit(undefined, [commitOf({ a: '1' })]);
      expect(await repository.push(commit ?? '', undefined)).toEqual({ type: 'pushed' });
      expect(await repository.push(commit ?? '', commit)).toEqual({ type: 'pushed' });
    });

    it('never pushes over what it does not follow', async () => {
      const first = await remote.write('main', commitOf({ a: '1' }));
      await fetched();
      const [other] = await repository.commit(undefined, [commitOf({ a: '2' })]);
      await expect(repository.push(other ?? '', first)).rejects.toMatchObject({ failure: 'Refused' });
      expect(await repository.push(other ?? '', undefined)).toMatchObject({ type: 'rejected', stale: true });
      expect(await remote.head('main')).toBe(first);
    });

    it('pushes to another branch, which must not be there', async () => {
      await remote.write('main', commitOf({ a: '1' }));
      const base = await fetched();
      const [change] = await repository.commit(base, [commitOf({ a: '2' })]);
      const branch = 'sublet/I0123';
      expect(await repository.push(change ?? '', undefined, { branch })).toEqual({ type: 'pushed' });
      expect(await remote.head(branch)).toBe(change);
      expect(await remote.head('main')).toBe(base);
      const [second] = await repository.commit(base, [commitOf({ a: '3' })]);
      expect(await repository.push(second ?? '', undefined, { branch })).toMatchObject({
        type: 'rejected',
        stale: true,
      });
    });

    it('sees a branch that was moved back, emptied or removed', async () => {
      const first = await remote.write('main', commitOf({ a: '1' }));
      const second = await remote.write('main', commitOf({ a: '2' }));
      expect(await fetched()).toBe(second);
      await remote.move('main', first);
      expect(await fetched()).toBe(first);
      expect(await repository.isAncestor(second, first)).toBe(false);
      await remote.write('main', commitOf({ a: null }));
      expect(await repository.list(await fetched(), '')).toEqual([]);
      await remote.move('main', undefined);
      expect(await repository.fetch()).toBeUndefined();
    });

    it('knows what comes before what', async () => {
      const first = await remote.write('main', commitOf({ a: '1' }));
      await remote.write('main', commitOf({ a: '2' }));
      const third = await remote.write('main', commitOf({ a: '3' }));
      await fetched();
      expect(await repository.isAncestor(first, third)).toBe(true);
      expect(await repository.isAncestor(third, third)).toBe(true);
      expect(await repository.isAncestor(third, first)).toBe(false);
      expect(await repository.isAncestor(NO_COMMIT, third)).toBe(false);
      expect(await repository.isAncestor(first, NO_COMMIT)).toBe(false);
    });

    it('gives the history, of everything or of some paths', async () => {
      const first = await remote.write('main', commitOf({ 'a/x': '1' }, 'one\n'));
      await remote.write('main', commitOf({ 'b/x': '1' }, 'two\n'));
      const third = await remote.write('main', commitOf({ 'a/x': '2', 'ab/x': '1' }, 'three\n'));
      await fetched();
      const messages = async (options: Parameters<Repository['log']>[1]) =>
        (await repository.log(third, options)).map(({ message }) => message.trim());
      expect(await messages({})).toEqual(['three', 'two', 'one']);
      expect(await messages({ most: 2 })).toEqual(['three', 'two']);
      expect(await messages({ since: first })).toEqual(['three', 'two']);
      expect(await messages({ since: third })).toEqual([]);
      expect(await messages({ since: NO_COMMIT })).toEqual(['three', 'two', 'one']);
      expect(await messages({ paths: ['a'] })).toEqual(['three', 'one']);
      expect(await messages({ paths: ['b/x', 'none'] })).toEqual(['two']);
    });

    it('serves two copies and overlapping calls', async () => {
      const other = remote.open();
      try {
        const [first] = await repository.commit(undefined, [commitOf({ a: '1' })]);
        await repository.push(first ?? '', undefined);
        expect(await other.fetch()).toBe(first);
        const batches = await Promise.all(
          [1, 2, 3, 4].map((n) => other.commit(first, [commitOf({ [`f${n}`]: `${n}` })])),
        );
        const results = await Promise.all(batches.map(([commit]) => other.push(commit ?? '', first)));
        expect(results.filter(({ type }) => type === 'pushed')).toHaveLength(1);
        expect(results.filter(({ type }) => type === 'rejected')).toHaveLength(3);
        await Promise.all([repository.fetch(), repository.fetch(), other.fetch()]);
        expect(await repository.log((await remote.head('main')) ?? '')).toHaveLength(2);
      } finally {
        await other.close();
      }
    });

    it('works on after it was closed, with a new copy', async () => {
      const head = await remote.write('main', commitOf({ a: '1' }));
      await fetched();
      await repository.close();
      expect(await repository.fetch()).toBe(head);
    });
  });
}
