import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONFIGMAPS } from './builtin.ts';
import { type ControllerOptions, createController, type Reconcile, type Watch, watchOf } from './controller.ts';
import { PausedError, StatusError, TerminalError, TransientError, WaitingError } from './errors.ts';
import { createInformer } from './informer.ts';
import { type KubeObject, objectKey } from './object.ts';
import { until } from './testing/until.ts';
import { type ConfigMap, configMap, createWorld, WIDGETS, type World } from './testing/world.ts';

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
  await Promise.all(running);
  expect(world.clock.timers()).toBe(0);
  await world.close();
});

async function start(
  reconcile: Reconcile,
  options: Partial<ControllerOptions> & { readonly watch?: Partial<Watch<ConfigMap>> } = {},
) {
  const informer = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS });
  const watches = [watchOf<ConfigMap>({ informer, map: (object) => [objectKey(object)], ...options.watch })];
  const controller = createController(world.deps, { name: 'tested', workers: 2, watches, reconcile, ...options });
  running.push(informer.start(stop.signal), controller.start(stop.signal));
  await until('the start', () => controller.started() && world.server.watches().length === 1);
  return { informer, controller };
}

const metric = (line: string) => expect(world.metrics.render()).toContain(`${line}\n`);

test('reconciles what is there, what changes and what goes', async () => {
  const keys: string[] = [];
  world.server.put(CONFIGMAPS, configMap('a'));
  await start(async (key) => void keys.push(key));
  await until('the first', () => keys.length === 1);
  world.server.put(CONFIGMAPS, configMap('b'));
  await until('the second', () => keys.length === 2);
  world.server.remove(CONFIGMAPS, 'n/a');
  await until('the third', () => keys.length === 3);
  expect(keys).toEqual(['n/a', 'n/b', 'n/a']);
  metric('controller_runtime_reconcile_total{controller="tested",result="success"} 3');
  metric('workqueue_adds_total{name="tested",controller="tested"} 3');
  metric('workqueue_depth{name="tested",controller="tested",priority="0"} 0');
});

test('waits for its kinds', async () => {
  const keys: string[] = [];
  const informer = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS });
  world.server.serve(CONFIGMAPS, false);
  world.server.put(CONFIGMAPS, configMap('a'));
  const watches = [watchOf<ConfigMap>({ informer, map: (object) => [objectKey(object)] })];
  const controller = createController(world.deps, {
    name: 'tested',
    workers: 1,
    watches,
    reconcile: async (key) => void keys.push(key),
  });
  running.push(informer.start(stop.signal), controller.start(stop.signal));
  await until('the state', () => informer.state() === 'unavailable');
  expect(controller.started()).toBe(false);
  expect(world.lines.some((line) => line.msg.startsWith('waiting: the API server does not serve'))).toBe(true);
  world.server.serve(CONFIGMAPS, true);
  await until(
    'the reconcile',
    () => keys.length === 1,
    () => world.clock.advance(100),
  );
});

test('works without a kind that it does not require, once it is known not to be served', async () => {
  const keys: string[] = [];
  const informer = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS });
  const other = createInformer<KubeObject>(world.deps, { resource: WIDGETS });
  world.server.serve(WIDGETS, false);
  world.server.put(CONFIGMAPS, configMap('a'));
  const watches = [
    watchOf<ConfigMap>({ informer, map: (object) => [objectKey(object)] }),
    watchOf({ informer: other, map: () => ['n/widget'], required: false }),
  ];
  const reconcile = async (key: string): Promise<void> => void keys.push(key);
  const controller = createController(world.deps, { name: 'tested', workers: 1, watches, reconcile });
  running.push(informer.start(stop.signal), controller.start(stop.signal));
  await until('the first kind', () => informer.hasSynced());
  expect(controller.started()).toBe(false);
  running.push(other.start(stop.signal));
  await until('the reconcile', () => keys.length === 1);
  expect(other.state()).toBe('unavailable');
});

test('a changed mapping wakes the old and the new owner', async () => {
  const keys = new Set<string>();
  const map = (object: ConfigMap): readonly string[] => [object.data?.owner ?? ''];
  await start(async (key) => void keys.add(key), { watch: { map } });
  world.server.put(CONFIGMAPS, configMap('child', { owner: 'x' }));
  await until('the first owner', () => keys.has('x'));
  keys.clear();
  world.server.put(CONFIGMAPS, configMap('child', { owner: 'y' }));
  await until('both owners', () => keys.size === 2);
  expect([...keys].sort()).toEqual(['x', 'y']);
});

