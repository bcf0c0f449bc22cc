import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openGitRepository } from '../../git/binary/repository.ts';
import type { MadeCommit } from '../../git/memory/objects.ts';
import type { Repository } from '../../git/repository.ts';
import { type GitRemoteHands, openHands } from '../../git/testing/gitremote.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import type { Intent } from '../intent.ts';
import type { Change } from '../journal.ts';
import { createMemoryJournal } from './journal/memory.ts';
import { buildChange } from './journal/testing/contract.ts';
import {
  BRANCH,
  createWriterWorld,
  editTitle,
  FOLDER,
  findLies,
  type Process,
  planObject,
  renderPlan,
  steady,
  target,
} from './testing/world.ts';
import { startWriter, type Writer } from './writer.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

type Files = MadeCommit['files'];
const FILE = `${FOLDER}/pro.yaml`;
const BEGIN = { [FILE]: renderPlan('pro', 'Pro'), [`${FOLDER}/old.yaml`]: renderPlan('old', 'Old') };
const PERSON = { name: 'Pat', email: 'pat@example.com' };
const bytes = (content: string | Uint8Array, mode: 'file' | 'symlink' | 'submodule') =>
  new Map([[FILE, { bytes: Buffer.from(content), mode }]]);
const text = (content: string) => new Map([[FILE, content]]);

/** What somebody makes of a file that a change waits for; and what the change ends with. */
const NONSENSE: readonly (readonly [what: string, files: Files, state: Change['state'], message: RegExp])[] = [
  ['broken YAML', text('kind: [\n'), 'Rejected', /pro\.yaml:\d+: .*mend it first$/],
  ['the marks of a merge', text(`<<<<<<< HEAD\n${renderPlan('pro', 'A')}=======\n`), 'Rejected', /pro\.yaml:\d+: /],
  ['bytes', bytes(Buffer.from([0, 255, 254, 0, 1]), 'file'), 'Rejected', /not valid UTF-8/],
  ['a kind with a NUL', text(renderPlan('pro', 'A').replace('Plan', 'Plan\0')), 'Conflict', /not there any more/],
  ['a huge text', text(`# ${'x'.repeat(200_000)}\n`), 'Rejected', /more than fileBytes/],
  ['a larger text', text(`# ${'x'.repeat(2_000_000)}\n`), 'Rejected', /more than fileBytes/],
  ['many levels', text(`a: ${'['.repeat(5_000)}${']'.repeat(5_000)}\n`), 'Rejected', /yamlDepth/],
  ['many aliases', text(`a: &a [1]\nb: [${'*a,'.repeat(50)}]\n`), 'Rejected', /yamlAliases/],
  ['a tag', text('a: !!js/function x\n'), 'Rejected', /tag/],
  ['a key that stands twice', text(`${renderPlan('pro', 'A')}kind: Plan\n`), 'Rejected', /twice/],
  [
    'the resource twice',
    text(`${renderPlan('pro', 'A')}---\n${renderPlan('pro', 'A')}`),
    'Rejected',
    /stands in .*keep one/,
  ],
  [
    'a spec that is no map',
    text('apiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata: {name: pro}\nspec: 5\n'),
    'Conflict',
    /meanwhile/,
  ],
  [
    '__proto__',
    text('apiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata: {name: pro}\n__proto__: {spec: {title: Pro}}\n'),
    'Conflict',
    /meanwhile|not there/,
  ],
  ['nothing', text(''), 'Conflict', /not there any more/],
  ['a comment', text('# later\n'), 'Conflict', /not there any more/],
  ['another resource', text(renderPlan('max', 'Pro')), 'Conflict', /not there any more/],
  ['a list', text('[1, 2, 3]\n'), 'Conflict', /not there any more/],
  ['a link to /etc', bytes('/etc/passwd', 'symlink'), 'Conflict', /not there any more/],
  ['a link upwards', bytes('../../../../../etc', 'symlink'), 'Conflict', /not there any more/],
  ['a submodule', bytes('f'.repeat(40), 'submodule'), 'Conflict', /not there any more/],
];

