import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { CONFIGMAPS, CUSTOMRESOURCEDEFINITIONS } from '../../kube/builtin.ts';
import type { KubeObject } from '../../kube/object.ts';
import { ANNOTATION_REQUESTED_AT, GITREPOSITORIES, KUSTOMIZATIONS } from '../../model/flux.ts';
import { findMark } from './conditions.ts';
import type { GitRepository, Kustomization } from './resources.ts';
import { configMap } from './testing/scenario.ts';
import { followGit, kustomize, openVirtualWorld, type VirtualWorld } from './testing/virtual.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const WRITES = new Set(['create', 'update', 'patch', 'apply', 'delete', 'deletecollection']);
const AT = { namespace: 'fleet' };

const worlds: VirtualWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

async function open(seed = 'seed', options = {}): Promise<VirtualWorld> {
  const world = await openVirtualWorld(seed, options);
  worlds.push(world);
  return world;
}

async function openApplied(seed?: string, options = {}): Promise<VirtualWorld> {
  const world = await open(seed, options);
  world.repository.commit({ 'x.yaml': configMap('x'), 'y.yaml': configMap('y') });
  await followGit(world);
  await kustomize(world, 'app');
  await world.settle();
  expect(await readyOf(world, KUSTOMIZATIONS, 'app')).toMatchObject({ status: 'True' });
  return world;
}

type WithConditions = GitRepository | Kustomization;

async function readyOf(world: VirtualWorld, resource: typeof KUSTOMIZATIONS, name: string) {
  return findMark((await world.get<WithConditions>(resource, name)).status?.conditions, 'Ready');
}

async function dataOf(world: VirtualWorld, name: string): Promise<unknown> {
  return (await world.get<KubeObject & { readonly data: unknown }>(CONFIGMAPS, name)).data;
}

function writesSince(world: VirtualWorld, call: number): readonly string[] {
  const writes = world.calls.slice(call).filter(({ verb, dryRun }) => WRITES.has(verb) && !dryRun);
  return writes.map(({ verb, resource, name, subresource }) => `${verb} ${resource} ${name} ${subresource}`);
}

it('applies a commit within the second in which it is asked for, and prunes', async () => {
  const world = await openApplied();
  world.repository.commit({ 'x.yaml': configMap('x', { key: 'new' }), 'y.yaml': null });
  const body = { metadata: { annotations: { [ANNOTATION_REQUESTED_AT]: 'now' } } };
  await world.during(world.client.patch(GITREPOSITORIES, { ...AT, name: 'source' }, { type: 'merge', body }));
  await world.pass(1_000);
  expect(await dataOf(world, 'x')).toEqual({ key: 'new' });
  await expect(world.get(CONFIGMAPS, 'y')).rejects.toThrow('not found');
});

it('finds a commit by itself at the interval', async () => {
  const world = await openApplied();
  world.repository.commit({ 'x.yaml': configMap('x', { key: 'new' }) });
  await world.pass(30_000);
  expect(await dataOf(world, 'x')).toEqual({ key: 'value' });
  await world.pass(40_000);
  expect(await dataOf(world, 'x')).toEqual({ key: 'new' });
});

it('writes nothing while nothing changes, and reads each object once an interval', async () => {
  const world = await openApplied();
  await world.pass(11 * MINUTE_MS);
  const before = world.calls.length;
  await world.pass(24 * HOUR_MS);
  expect(writesSince(world, before)).toEqual([]);
  const reads = world.calls.slice(before).filter(({ verb, resource }) => verb === 'get' && resource === 'configmaps');
  // 24 h of 10 min, give or take the jitter, two objects.
  expect(reads.length).toBeGreaterThan(2 * 135);
  expect(reads.length).toBeLessThan(2 * 155);
  expect(world.calls.slice(before).filter(({ dryRun }) => dryRun)).toEqual([]);
});

it('restores at the next interval what somebody edited or deleted', async () => {
  const world = await openApplied();
  const body = { data: { key: 'edited' } };
  await world.during(world.client.patch(CONFIGMAPS, { ...AT, name: 'x' }, { type: 'merge', body }));
  await world.during(world.client.delete(CONFIGMAPS, { ...AT, name: 'y' }));
  await world.pass(11 * MINUTE_MS);
  expect(await dataOf(world, 'x')).toEqual({ key: 'value' });
  expect(await dataOf(world, 'y')).toEqual({ key: 'value' });
});

