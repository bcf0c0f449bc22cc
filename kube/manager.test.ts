import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONFIGMAPS, LEASES } from './builtin.ts';
import { createController, type Reconcile, watchOf } from './controller.ts';
import { createInformer } from './informer.ts';
import { LeadershipLostError, type Lease } from './leaderelection.ts';
import { createManager, type ManagerOptions } from './manager.ts';
import { objectKey } from './object.ts';
import { sendStatus } from './testing/fakeapiserver.ts';
import { until } from './testing/until.ts';
import { type ConfigMap, configMap, createWorld, type World } from './testing/world.ts';

let world: World;
let stop: AbortController;
let finished: Promise<unknown> | undefined;
beforeEach(async () => {
  world = await createWorld();
  stop = new AbortController();
  finished = undefined;
});
afterEach(async () => {
  stop.abort();
  await finished;
  expect(world.clock.timers()).toBe(0);
  await world.close();
});

function setUp(reconcile: Reconcile, options: ManagerOptions = {}) {
  const informer = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS });
  const watches = [watchOf<ConfigMap>({ informer, map: (object) => [objectKey(object)] })];
  const controller = createController(world.deps, { name: 'tested', workers: 1, watches, reconcile });
  const manager = createManager(world.deps, options);
  manager.addController(controller);
  return { manager, controller, informer };
}

function start(manager: ReturnType<typeof createManager>) {
  const outcome: { error?: unknown; done: boolean } = { done: false };
  finished = manager.start(stop.signal).then(
    () => {
      outcome.done = true;
    },
    (error: unknown) => {
      outcome.error = error;
      outcome.done = true;
    },
  );
  return outcome;
}

const leaderElection = { namespace: 'n', name: 'lease', identity: 'me' };
const http = { address: '127.0.0.1', port: 0 };
const fetchText = async (manager: ReturnType<typeof createManager>, path: string) => {
  const { address, port } = manager.address() ?? {};
  const response = await fetch(`http://${address}:${port}${path}`);
  return { status: response.status, text: await response.text() };
};

test('is ready once informers are synced and controllers work, and stops cleanly', async () => {
  const keys: string[] = [];
  world.server.put(CONFIGMAPS, configMap('a'));
  const { manager } = setUp(async (key) => void keys.push(key), { leaderElection });
  const outcome = start(manager);
  await manager.ready();
  expect(manager.isLeader()).toBe(true);
  await until('the reconcile', () => keys.length === 1);
  stop.abort();
  await finished;
  expect(outcome.error).toBeUndefined();
  expect((world.server.get(LEASES, 'n/lease') as Lease).spec?.holderIdentity).toBe('');
  await until('the watches to end', () => world.server.watches().length === 0);
});

test('a running reconcile may finish, and the lease is kept until then', async () => {
  let release: (() => void) | undefined;
  let aborted = false;
  world.server.put(CONFIGMAPS, configMap('a'));
  const { manager, informer } = setUp(
    (_, signal) =>
      new Promise<undefined>((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        release = () => resolve(undefined);
      }),
    { leaderElection },
  );
  const outcome = start(manager);
  await until('the reconcile', () => release !== undefined);
  stop.abort();
  await world.clock.advance(5_000);
  expect(outcome.done).toBe(false);
  expect((world.server.get(LEASES, 'n/lease') as Lease).spec?.holderIdentity).toBe('me');
  expect(informer.hasSynced()).toBe(true);
  release?.();
  await finished;
  expect(aborted).toBe(false);
});

test('a reconcile that does not finish in time sees its signal abort', async () => {
  let began = false;
  world.server.put(CONFIGMAPS, configMap('a'));
  const { manager } = setUp(
    (_, signal) =>
      new Promise<undefined>((__, reject) => {
        began = true;
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    { gracefulStopMs: 3_000 },
  );
  const outcome = start(manager);
  await until('the reconcile', () => began);
  stop.abort();
  await world.clock.advance(2_900);
  expect(outcome.done).toBe(false);
  await world.clock.advance(100);
  await finished;
  expect(outcome.error).toBeUndefined();
});

test('losing the lease aborts work at once and rejects', async () => {
  const reasons: unknown[] = [];
  world.server.put(CONFIGMAPS, configMap('a'));
  const { manager } = setUp(
    (_, signal) =>
      new Promise<undefined>((__, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason);
          reject(signal.reason);
        });
      }),
    { leaderElection },
  );
  const outcome = start(manager);
  await manager.ready();
  const lease = world.server.get(LEASES, 'n/lease') as Lease;
  world.server.put(LEASES, { ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } });
  await until(
    'the end',
    () => outcome.done,
    () => world.clock.advance(200),
  );
  expect(outcome.error).toBeInstanceOf(LeadershipLostError);
  expect(reasons.length).toBe(1);
});