test('predicates drop what does not matter', async () => {
  const keys: string[] = [];
  const predicate = {
    onUpdate: (old: ConfigMap, object: ConfigMap) => old.data?.x !== object.data?.x,
    onDelete: () => false,
  };
  await start(async (key) => void keys.push(key), { watch: { predicate } });
  world.server.put(CONFIGMAPS, configMap('a', { x: '1' }));
  world.server.put(CONFIGMAPS, configMap('a', { x: '1', other: 'y' }));
  await until('the add', () => keys.length === 1);
  world.server.put(CONFIGMAPS, configMap('a', { x: '2' }));
  await until('the update', () => keys.length === 2);
  world.server.remove(CONFIGMAPS, 'n/a');
  world.server.put(CONFIGMAPS, configMap('b'));
  await until('the next add', () => keys.length === 3);
  expect(keys).toEqual(['n/a', 'n/a', 'n/b']);
});

test('own writes can be left out', async () => {
  const keys: string[] = [];
  const { informer } = await start(async (key) => void keys.push(key), { watch: { ownWrites: false } });
  const stored = world.server.put(CONFIGMAPS, configMap('other'));
  await until('the other', () => keys.length === 1);
  const version = String(world.server.revision() + 1);
  expect(
    informer.observeWrite({ ...stored, metadata: { ...stored.metadata, name: 'own', resourceVersion: version } }),
  ).toBe(true);
  world.server.put(CONFIGMAPS, configMap('last'));
  await until('the last', () => keys.includes('n/last'));
  expect(keys).toEqual(['n/other', 'n/last']);
});

test('a key is never worked on twice at a time, and a change meanwhile is not lost', async () => {
  let active = 0;
  let most = 0;
  const seen: (string | undefined)[] = [];
  const release: (() => void)[] = [];
  const { informer } = await start(
    async (key) => {
      active += 1;
      most = Math.max(most, active);
      seen.push(informer.get(key)?.data?.x);
      await new Promise<void>((resolve) => release.push(resolve));
      active -= 1;
    },
    { workers: 4 },
  );
  world.server.put(CONFIGMAPS, configMap('a', { x: '1' }));
  await until('the first', () => release.length === 1);
  world.server.put(CONFIGMAPS, configMap('a', { x: '2' }));
  world.server.put(CONFIGMAPS, configMap('a', { x: '3' }));
  await until('the changes', () => informer.get('n/a')?.data?.x === '3');
  release.shift()?.();
  await until('the second', () => release.length === 1);
  release.shift()?.();
  expect(most).toBe(1);
  expect(seen).toEqual(['1', '3']);
});

test('a result names when to come back', async () => {
  const times: number[] = [];
  await start(async () => {
    times.push(world.clock.monotonic());
    return times.length < 3 ? { requeueAfterMs: 5_000 } : undefined;
  });
  world.server.put(CONFIGMAPS, configMap('a'));
  await until(
    'three times',
    () => times.length === 3,
    () => world.clock.advance(500),
  );
  expect(times[1] ?? 0).toBeGreaterThanOrEqual((times[0] ?? 0) + 5_000);
  expect(times[2] ?? 0).toBeGreaterThanOrEqual((times[1] ?? 0) + 5_000);
  metric('controller_runtime_reconcile_total{controller="tested",result="requeue_after"} 2');
});

async function reconcileTimes(error: () => unknown, forMs: number): Promise<readonly number[]> {
  const times: number[] = [];
  await start(async () => {
    times.push(world.clock.monotonic());
    throw error();
  });
  world.server.put(CONFIGMAPS, configMap('a'));
  await until('the first', () => times.length === 1);
  for (let passed = 0; passed < forMs; passed += 50) await world.clock.advance(50);
  return times.map((time) => time - (times[0] ?? 0));
}

test('a TerminalError stalls until something changes', async () => {
  const times = await reconcileTimes(() => new TerminalError('Invalid', 'no such plan'), 20_000);
  expect(times.length).toBe(1);
  metric('controller_runtime_terminal_reconcile_errors_total{controller="tested"} 1');
  metric('controller_runtime_reconcile_errors_total{controller="tested"} 1');
});

