import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installAdmission } from '../admission/install.ts';
import { startControllers } from './index.ts';
import { createTestServer, type TestServer } from './testing/server.ts';

const NAMESPACE = '/api/v1/namespaces/default';
const QUOTA = `${NAMESPACE}/resourcequotas/objects`;
const MERGE = 'application/merge-patch+json';

let api: TestServer;
let controllers: { stop(): Promise<void> };
let admission: { close(): Promise<void> };

const start = (resyncMs = 0) =>
  startControllers(
    { ...api.deps, server: api.server },
    { namespaces: null, serviceAccounts: null, garbageCollector: null, resourceQuotas: { delayMs: 50, resyncMs } },
  );

beforeEach(() => {
  api = createTestServer();
  admission = installAdmission(api.server);
  controllers = start();
});

afterEach(async () => {
  await controllers.stop();
  await admission.close();
});

const add = (plural: string, name: string, query = '') =>
  api.call('POST', `${NAMESPACE}/${plural}${query}`, { metadata: { name } });
const status = async () => (await api.call('GET', QUOTA)).body.status;

async function limit(hard: Readonly<Record<string, string>>): Promise<void> {
  const { status: code } = await api.call('POST', `${NAMESPACE}/resourcequotas`, {
    metadata: { name: 'objects' },
    spec: { hard },
  });
  expect(code).toBe(201);
  await api.clock.advance(50);
}

describe('a quota', () => {
  it('counts what is there, then what is made, then what goes', async () => {
    await add('configmaps', 'before');
    await limit({ 'count/configmaps': '3', configmaps: '5', 'count/secrets': '0' });
    expect(await status()).toEqual({
      hard: { 'count/configmaps': '3', configmaps: '5', 'count/secrets': '0' },
      used: { 'count/configmaps': '1', configmaps: '1', 'count/secrets': '0' },
    });
    await add('configmaps', 'a');
    expect((await status()).used).toEqual({ 'count/configmaps': '2', configmaps: '2', 'count/secrets': '0' });
    await api.call('DELETE', `${NAMESPACE}/configmaps/a`);
    await api.clock.advance(50);
    expect((await status()).used['count/configmaps']).toBe('1');
  });

  it('refuses what is too much, in the words of Kubernetes', async () => {
    await limit({ 'count/configmaps': '1', configmaps: '4' });
    await add('configmaps', 'a');
    const { body } = await add('configmaps', 'b');
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'configmaps "b" is forbidden: exceeded quota: objects, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1',
      reason: 'Forbidden',
      details: { name: 'b', kind: 'configmaps' },
      code: 403,
    });
    expect((await status()).used).toEqual({ 'count/configmaps': '1', configmaps: '1' });
    expect((await add('secrets', 'b')).status).toBe(201);
  });

  it('holds custom resources by their group', async () => {
    await api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    });
    await limit({ 'count/things.example.com': '1' });
    const path = '/apis/example.com/v1/namespaces/default/things';
    const make = (name: string) =>
      api.call('POST', path, { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name } });
    expect((await make('a')).status).toBe(201);
    const { body } = await make('b');
    expect(body.message).toBe(
      'things.example.com "b" is forbidden: exceeded quota: objects, requested: count/things.example.com=1, used: count/things.example.com=1, limited: count/things.example.com=1',
    );
    await api.call('DELETE', `${path}/a`);
    await api.clock.advance(50);
    expect((await make('b')).status).toBe(201);
  });

  it('is looked at by dry runs and not charged', async () => {
    await limit({ 'count/configmaps': '1' });
    expect((await add('configmaps', 'a', '?dryRun=All')).status).toBe(201);
    expect((await status()).used).toEqual({ 'count/configmaps': '0' });
    await add('configmaps', 'a');
    expect((await add('configmaps', 'b', '?dryRun=All')).status).toBe(403);
  });

  it('does not hold before its limits are in its status, and follows them', async () => {
    await api.call('POST', `${NAMESPACE}/resourcequotas`, {
      metadata: { name: 'objects' },
      spec: { hard: { 'count/configmaps': '0' } },
    });
    expect((await add('configmaps', 'early')).status).toBe(201);
    await api.clock.advance(50);
    expect((await add('configmaps', 'late')).status).toBe(403);
    await api.call('PATCH', QUOTA, { spec: { hard: { 'count/configmaps': '2' } } }, MERGE);
    await api.clock.advance(50);
    expect((await add('configmaps', 'late')).status).toBe(201);
    expect(await status()).toEqual({ hard: { 'count/configmaps': '2' }, used: { 'count/configmaps': '2' } });
  });

  it('is charged for a name that turns out to be taken, until the next count', async () => {
    await controllers.stop();
    controllers = start(300_000);
    await limit({ 'count/configmaps': '9' });
    await add('configmaps', 'a');
    expect((await add('configmaps', 'a')).status).toBe(409);
    expect((await status()).used).toEqual({ 'count/configmaps': '2' });
    await api.clock.advance(300_000);
    expect((await status()).used).toEqual({ 'count/configmaps': '1' });
  });

  it('is one of several that all have to allow', async () => {
    await limit({ 'count/configmaps': '5' });
    await api.call('POST', `${NAMESPACE}/resourcequotas`, {
      metadata: { name: 'second' },
      spec: { hard: { configmaps: '0' } },
    });
    await api.clock.advance(50);
    expect((await add('configmaps', 'a')).body.message).toContain('exceeded quota: second, requested: configmaps=1');
    expect((await status()).used).toEqual({ 'count/configmaps': '0' });
  });

  it('is written by the server and by the controller under their names', async () => {
    await limit({ 'count/configmaps': '5' });
    await add('configmaps', 'a');
    const { body } = await api.call('GET', QUOTA);
    const managers = body.metadata.managedFields.map(
      ({ manager, subresource }: { manager: string; subresource?: string }) => `${manager} ${subresource ?? ''}`,
    );
    expect(managers.sort()).toEqual(['kube-apiserver status', 'kube-controller-manager status', 'test ']);
  });

  it('counts again after a restart', async () => {
    await limit({ 'count/configmaps': '5' });
    await add('configmaps', 'a');
    await controllers.stop();
    await api.call('DELETE', `${NAMESPACE}/configmaps/a`);
    controllers = start();
    await api.clock.advance(50);
    expect((await status()).used).toEqual({ 'count/configmaps': '0' });
    expect(api.clock.timers()).toBe(0);
  });
});