it('keeps what it has while the repository is out of reach, and goes on when it is back', async () => {
  const world = await openApplied();
  world.repository.setFault('unreachable');
  await world.pass(2 * MINUTE_MS);
  const lost = await world.get<GitRepository>(GITREPOSITORIES, 'source');
  expect(findMark(lost.status?.conditions, 'Ready')).toMatchObject({ status: 'False', reason: 'GitOperationFailed' });
  expect(lost.status?.artifact).toBeDefined();
  expect(await readyOf(world, KUSTOMIZATIONS, 'app')).toMatchObject({ status: 'True' });
  world.repository.setFault(undefined);
  world.repository.commit({ 'x.yaml': configMap('x', { key: 'new' }) });
  await world.pass(16 * MINUTE_MS);
  expect(await dataOf(world, 'x')).toEqual({ key: 'new' });
  expect(await readyOf(world, GITREPOSITORIES, 'source')).toMatchObject({ status: 'True' });
});

it('goes back with a repository that was reset, and follows one that was pushed over', async () => {
  const world = await openApplied();
  const first = world.repository.head()?.id ?? '';
  world.repository.commit({ 'x.yaml': configMap('x', { key: 'new' }) });
  await world.pass(2 * MINUTE_MS);
  world.repository.reset(first);
  await world.pass(2 * MINUTE_MS);
  expect(await dataOf(world, 'x')).toEqual({ key: 'value' });
  world.repository.forcePush({ 'z.yaml': configMap('z') });
  await world.pass(2 * MINUTE_MS);
  expect(await dataOf(world, 'z')).toEqual({ key: 'value' });
  await expect(world.get(CONFIGMAPS, 'x')).rejects.toThrow('not found');
});

it('starts again over what converged without writing, though its archives are lost', async () => {
  const world = await openApplied();
  await world.stop();
  const before = world.calls.length;
  await world.start();
  await world.pass(20 * MINUTE_MS);
  expect(writesSince(world, before)).toEqual([]);
  world.repository.commit({ 'x.yaml': configMap('x', { key: 'new' }) });
  await world.pass(2 * MINUTE_MS);
  expect(await dataOf(world, 'x')).toEqual({ key: 'new' });
});

it('gives the same history for the same seed, to the byte', async () => {
  const history = async (): Promise<string> => {
    const world = await openApplied('same');
    world.repository.commit({ 'x.yaml': configMap('x', { key: 'new' }) });
    await world.pass(3 * HOUR_MS);
    return createHash('sha256').update(JSON.stringify(world.calls)).digest('hex');
  };
  expect(await history()).toBe(await history());
});

it('refuses by name what it does not play', async () => {
  const world = await open();
  world.repository.commit({ 'x.yaml': configMap('x') });
  await followGit(world, { proxySecretRef: { name: 'proxy' } });
  await kustomize(world, 'app', { wait: true });
  await world.settle();
  const source = await world.get<GitRepository>(GITREPOSITORIES, 'source');
  expect(findMark(source.status?.conditions, 'Ready')).toMatchObject({ status: 'False', reason: 'NotSupported' });
  expect(findMark(source.status?.conditions, 'Stalled')?.message).toMatch(/^spec\.proxySecretRef is not supported/);
  expect(await readyOf(world, KUSTOMIZATIONS, 'app')).toMatchObject({
    status: 'False',
    reason: 'NotSupported',
    message: expect.stringMatching(/^spec\.wait is not supported/),
  });
});

it('leaves a cluster alone that has a Flux of its own', async () => {
  const world = await open();
  await world.stop();
  const name = 'kustomizations.kustomize.toolkit.fluxcd.io';
  const body = { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } };
  await world.during(world.client.patch(CUSTOMRESOURCEDEFINITIONS, { name }, { type: 'merge', body }));
  await expect(world.start()).rejects.toThrow(
    `${name} exists and is not the simulator's: is Flux installed here? Use another cluster.`,
  );
});

it('carries a hundred Kustomizations through a week of quiet by one read an object and interval', async () => {
  const world = await open('many', { intervalJitter: 0, watchSeconds: 100_000_000 });
  const names = Array.from({ length: 100 }, (_, index) => `t${index}`);
  const files = names.flatMap((name) => [1, 2, 3].map((n) => [`${name}/${n}.yaml`, configMap(`${name}-${n}`)]));
  world.repository.commit(Object.fromEntries(files));
  await followGit(world, { interval: '1h' });
  for (const name of names) await kustomize(world, name, { path: `./${name}`, interval: '24h' });
  await world.settle();
  const before = world.calls.length;
  await world.pass(7 * 24 * HOUR_MS);
  const calls = world.calls.slice(before);
  expect(new Set(calls.map(({ verb, resource }) => `${verb} ${resource}`))).toEqual(new Set(['get configmaps']));
  expect(calls).toHaveLength(100 * 3 * 7);
}, 120_000);