describe('a file that a person makes nonsense of while a change waits for it', () => {
  let writers: Writer[] = [];
  afterEach(async () => {
    for (const writer of writers) await writer.stop();
    writers = [];
  });

  it.each(NONSENSE.flatMap((one) => [['before it is read', ...one] as const, ['while it is pushed', ...one] as const]))(
    '%s: %s',
    async (when, _what, files, state, message) => {
      const world = createWriterWorld(BEGIN);
      const change = (changed: Files) =>
        world.remote.write(BRANCH, {
          author: PERSON,
          committer: PERSON,
          atMs: world.clock.now(),
          message: 'x',
          files: changed,
        });
      const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
      const beside = await world.accept(editTitle('old', 'Old', 'New'));
      const elsewhere = await world.accept({
        type: 'Create',
        target: target('x', 't-eve'),
        object: planObject('x', 'X'),
      });
      let isSpoilt = when === 'before it is read';
      if (isSpoilt) change(files);
      const process: Process = {
        name: 'one',
        point: async (call) => {
          if (call !== 'before push' || isSpoilt) return;
          isSpoilt = true;
          change(files);
        },
      };
      writers.push(world.start(process));
      await world.settle();
      expect(isSpoilt).toBe(true);
      const spoilt = world.remote.objects.tree(world.remote.head(BRANCH) ?? '').get(FILE);
      expect(await world.state(id)).toMatchObject({ state, message: expect.stringMatching(message) });
      for (const other of [beside, elsewhere]) expect(await world.state(other)).toMatchObject({ state: 'Committed' });
      expect(await findLies(world, [id, beside, elsewhere])).toEqual([]);
      // What the person wrote is as it was, and the next change is made once it is mended.
      expect(world.remote.objects.tree(world.remote.head(BRANCH) ?? '').get(FILE)).toEqual(spoilt);
      change(bytes(renderPlan('pro', 'Mended'), 'file'));
      const next = await world.accept(editTitle('pro', 'Mended', 'Three'));
      await world.settle();
      expect(await world.state(next)).toMatchObject({ state: 'Committed' });
      expect(world.file(FILE)).toBe(renderPlan('pro', 'Three'));
      expect(({} as { spec?: unknown }).spec).toBeUndefined();
    },
  );
});

describe('the same by git', () => {
  let folder = '';
  let writer: Writer | undefined;
  let repository: Repository | undefined;
  afterEach(async () => {
    await writer?.stop();
    await repository?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('ends each change that waits for such a file, and makes the others', async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-nonsense-'));
    const bare = path.join(folder, 'remote.git');
    await promisify(execFile)('git', ['init', '--quiet', '--bare', `--initial-branch=${BRANCH}`, bare]);
    const hands: GitRemoteHands = openHands(bare);
    const write = (files: Files) =>
      hands.write(BRANCH, { author: PERSON, committer: PERSON, atMs: 0, message: 'x', files });
    const folderOf = (namespace: string) => `tenants/production/${namespace}`;
    const namespaces = NONSENSE.map((_, n) => `t-${n}`);
    const moved = (namespace: string, files: Files): Files =>
      new Map([...files].map(([file, content]) => [file.replace(FOLDER, folderOf(namespace)), content]));
    const all = (of: (n: number) => Files) => new Map(namespaces.flatMap((name, n) => [...moved(name, of(n))]));
    await write(all(() => new Map(Object.entries(BEGIN))));
    const journal = createMemoryJournal({ clock: realClock });
    const accept = async (intent: Intent): Promise<string> => {
      const change = { ...buildChange('fleet'), intent };
      await journal.accept(change);
      return change.id;
    };
    const edit = (namespace: string, name: string, from: string): Intent => {
      const title = { path: ['spec', 'title'], from, to: 'Two' };
      return { type: 'Edit', target: target(name, namespace), edits: [title] };
    };
    const spoilt = await Promise.all(namespaces.map((namespace) => accept(edit(namespace, 'pro', 'Pro'))));
    const beside = await Promise.all(namespaces.map((namespace) => accept(edit(namespace, 'old', 'Old'))));
    await write(all((n) => NONSENSE[n]?.[1] ?? new Map()));
    repository = openGitRepository(
      { url: `file://${bare}`, branch: BRANCH, protocols: ['file'] },
      { folder: path.join(folder, 'copies'), path: process.env.PATH ?? '' },
    );
    const opened = { repository, branch: BRANCH, committer: PERSON, pushWindowMs: 0 };
    writer = startWriter(
      {
        clock: realClock,
        random: realRandom,
        log: createTestLog().log,
        journal,
        open: async () => ({ ...opened, folderOf: (namespace) => ({ folder: folderOf(namespace) }) }),
      },
      { holder: steady('one').name },
    );
    await vi.waitFor(async () => expect(await journal.pending('fleet', ['Accepted'], 1)).toEqual([]), {
      timeout: 150_000,
      interval: 50,
    });
    for (const [n, [what, , state, message]] of NONSENSE.entries()) {
      expect(await journal.find(spoilt[n] ?? ''), what).toMatchObject({
        state,
        message: expect.stringMatching(message),
      });
      expect(await journal.find(beside[n] ?? ''), what).toMatchObject({ state: 'Committed' });
    }
    expect(await hands.text(BRANCH, `${folderOf('t-0')}/old.yaml`)).toBe(renderPlan('old', 'Two'));
  });
});
