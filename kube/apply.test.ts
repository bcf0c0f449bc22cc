import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Applier, createApplier } from './apply.ts';
import { CONFIGMAPS, SECRETS } from './builtin.ts';
import { isAlreadyExists, isNotFound, TransientError } from './errors.ts';
import type { KubeObject } from './object.ts';
import { computeAdoptedFields } from './ownership.ts';
import { sendJson, sendStatus } from './testing/fakeapiserver.ts';
import { type ConfigMap, configMap, createWorld, type World } from './testing/world.ts';

const HASH = 'x.dev/applied-hash';
let world: World;
let applier: Applier;
beforeEach(async () => {
  world = await createWorld();
  applier = createApplier(world.deps, { fieldManager: 'me', hashAnnotation: HASH });
});
afterEach(() => world.close());

const live = () => world.server.get(CONFIGMAPS, 'n/a') as ConfigMap | undefined;
const calls = () => world.server.requests.map((request) => request.method);

test('creates, then calls nothing while nothing changes, also in a new process', async () => {
  const intent = configMap('a', { x: '1' });
  const first = await applier.apply<ConfigMap>(CONFIGMAPS, intent, undefined);
  expect(first.outcome).toBe('created');
  expect(first.object?.metadata.annotations?.[HASH]).toMatch(/^[0-9a-f]{32}$/);
  expect(await applier.apply(CONFIGMAPS, intent, live())).toEqual({ outcome: 'unchanged' });
  const other = createApplier(world.deps, { fieldManager: 'me', hashAnnotation: HASH });
  expect(await other.apply(CONFIGMAPS, structuredClone(intent), live())).toEqual({ outcome: 'unchanged' });
  expect(calls()).toEqual(['PATCH']);
});

test('applies when the intent changes, loses a field, or somebody changed the object', async () => {
  await applier.apply(CONFIGMAPS, configMap('a', { x: '1', y: '1' }), undefined);
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '2', y: '1' }), live())).outcome).toBe('configured');
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '2' }), live())).outcome).toBe('configured');
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '2' }), live())).outcome).toBe('unchanged');
  world.server.put(CONFIGMAPS, { ...(live() ?? configMap('a')), data: { x: 'tampered' } });
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '2' }), live())).outcome).toBe('configured');
  expect(live()?.data?.x).toBe('2');
  const { query, body } = world.server.requests.at(-1) ?? {};
  expect(Object.fromEntries(query ?? [])).toEqual({ fieldManager: 'me', force: 'true' });
  expect(body).toMatchObject({ metadata: { annotations: { [HASH]: expect.any(String) } } });
});

test('applies over the version that was looked at, and over no other', async () => {
  await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), undefined);
  const old = live();
  world.server.put(CONFIGMAPS, { ...(live() ?? configMap('a')), data: { x: 'newer' } });
  await applier.apply(CONFIGMAPS, configMap('a', { x: '2' }), live());
  const { body } = world.server.requests.at(-1) ?? {};
  const metadata = { resourceVersion: expect.any(String), uid: expect.any(String) };
  expect(body).toMatchObject({ metadata });
  world.server.fault({
    match: ({ method }) => method === 'PATCH',
    times: 1,
    answer: (response, { body }) => {
      expect((body as KubeObject).metadata.resourceVersion).toBe(old?.metadata.resourceVersion);
      sendStatus(response, 409, 'Conflict', 'the object has been modified');
    },
  });
  const late = applier.apply(CONFIGMAPS, configMap('a', { x: '3' }), old);
  await expect(late).rejects.toBeInstanceOf(TransientError);
  await expect(late).rejects.toThrow('ConfigMap n/a changed since it was looked at');
});

test('what others add does not matter', async () => {
  await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), undefined);
  const stored = live() ?? configMap('a');
  world.server.put(CONFIGMAPS, { ...stored, data: { ...stored.data, other: 'theirs' } });
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), live())).outcome).toBe('unchanged');
});

test('a server that insists on something else is not asked at every look', async () => {
  const insisted = {
    ...configMap('a', { x: 'mutated' }),
    metadata: { ...configMap('a').metadata, uid: 'u', resourceVersion: '7' },
  };
  const answer: Parameters<World['server']['fault']>[0]['answer'] = (response, request) => {
    const { metadata } = request.body as KubeObject;
    sendJson(response, 200, { ...insisted, metadata: { ...insisted.metadata, annotations: metadata.annotations } });
  };
  world.server.fault({ match: () => true, times: 9, answer });
  const { object } = await applier.apply<ConfigMap>(CONFIGMAPS, configMap('a', { x: '1' }), undefined);
  const later = object && {
    ...object,
    metadata: { ...object.metadata, resourceVersion: '99' },
    status: { seen: true },
  };
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), later)).outcome).toBe('unchanged');
  expect(world.lines.filter((line) => line.msg.includes('changed what was applied')).length).toBe(1);
  const drifted = later && { ...later, data: { x: 'somebody else' } };
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), drifted)).outcome).toBe('configured');
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '2' }), later)).outcome).toBe('configured');
});

test('what must not exist is created by POST and never adopted', async () => {
  world.server.put(CONFIGMAPS, configMap('a', { foreign: 'yes' }));
  const refused = applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), undefined, { mustNotExist: true });
  expect(isAlreadyExists(await refused.catch((error: unknown) => error))).toBe(true);
  expect(live()?.data).toEqual({ foreign: 'yes' });
});

