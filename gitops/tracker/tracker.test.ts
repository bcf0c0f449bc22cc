import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import type { Intent } from '../intent.ts';
import type { Change, Journal } from '../journal.ts';
import { createMemoryJournal } from '../writer/journal/memory.ts';
import { buildChange } from '../writer/journal/testing/contract.ts';
import { computeCompensation } from './compensate.ts';
import type { FolderObjects } from './facts.ts';
import type { LiveObject } from './progress.ts';
import { buildDesktop, buildFolder, COMMIT, condition, NOW_MS, OLDER } from './testing/objects.ts';
import { startTracker } from './tracker.ts';

const COMPENSATOR = { subject: 'sublet', name: 'Sublet', email: 'sublet@example.com' };

function createTrackerWorld() {
  const clock = createFakeClock(NOW_MS);
  const journal = createMemoryJournal({ clock });
  const asked: (readonly string[])[] = [];
  const cluster: { folder: FolderObjects; live: LiveObject | undefined; synced: boolean; isSame: boolean } = {
    folder: buildFolder({ fetched: OLDER, published: OLDER }),
    live: buildDesktop({ power: 'Running' }, [condition('Ready', 'True', 'Succeeded')]),
    synced: true,
    isSame: false,
  };
  const start = (over: Partial<Parameters<typeof startTracker>[0]> = {}) =>
    startTracker({
      journal,
      clock,
      log: createTestLog().log,
      folderOf: () => cluster.folder,
      liveOf: () => cluster.live,
      isSynced: () => cluster.synced,
      contains: async (_, ancestor, commit) => ancestor === commit,
      isSame: async (_, namespace, between) => {
        asked.push([namespace, between.before, between.after]);
        return cluster.isSame;
      },
      compensator: COMPENSATOR,
      ...over,
    });
  const commit = async (intent?: Intent): Promise<string> => {
    const change = buildChange('fleet');
    await journal.accept(intent === undefined ? change : { ...change, intent });
    await record(journal, change.id);
    return change.id;
  };
  const state = async (id: string): Promise<Change | undefined> => journal.find(id);
  return { clock, journal, cluster, asked, start, commit, state };
}

async function record(journal: Journal, id: string): Promise<void> {
  const lease = await journal.lease('fleet', 'writer', 60_000);
  if (lease === undefined) throw new Error('no lease');
  await journal.record(lease, new Map([[id, { state: 'Committed', commit: COMMIT }]]));
}

