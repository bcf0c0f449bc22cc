import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openGitRepository } from '../../git/binary/repository.ts';
import { type GitRemoteHands, openHands } from '../../git/testing/gitremote.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { openStore, type Store } from '../../store/store.ts';
import type { Intent } from '../intent.ts';
import type { Change, Journal } from '../journal.ts';
import { listChangeIds } from '../message.ts';
import { createStoredJournal } from './journal/stored.ts';
import { buildChange } from './journal/testing/contract.ts';
import {
  editTitle,
  FOLDER,
  mortal,
  type Process,
  planObject,
  renderPlan,
  steady,
  target,
  throughProcess,
} from './testing/world.ts';
import { startWriter, type Writer } from './writer.ts';

const BRANCH = 'main';
const PERSON = { name: 'Pat', email: 'pat@example.com' };
const SLOW_MS = 600_000;

/** The same writer on the git binary and a database in a folder: what memory could hide shows here. */
describe('the writer on git and PGlite', () => {
  let folder: string;
  let store: Store;
  let journal: Journal;
  let writers: Writer[] = [];
  let worlds = 0;
  const { log, lines } = createTestLog();
  const deps = { clock: realClock, random: realRandom, log };
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-writer-'));
    store = await openStore(deps, { type: 'Embedded', folder: path.join(folder, 'db') });
    journal = createStoredJournal({ clock: realClock, store });
  }, SLOW_MS);
  afterEach(async () => {
    await Promise.all(writers.map((writer) => writer.stop()));
    writers = [];
  }, SLOW_MS);
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }, SLOW_MS);

  const openWorld = async () => {
    worlds += 1;
    const repository = `world-${worlds}`;
    const remote = path.join(folder, `${repository}.git`);
    await mkdir(remote);
    const hands = openHands(remote);
    await hands.git('init', '--quiet', '--bare', `--initial-branch=${BRANCH}`);
    const write = (files: Readonly<Record<string, string>>, branch = BRANCH) =>
      hands.write(branch, {
        author: PERSON,
        committer: PERSON,
        atMs: Date.now(),
        message: 'A person was here',
        files: new Map(Object.entries(files)),
      });
    await write({
      [`${FOLDER}/pro.yaml`]: renderPlan('pro', 'Pro'),
      [`${FOLDER}/flip.yaml`]: renderPlan('flip', 'Heads'),
    });
    const accept = async (intent: Intent): Promise<string> => {
      const change = { ...buildChange(repository), intent };
      await journal.accept(change);
      return change.id;
    };
    const start = (process: Process): Writer => {
      const options = { url: pathToFileURL(remote).href, branch: BRANCH, protocols: ['file'] } as const;
      const inner = { folder: path.join(folder, 'clones'), path: globalThis.process.env.PATH ?? '' };
      const writer = startWriter(
        {
          ...deps,
          journal: throughProcess(journal, process),
          open: async (id) => {
            // The journal is that of all worlds.
            if (id !== repository) throw new Error(`${id} is another world`);
            return {
              repository: throughProcess(openGitRepository(options, inner), process),
              branch: BRANCH,
              folderOf: (namespace) => ({ folder: `tenants/production/${namespace}` }),
              committer: PERSON,
              pushWindowMs: 0,
            };
          },
        },
        { holder: `${process.name}-${repository}`, leaseMs: 1_000, pollMs: 300, reviewMs: 500 },
      );
      writers.push(writer);
      return writer;
    };
    return { hands, write, accept, start, remote };
  };
  const ended = async (ids: readonly string[]): Promise<readonly Change[]> => {
    const deadline = Date.now() + SLOW_MS / 2;
    for (;;) {
      const changes = await Promise.all(ids.map((id) => journal.find(id)));
      const found = changes.flatMap((change) => (change !== undefined && change.state !== 'Accepted' ? [change] : []));
      if (found.length === ids.length) return found;
      if (Date.now() > deadline)
        throw new Error(
          `these wait: ${JSON.stringify(changes, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const changeIds = async (hands: GitRemoteHands): Promise<readonly string[]> =>
    (await hands.git('log', '--reverse', '--format=%B%x00', BRANCH))
      .split('\0')
      .flatMap((message) => listChangeIds(message));

  it(
    'commits in order between commits of people, and keeps every byte that it does not touch',
    async () => {
      const { hands, write, accept, start } = await openWorld();
      await write({ [`${FOLDER}/pro.yaml`]: `# Ours since 2019.\n${renderPlan('pro', 'Pro')}` });
      start(steady('one'));
      const first = [
        await accept(editTitle('pro', 'Pro', 'Two')),
        await accept({ type: 'Create', target: target('new'), object: planObject('new', 'New') }),
      ];
      await ended(first);
      await write({ 'NOTES.md': 'mine\n' });
      const second = [await accept(editTitle('pro', 'Two', 'Three')), await accept(editTitle('pro', 'Pro', 'Lost'))];
      const states = await ended([...first, ...second]);
      expect(states.map(({ state }) => state)).toEqual(['Committed', 'Committed', 'Committed', 'Conflict']);
      expect(await changeIds(hands)).toEqual([...first, second[0]]);
      expect(await hands.text(BRANCH, `${FOLDER}/pro.yaml`)).toBe(`# Ours since 2019.\n${renderPlan('pro', 'Three')}`);
      expect(await hands.text(BRANCH, 'NOTES.md')).toBe('mine\n');
    },
    SLOW_MS,
  );

  it(
    'commits once what a writer pushed that died before it wrote that down',
    async () => {
      const { hands, accept, start } = await openWorld();
      const ids = [
        await accept(editTitle('flip', 'Heads', 'Tails')),
        await accept(editTitle('flip', 'Tails', 'Heads')),
      ];
      const counting = mortal('one');
      // It dies when it comes back from the push.
      const dying: Process = {
        name: 'one',
        point: async (what) => {
          await counting.point(what);
          if (counting.points.includes('after push')) await new Promise<never>(() => {});
        },
      };
      const dead = start(dying);
      writers = writers.filter((writer) => writer !== dead);
      while (!counting.points.includes('after push')) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await changeIds(hands)).toEqual(ids);
      expect((await journal.find(ids[0] ?? ''))?.state).toBe('Accepted');
      start(steady('two'));
      const states = await ended(ids);
      expect(states.map(({ state, reason }) => reason ?? state)).toEqual(['Committed', 'Committed']);
      expect(await changeIds(hands)).toEqual(ids);
    },
    SLOW_MS,
  );

  it(
    'makes again what a force-push threw away',
    async () => {
      const { hands, write, accept, start } = await openWorld();
      const old = await hands.head(BRANCH);
      start(steady('one'));
      const id = await accept(editTitle('pro', 'Pro', 'Two'));
      const [before] = await ended([id]);
      // At once, as a push is: the writer may come between two steps.
      await hands.move('aside', old);
      await hands.move(BRANCH, await write({ 'NOTES.md': 'over it\n' }, 'aside'));
      const deadline = Date.now() + SLOW_MS / 2;
      for (
        let change = before;
        change?.commit === before?.commit || change?.state !== 'Committed';
        change = await journal.find(id)
      ) {
        if (Date.now() > deadline) throw new Error(`it was not made again: ${JSON.stringify(lines.slice(-10))}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(await changeIds(hands)).toEqual([id]);
      expect(await hands.text(BRANCH, `${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Two'));
      expect(await hands.text(BRANCH, 'NOTES.md')).toBe('over it\n');
    },
    SLOW_MS,
  );
});