test('what was created by POST is unchanged afterwards, and its ownership is taken over before the first change', async () => {
  const intent = configMap('a', { x: '1', y: '1' });
  const { outcome } = await applier.apply(CONFIGMAPS, intent, undefined, { mustNotExist: true });
  expect(outcome).toBe('created');
  expect((await applier.apply(CONFIGMAPS, intent, live())).outcome).toBe('unchanged');
  const managedFields = [{ manager: 'me', operation: 'Update', fieldsV1: { 'f:data': { 'f:x': {}, 'f:y': {} } } }];
  world.server.put(CONFIGMAPS, { ...(live() ?? intent), metadata: { ...(live() ?? intent).metadata, managedFields } });
  const old = live();
  world.server.put(CONFIGMAPS, { ...(old ?? intent), data: { x: '1', y: '1', z: '1' } });
  const refused = applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), old);
  expect(await refused.catch((error: unknown) => error)).toBeInstanceOf(TransientError);
  expect(calls()).toEqual(['POST', 'GET']);
  await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), live());
  expect(calls()).toEqual(['POST', 'GET', 'GET', 'PATCH', 'PATCH']);
  expect(live()?.metadata.managedFields).toEqual([{ ...managedFields[0], operation: 'Apply' }]);
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), live())).outcome).toBe('unchanged');
  expect(calls().length).toBe(5);
});

test('nothing is applied over what was seen when its ownership cannot be taken over, whatever is answered', async () => {
  const intent = configMap('a', { x: '1', y: '1' });
  await applier.apply(CONFIGMAPS, intent, undefined, { mustNotExist: true });
  world.server.fault({
    match: ({ method }) => method === 'GET',
    times: 1,
    answer: (response) => sendStatus(response, 404, 'NotFound', 'the server could not find the requested resource'),
  });
  const refused = applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), live());
  expect(isNotFound(await refused.catch((error: unknown) => error))).toBe(true);
  expect(calls()).toEqual(['POST', 'GET']);
  expect(live()?.data).toEqual({ x: '1', y: '1' });
});

test('Secrets are judged by metadata and hash', async () => {
  const secret = (password: string, labels: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'n', name: 'a', labels },
    stringData: { password },
  });
  const intent = secret('one', { l: '1' });
  const { object } = await applier.apply<KubeObject>(SECRETS, intent, undefined, { metadataOnly: true });
  const seen = object && { apiVersion: 'v1', kind: 'Secret', metadata: object.metadata };
  const again = (wish: KubeObject, found = seen) => applier.apply(SECRETS, wish, found, { metadataOnly: true });
  expect((await again(intent)).outcome).toBe('unchanged');
  expect((await again(intent, seen && { ...seen, metadata: { ...seen.metadata, labels: {} } })).outcome).toBe(
    'configured',
  );
  expect((await again(secret('two', { l: '1' }))).outcome).toBe('configured');
});

test('a hash can be given in place of the intent’s', async () => {
  const { object } = await applier.apply<ConfigMap>(CONFIGMAPS, configMap('a', { x: '1' }), undefined, { hash: 'v1' });
  expect(object?.metadata.annotations?.[HASH]).toBe('v1');
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), object, { hash: 'v1' })).outcome).toBe(
    'unchanged',
  );
  expect((await applier.apply(CONFIGMAPS, configMap('a', { x: '1' }), object, { hash: 'v2' })).outcome).toBe(
    'configured',
  );
});

test('prune deletes exactly what was seen and is not kept', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => world.server.put(CONFIGMAPS, configMap(name)));
  if (a === undefined || b === undefined || c === undefined) throw new Error('not stored');
  const dying = { ...c, metadata: { ...c.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(await applier.prune(CONFIGMAPS, [a, b, dying], new Set(['n/a']))).toEqual(['n/b']);
  expect(world.server.requests.at(-1)?.body).toMatchObject({
    preconditions: { uid: b.metadata.uid, resourceVersion: b.metadata.resourceVersion },
  });
  expect(world.server.get(CONFIGMAPS, 'n/a')).toBeDefined();
  expect(await applier.prune(CONFIGMAPS, [b], new Set())).toEqual(['n/b']);
});

test('prune leaves alone what changed since it was seen', async () => {
  const seen = world.server.put(CONFIGMAPS, configMap('a'));
  world.server.put(CONFIGMAPS, configMap('a', { x: '1' }));
  await expect(applier.prune(CONFIGMAPS, [seen], new Set())).rejects.toBeInstanceOf(TransientError);
  world.server.remove(CONFIGMAPS, 'n/a');
  world.server.put(CONFIGMAPS, configMap('a'));
  await expect(applier.prune(CONFIGMAPS, [seen], new Set())).rejects.toThrow('changed since it was looked at');
  expect(world.server.get(CONFIGMAPS, 'n/a')).toBeDefined();
});

test('field ownership by Update is merged into ownership by Apply, others keep theirs', () => {
  const entries = [
    { manager: 'kubectl', operation: 'Update', fieldsV1: { 'f:a': {} } },
    { manager: 'me', operation: 'Update', fieldsV1: { 'f:data': { 'f:x': {} } } },
    { manager: 'me', operation: 'Apply', fieldsV1: { 'f:data': { 'f:y': {} } } },
    { manager: 'me', operation: 'Update', subresource: 'status', fieldsV1: { 'f:status': {} } },
  ];
  expect(computeAdoptedFields(entries, 'me')).toEqual([
    entries[0],
    entries[3],
    { manager: 'me', operation: 'Apply', fieldsV1: { 'f:data': { 'f:x': {}, 'f:y': {} } } },
  ]);
  expect(computeAdoptedFields(entries, 'nobody')).toBeUndefined();
});