describe('the tracker', () => {
  it('follows a change from the commit to Ready as the cluster shows it', async () => {
    const { clock, cluster, start, commit, state } = createTrackerWorld();
    const tracker = start();
    const id = await commit();
    await clock.advance(1_000);
    expect(await state(id)).toMatchObject({ state: 'Committed' });
    cluster.folder = buildFolder({});
    cluster.live = buildDesktop({ power: 'Stopped' }, [condition('Ready', 'False', 'Progressing')]);
    tracker.wake();
    await clock.advance(1_000);
    expect(await state(id)).toMatchObject({ state: 'Applied' });
    cluster.live = buildDesktop({ power: 'Stopped' }, [condition('Ready', 'False', 'Stopped')]);
    // Without a wake: its own clock does.
    await clock.advance(31_000);
    expect(await state(id)).toMatchObject({ state: 'Ready', reason: 'Stopped' });
    await tracker.stop();
  });

  it('judges all changes of a resource by one look, though Flux goes on while a repository is asked', async () => {
    const { clock, cluster, start, commit, state } = createTrackerWorld();
    const edits = [{ path: ['spec', 'power'], from: 'Running', to: 'Starting' }];
    const former = await commit({ ...buildChange('fleet').intent, edits } as Intent);
    const later = await commit();
    const tracker = start({
      contains: async (_, ancestor, commit) => {
        cluster.folder = buildFolder({});
        cluster.live = buildDesktop({ power: 'Stopped' }, [condition('Ready', 'False', 'Stopped')]);
        return ancestor === commit;
      },
    });
    await clock.advance(1_000);
    tracker.wake();
    await clock.advance(1_000);
    expect(await state(later)).toMatchObject({ state: 'Ready' });
    expect(await state(former)).toMatchObject({ state: 'Superseded', reason: 'Overtaken' });
    await tracker.stop();
  });

  it('takes nothing for overwritten that only does not show yet', async () => {
    for (const isLate of [true, false]) {
      const { clock, cluster, start, commit, state } = createTrackerWorld();
      const old = buildDesktop({ power: 'Running' }, [condition('Ready', 'True', 'Ready')]);
      cluster.live = old;
      const tracker = start();
      const id = await commit();
      await clock.advance(90_000);
      // Applied long after the commit, and the watch of the resource is behind that of Flux's objects.
      cluster.folder = buildFolder({});
      tracker.wake();
      await clock.advance(3_000);
      expect(await state(id)).toMatchObject({ state: 'Committed' });
      if (isLate) cluster.live = buildDesktop({ power: 'Stopped' }, [condition('Ready', 'False', 'Stopped')]);
      tracker.wake();
      await clock.advance(61_000);
      expect(await state(id)).toMatchObject(
        isLate ? { state: 'Ready' } : { state: 'Superseded', reason: 'Overwritten' },
      );
      await tracker.stop();
    }
  });

  it('takes nothing for removed that a watch may only be late with', async () => {
    const { clock, journal, cluster, start, commit, state } = createTrackerWorld();
    cluster.folder = buildFolder({});
    cluster.live = undefined;
    const id = await commit();
    // Another process saw it.
    await journal.advance(new Map([[id, { from: 'Committed', outcome: { state: 'Applied' } }]]));
    const tracker = start();
    await clock.advance(36_000);
    tracker.wake();
    await clock.advance(1_000);
    expect(await state(id)).toMatchObject({ state: 'Applied' });
    await clock.advance(30_000);
    expect(await state(id)).toMatchObject({ state: 'Gone', reason: 'Removed' });
    await tracker.stop();
  });

  it('waits for a fleet source that is behind, and takes what moved nothing in its folder for applied', async () => {
    for (const isSame of [false, true]) {
      for (const power of ['Running', 'Stopped']) {
        const { clock, cluster, asked, start, commit, state } = createTrackerWorld();
        cluster.folder = buildFolder({ published: OLDER });
        cluster.live = buildDesktop({ power }, [condition('Ready', 'True', 'Succeeded')]);
        cluster.isSame = isSame;
        const tracker = start();
        const id = await commit();
        await clock.advance(20_000);
        expect(asked).toEqual([]);
        await clock.advance(3_600_000);
        expect(asked[0]).toEqual(['t-acme', OLDER, COMMIT]);
        const moved = power === 'Stopped' ? { state: 'Ready' } : { state: 'Superseded', reason: 'Overwritten' };
        expect(await state(id)).toMatchObject(isSame ? moved : { state: 'Committed' });
        await tracker.stop();
      }
    }
  });

  it('takes what the gate said before the commit for said of it only when that lasts', async () => {
    for (const isMended of [true, false]) {
      const { clock, cluster, start, commit, state } = createTrackerWorld();
      const held = { published: OLDER, held: 'torn.yaml:2: broken' };
      cluster.folder = buildFolder(held);
      const tracker = start();
      await clock.advance(60_000);
      const id = await commit();
      await clock.advance(9_000);
      expect(await state(id)).toMatchObject({ state: 'Committed' });
      if (isMended) {
        cluster.folder = buildFolder({});
        cluster.live = buildDesktop({ power: 'Stopped' }, [condition('Ready', 'False', 'Stopped')]);
        tracker.wake();
      }
      // Without a wake: in doubt, it looks again soon.
      await clock.advance(3_000);
      expect(await state(id)).toMatchObject(isMended ? { state: 'Ready' } : { state: 'Held', message: held.held });
      await tracker.stop();
    }
  });

  it('tells at once what the gate says after the commit', async () => {
    const { clock, cluster, start, commit, state } = createTrackerWorld();
    const tracker = start();
    const id = await commit();
    cluster.folder = buildFolder({ published: OLDER, held: 'desk.yaml:2: broken', heldAgeMs: -2_000 });
    await clock.advance(3_000);
    expect(await state(id)).toMatchObject({ state: 'Held', message: 'desk.yaml:2: broken' });
    await tracker.stop();
  });

  it('asks for no folder whose content Flux is not at, or that is held', async () => {
    const { clock, cluster, asked, start, commit, state } = createTrackerWorld();
    cluster.isSame = true;
    const refusal = condition('Ready', 'False', 'ReconciliationFailed', 'another object');
    const tracker = start();
    for (const folder of [
      { held: 'torn.yaml:2: broken' },
      { rootHeld: 'too much' },
      { refusal },
      { applied: '1'.repeat(40) },
    ]) {
      cluster.folder = buildFolder({ published: OLDER, ...folder });
      const id = await commit();
      await clock.advance(90_000);
      expect((await state(id))?.state).toMatch(/Committed|Held/);
    }
    expect(asked).toEqual([]);
    await tracker.stop();
  });

  it('decides nothing before it knows the cluster, and nothing by what it could not ask', async () => {
    const { clock, cluster, start, commit, state } = createTrackerWorld();
    cluster.folder = buildFolder({});
    cluster.live = undefined;
    cluster.synced = false;
    const tracker = start();
    const id = await commit({ type: 'Delete', target: { kind: 'RDPInstance', namespace: 't-acme', name: 'desk' } });
    await clock.advance(60_000);
    expect(await state(id)).toMatchObject({ state: 'Committed' });
    await tracker.stop();
    const unsure = start({
      isSynced: () => true,
      contains: async () => {
        throw new Error('the remote does not answer');
      },
    });
    cluster.folder = buildFolder({ fetched: OLDER, published: OLDER });
    await clock.advance(60_000);
    expect(await state(id)).toMatchObject({ state: 'Committed' });
    await unsure.stop();
  });

  it('goes on with other repositories when one does not answer', async () => {
    const { clock, cluster, start, commit, state, journal } = createTrackerWorld();
    cluster.folder = buildFolder({});
    cluster.live = buildDesktop({ power: 'Stopped' }, [condition('Ready', 'False', 'Stopped')]);
    const silent = buildChange('silent', { name: 'other' });
    await journal.accept(silent);
    const lease = await journal.lease('silent', 'writer', 60_000);
    if (lease !== undefined)
      await journal.record(lease, new Map([[silent.id, { state: 'Committed', commit: COMMIT }]]));
    const id = await commit();
    const tracker = start({
      contains: async (repository) => {
        if (repository === 'silent') throw new Error('the remote does not answer');
        return true;
      },
    });
    await clock.advance(1_000);
    expect(await state(id)).toMatchObject({ state: 'Ready' });
    expect(await state(silent.id)).toMatchObject({ state: 'Committed' });
    await tracker.stop();
  });

  it('takes back what Flux cannot apply, once, however many follow the change', async () => {
    const { clock, cluster, start, commit, state, journal } = createTrackerWorld();
    cluster.folder = buildFolder({
      applied: OLDER,
      refusal: condition(
        'Ready',
        'False',
        'ReconciliationFailed',
        'RDPInstance/t-acme/desk dry-run failed (Invalid): spec.power',
        1_000,
      ),
    });
    const id = await commit();
    const trackers = [start(), start(), start()];
    await clock.advance(60_000);
    expect(await state(id)).toMatchObject({ state: 'Failed', reason: 'NotAppliable' });
    const waiting = await journal.pending('fleet', ['Accepted'], 10);
    expect(waiting).toHaveLength(1);
    expect(waiting[0]).toMatchObject({
      author: COMPENSATOR,
      intent: { type: 'Edit', edits: [{ path: ['spec', 'power'], from: 'Stopped', to: 'Running' }] },
    });
    // The compensation fails too: nothing more is taken back.
    await record(journal, waiting[0]?.id ?? '');
    await clock.advance(60_000);
    expect(await journal.pending('fleet', ['Accepted'], 10)).toEqual([]);
    for (const tracker of trackers) await tracker.stop();
  });

  it('takes nothing back that somebody else had written before', async () => {
    const { clock, journal, cluster, start } = createTrackerWorld();
    const message = 'RDPInstance/t-acme/desk dry-run failed (Invalid): spec.power';
    cluster.folder = buildFolder({
      applied: OLDER,
      refusal: condition('Ready', 'False', 'ReconciliationFailed', message, 1_000),
    });
    const change = buildChange('fleet');
    await journal.accept(change);
    const lease = await journal.lease('fleet', 'writer', 60_000);
    if (lease === undefined) throw new Error('no lease');
    await journal.record(lease, new Map([[change.id, { state: 'Committed', commit: COMMIT, reason: 'Unchanged' }]]));
    const tracker = start();
    await clock.advance(60_000);
    expect(await journal.find(change.id)).toMatchObject({ state: 'Failed', reason: 'NotAppliable' });
    expect(await journal.pending('fleet', ['Accepted'], 10)).toEqual([]);
    await tracker.stop();
  });

  it('takes several back from the newest to the oldest, so that each finds what it set', async () => {
    const { clock, cluster, start, commit, journal } = createTrackerWorld();
    const target = { kind: 'RDPInstance', namespace: 't-acme', name: 'desk' };
    const edit = (from: string, to: string): Intent => ({
      type: 'Edit',
      target,
      edits: [{ path: ['spec', 'plan'], from, to }],
    });
    await commit(edit('a', 'b'));
    await commit(edit('b', 'c'));
    cluster.folder = buildFolder({
      applied: OLDER,
      refusal: condition(
        'Ready',
        'False',
        'ReconciliationFailed',
        'RDPInstance/t-acme/desk dry-run failed (Invalid): spec.plan',
        1_000,
      ),
    });
    const tracker = start();
    await clock.advance(1_000);
    const waiting = await journal.pending('fleet', ['Accepted'], 10);
    expect(waiting.map(({ intent }) => intent)).toEqual([edit('c', 'b'), edit('b', 'a')]);
    await tracker.stop();
  });
});

