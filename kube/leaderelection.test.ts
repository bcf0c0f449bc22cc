import { afterEach, beforeEach, expect, test } from 'vitest';
import { LEASES } from './builtin.ts';
import { createLeaderElector, type LeaderElectionOptions, LeadershipLostError, type Lease } from './leaderelection.ts';
import { sendStatus } from './testing/fakeapiserver.ts';
import { until } from './testing/until.ts';
import { createWorld, type World } from './testing/world.ts';

let world: World;
let stop: AbortController;
let running: Promise<unknown>[];
beforeEach(async () => {
  world = await createWorld();
  stop = new AbortController();
  running = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.allSettled(running);
  expect(world.clock.timers()).toBe(0);
  await world.close();
});

const elector = (identity: string, options: Partial<LeaderElectionOptions> = {}) =>
  createLeaderElector(world.deps, { namespace: 'n', name: 'lease', identity, ...options });
const spec = () => (world.server.get(LEASES, 'n/lease') as Lease | undefined)?.spec;
/** Lets a little time pass, and each request have its answer before more of it passes. */
async function advance(): Promise<void> {
  await world.clock.advance(200);
  await world.answered();
}
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 200) await advance();
}

function hold(one: ReturnType<typeof elector>, signal = stop.signal) {
  const state: { error?: unknown } = {};
  running.push(
    one.hold(signal).catch((error: unknown) => {
      state.error = error;
    }),
  );
  return state;
}

test('the first takes the lease and renews it', async () => {
  const first = elector('one');
  expect(await first.acquire(stop.signal)).toBe(true);
  expect(spec()).toMatchObject({ holderIdentity: 'one', leaseDurationSeconds: 15, leaseTransitions: 0 });
  expect(spec()?.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const { acquireTime } = spec() ?? {};
  hold(first);
  const writes = world.server.requests.length;
  await pass(20_000);
  expect(first.isLeader()).toBe(true);
  expect(spec()?.acquireTime).toBe(acquireTime);
  expect(spec()?.renewTime).not.toBe(acquireTime);
  expect(world.server.requests.length - writes).toBeGreaterThanOrEqual(8);
  expect(world.server.requests.length - writes).toBeLessThanOrEqual(10);
});

test('a released lease is taken over at once', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  const second = elector('two');
  const taking = second.acquire(stop.signal);
  await until('the watch', () => world.server.watches().length === 1, advance);
  const releasedMs = world.clock.monotonic();
  await first.release();
  expect(await taking).toBe(true);
  expect(world.clock.monotonic() - releasedMs).toBeLessThan(1_000);
  expect([first.isLeader(), second.isLeader()]).toEqual([false, true]);
  expect(spec()).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
});

test('a leader that vanished is followed after the lease ran out by the follower’s own clock', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  world.clock.step(-86_400_000);
  const second = elector('two');
  const startMs = world.clock.monotonic();
  const taking = second.acquire(stop.signal);
  let taken = false;
  void taking.then(() => {
    taken = true;
  });
  await until('the takeover', () => taken, advance);
  expect(world.clock.monotonic() - startMs).toBeGreaterThanOrEqual(15_000);
  expect(world.clock.monotonic() - startMs).toBeLessThanOrEqual(19_500);
});

test('a leader that renews is not followed', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  hold(first);
  const second = elector('two');
  running.push(second.acquire(stop.signal));
  await pass(40_000);
  expect([first.isLeader(), second.isLeader()]).toEqual([true, false]);
});

test('a leader whose renewals fail stops before its lease runs out', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  const state = hold(first);
  world.server.fault({
    match: () => true,
    times: 1000,
    answer: (response) => sendStatus(response, 500, 'InternalError', 'no'),
  });
  const startMs = world.clock.monotonic();
  await until('the loss', () => state.error !== undefined, advance);
  expect(state.error).toBeInstanceOf(LeadershipLostError);
  expect(world.clock.monotonic() - startMs).toBeLessThanOrEqual(15_000);
  expect(first.isLeader()).toBe(false);
});

test('one failed renewal is no loss', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  const state = hold(first);
  world.server.fault({ match: () => true, times: 2, answer: (response) => response.destroy() });
  await pass(20_000);
  expect(state.error).toBeUndefined();
  expect(first.isLeader()).toBe(true);
});

test('a renewal that was carried out and never answered is no loss', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  const state = hold(first);
  world.server.fault({
    match: ({ method }) => method === 'PUT',
    times: 1,
    answer: (response, { body }) => {
      world.server.put(LEASES, body as Lease);
      response.destroy();
    },
  });
  await pass(6_000);
  const lease = world.server.get(LEASES, 'n/lease') as Lease;
  expect(Date.parse(lease.spec?.renewTime ?? '')).toBeGreaterThan(world.clock.now() - 3_000);
  expect(state.error).toBeUndefined();
});

test('a slow server is asked again at once, and kept waiting for less than half of the deadline', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  const state = hold(first);
  world.server.fault({ match: ({ method }) => method === 'PUT', times: 1, answer: () => {} });
  const startMs = world.clock.monotonic();
  const puts = () => world.server.requests.filter(({ method }) => method === 'PUT').length;
  const before = puts();
  await until('the second try', () => puts() === before + 2, advance);
  expect(world.clock.monotonic() - startMs).toBeLessThan(2_400 + 5_000 + 1_000);
  await pass(6_000);
  expect(state.error).toBeUndefined();
  expect(first.isLeader()).toBe(true);
});

test('a process that was asleep knows at once that it may not act', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  expect(first.isLeader()).toBe(true);
  await world.clock.advance(20_000);
  expect(first.isLeader()).toBe(false);
  const state = hold(first);
  await until('the loss', () => state.error !== undefined, advance);
});

test('a lease that somebody else took is lost', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  const state = hold(first);
  const lease = world.server.get(LEASES, 'n/lease') as Lease;
  world.server.put(LEASES, { ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } });
  await until('the loss', () => state.error !== undefined, advance);
  expect(String(state.error)).toContain('another process holds the lease');
  expect(spec()?.holderIdentity).toBe('thief');
  await first.release();
  expect(spec()?.holderIdentity).toBe('thief');
});

test('a lease that somebody deleted is made again by who leads', async () => {
  const first = elector('one');
  await first.acquire(stop.signal);
  const state = hold(first);
  world.server.remove(LEASES, 'n/lease');
  await pass(20_000);
  expect(state.error).toBeUndefined();
  expect(first.isLeader()).toBe(true);
  expect(spec()?.holderIdentity).toBe('one');
});

test('of two that try at the same moment one leads', async () => {
  const [first, second] = [elector('one'), elector('two')];
  running.push(first.acquire(stop.signal), second.acquire(stop.signal));
  await until('a leader', () => first.isLeader() || second.isLeader(), advance);
  await advance();
  expect([first.isLeader(), second.isLeader()].filter(Boolean).length).toBe(1);
});

test('limits that cannot work are refused', () => {
  expect(() => elector('one', { renewDeadlineMs: 20_000 })).toThrow('must be below leaseDurationMs');
  expect(() => elector('one', { retryPeriodMs: 9_500 })).toThrow('must be well below renewDeadlineMs');
});