test('a WaitingError comes back at its time and is no error', async () => {
  const times = await reconcileTimes(() => new WaitingError('the disk', { retryAfterMs: 3_000 }), 10_000);
  expect(times.length).toBe(4);
  metric('controller_runtime_reconcile_errors_total{controller="tested"} 0');
});

test('a PausedError comes back at its time and keeps the back-off as it was', async () => {
  let tries = 0;
  const times = await reconcileTimes(() => {
    tries += 1;
    return tries % 2 === 0 ? new PausedError('no', { retryAfterMs: 10 }) : new TransientError('no');
  }, 3_000);
  // 0.1, 0.3, 0.9 s after failures, and 10 ms after each pause.
  expect(times.length).toBe(7);
});

test.each([
  ['a TransientError', () => new TransientError('later')],
  ['something else', () => new TypeError('a bug')],
  ['no Error at all', () => 'a text'],
  ['a 409', () => new StatusError({ code: 409, reason: 'Conflict', message: 'changed' })],
])('%s backs off', async (_, error) => {
  const times = await reconcileTimes(error, 12_000);
  expect(times.length).toBeGreaterThanOrEqual(5);
  expect(times.length).toBeLessThanOrEqual(7);
  metric(`controller_runtime_reconcile_errors_total{controller="tested"} ${times.length}`);
  metric(`workqueue_retries_total{name="tested",controller="tested"} ${times.length}`);
});

test('a Retry-After is the least that is waited', async () => {
  const times = await reconcileTimes(
    () => new StatusError({ code: 429, message: 'later' }, { retryAfterMs: 4_000 }),
    9_000,
  );
  expect(times.length).toBe(3);
});

test('a reconcile that takes too long sees its signal abort', async () => {
  const reasons: string[] = [];
  await start(
    (_, signal) =>
      new Promise<undefined>((__, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(String(signal.reason));
          reject(signal.reason);
        });
      }),
    { reconcileTimeoutMs: 2_000 },
  );
  world.server.put(CONFIGMAPS, configMap('a'));
  await until(
    'the abort',
    () => reasons.length === 1,
    () => world.clock.advance(100),
  );
  expect(reasons[0]).toContain('did not end within 2000 ms');
});

test('keys can be enqueued by hand', async () => {
  const keys: string[] = [];
  const { controller } = await start(async (key) => void keys.push(key));
  controller.enqueue('x/by-hand');
  controller.enqueue('x/later', { afterMs: 1_000 });
  await until('the first', () => keys.length === 1);
  expect(controller.pending()).toEqual({ ready: 0, working: 0, delayed: 1 });
  await until(
    'the second',
    () => keys.length === 2,
    () => world.clock.advance(100),
  );
});

test('nothing is started while this process may not work, and nothing is forgotten', async () => {
  const keys: string[] = [];
  let mayWork = false;
  const informer = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS });
  const watches = [watchOf<ConfigMap>({ informer, map: (object) => [objectKey(object)] })];
  const controller = createController(world.deps, {
    name: 'tested',
    workers: 1,
    watches,
    reconcile: async (key) => void keys.push(key),
  });
  world.server.put(CONFIGMAPS, configMap('a'));
  running.push(informer.start(stop.signal), controller.start(stop.signal, { mayWork: () => mayWork }));
  await until('the start', () => controller.started());
  await world.clock.advance(5_000);
  expect(keys).toEqual([]);
  mayWork = true;
  await until(
    'the reconcile',
    () => keys.length === 1,
    () => world.clock.advance(500),
  );
});

test('watches of several kinds feed one controller', async () => {
  const keys: string[] = [];
  const owners = createInformer(world.deps, { resource: WIDGETS });
  const children = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS });
  const watches = [
    watchOf({ informer: owners, map: (object) => [object.metadata.name] }),
    watchOf<ConfigMap>({ informer: children, map: (object) => [object.data?.owner ?? ''] }),
  ];
  const controller = createController(world.deps, {
    name: 'tested',
    workers: 1,
    watches,
    reconcile: async (key) => void keys.push(key),
  });
  running.push(owners.start(stop.signal), children.start(stop.signal), controller.start(stop.signal));
  await until('the start', () => controller.started());
  world.server.put(WIDGETS, { apiVersion: 'x.dev/v1', kind: 'Widget', metadata: { name: 'w' } });
  await until('the owner', () => keys.length === 1);
  world.server.put(CONFIGMAPS, configMap('c', { owner: 'w' }));
  await until('the child', () => keys.length === 2);
  expect(keys).toEqual(['w', 'w']);
});
