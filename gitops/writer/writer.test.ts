import { afterEach, describe, expect, it } from 'vitest';
import { openMemoryRepository } from '../../git/memory/repository.ts';
import type { Intent } from '../intent.ts';
import { parseTrailers } from '../message.ts';
import type { RenderOptions } from '../render.ts';
import type { WritableRepository } from './target.ts';
import {
  BRANCH,
  createWriterWorld,
  editTitle,
  FOLDER,
  findLies,
  planObject,
  REPOSITORY,
  renderPlan,
  steady,
  type TargetOverride,
  target,
  type WriterWorld,
} from './testing/world.ts';
import type { Writer } from './writer.ts';

const FILES = { [`${FOLDER}/pro.yaml`]: renderPlan('pro', 'Pro'), [`${FOLDER}/old.yaml`]: renderPlan('old', 'Old') };

describe('the writer', () => {
  let writers: Writer[] = [];
  afterEach(async () => {
    for (const writer of writers) await writer.stop();
    writers = [];
  });
  const begin = (
    world: WriterWorld,
    options: Parameters<WriterWorld['start']>[1] = {},
    over: TargetOverride = {},
  ): Writer => {
    const writer = world.start(steady(`writer-${writers.length}`), options, over);
    writers.push(writer);
    return writer;
  };

  it('makes one commit a change and one push of all that wait, in order of acceptance', async () => {
    const world = createWriterWorld(FILES);
    const moves: (string | undefined)[] = [];
    world.remote.onMove((_, commit) => moves.push(commit));
    const ids = [
      await world.accept(editTitle('pro', 'Pro', 'Two')),
      await world.accept(editTitle('pro', 'Two', 'Three')),
      await world.accept({ type: 'Create', target: target('new'), object: planObject('new', 'New') }),
    ];
    begin(world);
    await world.settle();
    expect(moves).toHaveLength(1);
    const history = (await world.history()).slice(1);
    expect(history.map(({ message }) => parseTrailers(message)?.changeId)).toEqual(ids);
    expect(history.map(({ author }) => author.email)).toEqual(Array(3).fill('anna@example.com'));
    expect(parseTrailers(history[0]?.message ?? '')).toMatchObject({ requestedBy: 'oidc:anna', requestId: 'req-1' });
    const states = await Promise.all(ids.map((id) => world.state(id)));
    expect(states.map(({ commit }) => commit)).toEqual(history.map(({ commit }) => commit));
    expect(await findLies(world, ids)).toEqual([]);
  });

  it('makes the next commits while a push is on its way, each on those before it, and asks again about those only', async () => {
    const world = createWriterWorld(FILES);
    const asked: string[] = [];
    const dryRun: WritableRepository['dryRun'] = async ({ intent }, object) => {
      asked.push(intent.target.name);
      return JSON.stringify(object).includes('Refused')
        ? { type: 'refused', message: 'not this one' }
        : { type: 'accepted' };
    };
    const intents = [
      editTitle('pro', 'Pro', 'Two'),
      editTitle('old', 'Old', 'Newer'),
      editTitle('pro', 'Two', 'Refused'),
      editTitle('pro', 'Two', 'Three'),
      editTitle('pro', 'Two', 'Late'),
      editTitle('old', 'Newer', 'Newest'),
      editTitle('pro', 'Two', 'Three'),
    ];
    const ids: string[] = [];
    for (const intent of intents) ids.push(await world.accept(intent));
    const moves: (string | undefined)[] = [];
    world.remote.onMove((_, commit) => moves.push(commit));
    begin(world, { most: 2 }, { dryRun });
    await world.settle();
    const states = await Promise.all(ids.map((id) => world.state(id)));
    expect(states.map(({ state, reason }) => reason ?? state)).toEqual([
      'Committed',
      'Committed',
      'DryRunRefused',
      'Committed',
      'ChangedMeanwhile',
      'Committed',
      'Unchanged',
    ]);
    expect(moves).toHaveLength(3);
    expect(world.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Three'));
    expect(world.file(`${FOLDER}/old.yaml`)).toBe(renderPlan('old', 'Newest'));
    expect(await findLies(world, ids)).toEqual([]);
    // What was planned again after the refusal, the third edit of `pro`, says the same on the files as they were before the refused one.
    expect(asked).toEqual(['pro', 'old', 'pro', 'pro', 'old']);
  });

  it('makes nothing of what was planned on a push that did not arrive', async () => {
    const world = createWriterWorld(FILES);
    const ids: string[] = [];
    for (let version = 0; version < 6; version++)
      ids.push(await world.accept(editTitle('pro', version === 0 ? 'Pro' : `V${version}`, `V${version + 1}`)));
    const commit = {
      author: { name: 'Pat', email: 'p@example.com' },
      committer: { name: 'Pat', email: 'p@example.com' },
      atMs: 0,
      message: 'Decide otherwise',
      files: new Map([[`${FOLDER}/pro.yaml`, renderPlan('pro', 'Mine')]]),
    };
    let pushes = 0;
    world.remote.onMove(() => {
      pushes += 1;
      if (pushes === 1) world.remote.fail({ call: 'push', type: 'race', commit });
    });
    begin(world, { most: 2 });
    await world.settle();
    const states = await Promise.all(ids.map((id) => world.state(id)));
    expect(states.map(({ state }) => state)).toEqual(['Committed', 'Committed', ...Array(4).fill('Conflict')]);
    expect(world.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Mine'));
    expect(await world.history()).toHaveLength(4);
    expect(await findLies(world, ids)).toEqual([]);
  });

  it('lets two people who change two fields of one file both win, and tells the one who lost about the same field', async () => {
    const world = createWriterWorld(FILES);
    const title = await world.accept(editTitle('pro', 'Pro', 'Mine'));
    const currency = await world.accept({
      type: 'Edit',
      target: target('pro'),
      edits: [{ path: ['spec', 'currency'], from: 'USD', to: 'EUR' }],
    });
    const late = await world.accept(editTitle('pro', 'Pro', 'Yours'));
    begin(world);
    await world.settle();
    expect(world.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Mine', 'EUR'));
    expect([await world.state(title), await world.state(currency)].map(({ state }) => state)).toEqual([
      'Committed',
      'Committed',
    ]);
    expect(await world.state(late)).toMatchObject({
      state: 'Conflict',
      differences: [{ path: 'spec.title', seen: 'Pro', wanted: 'Yours', found: 'Mine' }],
    });
  });

  it('begins a new file with what the repository says, and leaves those of people as they are', async () => {
    const world = createWriterWorld(FILES);
    await world.accept({ type: 'Create', target: target('new'), object: planObject('new', 'New') });
    await world.accept(editTitle('pro', 'Pro', 'Two'));
    const render: RenderOptions = { schemaAddress: (kind, path) => `../${kind}.json?for=${path}` };
    begin(world, {}, { render });
    await world.settle();
    const head = `# yaml-language-server: $schema=../Plan.json?for=${FOLDER}/plan-new.yaml\n`;
    expect(world.file(`${FOLDER}/plan-new.yaml`)).toBe(`${head}${renderPlan('new', 'New')}`);
    expect(world.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Two'));
    await world.accept(editTitle('new', 'New', 'Newer'));
    await world.settle();
    expect(world.file(`${FOLDER}/plan-new.yaml`)).toBe(`${head}${renderPlan('new', 'Newer')}`);
    await world.accept({ type: 'Delete', target: target('new') });
    await world.settle();
    expect(world.file(`${FOLDER}/plan-new.yaml`)).toBeUndefined();
  });

  it('begins the history of an empty repository', async () => {
    const world = createWriterWorld();
    const id = await world.accept({ type: 'Create', target: target('new'), object: planObject('new', 'New') });
    const gone = await world.accept({ type: 'Delete', target: target('never') });
    begin(world);
    await world.settle();
    expect(await world.history()).toHaveLength(1);
    expect(await world.state(id)).toMatchObject({ state: 'Committed' });
    expect((await world.state(gone)).state).toBe('Committed');
  });

  it('pushes nothing into a repository whose branch was taken away, says so, and goes on when it is back', async () => {
    const world = createWriterWorld(FILES);
    begin(world);
    await world.accept(editTitle('pro', 'Pro', 'Two'));
    await world.settle();
    const head = world.remote.head(BRANCH);
    world.remote.move(BRANCH, undefined);
    const id = await world.accept(editTitle('pro', 'Two', 'Three'));
    await world.clock.advance(300_000);
    expect(world.remote.head(BRANCH)).toBeUndefined();
    expect(await world.state(id)).toMatchObject({
      state: 'Accepted',
      reason: 'Waiting',
      message: expect.stringContaining('the branch is gone'),
    });
    world.remote.move(BRANCH, head);
    await world.settle();
    expect(await world.state(id)).toMatchObject({ state: 'Committed', message: undefined });
  });

  it('makes again what a rewritten branch lost, and keeps what it still has', async () => {
    const world = createWriterWorld(FILES);
    begin(world);
    const kept = await world.accept(editTitle('pro', 'Pro', 'Two'));
    await world.settle();
    const old = world.remote.head(BRANCH);
    const lost = await world.accept({ type: 'Create', target: target('new'), object: planObject('new', 'New') });
    await world.settle();
    const first = await world.state(lost);
    // A person with an older checkout pushes over it.
    world.remote.move(BRANCH, old);
    world.write({ 'NOTES.md': 'mine\n' });
    await world.clock.advance(120_000);
    await world.settle();
    expect(await world.state(kept)).toMatchObject({ state: 'Committed', commit: old });
    const again = await world.state(lost);
    expect(again).toMatchObject({ state: 'Committed' });
    expect(again.commit).not.toBe(first.commit);
    expect(world.file(`${FOLDER}/plan-new.yaml`)).toContain('title: New');
    expect(world.file('NOTES.md')).toBe('mine\n');
    expect(await findLies(world, [kept, lost])).toEqual([]);
  });

  it('finds its changes again under other commits when history was rewritten with them', async () => {
    const world = createWriterWorld(FILES);
    begin(world);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
    await world.settle();
    const [, made] = await world.history();
    world.remote.move(BRANCH, undefined);
    world.write({ ...FILES, 'README.md': 'rebased\n' });
    const rebased = world.write({ [`${FOLDER}/pro.yaml`]: renderPlan('pro', 'Two') }, made?.message);
    await world.clock.advance(120_000);
    expect(await world.state(id)).toMatchObject({ state: 'Committed', commit: rebased });
    expect(await world.history()).toHaveLength(2);
  });

  it('does not take a quoted Change-Id in a commit about something else for the change', async () => {
    const world = createWriterWorld(FILES);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
    world.write({ 'NOTES.md': 'x\n' }, `Mention a change\n\nChange-Id: ${id}\n`);
    begin(world);
    await world.settle();
    expect(world.file(`${FOLDER}/pro.yaml`)).toContain('title: Two');
  });

  it('keeps a file that a person broke from holding up other files, and ends what is about it', async () => {
    const world = createWriterWorld({ ...FILES, 'tenants/production/t-eve/broken.yaml': 'kind: [\n' });
    const broken = await world.accept({ type: 'Create', target: target('x', 't-eve'), object: planObject('x', 'X') });
    const fine = await world.accept(editTitle('pro', 'Pro', 'Two'));
    begin(world);
    await world.settle();
    expect(await world.state(broken)).toMatchObject({ state: 'Rejected', reason: 'Unreadable' });
    expect(await world.state(fine)).toMatchObject({ state: 'Committed' });
  });

  it('waits between pushes as long as the forge wants it, and then pushes all at once', async () => {
    const world = createWriterWorld(FILES);
    let pushes = 0;
    world.remote.onMove(() => (pushes += 1));
    begin(world, {}, { pushWindowMs: 10_000 });
    for (let second = 0; second < 60; second++) {
      await world.accept({ type: 'Create', target: target(`p${second}`), object: planObject(`p${second}`, 'P') });
      await world.clock.advance(1_000);
    }
    expect(pushes).toBeGreaterThanOrEqual(6);
    expect(pushes).toBeLessThanOrEqual(7);
    await world.settle();
    expect(await world.history()).toHaveLength(61);
  });

  it('takes no more into one push than it is told to', async () => {
    const world = createWriterWorld(FILES);
    let pushes = 0;
    world.remote.onMove(() => (pushes += 1));
    for (let i = 0; i < 25; i++)
      await world.accept({ type: 'Create', target: target(`p${i}`), object: planObject(`p${i}`, 'P') });
    begin(world, { most: 10 });
    await world.settle();
    expect(pushes).toBe(3);
  });

  it('waits while the remote does not answer, says why, and goes on by itself', async () => {
    const world = createWriterWorld(FILES);
    for (let i = 0; i < 4; i++) world.remote.fail({ call: 'fetch', type: 'unreachable' });
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
    begin(world);
    await world.clock.advance(500);
    expect(await world.state(id)).toMatchObject({
      state: 'Accepted',
      reason: 'Waiting',
      message: 'the remote does not answer',
    });
    await world.settle();
    expect(await world.state(id)).toMatchObject({ state: 'Committed' });
  });

  it('says why a repository cannot be opened, leaves it to a process that can open it, and goes on by itself', async () => {
    for (const mend of ['another process', 'itself'] as const) {
      const world = createWriterWorld(FILES);
      let why: string | undefined = "the repository's URL must begin with https://";
      const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
      begin(world, {}, () => {
        if (why !== undefined) throw new Error(why);
        return {};
      });
      await world.clock.advance(500);
      expect(await world.state(id)).toMatchObject({ state: 'Accepted', reason: 'Waiting', message: why });
      // One that waits may hear of another reason later, whatever became of the lease meanwhile.
      why = 'there is no GitRepository sublet-fleet/fleet';
      await world.clock.advance(60_000);
      expect(await world.state(id)).toMatchObject({ state: 'Accepted', reason: 'Waiting', message: why });
      if (mend === 'itself') why = undefined;
      else begin(world);
      const mendedAtMs = world.clock.now();
      await world.settle();
      const { state, updatedAtMs } = await world.state(id);
      expect(state).toBe('Committed');
      expect(updatedAtMs - mendedAtMs).toBeLessThan(mend === 'itself' ? 61_000 : 2_000);
    }
  });

  it('goes where the repository is by now, and makes again what did not move along', async () => {
    const world = createWriterWorld(FILES);
    const moved = createWriterWorld(FILES);
    let present = world.remote;
    begin(world, {}, () => {
      const opened = present;
      return { repository: openMemoryRepository(opened, { branch: BRANCH }), isCurrent: () => opened === present };
    });
    const before = await world.accept(editTitle('pro', 'Pro', 'Two'));
    await world.settle();
    expect(world.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Two'));
    const left = world.remote.head(BRANCH);
    present = moved.remote;
    const after = await world.accept(editTitle('old', 'Old', 'Older'));
    await world.settle();
    expect(world.remote.head(BRANCH)).toBe(left);
    expect(moved.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Two'));
    expect(moved.file(`${FOLDER}/old.yaml`)).toBe(renderPlan('old', 'Older'));
    const history = (await moved.history()).slice(1);
    expect(history.map(({ message }) => parseTrailers(message)?.changeId)).toEqual([before, after]);
    expect((await world.state(before)).commit).toBe(history[0]?.commit);
  });

  it('finds the change that the remote refuses, ends it with its words, and pushes the others', async () => {
    const world = createWriterWorld(FILES);
    const ids = [];
    for (let i = 0; i < 9; i++)
      ids.push(await world.accept({ type: 'Create', target: target(`p${i}`), object: planObject(`p${i}`, 'P') }));
    // A hook that declines whatever holds p4.
    const { receive } = world.remote;
    const objects = world.remote.objects;
    Object.assign(world.remote, {
      receive: (branch: string, commit: string, expected: string | undefined) =>
        objects.tree(commit).has(`${FOLDER}/plan-p4.yaml`)
          ? { type: 'rejected', stale: false, why: 'no fours here' }
          : receive(branch, commit, expected),
    });
    begin(world);
    await world.settle();
    const states = await Promise.all(ids.map((id) => world.state(id)));
    expect(states.map(({ state }) => state)).toEqual(ids.map((_, i) => (i === 4 ? 'Rejected' : 'Committed')));
    expect(states[4]).toMatchObject({
      reason: 'RefusedByRepository',
      message: expect.stringContaining('no fours here'),
    });
    expect(await findLies(world, ids)).toEqual([]);
  });

  it('ends what was accepted for a repository or a namespace that is not there any more', async () => {
    const world = createWriterWorld(FILES);
    const nowhere = await world.accept(editTitle('pro', 'Pro', 'Two'));
    begin(world, {}, { folderOf: () => ({ problem: 'the namespace t-acme belongs to no Tenant' }) });
    await world.settle();
    expect(await world.state(nowhere)).toMatchObject({
      state: 'Rejected',
      message: 'the namespace t-acme belongs to no Tenant',
    });
  });

  it('waits a while for a place that it does not see yet, and holds up nothing else', async () => {
    for (const mode of ['Commit', 'PullRequest'] as const) {
      const world = createWriterWorld(FILES);
      let isSeen = false;
      const folderOf = (namespace: string) =>
        isSeen || namespace !== 't-new'
          ? { folder: `tenants/production/${namespace}` }
          : { problem: 'the namespace t-new belongs to no Tenant' };
      const create: Intent = { type: 'Create', target: target('x', 't-new'), object: planObject('x', 'X') };
      const early = await world.accept(create, { mode });
      const other = await world.accept(editTitle('pro', 'Pro', 'Two'));
      begin(world, {}, { folderOf });
      await world.clock.advance(20_000);
      expect(await world.state(other)).toMatchObject({ state: 'Committed' });
      const message = 'the namespace t-new belongs to no Tenant';
      expect(await world.state(early)).toMatchObject({ state: 'Accepted', reason: 'Waiting', message });
      isSeen = true;
      await world.settle();
      expect((await world.state(early)).state).toBe(mode === 'Commit' ? 'Committed' : 'Proposed');
    }
  });

  it('waits a while for a repository that it does not see yet', async () => {
    const world = createWriterWorld(FILES);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
    let isSeen = false;
    begin(world, {}, () => (isSeen ? {} : undefined));
    await world.clock.advance(30_000);
    expect((await world.state(id)).state).toBe('Accepted');
    isSeen = true;
    await world.settle();
    expect((await world.state(id)).state).toBe('Committed');
  });

  it('ends what was accepted for a repository that is not to be seen for long', async () => {
    const world = createWriterWorld(FILES);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
    begin(world, {}, () => undefined);
    await world.settle();
    expect(await world.state(id)).toMatchObject({ state: 'Rejected', reason: 'NoRepository' });
  });

  it('gives its leases back when it stops, so that the next need not wait', async () => {
    const world = createWriterWorld(FILES);
    const first = world.start(steady('first'));
    await world.accept(editTitle('pro', 'Pro', 'Two'));
    await world.settle();
    await first.stop();
    expect(await world.journal.lease(REPOSITORY, 'second', 1_000)).toBeDefined();
  });

  it('goes on with what another left, soon after it gave its lease back, or once that ran out', async () => {
    for (const [isReleased, waitedMs] of [
      [true, 4_500],
      [false, 16_500],
    ] as const) {
      const world = createWriterWorld(FILES);
      const lease = await world.journal.lease(REPOSITORY, 'another', 15_000);
      const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
      begin(world);
      await world.clock.advance(3_000);
      expect((await world.state(id)).state).toBe('Accepted');
      if (isReleased && lease !== undefined) await world.journal.release(lease);
      await world.settle();
      const { state, acceptedAtMs, updatedAtMs } = await world.state(id);
      expect(state).toBe('Committed');
      expect(updatedAtMs - acceptedAtMs).toBeGreaterThan(isReleased ? 0 : 14_999);
      expect(updatedAtMs - acceptedAtMs).toBeLessThanOrEqual(waitedMs);
    }
  });

  it('forgets what ended long ago, and the keys of requests after a week', async () => {
    const world = createWriterWorld(FILES);
    begin(world, { keepMs: 10 * 86_400_000 });
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
    await world.settle();
    const { commit } = await world.state(id);
    await world.journal.advance(new Map([[id, { from: 'Committed', outcome: { state: 'Ready' } }]]));
    const waiting = await world.accept(editTitle('old', 'Old', 'Older'), { mode: 'PullRequest' });
    await world.settle();
    world.clock.step(9 * 86_400_000);
    await world.clock.advance(60_000);
    expect((await world.state(id)).commit).toBe(commit);
    world.clock.step(2 * 86_400_000);
    await world.clock.advance(60_000);
    expect(await world.journal.find(id)).toBeUndefined();
    // What has not ended stays, however old.
    expect(await world.state(waiting)).toMatchObject({ state: 'Proposed' });
  });

  describe('with a dry run', () => {
    it('ends a refused change before it is committed, and makes those after it without it', async () => {
      const world = createWriterWorld(FILES);
      const seen: unknown[] = [];
      const dryRun: WritableRepository['dryRun'] = async (_, object) => {
        seen.push(object?.spec);
        return JSON.stringify(object ?? null).includes('EVIL')
          ? { type: 'refused', message: 'spec.title: must not be evil' }
          : { type: 'accepted' };
      };
      const evil = await world.accept(editTitle('pro', 'Pro', 'EVIL'));
      const after = await world.accept(editTitle('pro', 'EVIL', 'Better'));
      const other = await world.accept({
        type: 'Edit',
        target: target('pro'),
        edits: [{ path: ['spec', 'currency'], from: 'USD', to: 'EUR' }],
      });
      begin(world, {}, { dryRun });
      await world.settle();
      expect(await world.state(evil)).toMatchObject({
        state: 'Rejected',
        reason: 'DryRunRefused',
        message: 'spec.title: must not be evil',
      });
      // Its author saw a title that never was.
      expect(await world.state(after)).toMatchObject({ state: 'Conflict' });
      expect(await world.state(other)).toMatchObject({ state: 'Committed' });
      expect(world.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Pro', 'EUR'));
      expect(seen.length).toBeLessThan(10);
    });

    it('waits while the API server does not answer, and commits what came before', async () => {
      const world = createWriterWorld(FILES);
      let away = true;
      const dryRun: WritableRepository['dryRun'] = async ({ intent }) => {
        if (away && intent.target.name === 'old') throw new Error('connection refused');
        return { type: 'accepted' };
      };
      const first = await world.accept(editTitle('pro', 'Pro', 'Two'));
      const second = await world.accept(editTitle('old', 'Old', 'Older'));
      const third = await world.accept(editTitle('pro', 'Two', 'Three'));
      begin(world, {}, { dryRun });
      await world.clock.advance(10_000);
      expect((await world.state(first)).state).toBe('Committed');
      expect(await world.state(second)).toMatchObject({ state: 'Accepted', message: 'connection refused' });
      expect((await world.state(third)).state).toBe('Accepted');
      away = false;
      await world.settle();
      expect(await findLies(world, [first, second, third])).toEqual([]);
      expect(world.file(`${FOLDER}/pro.yaml`)).toContain('title: Three');
    });

    it('asks once for what did not change in a replay', async () => {
      const world = createWriterWorld(FILES);
      let asked = 0;
      const person = { name: 'Pat', email: 'p@example.com' };
      for (let i = 0; i < 3; i++) {
        const files = new Map([[`note-${i}.md`, 'x\n']]);
        world.remote.fail({
          call: 'push',
          type: 'race',
          commit: { author: person, committer: person, atMs: 0, message: 'Note', files },
        });
      }
      await world.accept(editTitle('pro', 'Pro', 'Two'));
      begin(world, {}, { dryRun: async () => ({ type: 'accepted', asked: asked++ }) });
      await world.settle();
      expect(asked).toBe(1);
      expect(world.file(`${FOLDER}/pro.yaml`)).toContain('title: Two');
    });
  });

  it('tells of each push, and does not mind when that fails', async () => {
    const world = createWriterWorld(FILES);
    const told: string[] = [];
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'));
    begin(
      world,
      {},
      {
        afterPush: async (commit) => {
          told.push(commit);
          throw new Error('no API server');
        },
      },
    );
    await world.settle();
    expect(told).toEqual([(await world.state(id)).commit]);
  });
});
