import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Intent } from '../../../intent.ts';
import {
  type Change,
  type Journal,
  type Lease,
  LeaseLost,
  type NewChange,
  OPEN_STATES,
  type Outcome,
} from '../../../journal.ts';

/** A journal to be tested; `reopen` gives another one over the same rows, as another process has it. */
export type JournalUnderTest = {
  readonly journal: Journal;
  /** Undefined where rows live no longer than their journal. */
  readonly another?: (() => Promise<Journal>) | undefined;
  readonly close: () => Promise<void>;
};

const LEASE_MS = 60_000;
const SHORT_LEASE_MS = 50;
const EVENTUALLY_MS = 60_000;
/** The first one starts a database. */
const OPEN_MS = 300_000;

/** What every journal promises, whatever it is made of. */
export function describeJournal(name: string, open: () => Promise<JournalUnderTest>): void {
  describe(`the journal ${name}`, () => {
    let under: JournalUnderTest;
    let journal: Journal;
    let repository: string;
    beforeEach(async () => {
      under = await open();
      ({ journal } = under);
      // A name of its own, because rows of other tests may be there.
      repository = `fleet-${randomBytes(6).toString('hex')}`;
    }, OPEN_MS);
    afterEach(() => under.close());
    const make = (options: Parameters<typeof buildChange>[1] = {}) =>
      buildChange(repository, { namespace: `t-${repository}`, subject: `oidc:anna@${repository}`, ...options });
    const take = async (holder = 'one', ttlMs = LEASE_MS): Promise<Lease> => {
      const lease = await journal.lease(repository, holder, ttlMs);
      if (lease === undefined) throw new Error(`${holder} did not get the lease`);
      return lease;
    };

    describe('accepting', () => {
      it('gives back what was handed in, in the state Accepted, and finds it', async () => {
        const change = make({
          name: 'ünï"\\ name',
          object: { zebra: 1, apple: { 'a\u0001': [null, 1.5, '\ud83d\ude00'] } },
        });
        const { type, change: accepted } = ok(await journal.accept(change));
        expect(type).toBe('accepted');
        expect(accepted).toMatchObject({ ...change, state: 'Accepted' });
        expect(Math.abs(accepted.acceptedAtMs - Date.now())).toBeLessThan(3_600_000);
        const found = await journal.find(change.id);
        expect(found).toEqual(accepted);
        // The order of members is the author's.
        expect(JSON.stringify(found?.intent)).toBe(JSON.stringify(change.intent));
        expect(await journal.find(`I${'0'.repeat(40)}`)).toBeUndefined();
      });

      it('counts upwards as one after the other is accepted', async () => {
        const ids: string[] = [];
        for (let i = 0; i < 5; i++) ids.push(ok(await journal.accept(make())).change.id);
        const pending = await journal.pending(repository, ['Accepted'], 100);
        expect(pending.map(({ id }) => id)).toEqual(ids);
        const sequences = pending.map(({ sequence }) => sequence);
        expect(sequences).toEqual(sequences.toSorted((a, b) => (a < b ? -1 : 1)));
      });

      it('makes one change of a hundred requests with one key at once', async () => {
        const key = { key: 'once', digest: 'd' };
        const answers = await Promise.all(Array.from({ length: 100 }, () => journal.accept(make(), key)));
        expect(answers.filter(({ type }) => type === 'accepted')).toHaveLength(1);
        expect(answers.filter(({ type }) => type === 'replayed')).toHaveLength(99);
        expect(new Set(answers.map((answer) => ok(answer).change.id)).size).toBe(1);
        expect(await journal.pending(repository, ['Accepted'], 1_000)).toHaveLength(1);
      });

      it('refuses a key that comes with another request, and tells one author from another', async () => {
        const first = ok(await journal.accept(make(), { key: 'k', digest: 'one' })).change;
        expect(await journal.accept(make(), { key: 'k', digest: 'two' })).toEqual({
          type: 'key-reused',
          changeId: first.id,
        });
        expect(
          (await journal.accept(make({ subject: `oidc:eve@${repository}` }), { key: 'k', digest: 'two' })).type,
        ).toBe('accepted');
        expect(await journal.recall(first.author.subject, { key: 'k', digest: 'one' })).toMatchObject({
          type: 'replayed',
          change: { id: first.id },
        });
        expect(await journal.recall(first.author.subject, { key: 'k', digest: 'two' })).toEqual({
          type: 'key-reused',
          changeId: first.id,
        });
        expect(await journal.recall(first.author.subject, { key: 'never', digest: 'one' })).toBeUndefined();
      });

      it('takes the same change once, however often it is handed in', async () => {
        const change = make();
        const answers = await Promise.all(Array.from({ length: 20 }, () => journal.accept(change)));
        expect(answers.filter(({ type }) => type === 'accepted')).toHaveLength(1);
        expect(await journal.pending(repository, ['Accepted'], 100)).toHaveLength(1);
      });

      it.each<readonly [string, (change: NewChange) => NewChange]>([
        ['id', (change) => ({ ...change, id: 'I123' })],
        ['repository', (change) => ({ ...change, repository: 'x'.repeat(254) })],
        ['author.subject', (change) => ({ ...change, author: { ...change.author, subject: '' } })],
        ['author.name', (change) => ({ ...change, author: { ...change.author, name: 'a\0b' } })],
        ['traceparent', (change) => ({ ...change, traceparent: '00-a-b-01' })],
        ['requestId', (change) => ({ ...change, requestId: 'r'.repeat(129) })],
        ['intent.target.name', (change) => retarget(change, { name: 'n'.repeat(254) })],
        ['intent.target.namespace', (change) => retarget(change, { namespace: '' })],
        [
          'intent has',
          (change) => ({
            ...change,
            intent: { ...change.intent, edits: [{ path: ['spec'], to: 'x'.repeat(1_048_577) }] } as Intent,
          }),
        ],
      ])('names %s when it is out of bounds, and writes nothing', async (field, spoil) => {
        await expect(journal.accept(spoil(make()))).rejects.toThrow(field);
        expect(await journal.pending(repository, ['Accepted'], 10)).toEqual([]);
      });

      it('takes SQL in every text for text', async () => {
        const evil = `'; DROP TABLE changes; --`;
        const change = make({ name: evil, subject: `${evil} ${repository}` });
        await journal.accept(change, { key: evil, digest: evil });
        expect(await journal.find(change.id)).toMatchObject({
          author: { subject: change.author.subject },
          intent: { target: { name: evil } },
        });
      });
    });

    describe('leases', () => {
      it('go to one holder, who renews them in the same epoch', async () => {
        const lease = await take('one');
        expect(await journal.lease(repository, 'two', LEASE_MS)).toBeUndefined();
        const renewed = await take('one');
        expect(renewed.epoch).toBe(lease.epoch);
        expect(renewed.untilMs).toBeGreaterThanOrEqual(lease.untilMs);
      });

      it('go to one of many who ask at once', async () => {
        const holders = Array.from({ length: 20 }, (_, index) => `holder-${index}`);
        const leases = await Promise.all(holders.map((holder) => journal.lease(repository, holder, LEASE_MS)));
        expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
      });

      it('go to the next when they were given back, in a later epoch', async () => {
        const first = await take('one');
        await journal.release(first);
        const second = await take('two');
        expect(second.epoch).toBeGreaterThan(first.epoch);
        // A late release of the first is not the second's.
        await journal.release(first);
        expect(await journal.lease(repository, 'one', LEASE_MS)).toBeUndefined();
      });

      it('go to the next when they ran out, and then the old holder writes nothing', async () => {
        const change = ok(await journal.accept(make())).change;
        const old = await take('one', SHORT_LEASE_MS);
        const next = await eventually(() => journal.lease(repository, 'two', LEASE_MS));
        expect(next.epoch).toBeGreaterThan(old.epoch);
        await expect(journal.record(old, new Map([[change.id, COMMITTED]]), COMMIT)).rejects.toThrow(LeaseLost);
        expect(await journal.find(change.id)).toMatchObject({ state: 'Accepted' });
        expect((await take('two')).settled).toBeUndefined();
      });

      it('that ran out and went to nobody go on in the same epoch: a stall is no loss', async () => {
        const lease = await take('one', 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect((await take('one')).epoch).toBe(lease.epoch);
        expect(await journal.lease(repository, 'two', LEASE_MS)).toBeUndefined();
      });

      it('fence a holder of the same name that came back after another', async () => {
        const change = ok(await journal.accept(make())).change;
        const old = await take('one', SHORT_LEASE_MS);
        await journal.release(await eventually(() => journal.lease(repository, 'two', LEASE_MS)));
        const back = await take('one');
        expect(back.epoch).toBeGreaterThan(old.epoch);
        await expect(journal.record(old, new Map([[change.id, COMMITTED]]))).rejects.toThrow(LeaseLost);
        await journal.record(back, new Map([[change.id, COMMITTED]]));
      });

      it('let the holder write whose lease ran out and went to nobody', async () => {
        const change = ok(await journal.accept(make())).change;
        const lease = await take('one', 1);
        await journal.record(lease, new Map([[change.id, COMMITTED]]));
        expect(await journal.find(change.id)).toMatchObject({ state: 'Committed' });
      });
    });

    describe('recording', () => {
      it('moves all changes or none, and what is settled with them', async () => {
        const changes = await Promise.all(
          Array.from({ length: 10 }, async () => ok(await journal.accept(make())).change),
        );
        const lease = await take();
        const outcomes = new Map(changes.map(({ id }) => [id, COMMITTED]));
        expect((await journal.record(lease, outcomes, COMMIT)).settled).toBe(COMMIT);
        expect((await take()).settled).toBe(COMMIT);
        for (const { id } of changes)
          expect(await journal.find(id)).toMatchObject({ state: 'Committed', commit: COMMIT });
        // Without a commit, what was settled stays.
        expect((await journal.record(lease, new Map())).settled).toBe(COMMIT);
      });

      it('keeps commit and pull request, and lets reason, message and differences go with their state', async () => {
        const { id } = ok(await journal.accept(make())).change;
        const lease = await take();
        const pullRequest = { number: 7, url: 'https://git.example.com/pulls/7' };
        await journal.record(
          lease,
          new Map([[id, { state: 'Proposed', pullRequest, reason: 'Asked', message: 'a person has to agree' }]]),
        );
        await journal.record(lease, new Map([[id, COMMITTED]]));
        const committed = await journal.find(id);
        expect(committed).toMatchObject({ state: 'Committed', commit: COMMIT, pullRequest });
        expect(committed?.reason ?? committed?.message).toBeUndefined();
        await journal.record(lease, new Map([[id, { state: 'Accepted', reason: 'BranchRewritten' }]]));
        expect((await journal.find(id))?.commit).toBeUndefined();
        const differences = [{ path: 'spec.plan', seen: 'a', wanted: 'b', found: null }];
        await journal.record(lease, new Map([[id, { state: 'Conflict', differences, message: 'changed' }]]));
        expect(await journal.find(id)).toMatchObject({ state: 'Conflict', differences, message: 'changed' });
      });

      it('moves nothing that ended, nothing of another repository, and nothing that it does not know', async () => {
        const { id } = ok(await journal.accept(make())).change;
        const other = ok(await journal.accept(buildChange(`${repository}-other`))).change;
        const lease = await take();
        await journal.record(lease, new Map([[id, { state: 'Rejected', message: 'no' }]]));
        await journal.record(
          lease,
          new Map<string, Outcome>([
            [id, COMMITTED],
            [other.id, COMMITTED],
            [`I${'f'.repeat(40)}`, COMMITTED],
          ]),
        );
        expect(await journal.find(id)).toMatchObject({ state: 'Rejected' });
        expect(await journal.find(other.id)).toMatchObject({ state: 'Accepted' });
      });

      it('cuts what does not fit a row and keeps the rest', async () => {
        const { id } = ok(await journal.accept(make())).change;
        const differences = Array.from({ length: 300 }, (_, index) => ({
          path: `spec.${index}`,
          found: 'y'.repeat(10_000),
        }));
        const message = `\0${'m'.repeat(100_000)}\ud800`;
        await journal.record(await take(), new Map([[id, { state: 'Conflict', message, differences }]]));
        const found = await journal.find(id);
        expect(found?.message).toHaveLength(32_000);
        expect(found?.differences).toHaveLength(100);
        expect(found?.differences?.[0]).toEqual({ path: 'spec.0' });
      });
    });

    describe('advancing', () => {
      it('moves what is still where it was seen, once, whoever does it', async () => {
        const { id } = ok(await journal.accept(make())).change;
        await journal.record(await take(), new Map([[id, COMMITTED]]));
        const move = new Map([[id, { from: 'Committed', outcome: { state: 'Applied' } } as const]]);
        const moved = await Promise.all(Array.from({ length: 10 }, () => journal.advance(move)));
        expect(moved.filter((ids) => ids.has(id))).toHaveLength(1);
        expect(await journal.find(id)).toMatchObject({ state: 'Applied', commit: COMMIT });
        await journal.advance(new Map([[id, { from: 'Applied', outcome: { state: 'Ready' } }]]));
        expect(await journal.advance(new Map([[id, { from: 'Ready', outcome: { state: 'Failed' } }]]))).toEqual(
          new Set(),
        );
        expect(await journal.find(id)).toMatchObject({ state: 'Ready' });
      });
    });

    describe('reading', () => {
      it('gives pending changes in pages and in order', async () => {
        const ids: string[] = [];
        for (let i = 0; i < 7; i++) ids.push(ok(await journal.accept(make())).change.id);
        const read: Change[] = [];
        for (;;) {
          const page = await journal.pending(repository, ['Accepted'], 3, read.at(-1)?.sequence);
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(3);
          read.push(...page);
        }
        expect(read.map(({ id }) => id)).toEqual(ids);
        expect(await journal.pending(repository, [], 3)).toEqual([]);
        expect(await journal.pending(repository, ['Accepted'], 0)).toEqual([]);
      });

      it('gives the open changes of one resource and of no other', async () => {
        const mine = ok(await journal.accept(make({ name: 'desk' }))).change;
        await journal.accept(make({ name: 'other' }));
        const ended = ok(await journal.accept(make({ name: 'desk' }))).change;
        await journal.record(await take(), new Map([[ended.id, { state: 'Rejected' }]]));
        const target = { ...mine.intent.target };
        expect((await journal.open(target)).map(({ id }) => id)).toEqual([mine.id]);
        expect(await journal.open({ ...target, kind: 'Plan' })).toEqual([]);
        expect(await journal.open({ ...target, namespace: `${target.namespace}x` })).toEqual([]);
      });

      it('lists newest first, by namespace and state, in pages', async () => {
        const namespace = `t-${repository}`;
        const ids: string[] = [];
        for (let i = 0; i < 5; i++) ids.push(ok(await journal.accept(make({ namespace }))).change.id);
        await journal.record(await take(), new Map([[ids[0] ?? '', { state: 'Rejected' }]]));
        const all = await journal.list({ namespaces: [namespace], most: 10 });
        expect(all.map(({ id }) => id)).toEqual(ids.toReversed());
        const first = await journal.list({ namespaces: [namespace], most: 2 });
        const before = first.at(-1)?.sequence ?? 0n;
        const second = await journal.list({ namespaces: [namespace], most: 2, before });
        expect([...first, ...second].map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 4));
        const rejected = await journal.list({ namespaces: [namespace], states: ['Rejected'], most: 10 });
        expect(rejected.map(({ id }) => id)).toEqual([ids[0]]);
        expect(await journal.list({ namespaces: [], most: 10 })).toEqual([]);
        const { kind } = first[0]?.intent.target ?? {};
        if (kind === undefined) throw new Error('nothing was listed');
        expect(await journal.list({ namespaces: [namespace], kind, most: 10 })).toEqual(all);
        expect(await journal.list({ namespaces: [namespace], kind: 'Nothing', most: 10 })).toEqual([]);
      });

      it('weighs what has not ended in a namespace', async () => {
        const namespace = `t-${repository}`;
        expect(await journal.load(namespace)).toEqual({ changes: 0, bytes: 0 });
        const changes = [ok(await journal.accept(make({ namespace }))), ok(await journal.accept(make({ namespace })))];
        const bytes = changes.map(({ change }) => Buffer.byteLength(JSON.stringify(change.intent)));
        await journal.accept(make({ namespace: `${namespace}x` }));
        expect(await journal.load(namespace)).toEqual({ changes: 2, bytes: (bytes[0] ?? 0) + (bytes[1] ?? 0) });
        await journal.record(await take(), new Map([[changes[0]?.change.id ?? '', { state: 'Rejected' }]]));
        expect(await journal.load(namespace)).toEqual({ changes: 1, bytes: bytes[1] });
      });

      it('gives the commits of changes that have one', async () => {
        const [one, other] = [ok(await journal.accept(make())).change.id, ok(await journal.accept(make())).change.id];
        await journal.record(await take(), new Map([[one, COMMITTED]]));
        expect(await journal.commits([one, other, `I${'0'.repeat(40)}`])).toEqual(new Map([[one, COMMIT]]));
        expect(await journal.commits([])).toEqual(new Map());
      });

      it('gives what ended since a time in one of these states, as it ended', async () => {
        const ids: string[] = [];
        for (let i = 0; i < 4; i++) ids.push(ok(await journal.accept(make())).change.id);
        const lease = await take();
        for (const [index, state] of (['Rejected', 'Ready', 'Failed'] as const).entries()) {
          await journal.record(lease, new Map([[ids[2 - index] ?? '', { state }]]));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const first = await journal.find(ids[2] ?? '');
        const sinceMs = first?.updatedAtMs ?? 0;
        const read = async (options: Partial<Parameters<Journal['ended']>[0]>) => {
          const found = await journal.ended({ states: ['Rejected', 'Failed'], sinceMs, most: 10_000, ...options });
          return found.map(({ id }) => id).filter((id) => ids.includes(id));
        };
        expect(await read({})).toEqual([ids[2], ids[0]]);
        expect(await read({ states: ['Failed'] })).toEqual([ids[0]]);
        expect(await read({ states: [] })).toEqual([]);
        expect(await read({ sinceMs: Date.UTC(9000, 0, 1) })).toEqual([]);
        expect((await journal.ended({ states: ['Rejected', 'Failed'], sinceMs: 0, most: 1 })).length).toBe(1);
      });

      it('counts what has not ended, by state, with the oldest', async () => {
        const before = await journal.backlog();
        const count = (backlog: typeof before, state: 'Accepted' | 'Proposed') => backlog.get(state)?.changes ?? 0;
        const [first, second] = [ok(await journal.accept(make())).change, ok(await journal.accept(make())).change];
        await journal.record(await take(), new Map([[second.id, { state: 'Proposed' }]]));
        const between = await journal.backlog();
        expect(count(between, 'Accepted') - count(before, 'Accepted')).toBe(1);
        expect(count(between, 'Proposed') - count(before, 'Proposed')).toBe(1);
        expect(between.get('Accepted')?.oldestAtMs).toBeLessThanOrEqual(first.acceptedAtMs);
        expect([...between.keys()].filter((state) => !OPEN_STATES.some((open) => open === state))).toEqual([]);
        await journal.record(await take(), new Map([[first.id, { state: 'Rejected' }]]));
        expect(count(await journal.backlog(), 'Accepted')).toBe(count(before, 'Accepted'));
      });

      it('names the repositories that have something waiting', async () => {
        expect(await journal.waiting()).not.toContain(repository);
        const { id } = ok(await journal.accept(make())).change;
        expect(await journal.waiting()).toContain(repository);
        await journal.record(await take(), new Map([[id, COMMITTED]]));
        expect(await journal.waiting()).not.toContain(repository);
        expect(await journal.waiting(['Committed', 'Held'])).toContain(repository);
      });
    });

    describe('telling', () => {
      it('calls back after a change was accepted, recorded and advanced, until it is told to stop', async () => {
        const heard: (string | undefined)[] = [];
        const stop = journal.onChange((of) => heard.push(of));
        const hears = async (act: () => Promise<unknown>): Promise<void> => {
          await settledEnough(heard);
          heard.length = 0;
          await act();
          await eventually(async () => (heard.includes(repository) || heard.includes(undefined) ? true : undefined));
        };
        const { id } = ok(await journal.accept(make())).change;
        await hears(() => journal.accept(make()));
        await hears(async () => journal.record(await take(), new Map([[id, COMMITTED]])));
        await hears(() => journal.advance(new Map([[id, { from: 'Committed', outcome: { state: 'Applied' } }]])));
        stop();
        await settledEnough(heard);
        heard.length = 0;
        await journal.accept(make());
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(heard).toEqual([]);
      });

      it('tells nobody of what did not happen', async () => {
        const { id } = ok(await journal.accept(make())).change;
        const lease = await take();
        const heard: (string | undefined)[] = [];
        const stop = journal.onChange((of) => heard.push(of));
        await caughtUp(journal, heard);
        heard.length = 0;
        await journal.record(lease, new Map(), COMMIT);
        await journal.advance(new Map([[id, { from: 'Held', outcome: { state: 'Applied' } }]]));
        await caughtUp(journal, heard);
        expect(heard).not.toContain(repository);
        stop();
      });
    });

    it('keeps keys and ended changes as long as it has to', async () => {
      const { id } = ok(await journal.accept(make(), { key: 'k', digest: 'd' })).change;
      await journal.record(await take(), new Map([[id, { state: 'Rejected' }]]));
      await journal.prune({ keepMs: 0, most: 10_000 });
      expect(await journal.find(id)).toMatchObject({ state: 'Rejected' });
      expect(await journal.accept(make(), { key: 'k', digest: 'd' })).toMatchObject({
        type: 'replayed',
        change: { id },
      });
    });

    it('shows another process what was accepted, and tells it', async ({ skip }) => {
      if (under.another === undefined) return skip('its rows live no longer than itself');
      const other = await under.another();
      const heard: (string | undefined)[] = [];
      const stop = other.onChange((of) => heard.push(of));
      await settledEnough(heard);
      heard.length = 0;
      const { id } = ok(await journal.accept(make())).change;
      expect(await other.find(id)).toMatchObject({ id, state: 'Accepted' });
      await eventually(async () => (heard.includes(repository) || heard.includes(undefined) ? true : undefined));
      stop();
    });
  });
}

/** A change that is like no other, but for what is named. */
export function buildChange(
  repository: string,
  options: {
    readonly name?: string;
    readonly namespace?: string;
    readonly subject?: string;
    readonly object?: Record<string, unknown>;
  } = {},
): NewChange {
  const { name = 'desk', namespace = 't-acme', subject = 'oidc:anna', object } = options;
  const target = { kind: 'RDPInstance', namespace, name };
  const intent = (
    object === undefined
      ? { type: 'Edit', target, edits: [{ path: ['spec', 'power'], from: 'Running', to: 'Stopped' }] }
      : { type: 'Create', target, object }
  ) as Intent;
  return {
    id: `I${createHash('sha1').update(randomBytes(16)).digest('hex')}`,
    repository,
    intent,
    mode: 'Commit',
    author: { subject, name: 'Anna', email: 'anna@example.com' },
    requestId: 'req-1',
  };
}

const COMMIT = 'c'.repeat(40);
const COMMITTED = { state: 'Committed', commit: COMMIT } as const satisfies Outcome;

function retarget(change: NewChange, target: Partial<NewChange['intent']['target']>): NewChange {
  return { ...change, intent: { ...change.intent, target: { ...change.intent.target, ...target } } };
}

function ok(answer: Awaited<ReturnType<Journal['accept']>>) {
  if (answer.type === 'key-reused') throw new Error('the key was used before');
  return answer;
}

/** Until no call came for a moment: sessions that begin to listen say once that something may have been missed. */
async function settledEnough(heard: readonly unknown[]): Promise<void> {
  for (let before = -1; before !== heard.length; ) {
    before = heard.length;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Until a listener heard of what is accepted now, in a repository of its own, and so of all that was before. */
async function caughtUp(journal: Journal, heard: readonly (string | undefined)[]): Promise<void> {
  const mark = `fleet-${randomBytes(6).toString('hex')}`;
  await eventually(async () => {
    ok(await journal.accept(buildChange(mark, { namespace: `t-${mark}`, subject: `oidc:anna@${mark}` })));
    await new Promise((resolve) => setTimeout(resolve, 20));
    return heard.includes(mark) ? true : undefined;
  });
}

async function eventually<T>(check: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + EVENTUALLY_MS;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`nothing came within ${EVENTUALLY_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