describe('a compensation', () => {
  const change = {
    ...buildChange('fleet'),
    sequence: 1n,
    state: 'Committed',
    acceptedAtMs: 0,
    updatedAtMs: 0,
  } as const;
  const target = change.intent.target;

  it('removes what was made, as it was made', () => {
    const object = { spec: { plan: 'pro' } };
    expect(computeCompensation({ ...change, intent: { type: 'Create', target, object } }, COMPENSATOR)?.intent).toEqual(
      {
        type: 'Delete',
        target,
        seen: { plan: 'pro' },
      },
    );
  });

  it('adds what was removed and removes what was added', () => {
    const intent: Intent = {
      type: 'Edit',
      target,
      edits: [
        { path: ['spec', 'a'], from: 1 },
        { path: ['spec', 'b'], to: 2 },
      ],
    };
    expect(computeCompensation({ ...change, intent }, COMPENSATOR)?.intent).toEqual({
      type: 'Edit',
      target,
      edits: [
        { path: ['spec', 'b'], from: 2 },
        { path: ['spec', 'a'], to: 1 },
      ],
    });
  });

  it('goes the way that the change went', () => {
    for (const mode of ['Commit', 'PullRequest'] as const) {
      expect(computeCompensation({ ...change, mode }, COMPENSATOR)?.mode).toBe(mode);
    }
  });

  it('has one id a change, and there is none for a removal or for a compensation', () => {
    expect(computeCompensation(change, COMPENSATOR)?.id).toBe(computeCompensation(change, COMPENSATOR)?.id);
    expect(computeCompensation(change, COMPENSATOR)?.id).toMatch(/^I[0-9a-f]{40}$/);
    expect(computeCompensation({ ...change, intent: { type: 'Delete', target } }, COMPENSATOR)).toBeUndefined();
    expect(computeCompensation({ ...change, author: COMPENSATOR }, COMPENSATOR)).toBeUndefined();
  });
});
