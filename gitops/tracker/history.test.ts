import { describe, expect, it } from 'vitest';
import { createMemoryRemote } from '../../git/memory/remote.ts';
import { openMemoryRepository } from '../../git/memory/repository.ts';
import { RepositoryError } from '../../git/repository.ts';
import { createHistory } from './history.ts';

const PERSON = { name: 'Pat', email: 'pat@example.com' };

function createHistoryWorld(most?: number) {
  const remote = createMemoryRemote();
  let written = 0;
  const write = (path?: string, text: string | null = 'x\n'): string => {
    written += 1;
    const files = new Map([[path ?? `n${written}.md`, text]]);
    return remote.write('main', {
      author: PERSON,
      committer: PERSON,
      atMs: written * 1_000,
      message: `${written}`,
      files,
    });
  };
  const calls: string[] = [];
  const present = { remote, place: 'here', tooLarge: false };
  const history = createHistory(
    async (id) => {
      if (id !== 'fleet') return undefined;
      calls.push('open');
      const inner = openMemoryRepository(present.remote, { branch: 'main' });
      return {
        fetch: async () => {
          calls.push('fetch');
          return inner.fetch();
        },
        log: async (...args) => {
          calls.push('log');
          return inner.log(...args);
        },
        list: async (...args) => {
          calls.push('list');
          if (present.tooLarge) throw new RepositoryError('TooLarge', 'the folder has more than 2 files');
          return inner.list(...args);
        },
        isAncestor: async (...args) => {
          calls.push('isAncestor');
          return inner.isAncestor(...args);
        },
        close: async () => void calls.push('close'),
      };
    },
    { locate: () => present.place, ...(most === undefined ? {} : { most }) },
  );
  return { remote, write, history, calls, present };
}

describe('the history of a repository', () => {
  it('knows which commit contains which, in a few calls for many questions', async () => {
    const { write, history, calls } = createHistoryWorld();
    const commits = Array.from({ length: 50 }, () => write());
    const middle = commits[25] ?? '';
    for (const [index, commit] of commits.entries()) {
      expect(await history.contains('fleet', commit, middle)).toBe(index <= 25);
    }
    expect(calls).toEqual(['open', 'fetch', 'log']);
    const head = commits.at(-1) ?? '';
    for (const commit of commits) expect(await history.contains('fleet', commit, head)).toBe(true);
    expect(calls).toEqual(['open', 'fetch', 'log', 'fetch', 'isAncestor', 'log']);
  });

  it('does not take over what a rewritten branch lost', async () => {
    const { remote, write, history } = createHistoryWorld();
    const [first = '', lost = ''] = [write(), write()];
    expect(await history.contains('fleet', first, lost)).toBe(true);
    remote.move('main', first);
    const other = write();
    expect(await history.contains('fleet', lost, other)).toBe(false);
    expect(await history.contains('fleet', first, other)).toBe(true);
  });

  it('asks for single commits of a history that is longer than it lists, once each', async () => {
    const { write, history, calls } = createHistoryWorld(5);
    const commits = Array.from({ length: 20 }, () => write());
    const [first = '', head = ''] = [commits[0], commits.at(-1)];
    for (let turn = 0; turn < 3; turn++) expect(await history.contains('fleet', first, head)).toBe(true);
    expect(await history.contains('fleet', 'f'.repeat(40), head)).toBe(false);
    expect(calls.filter((call) => call === 'isAncestor')).toHaveLength(2);
  });

  it('knows whether a folder is what it was, whatever happened in between and beside it', async () => {
    const { write, history, calls } = createHistoryWorld();
    const isSame = (before: string, after: string, folder = 'tenants/a') =>
      history.isSame('fleet', folder, { before, after });
    const first = write('tenants/a/desk.yaml', 'power: Running\n');
    const edited = write('tenants/a/desk.yaml', 'power: Stopped\n');
    const beside = write('tenants/ab/desk.yaml', 'power: Stopped\n');
    const back = write('tenants/a/desk.yaml', 'power: Running\n');
    const gone = write('tenants/a/desk.yaml', null);
    expect(await isSame(first, edited)).toBe(false);
    expect(await isSame(edited, beside)).toBe(true);
    expect(await isSame(first, back)).toBe(true);
    expect(await isSame(first, gone)).toBe(false);
    expect(await isSame(first, gone, 'tenants/b')).toBe(true);
    const asked = calls.length;
    expect(await isSame(first, back)).toBe(true);
    expect(calls).toHaveLength(asked);
  });

  it('says of no folder that it is the same when it does not know', async () => {
    const { remote, write, history, present } = createHistoryWorld();
    const [first = '', lost = ''] = [write(), write()];
    remote.move('main', first);
    const other = write();
    expect(await history.isSame('fleet', 'tenants/a', { before: lost, after: other })).toBe(false);
    expect(await history.isSame('fleet', 'tenants/a', { before: 'f'.repeat(40), after: other })).toBe(false);
    expect(await history.isSame('other', 'tenants/a', { before: first, after: other })).toBe(false);
    present.tooLarge = true;
    expect(await history.isSame('fleet', 'tenants/a', { before: first, after: other })).toBe(false);
  });

  it('is that of the repository where it is by now', async () => {
    const { write, history, calls, present } = createHistoryWorld();
    const other = createHistoryWorld();
    const [first = '', second = ''] = [write(), write()];
    expect(await history.contains('fleet', first, second)).toBe(true);
    other.write();
    const elsewhere = [other.write(), other.write()];
    Object.assign(present, { remote: other.remote, place: 'there' });
    expect(await history.contains('fleet', elsewhere[0] ?? '', elsewhere[1] ?? '')).toBe(true);
    expect(calls).toEqual(['open', 'fetch', 'log', 'open', 'close', 'fetch', 'log']);
  });

  it('contains nothing where there is no such repository, and asks again after a failure', async () => {
    const { write, history, calls, remote } = createHistoryWorld();
    expect(await history.contains('other', 'a', 'b')).toBe(false);
    const [first = '', second = ''] = [write(), write()];
    remote.fail({ call: 'fetch', type: 'unreachable' });
    await expect(history.contains('fleet', first, second)).rejects.toThrow('does not answer');
    expect(await history.contains('fleet', first, second)).toBe(true);
    await history.close();
    expect(calls.at(-1)).toBe('close');
  });
});
