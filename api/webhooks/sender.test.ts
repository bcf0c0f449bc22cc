import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createFakeClock, type FakeClock } from '../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { openStore, type Store, type StoreAddress } from '../../store/store.ts';
import { addressOf, describeWithPostgres } from '../../test/support/postgres.ts';
import { MOST_ATTEMPTS } from './backoff.ts';
import { createEndpoints, type Endpoints, MOST_ENDPOINTS } from './endpoints.ts';
import { computeEventId, EVENT_TYPES, TEST_EVENT } from './events.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { createPost, type Post, type PostResult } from './post.ts';
import { CLAIM_MS, type Sender, startSender } from './sender.ts';
import { mintSecret } from './signature.ts';
import { isSignedWith, type Receiver, startReceiver } from './testing/receiver.ts';

/** For a machine that does many other things. */
const SLOW_MS = 300_000;
const WAIT_MS = 150_000;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 26);
const { log } = createTestLog();

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

describe('webhooks on PGlite', { timeout: SLOW_MS }, () => {
  describeSending(async () => ({ type: 'Embedded' }));
});
await describeWithPostgres('webhooks on PostgreSQL', (url) => {
  describe('as well', { timeout: SLOW_MS }, () => describeSending(async () => addressOf(url())));
});

function describeSending(address: () => Promise<StoreAddress>): void {
  let store: Store;
  let endpoints: Endpoints;
  let outbox: Outbox;
  let clock: FakeClock;
  let tenant = '';
  let made = 0;
  const senders: Sender[] = [];

  beforeAll(async () => {
    store = await openStore({ clock: realClock, random: realRandom, log }, await address());
    endpoints = createEndpoints(store.db);
    outbox = createOutbox(store);
  }, SLOW_MS);
  afterAll(() => store.close());
  beforeEach(async () => {
    await store.db.deleteFrom('webhook_deliveries').execute();
    made += 1;
    tenant = `tenant-${made}`;
    clock = createFakeClock(START_MS);
    receiver.received.length = 0;
    receiver.answer = (_message, response) => void response.writeHead(204).end();
  }, SLOW_MS);
  afterEach(async () => {
    await Promise.all(senders.splice(0).map((sender) => sender.stop()));
  }, SLOW_MS);

  const register = async (more: { readonly url?: string; readonly tenantId?: string } = {}) => {
    const secret = mintSecret(realRandom);
    const id = Buffer.from(realRandom.bytes(10)).toString('hex');
    const endpoint = {
      id,
      tenantId: tenant,
      url: `${receiver.url}/${id}`,
      description: '',
      events: EVENT_TYPES,
      secret,
      maker: 'oidc:anna',
      atMs: START_MS,
      ...more,
    };
    expect(await endpoints.add(endpoint)).toBe(true);
    return endpoint;
  };
  const event = (key: string, tenantIds: readonly string[] = [tenant], atMs = clock.now()) => {
    const type = 'desktop.ready' as const;
    return { id: computeEventId({ type, key }), type, tenantIds, body: JSON.stringify({ key }), occurredAtMs: atMs };
  };
  const put = (...events: ReturnType<typeof event>[]) => outbox.put(events, clock.now());
  const realPost = (): Post =>
    createPost(
      { clock: realClock },
      { allowedHosts: [`127.0.0.1:${receiver.port}`], protocols: ['https'], timeoutMs: WAIT_MS },
    );
  const start = (post: Post = realPost(), options = {}): Sender => {
    const sender = startSender({ clock, random: realRandom, log, outbox, post }, options);
    senders.push(sender);
    return sender;
  };
  const turn = () => new Promise((resolve) => setTimeout(resolve, 10));
  /** Waits until it is so; the sender's time passes meanwhile, slower than ours, so that no claim runs out while its message is on its way. */
  const until = async (check: () => boolean | Promise<boolean>, passing = true): Promise<void> => {
    const untilMs = Date.now() + WAIT_MS;
    for (let n = 1; !(await check()); n++) {
      if (Date.now() > untilMs) throw new Error('it did not come');
      await turn();
      if (passing && n % 50 === 0) await clock.advance(100);
    }
  };
  /** Lets hours pass until the delivery has ended, but none while it is being sent. */
  const untilDead = async (endpoint: string, id: string): Promise<void> => {
    const query = store.db.selectFrom('webhook_deliveries').selectAll().where('endpoint', '=', endpoint);
    for (let tried = 0; ; ) {
      let row = await query.where('event', '=', id).executeTakeFirstOrThrow();
      await until(async () => {
        row = await query.where('event', '=', id).executeTakeFirstOrThrow();
        return row.claim === null && row.attempts > tried;
      });
      if (row.state !== 'Pending') return;
      tried = row.attempts;
      clock.step(Math.max(0, row.next_at.getTime() - clock.now()));
      await sql`SELECT pg_notify('sublet_webhooks', '')`.execute(store.db);
    }
  };
  const stateOf = async (endpoint: string, id: string) => (await outbox.find(endpoint, id))?.state;

  describe('an event', () => {
    it('arrives signed, once, and the attempt is written down', async () => {
      const { id, secret } = await register();
      expect(await put(event('a'))).toBe(1);
      expect(await put(event('a'))).toBe(0);
      start();
      await until(async () => (await stateOf(id, event('a').id)) === 'Delivered');
      const [message] = receiver.received;
      expect(receiver.received).toHaveLength(1);
      expect(message && isSignedWith(message, secret)).toBe(true);
      expect(message && isSignedWith(message, mintSecret(realRandom))).toBe(false);
      expect(message).toMatchObject({ id: event('a').id, body: '{"key":"a"}', path: `/${id}` });
      expect(Math.abs((message?.timestamp ?? 0) * 1_000 - clock.now())).toBeLessThan(60_000);
      const delivery = await outbox.find(id, event('a').id);
      expect(await outbox.attempts(delivery?.sequence ?? 0n)).toEqual([
        { atMs: expect.any(Number), durationMs: expect.any(Number), status: 204, problem: undefined },
      ]);
      expect((await endpoints.find(tenant, id))?.lastSuccessAtMs).toBeGreaterThanOrEqual(START_MS);
    });

    it('goes to the endpoints of whose it is and of everybody above, and to nobody else', async () => {
      const own = await register();
      const above = await register({ tenantId: `${tenant}-seller` });
      await register({ tenantId: `${tenant}-sibling` });
      await register({ tenantId: `${tenant}-below` });
      expect(await put(event('a', [tenant, `${tenant}-seller`, 'root']))).toBe(2);
      start();
      await until(() => receiver.received.length >= 2);
      expect(receiver.received.map(({ path }) => path).sort()).toEqual([`/${own.id}`, `/${above.id}`].sort());
      expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    });

    it('is not for an endpoint that came later, asked for others, is disabled or was removed', async () => {
      const { id } = await register();
      expect(await put(event('before', [tenant], START_MS - 5_000))).toBe(0);
      await endpoints.edit(tenant, id, { events: ['change.failed'] }, clock.now());
      expect(await put(event('other'))).toBe(0);
      await endpoints.edit(tenant, id, { events: EVENT_TYPES, enabled: false }, clock.now());
      expect(await put(event('disabled'))).toBe(0);
      await endpoints.edit(tenant, id, { enabled: true }, clock.now());
      expect(await put(event('enabled'))).toBe(1);
      expect(await endpoints.remove(tenant, id, { by: 'oidc:anna', atMs: clock.now() })).toBe(true);
      expect(await endpoints.remove(tenant, id, { by: 'oidc:anna', atMs: clock.now() })).toBe(false);
      expect(await put(event('removed'))).toBe(0);
      expect(await outbox.nextAtMs()).toBeUndefined();
    });

    it('is sent by one of several senders', async () => {
      const { id } = await register();
      const keys = Array.from({ length: 24 }, (_, n) => `k${n}`);
      for (let n = 0; n < 3; n++) start(realPost(), { perTenant: 8 });
      await put(...keys.map((key) => event(key)));
      // No time passes: nothing is taken over, and nothing is taken twice.
      await until(() => receiver.received.length >= keys.length, false);
      await until(async () => (await outbox.list(id, { state: 'Delivered', most: 100 })).length === keys.length, false);
      expect(receiver.received.map((message) => message.id).sort()).toEqual(keys.map((key) => event(key).id).sort());
    });
  });

  describe('what fails', () => {
    it('is tried again for 75 hours, with the same id and new times, then is a dead letter, and its endpoint is disabled', async () => {
      const { id } = await register();
      const seen: { id: string | undefined; timestamp: number; atMs: number }[] = [];
      const post: Post = async (_url, { headers }) => {
        seen.push({ id: headers['webhook-id'], timestamp: Number(headers['webhook-timestamp']), atMs: clock.now() });
        return { status: 500, problem: 'answered 500' };
      };
      await put(event('a'));
      start(post);
      await untilDead(id, event('a').id);
      expect(await stateOf(id, event('a').id)).toBe('Dead');
      expect(seen).toHaveLength(MOST_ATTEMPTS);
      expect(new Set(seen.map((one) => one.id))).toEqual(new Set([event('a').id]));
      for (const { timestamp, atMs } of seen) expect(Math.abs(timestamp * 1_000 - atMs)).toBeLessThan(1_000);
      const tookMs = (seen.at(-1)?.atMs ?? 0) - (seen[0]?.atMs ?? 0);
      expect(tookMs).toBeGreaterThanOrEqual(75 * HOUR_MS);
      expect(tookMs).toBeLessThan(90 * HOUR_MS);
      const waits = seen.slice(1).map(({ atMs }, index) => atMs - (seen[index]?.atMs ?? 0));
      for (const [index, hours] of [2, 5, 10, 14, 20, 24].entries()) {
        expect(waits[index + 3]).toBeGreaterThanOrEqual(hours * HOUR_MS);
        expect(waits[index + 3]).toBeLessThan(hours * HOUR_MS * 1.1 + 20 * 60_000);
      }
      const delivery = await outbox.find(id, event('a').id);
      expect(await outbox.attempts(delivery?.sequence ?? 0n)).toHaveLength(MOST_ATTEMPTS);
      expect(await endpoints.find(tenant, id)).toMatchObject({
        disabledAtMs: expect.any(Number),
        disabledReason: 'nothing got through for more than three days; last: answered 500',
      });
    });

    it('leaves an endpoint enabled that something else got through to meanwhile', async () => {
      const { id } = await register();
      const bad = event('bad').id;
      const post: Post = async (_url, { headers }) =>
        headers['webhook-id'] === bad ? { status: 500, problem: 'answered 500' } : { status: 204 };
      await put(event('bad'));
      start(post);
      const { sequence = 0n } = (await outbox.find(id, bad)) ?? {};
      await until(async () => (await outbox.attempts(sequence)).length === 1);
      clock.step(HOUR_MS);
      await put(event('good'));
      await until(async () => (await stateOf(id, event('good').id)) === 'Delivered');
      await untilDead(id, bad);
      expect(await stateOf(id, bad)).toBe('Dead');
      expect(await stateOf(id, event('good').id)).toBe('Delivered');
      expect((await endpoints.find(tenant, id))?.disabledAtMs).toBeUndefined();
    });

    it('goes out again when it is replayed, alone or all that died since a time', async () => {
      const { id } = await register();
      let result: PostResult = { status: 500, problem: 'answered 500' };
      await put(event('a'), event('b'));
      await store.db
        .updateTable('webhook_deliveries')
        .set({ attempts: MOST_ATTEMPTS - 1 })
        .execute();
      const sent: (string | undefined)[] = [];
      start(async (_url, { headers }) => {
        sent.push(headers['webhook-id']);
        return result;
      });
      await until(async () => (await outbox.list(id, { state: 'Dead', most: 10 })).length === 2);
      await endpoints.edit(tenant, id, { enabled: true }, clock.now());
      result = { status: 200 };
      sent.length = 0;
      expect(await outbox.replay(id, event('a').id, clock.now())).toMatchObject({ state: 'Pending', attempts: 0 });
      await until(async () => (await stateOf(id, event('a').id)) === 'Delivered');
      expect(sent).toEqual([event('a').id]);
      expect(await outbox.replayDead(id, clock.now() + HOUR_MS, clock.now())).toBe(0);
      expect(await outbox.replayDead(id, START_MS, clock.now())).toBe(1);
      await until(async () => (await stateOf(id, event('b').id)) === 'Delivered');
      expect(sent).toEqual([event('a').id, event('b').id]);
      // What was delivered can be asked for once more.
      await outbox.replay(id, event('b').id, clock.now());
      await until(() => sent.length === 3);
      expect(await outbox.replay(id, event('unknown').id, clock.now())).toBeUndefined();
    });

    it('waits as long as the receiver asks', async () => {
      const { id } = await register();
      start(async () => ({ status: 503, problem: 'answered 503', retryAfter: '7200' }));
      await put(event('a'));
      await until(async () => (await outbox.find(id, event('a').id))?.attempts === 1);
      await until(
        async () => (await outbox.attempts((await outbox.find(id, event('a').id))?.sequence ?? 0n)).length === 1,
      );
      const { nextAtMs = 0 } = (await outbox.find(id, event('a').id)) ?? {};
      expect(nextAtMs - clock.now()).toBeGreaterThan(HOUR_MS);
    });

    it('with 410 ends the endpoint at once, and what waits stays until it is enabled', async () => {
      const { id } = await register();
      let result: PostResult = { status: 410, problem: 'answered 410' };
      await put(event('a'));
      start(async () => result);
      await until(async () => (await stateOf(id, event('a').id)) === 'Dead');
      expect((await endpoints.find(tenant, id))?.disabledReason).toMatch(/410/);
      await outbox.replay(id, event('a').id, clock.now());
      await clock.advance(HOUR_MS);
      expect(await stateOf(id, event('a').id)).toBe('Pending');
      result = { status: 200 };
      await endpoints.edit(tenant, id, { enabled: true }, clock.now());
      // When it looks again; nothing tells it.
      await clock.advance(15_000);
      await until(async () => (await stateOf(id, event('a').id)) === 'Delivered');
    });
  });

  describe('a rotation', () => {
    it('signs with both secrets while it lasts, and then with the new one alone', async () => {
      const { id, secret } = await register();
      const next = mintSecret(realRandom);
      const previousUntilMs = clock.now() + 24 * HOUR_MS;
      expect(await endpoints.rotate(tenant, id, { secret: next, previousUntilMs })).toMatchObject({ previousUntilMs });
      start();
      await put(event('during'));
      // Written down before a day passes, or its claim would run out and it would rightly be sent again.
      await until(async () => (await stateOf(id, event('during').id)) === 'Delivered');
      clock.step(24 * HOUR_MS);
      await put(event('after'));
      await until(async () => (await stateOf(id, event('after').id)) === 'Delivered');
      expect(receiver.received).toHaveLength(2);
      const [during, after] = receiver.received;
      expect(during && [isSignedWith(during, secret), isSignedWith(during, next)]).toEqual([true, true]);
      expect(during?.signatures).toHaveLength(2);
      expect(after && [isSignedWith(after, secret), isSignedWith(after, next)]).toEqual([false, true]);
      expect(after?.signatures).toHaveLength(1);
    });

    it('is of the own endpoint alone', async () => {
      const { id } = await register();
      const rotation = { secret: mintSecret(realRandom), previousUntilMs: 0 };
      expect(await endpoints.rotate('tenant-of-another', id, rotation)).toBeUndefined();
      expect(await endpoints.find('tenant-of-another', id)).toBeUndefined();
      expect(await endpoints.edit('tenant-of-another', id, { enabled: false }, 0)).toBeUndefined();
      expect(await endpoints.remove('tenant-of-another', id, { by: 'x', atMs: 0 })).toBe(false);
      expect((await endpoints.find(tenant, id))?.previousUntilMs).toBeUndefined();
    });
  });

  describe('a sender', () => {
    it('sends at most so many at once for one tenant, and lets no other wait for it', async () => {
      const slow = await register();
      const other = await register({ tenantId: `${tenant}-other` });
      const more = await register();
      const waiting: ((result: PostResult) => void)[] = [];
      const sent: string[] = [];
      const post: Post = (url) => {
        sent.push(url);
        if (url === other.url) return Promise.resolve({ status: 200 });
        return new Promise((resolve) => waiting.push(resolve));
      };
      await put(...Array.from({ length: 30 }, (_, n) => event(`slow ${n}`)));
      await put(event('other', [other.tenantId]));
      start(post, { most: 8, perTenant: 3 });
      await until(() => sent.includes(other.url) && waiting.length === 3);
      for (let n = 0; n < 5; n++) {
        await clock.advance(5_000);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(waiting).toHaveLength(3);
      waiting.shift()?.({ status: 200 });
      await until(() => waiting.length === 3);
      expect(sent.filter((url) => url === slow.url || url === more.url)).toHaveLength(4);
      // Each is answered, or the sender would wait for it when it stops.
      await until(() => {
        for (const resolve of waiting.splice(0)) resolve({ status: 200 });
        return sent.length >= 61;
      });
      for (const resolve of waiting.splice(0)) resolve({ status: 200 });
      expect(new Set(sent)).toEqual(new Set([slow.url, more.url, other.url]));
    });

    it('takes over what a dead one claimed, once the claim ran out', async () => {
      const { id } = await register();
      await put(event('a'));
      const nowMs = clock.now();
      const options = { nowMs, untilMs: nowMs + CLAIM_MS, most: 10, perTenant: 4, busy: new Map() };
      const [dead] = await outbox.claim({ ...options, claim: 'dead' });
      expect(await outbox.claim({ ...options, claim: 'too early' })).toEqual([]);
      const late = nowMs + CLAIM_MS;
      const [heir] = await outbox.claim({ ...options, nowMs: late, untilMs: late + CLAIM_MS, claim: 'heir' });
      expect(heir).toMatchObject({ event: event('a').id, attempts: 2, endpoint: id });
      // The dead one was only slow: what it sent is written down, what it decides is not.
      const attempt = { atMs: late, durationMs: 5, status: 500, problem: 'answered 500' };
      if (dead === undefined || heir === undefined) throw new Error('nothing was claimed');
      await outbox.finish(dead, attempt, { state: 'Dead' });
      expect(await outbox.find(id, event('a').id)).toMatchObject({ state: 'Pending', nextAtMs: late + CLAIM_MS });
      await outbox.finish(heir, { ...attempt, status: 204, problem: undefined }, { state: 'Delivered' });
      expect(await stateOf(id, event('a').id)).toBe('Delivered');
      expect(await outbox.attempts(heir.sequence)).toHaveLength(2);
    });

    it('waits for answers no longer than its grace, also when the database takes its time', async () => {
      const { id } = await register();
      await put(event('a'));
      const asked = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      const claim: Outbox['claim'] = async (options) => {
        asked.resolve();
        await held.promise;
        return outbox.claim(options);
      };
      let wasAborted: boolean | undefined;
      const post: Post = async (_url, _message, signal) => {
        wasAborted = signal.aborted;
        return { problem: 'the sender stopped' };
      };
      const sender = startSender({ clock, random: realRandom, log, post, outbox: { ...outbox, claim } });
      senders.push(sender);
      await asked.promise;
      const stopped = sender.stop();
      await clock.advance(2_000);
      held.resolve();
      await stopped;
      expect(wasAborted).toBe(true);
      expect(await outbox.find(id, event('a').id)).toMatchObject({ state: 'Pending', attempts: 0 });
    });

    it('gives back what has no answer when it stops, and another sends it at once', async () => {
      const { id } = await register();
      receiver.answer = () => {};
      const sender = start();
      await put(event('a'));
      await until(() => receiver.received.length === 1);
      const stopped = sender.stop();
      await clock.advance(2_000);
      await stopped;
      expect(await outbox.find(id, event('a').id)).toMatchObject({
        state: 'Pending',
        attempts: 0,
        nextAtMs: clock.now(),
      });
      receiver.answer = (_message, response) => void response.writeHead(204).end();
      start();
      await until(async () => (await stateOf(id, event('a').id)) === 'Delivered');
      expect(receiver.received.map((message) => message.id)).toEqual([event('a').id, event('a').id]);
    });

    it('is not stopped by an endpoint that is removed while it sends', async () => {
      const { id } = await register();
      const answered = Promise.withResolvers<PostResult>();
      let sent = 0;
      const sender = start(() => {
        sent += 1;
        return answered.promise;
      });
      await put(event('a'));
      await until(() => sent === 1);
      await endpoints.remove(tenant, id, { by: 'oidc:anna', atMs: clock.now() });
      answered.resolve({ status: 200 });
      await sender.stop();
      expect(await outbox.find(id, event('a').id)).toBeUndefined();
    });
  });

  it('forgets what is older than it keeps, and disables an endpoint that too much waits for', async () => {
    const { id } = await register();
    await put(...Array.from({ length: 12 }, (_, n) => event(`k${n}`)));
    const nowMs = clock.now() + HOUR_MS;
    const options = { beforeMs: START_MS, most: 5, mostWaiting: 10, nowMs };
    expect(await outbox.prune({ ...options, mostWaiting: 12 })).toBe(0);
    expect((await endpoints.find(tenant, id))?.disabledAtMs).toBeUndefined();
    expect(await outbox.prune(options)).toBe(0);
    expect((await endpoints.find(tenant, id))?.disabledReason).toBe('more than 10 messages waited');
    expect(await outbox.prune({ ...options, beforeMs: nowMs })).toBe(5);
    expect(await outbox.list(id, { most: 100 })).toHaveLength(7);
  });

  it('shows deliveries newest first, page by page', async () => {
    const { id } = await register();
    for (const key of ['a', 'b', 'c']) await put(event(key));
    await outbox.putOne(id, { ...event('test'), type: TEST_EVENT }, clock.now());
    const first = await outbox.list(id, { most: 2 });
    expect(first.map(({ type, event: of }) => [type, of])).toEqual([
      [TEST_EVENT, event('test').id],
      ['desktop.ready', event('c').id],
    ]);
    const rest = await outbox.list(id, { most: 10, before: first.at(-1)?.sequence });
    expect(rest.map((one) => one.event)).toEqual([event('b').id, event('a').id]);
    expect(await outbox.list(id, { state: 'Dead', most: 10 })).toEqual([]);
  });

  it('has room for so many endpoints of a tenant, also when many come at once', async () => {
    const secret = mintSecret(realRandom);
    const add = () =>
      endpoints.add({
        id: Buffer.from(realRandom.bytes(10)).toString('hex'),
        tenantId: tenant,
        url: receiver.url,
        description: '',
        events: ['desktop.ready'],
        secret,
        maker: 'oidc:anna',
        atMs: START_MS,
      });
    const answers = await Promise.all(Array.from({ length: MOST_ENDPOINTS + 5 }, add));
    expect(answers.filter(Boolean)).toHaveLength(MOST_ENDPOINTS);
    expect(await endpoints.list(tenant)).toHaveLength(MOST_ENDPOINTS);
  });
}
