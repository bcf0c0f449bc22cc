import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startControllers } from './index.ts';
import { createTestServer, type TestServer } from './testing/server.ts';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const DELAY_MS = 50;

let api: TestServer;
let controllers: { stop(): Promise<void> };

const start = () =>
  startControllers(
    { ...api.deps, server: api.server },
    { namespaces: null, resourceQuotas: null, serviceAccounts: null, garbageCollector: { delayMs: DELAY_MS } },
  );

beforeEach(() => {
  api = createTestServer();
  controllers = start();
});

afterEach(() => controllers.stop());

type Owner = { readonly metadata: { readonly name: string; readonly uid: string }; readonly kind: string };

const ownedBy = (owner: Owner, more = {}) => ({
  apiVersion: 'v1',
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  ...more,
});

async function create(name: string, ownerReferences: readonly object[] = [], more = {}, path = CONFIGMAPS) {
  const { status, body } = await api.call('POST', path, { metadata: { name, ownerReferences, ...more } });
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
}

const remove = (name: string, propagationPolicy?: string) =>
  api.call('DELETE', `${CONFIGMAPS}/${name}`, propagationPolicy === undefined ? undefined : { propagationPolicy });

async function names(path = CONFIGMAPS): Promise<readonly string[]> {
  const { body } = await api.call('GET', path);
  return body.items.map(({ metadata }: Owner) => metadata.name);
}

const get = async (name: string) => (await api.call('GET', `${CONFIGMAPS}/${name}`)).body;
const settle = () => api.clock.advance(20 * DELAY_MS);

describe('deletion in the background', () => {
  it('removes dependents of dependents, after its delay and under its own name', async () => {
    const owner = await create('owner');
    const child = await create('child', [ownedBy(owner)]);
    await create('grandchild', [ownedBy(child)]);
    await create('bystander');
    await settle();
    expect(await names()).toHaveLength(4);
    await remove('owner');
    await api.clock.advance(DELAY_MS - 1);
    expect(await names()).toContain('child');
    await settle();
    expect(await names()).toEqual(['bystander']);
    const deletions = api.requests.filter(({ verb, name }) => verb === 'delete' && name !== 'owner');
    expect(deletions.map(({ user, name }) => `${user.username} ${name}`)).toEqual([
      'system:serviceaccount:kube-system:generic-garbage-collector child',
      'system:serviceaccount:kube-system:generic-garbage-collector grandchild',
    ]);
  });

  it('keeps what another owner still holds, and drops the dead reference', async () => {
    const [first, second] = [await create('first'), await create('second')];
    await create('child', [ownedBy(first), ownedBy(second)]);
    await remove('first');
    await settle();
    expect((await get('child')).metadata.ownerReferences).toEqual([ownedBy(second)]);
    await remove('second');
    await settle();
    expect(await names()).toEqual([]);
  });

  it('waits for the finalizers of a dependent', async () => {
    const owner = await create('owner');
    await create('child', [ownedBy(owner)], { finalizers: ['example.com/hold'] });
    await remove('owner');
    await settle();
    expect((await get('child')).metadata.deletionTimestamp).toBeDefined();
    const patch = { metadata: { finalizers: null } };
    await api.call('PATCH', `${CONFIGMAPS}/child`, patch, 'application/merge-patch+json');
    expect(await names()).toEqual([]);
  });
});

describe('an owner that is not there', () => {
  const gone: Owner = { kind: 'ConfigMap', metadata: { name: 'gone', uid: 'e3b0c442-98fc-4c14-9afb-f4c8996fb924' } };

  it('takes its dependents with it', async () => {
    await create('child', [ownedBy(gone)]);
    await settle();
    expect(await names()).toEqual([]);
  });

  it('is one of the same name with another uid', async () => {
    const owner = await create('owner');
    await create('child', [ownedBy({ ...owner, metadata: { name: 'owner', uid: gone.metadata.uid } })]);
    await settle();
    expect(await names()).toEqual(['owner']);
  });

  it('is one in another namespace', async () => {
    await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
    const owner = await create('owner', [], {}, '/api/v1/namespaces/other/configmaps');
    await create('child', [ownedBy(owner)]);
    await settle();
    expect(await names()).toEqual([]);
    expect(await names('/api/v1/namespaces/other/configmaps')).toEqual(['owner']);
  });

  it('is unknown while its kind is not served, so its dependents stay', async () => {
    await create('child', [{ ...ownedBy(gone), apiVersion: 'example.com/v1', kind: 'Thing' }]);
    await api.clock.advance(60_000);
    expect(await names()).toEqual(['child']);
  });

  it('can never be judged for something of the cluster that names a namespaced one', async () => {
    const owner = await create('owner');
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
    await create('child', [ownedBy(owner)], {}, roles);
    await remove('owner');
    await api.clock.advance(60_000);
    expect(await names(roles)).toEqual(['child']);
  });
});

