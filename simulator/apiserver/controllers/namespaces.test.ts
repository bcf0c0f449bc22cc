import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IMMEDIATE, startControllers } from './index.ts';
import { createTestServer, type TestServer } from './testing/server.ts';

const NAMESPACE = '/api/v1/namespaces/t-acme';
const MERGE = 'application/merge-patch+json';

let api: TestServer;
let controllers: { stop(): Promise<void> };

const start = (options = {}) => startControllers({ ...api.deps, server: api.server }, { ...IMMEDIATE, ...options });

beforeEach(async () => {
  api = createTestServer();
  controllers = start({ namespaces: {} });
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: 't-acme' } });
  await api.clock.advance(1);
});

afterEach(() => controllers.stop());

const add = (plural: string, name: string, meta = {}) =>
  api.call('POST', `${NAMESPACE}/${plural}`, { metadata: { name, ...meta } });
const status = async (path: string) => (await api.call('GET', path)).status;
const conditions = async (): Promise<readonly { type: string; status: string; message: string }[]> =>
  (await api.call('GET', NAMESPACE)).body.status.conditions ?? [];

describe('a namespace that is deleted', () => {
  it('is emptied after its grace and then gone', async () => {
    await add('configmaps', 'one');
    await add('secrets', 'two');
    const { body } = await api.call('DELETE', NAMESPACE);
    expect(body.status.phase).toBe('Terminating');
    await api.clock.advance(4_999);
    expect(await status(`${NAMESPACE}/configmaps/one`)).toBe(200);
    await api.clock.advance(1);
    expect(await status(`${NAMESPACE}/configmaps/one`)).toBe(404);
    expect(await status(NAMESPACE)).toBe(404);
    const calls = api.requests.filter(({ user }) => user.username.endsWith(':namespace-controller'));
    expect(calls.map(({ verb, resource, subresource }) => `${verb} ${resource}/${subresource}`)).toEqual([
      'get namespaces/',
      'deletecollection configmaps/',
      'deletecollection secrets/',
      'deletecollection serviceaccounts/',
      'update namespaces/status',
      'update namespaces/finalize',
    ]);
  });

  it('removes pods first and nothing else while one is left', async () => {
    await add('pods', 'one', { finalizers: ['example.com/hold'] });
    await add('configmaps', 'one');
    await api.call('DELETE', NAMESPACE);
    await api.clock.advance(5_000);
    expect(await status(`${NAMESPACE}/configmaps/one`)).toBe(200);
    await api.call('PATCH', `${NAMESPACE}/pods/one`, { metadata: { finalizers: null } }, MERGE);
    await api.clock.advance(8_000);
    expect(await status(NAMESPACE)).toBe(404);
  });

  it('takes nothing new, and says why', async () => {
    await api.call('DELETE', NAMESPACE);
    const { body } = await add('configmaps', 'late');
    expect(body).toMatchObject({
      code: 403,
      message:
        'configmaps "late" is forbidden: unable to create new content in namespace t-acme because it is being terminated',
      details: { causes: [{ reason: 'NamespaceTerminating', message: 'namespace t-acme is being terminated' }] },
    });
  });
});

describe('a namespace that is held', () => {
  it('tells by what, and goes when it lets go', async () => {
    await add('configmaps', 'one', { finalizers: ['example.com/hold'] });
    await add('configmaps', 'two', { finalizers: ['example.com/hold', 'example.com/other'] });
    await api.call('DELETE', NAMESPACE);
    await api.clock.advance(60_000);
    const found = new Map((await conditions()).map(({ type, ...rest }) => [type, rest]));
    expect(found.get('NamespaceDeletionContentFailure')?.status).toBe('False');
    expect(found.get('NamespaceContentRemaining')).toMatchObject({
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: 'Some resources are remaining: configmaps. has 2 resource instances',
      lastTransitionTime: '2026-01-01T00:00:05Z',
    });
    expect(found.get('NamespaceFinalizersRemaining')).toMatchObject({
      status: 'True',
      reason: 'SomeFinalizersRemain',
      message:
        'Some content in the namespace has finalizers remaining: example.com/hold in 2 resource instances, example.com/other in 1 resource instances',
    });
    for (const name of ['one', 'two']) {
      await api.call('PATCH', `${NAMESPACE}/configmaps/${name}`, { metadata: { finalizers: null } }, MERGE);
    }
    await api.clock.advance(8_000);
    expect(await status(NAMESPACE)).toBe(404);
  });

  it('writes its conditions once while nothing changes', async () => {
    await add('configmaps', 'one', { finalizers: ['example.com/hold'] });
    await api.call('DELETE', NAMESPACE);
    await api.clock.advance(60_000);
    const { resourceVersion } = (await api.call('GET', NAMESPACE)).body.metadata;
    await api.clock.advance(3_600_000);
    expect((await api.call('GET', NAMESPACE)).body.metadata.resourceVersion).toBe(resourceVersion);
  });

  it('waits for finalizers of its own after it is empty', async () => {
    await api.call('PATCH', NAMESPACE, { metadata: { finalizers: ['example.com/own'] } }, MERGE);
    await add('configmaps', 'one');
    await api.call('DELETE', NAMESPACE);
    await api.clock.advance(60_000);
    const { body } = await api.call('GET', NAMESPACE);
    expect(body.spec.finalizers ?? []).toEqual([]);
    expect(await status(`${NAMESPACE}/configmaps/one`)).toBe(404);
    await api.call('PATCH', NAMESPACE, { metadata: { finalizers: null } }, MERGE);
    expect(await status(NAMESPACE)).toBe(404);
  });
});

describe('a restart', () => {
  it('goes on where it was', async () => {
    await add('configmaps', 'one', { finalizers: ['example.com/hold'] });
    await api.call('DELETE', NAMESPACE);
    await api.clock.advance(10_000);
    await controllers.stop();
    await api.call('PATCH', `${NAMESPACE}/configmaps/one`, { metadata: { finalizers: null } }, MERGE);
    await api.clock.advance(60_000);
    expect(await status(NAMESPACE)).toBe(200);
    controllers = start();
    await api.clock.advance(1);
    expect(await status(NAMESPACE)).toBe(404);
    expect(api.clock.timers()).toBe(1);
  });
});

describe('default accounts', () => {
  const account = `${NAMESPACE}/serviceaccounts/default`;

  it('come with each namespace, and again', async () => {
    expect(await status(account)).toBe(200);
    expect(await status('/api/v1/namespaces/kube-system/serviceaccounts/default')).toBe(200);
    await api.call('DELETE', account);
    await api.clock.advance(1);
    expect(await status(account)).toBe(200);
  });

  it('do not come back in a namespace that goes', async () => {
    await add('configmaps', 'one', { finalizers: ['example.com/hold'] });
    await api.call('DELETE', NAMESPACE);
    await api.clock.advance(60_000);
    expect(await status(account)).toBe(404);
    const creations = api.requests.filter(({ verb, resource }) => verb === 'create' && resource === 'serviceaccounts');
    expect(creations.map(({ namespace }) => namespace).filter((name) => name === 't-acme')).toEqual(['t-acme']);
  });
});
