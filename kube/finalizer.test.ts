import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONFIGMAPS } from './builtin.ts';
import { TransientError } from './errors.ts';
import { ensureFinalizer, removeFinalizer } from './finalizer.ts';
import { createInformer } from './informer.ts';
import { type ConfigMap, configMap, createWorld, type World } from './testing/world.ts';

const MINE = 'x.dev/mine';
let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const informer = () => createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS });
const finalizers = () => world.server.get(CONFIGMAPS, 'n/a')?.metadata.finalizers;

test('is added once, shown to the informer, and removed', async () => {
  const cache = informer();
  const stored = world.server.put(CONFIGMAPS, configMap('a'));
  const held = await ensureFinalizer(world.client, cache, stored, MINE);
  expect(held.metadata.finalizers).toEqual([MINE]);
  expect(cache.get('n/a')).toEqual(held);
  expect(await ensureFinalizer(world.client, cache, held, MINE)).toBe(held);
  expect(world.server.requests.length).toBe(1);
  await removeFinalizer(world.client, CONFIGMAPS, held, MINE);
  expect(finalizers()).toEqual([]);
  await removeFinalizer(world.client, CONFIGMAPS, stored, MINE);
  expect(world.server.requests.length).toBe(2);
});

test('stands beside others, and only it goes', async () => {
  const other = {
    ...configMap('a'),
    metadata: { ...configMap('a').metadata, finalizers: ['x.dev/first', 'x.dev/second'] },
  };
  const held = await ensureFinalizer(world.client, informer(), world.server.put(CONFIGMAPS, other), MINE);
  expect(finalizers()).toEqual(['x.dev/first', 'x.dev/second', MINE]);
  await removeFinalizer(world.client, CONFIGMAPS, held, 'x.dev/second');
  expect(finalizers()).toEqual(['x.dev/first', MINE]);
});

test('a list that changed in between is left alone', async () => {
  const stored = world.server.put(CONFIGMAPS, configMap('a'));
  const held = await ensureFinalizer(world.client, informer(), stored, MINE);
  world.server.put(CONFIGMAPS, { ...held, metadata: { ...held.metadata, finalizers: ['x.dev/theirs', MINE] } });
  await expect(removeFinalizer(world.client, CONFIGMAPS, held, MINE)).rejects.toBeInstanceOf(TransientError);
  await expect(ensureFinalizer(world.client, informer(), stored, MINE)).rejects.toThrow('changed in between');
  expect(finalizers()).toEqual(['x.dev/theirs', MINE]);
});

test('another object of the same name is left alone', async () => {
  const stored = world.server.put(CONFIGMAPS, configMap('a'));
  world.server.remove(CONFIGMAPS, 'n/a');
  world.server.put(CONFIGMAPS, configMap('a'));
  await expect(ensureFinalizer(world.client, informer(), stored, MINE)).rejects.toBeInstanceOf(TransientError);
  expect(finalizers()).toBeUndefined();
});

test('what is gone is not taken for held', async () => {
  const stored = world.server.put(CONFIGMAPS, configMap('a'));
  world.server.remove(CONFIGMAPS, 'n/a');
  await expect(ensureFinalizer(world.client, informer(), stored, MINE)).rejects.toThrow('ConfigMap n/a is gone');
});

test('nothing is added to what is being deleted, and what is gone is fine', async () => {
  const stored = world.server.put(CONFIGMAPS, configMap('a'));
  const dying = {
    ...stored,
    metadata: { ...stored.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [MINE] },
  };
  expect(await ensureFinalizer(world.client, informer(), dying, 'x.dev/other')).toBe(dying);
  world.server.remove(CONFIGMAPS, 'n/a');
  await removeFinalizer(world.client, CONFIGMAPS, dying, MINE);
  expect(world.server.requests.length).toBe(1);
});