describe('deletion in the foreground', () => {
  it('keeps the owner until what blocks it is gone', async () => {
    const owner = await create('owner');
    await create('blocking', [ownedBy(owner, { blockOwnerDeletion: true })], { finalizers: ['example.com/hold'] });
    await create('loose', [ownedBy(owner)], { finalizers: ['example.com/hold'] });
    await remove('owner', 'Foreground');
    expect((await get('owner')).metadata).toMatchObject({ finalizers: ['foregroundDeletion'] });
    await settle();
    expect((await get('blocking')).metadata.deletionTimestamp).toBeDefined();
    expect((await get('loose')).metadata.deletionTimestamp).toBeDefined();
    expect(await names()).toContain('owner');
    const patch = { metadata: { finalizers: null } };
    await api.call('PATCH', `${CONFIGMAPS}/blocking`, patch, 'application/merge-patch+json');
    await settle();
    expect(await names()).toEqual(['loose']);
  });

  it('goes down the tree, leaves first', async () => {
    const top = await create('top');
    const middle = await create('middle', [ownedBy(top, { blockOwnerDeletion: true })]);
    await create('leaf', [ownedBy(middle, { blockOwnerDeletion: true })]);
    await remove('top', 'Foreground');
    await settle();
    expect(await names()).toEqual([]);
    const gone = api.requests.filter(
      ({ before, after, dryRun }) => before !== undefined && after === undefined && !dryRun,
    );
    expect(gone.map(({ name }) => name)).toEqual(['leaf', 'middle', 'top']);
  });

  it('ends for two that own each other', async () => {
    const a = await create('a');
    const b = await create('b', [ownedBy(a, { blockOwnerDeletion: true })]);
    const references = { metadata: { ownerReferences: [ownedBy(b, { blockOwnerDeletion: true })] } };
    await api.call('PATCH', `${CONFIGMAPS}/a`, references, 'application/merge-patch+json');
    await remove('a', 'Foreground');
    await settle();
    expect(await names()).toEqual([]);
  });
});

describe('orphaning', () => {
  it('lets the dependents live without their owner', async () => {
    const owner = await create('owner');
    await create('child', [ownedBy(owner)]);
    await remove('owner', 'Orphan');
    await settle();
    expect(await names()).toEqual(['child']);
    expect((await get('child')).metadata.ownerReferences).toBeUndefined();
  });
});

describe('a restart', () => {
  it('finds what became of owners meanwhile, and deletions half done', async () => {
    const [gone, foreground, orphan] = [await create('gone'), await create('foreground'), await create('orphan')];
    await create('a', [ownedBy(gone)]);
    await create('b', [ownedBy(foreground, { blockOwnerDeletion: true })]);
    await create('c', [ownedBy(orphan)]);
    await controllers.stop();
    await remove('gone');
    await remove('foreground', 'Foreground');
    await remove('orphan', 'Orphan');
    await settle();
    expect(await names()).toEqual(['a', 'b', 'c', 'foreground', 'orphan']);
    controllers = start();
    await settle();
    expect(await names()).toEqual(['c']);
    expect(api.clock.timers()).toBe(0);
  });

  it('asks for nothing when nothing is to be done', async () => {
    const owner = await create('owner');
    await create('child', [ownedBy(owner)]);
    await settle();
    await controllers.stop();
    const before = api.requests.length;
    controllers = start();
    await settle();
    expect(api.requests.slice(before)).toEqual([]);
  });
});