test('a follower keeps its caches warm and works when the lease becomes free', async () => {
  const keys: string[] = [];
  world.server.put(CONFIGMAPS, configMap('a'));
  const other = createManager({ ...world.deps }, { leaderElection: { ...leaderElection, identity: 'other' } });
  const otherStop = new AbortController();
  const otherDone = other.start(otherStop.signal);
  await other.ready();
  const { manager, informer, controller } = setUp(async (key) => void keys.push(key), { leaderElection });
  start(manager);
  await until('the cache', () => informer.hasSynced() && world.server.watches().length === 2);
  expect([manager.isLeader(), controller.started(), keys.length]).toEqual([false, false, 0]);
  otherStop.abort();
  await otherDone;
  await until('the reconcile', () => keys.length === 1);
  expect(manager.isLeader()).toBe(true);
});

test('health, readiness and metrics are served', async () => {
  world.server.serve(CONFIGMAPS, false);
  const { manager } = setUp(async () => {}, { http });
  let sick = false;
  manager.addHealthCheck('organ', () => {
    if (sick) throw new Error('secret reason');
  });
  start(manager);
  await until('the address', () => manager.address() !== undefined);
  expect(await fetchText(manager, '/healthz')).toEqual({ status: 200, text: 'ok\n' });
  expect(await fetchText(manager, '/readyz')).toEqual({ status: 500, text: '[-]informers failed\n' });
  world.server.serve(CONFIGMAPS, true);
  let ready = false;
  void manager.ready().then(() => {
    ready = true;
  });
  await until(
    'readiness',
    () => ready,
    () => world.clock.advance(100),
  );
  expect((await fetchText(manager, '/readyz')).status).toBe(200);
  expect((await fetchText(manager, '/healthz?verbose')).text).toBe('[+]ping ok\n[+]organ ok\n');
  sick = true;
  expect(await fetchText(manager, '/healthz')).toEqual({ status: 500, text: '[+]ping ok\n[-]organ failed\n' });
  expect((await fetchText(manager, '/healthz/ping')).status).toBe(200);
  for (const path of ['/', '/healthz/none', '/metrics/x', '/readyz/a/b'])
    expect((await fetchText(manager, path)).status).toBe(404);
  expect((await fetchText(manager, '/metrics')).text).toContain(
    'controller_runtime_max_concurrent_reconciles{controller="tested"} 1\n',
  );
});

test('a part that fails stops the process, others end in order', async () => {
  const ended: string[] = [];
  const { manager } = setUp(async () => {});
  manager.addRunnable({ name: 'bad', start: () => Promise.reject(new Error('bad part')) });
  manager.addRunnable({
    name: 'good',
    needsLeaderElection: false,
    start: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          ended.push('good');
          resolve();
        });
      }),
  });
  const outcome = start(manager);
  await finished;
  expect(String(outcome.error)).toContain('bad part');
  expect(ended).toEqual(['good']);
  await expect(manager.ready()).rejects.toThrow('stopped before it was ready');
});

test('nothing can be added once it runs, and it runs once', async () => {
  const { manager, informer } = setUp(async () => {});
  start(manager);
  expect(() => manager.addInformer(informer)).toThrow('started already');
  await expect(manager.start(stop.signal)).rejects.toThrow('started already');
});

test('stopping while the API server is away takes no longer than the grace', async () => {
  const { manager } = setUp(async () => {}, { leaderElection });
  start(manager);
  await manager.ready();
  world.server.fault({
    match: () => true,
    times: 1000,
    answer: (response) => sendStatus(response, 503, 'ServiceUnavailable', 'no'),
  });
  stop.abort();
  await until(
    'the end',
    () => world.lines.some((line) => line.msg === 'manager stopped'),
    () => world.clock.advance(500),
  );
});
