import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONFIGMAPS, NAMESPACES } from './builtin.ts';
import { createClient, type WatchLine } from './client.ts';
import { isAlreadyExists, isConflict, isNotFound, RequestError, StatusError } from './errors.ts';
import { type RecordedRequest, sendJson, sendStatus } from './testing/fakeapiserver.ts';
import { until } from './testing/until.ts';
import { type ConfigMap, configMap, createWorld, type World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const key = { namespace: 'n', name: 'a' };
const any = () => true;
const lastRequest = (): RecordedRequest | undefined => world.server.requests.at(-1);

test('calls carry credentials, media types and options', async () => {
  const { client, server } = world;
  await client.create(CONFIGMAPS, configMap('a'), { fieldManager: 'me', fieldValidation: 'Strict', dryRun: true });
  expect(lastRequest()).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/n/configmaps' });
  expect(Object.fromEntries(lastRequest()?.query ?? [])).toEqual({
    fieldManager: 'me',
    fieldValidation: 'Strict',
    dryRun: 'All',
  });
  expect(lastRequest()?.headers).toMatchObject({
    authorization: 'Bearer secret-token',
    'content-type': 'application/json',
  });

  await client.apply(CONFIGMAPS, configMap('a', { x: '1' }), { fieldManager: 'me', force: true });
  expect(lastRequest()?.headers['content-type']).toBe('application/apply-patch+yaml');
  expect(Object.fromEntries(lastRequest()?.query ?? [])).toEqual({ fieldManager: 'me', force: 'true' });

  await client.patch(CONFIGMAPS, key, { type: 'merge', body: { data: { y: '2' } } }, { subresource: 'status' });
  expect(lastRequest()?.path).toBe('/api/v1/namespaces/n/configmaps/a/status');
  expect(server.get(CONFIGMAPS, 'n/a')).toMatchObject({ data: { x: '1', y: '2' } });

  await client.delete(CONFIGMAPS, key, { propagationPolicy: 'Foreground', gracePeriodSeconds: 0 });
  expect(lastRequest()?.body).toMatchObject({
    kind: 'DeleteOptions',
    propagationPolicy: 'Foreground',
    gracePeriodSeconds: 0,
  });

  await client.get(CONFIGMAPS, key, { metadataOnly: true }).catch(() => undefined);
  expect(lastRequest()?.headers.accept).toContain('as=PartialObjectMetadata;');
});

test('items of a list carry apiVersion and kind, pages follow each other', async () => {
  for (const name of ['a', 'b', 'c']) world.server.put(CONFIGMAPS, configMap(name));
  const first = await world.client.list<ConfigMap>(CONFIGMAPS, { namespace: 'n', limit: 2 });
  expect(first.items.map((item) => `${item.apiVersion} ${item.kind} ${item.metadata.name}`)).toEqual([
    'v1 ConfigMap a',
    'v1 ConfigMap b',
  ]);
  const second = await world.client.list<ConfigMap>(CONFIGMAPS, {
    namespace: 'n',
    limit: 2,
    continue: first.metadata.continue,
  });
  expect(second.items.map((item) => item.metadata.name)).toEqual(['c']);
  expect(second.metadata.continue).toBeUndefined();
});

test('refusals are typed and name the call', async () => {
  const { client, server } = world;
  const missing = await client.get(CONFIGMAPS, key).catch((error: unknown) => error);
  expect(isNotFound(missing)).toBe(true);
  expect(missing).toMatchObject({ code: 404, reason: 'NotFound' });
  expect(String(missing)).toContain('get configmaps n/a: configmaps "a" not found');

  const stored = server.put(CONFIGMAPS, configMap('a'));
  const twice = await client.create(CONFIGMAPS, configMap('a')).catch((error: unknown) => error);
  expect([isAlreadyExists(twice), isConflict(twice)]).toEqual([true, false]);
  server.put(CONFIGMAPS, configMap('a', { x: '1' }));
  const stale = await client.update(CONFIGMAPS, stored).catch((error: unknown) => error);
  expect([isAlreadyExists(stale), isConflict(stale)]).toEqual([false, true]);
});

test('a proxy’s error page becomes a StatusError with its first words', async () => {
  world.server.fault({ match: any, answer: (response) => response.writeHead(502).end('<html>Bad Gateway') });
  await expect(world.client.get(CONFIGMAPS, key)).rejects.toMatchObject({
    code: 502,
    message: expect.stringContaining('Bad Gateway'),
  });
});

test('a key that names no single object is refused before anything is sent', async () => {
  const { client } = world;
  await expect(client.get(CONFIGMAPS, { name: 'a' })).rejects.toThrow('a namespace is needed');
  for (const name of ['', '.', '..', 'a/b'])
    await expect(client.get(CONFIGMAPS, { namespace: 'n', name })).rejects.toThrow('cannot be a name');
  await expect(client.delete(NAMESPACES, { name: '' })).rejects.toThrow('cannot be a name');
  expect(world.server.requests).toEqual([]);
});

test.each([
  ['{}', {}],
  ['null', null],
  ['an object instead of a list', { kind: 'ConfigMap', metadata: { resourceVersion: '1' } }],
  ['a list without version', { kind: 'ConfigMapList', metadata: {}, items: [] }],
  ['items that are no list', { kind: 'ConfigMapList', metadata: { resourceVersion: '1' }, items: {} }],
  ['an item without a name', { kind: 'ConfigMapList', metadata: { resourceVersion: '1' }, items: [{ metadata: {} }] }],
])('a 200 that holds %s is no empty list but an error', async (_, body) => {
  world.server.fault({ match: any, answer: (response) => sendJson(response, 200, body) });
  await expect(world.client.list(CONFIGMAPS)).rejects.toMatchObject({ name: 'RequestError', failure: 'undecodable' });
});

test.each([429, 503])('%d with Retry-After is waited out by the clock', async (code) => {
  const { client, server, clock } = world;
  server.put(CONFIGMAPS, configMap('a'));
  server.fault({
    match: any,
    times: 2,
    answer: (response) => sendStatus(response, code, 'Busy', 'later', { 'retry-after': '2' }),
  });
  const call = client.get(CONFIGMAPS, key);
  await until('the first try', () => server.requests.length === 1);
  await world.answered();
  await clock.advance(1_999);
  expect(server.requests.length).toBe(1);
  await until(
    'the answer',
    () => server.requests.length === 3,
    async () => {
      await clock.advance(500);
      await world.answered();
    },
  );
  expect((await call).metadata.name).toBe('a');
});

test('what asks for more patience than the deadline leaves is thrown with its Retry-After', async () => {
  world.server.fault({
    match: any,
    answer: (response) => sendStatus(response, 429, 'TooManyRequests', 'later', { 'retry-after': '60' }),
  });
  await expect(world.client.get(CONFIGMAPS, key)).rejects.toMatchObject({ code: 429, retryAfterMs: 60_000 });
  expect(world.server.requests.length).toBe(1);
});

test.each([500, 504])('%d is the caller’s to retry', async (code) => {
  world.server.fault({ match: any, answer: (response) => sendStatus(response, code, 'Broken', 'no') });
  await expect(world.client.get(CONFIGMAPS, key)).rejects.toMatchObject({ code });
  expect(world.server.requests.length).toBe(1);
});

test('a connection that breaks is tried once more for what may be sent twice', async () => {
  const { client, server } = world;
  server.fault({ match: any, answer: (response) => response.destroy() });
  await client.apply(CONFIGMAPS, configMap('a', { x: '1' }), { fieldManager: 'me' });
  expect(server.requests.length).toBe(2);
  server.fault({ match: any, times: 2, answer: (response) => response.destroy() });
  await expect(client.get(CONFIGMAPS, key)).rejects.toMatchObject({ failure: 'reset' });
});

test('a create whose answer is lost is not sent twice, though it was carried out', async () => {
  const { client, server } = world;
  server.fault({ match: any, commit: true, answer: (response) => response.destroy() });
  await expect(client.create(CONFIGMAPS, configMap('a'))).rejects.toMatchObject({
    name: 'RequestError',
    failure: 'reset',
  });
  expect(server.requests.length).toBe(1);
  expect(server.get(CONFIGMAPS, 'n/a')).toBeDefined();
});

test.each([
  ['never answers', () => {}],
  [
    'stops inside the answer',
    (response: import('node:http').ServerResponse) =>
      response.writeHead(200, { 'content-length': '100' }).write('{"kind"'),
  ],
])('a server that %s is given up at the deadline', async (_, answer) => {
  const { client, server, clock } = world;
  server.fault({ match: any, answer });
  const call = client.get(CONFIGMAPS, key, { timeoutMs: 5_000 }).catch((error: unknown) => error);
  await until('the request', () => server.requests.length === 1);
  await clock.advance(4_999);
  await clock.advance(1);
  expect(await call).toMatchObject({ name: 'RequestError', failure: 'timeout' });
  expect(clock.timers()).toBe(0);
});

test.each([
  [
    'ends too early',
    (response: import('node:http').ServerResponse) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"kind":"Con');
      setImmediate(() => response.destroy());
    },
    'reset',
  ],
  [
    'is no JSON',
    (response: import('node:http').ServerResponse) => response.writeHead(200).end('{"kind":'),
    'undecodable',
  ],
])('an answer that %s is an error', async (_, answer, failure) => {
  world.server.fault({ match: any, times: 2, answer });
  await expect(world.client.get(CONFIGMAPS, key)).rejects.toMatchObject({ name: 'RequestError', failure });
});

test('nobody listening is told apart from a broken call', async () => {
  const { kubeConfig } = world.server;
  kubeConfig.loadFromClusterAndUser({ name: 'c', server: 'http://127.0.0.1:1', skipTLSVerify: true }, { name: 'u' });
  const client = createClient({ ...world.deps, kubeConfig });
  await expect(client.get(CONFIGMAPS, key)).rejects.toMatchObject({
    failure: 'connect',
    message: expect.stringContaining('ECONNREFUSED'),
  });
  await client.close();
});

test('the caller’s signal ends a call with its reason', async () => {
  world.server.fault({ match: any, answer: () => {} });
  const abort = new AbortController();
  const call = world.client.get(CONFIGMAPS, key, { signal: abort.signal });
  await until('the request', () => world.server.requests.length === 1);
  abort.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
  await expect(world.client.get(CONFIGMAPS, key, { signal: abort.signal })).rejects.toThrow('enough');
  expect(world.server.requests.length).toBe(1);
  expect(world.clock.timers()).toBe(0);
});

test('a 401 renews the credentials once', async () => {
  const { client, server } = world;
  server.put(CONFIGMAPS, configMap('a'));
  server.fault({ match: any, answer: (response) => sendStatus(response, 401, 'Unauthorized', 'expired') });
  await client.get(CONFIGMAPS, key);
  expect(server.requests.length).toBe(2);
  server.fault({ match: any, times: 9, answer: (response) => sendStatus(response, 401, 'Unauthorized', 'expired') });
  await expect(client.get(CONFIGMAPS, key)).rejects.toMatchObject({ code: 401 });
  expect(server.requests.length).toBe(4);
});

test('the time that good answers state is passed on, and no other', async () => {
  const { server } = world;
  const seen: (readonly [number, number])[] = [];
  const observeDate = (dateMs: number, sentMs: number) => void seen.push([dateMs, sentMs]);
  const client = createClient({ ...world.deps, kubeConfig: server.kubeConfig, observeDate });
  server.put(CONFIGMAPS, configMap('a'));
  await client.get(CONFIGMAPS, key);
  const [dateMs = 0, sentMs] = seen[0] ?? [];
  expect(Math.abs(dateMs - Date.now())).toBeLessThan(60_000);
  expect(sentMs).toBe(world.clock.monotonic());
  server.fault({ match: any, answer: (response) => sendStatus(response, 409, 'Conflict', 'no') });
  await expect(client.get(CONFIGMAPS, key)).rejects.toMatchObject({ code: 409 });
  expect(seen.length).toBe(1);
  await client.close();
});

test('a watch delivers lines, ends with the server, and is closed by leaving the loop', async () => {
  const { client, server } = world;
  const from = String(server.revision());
  server.put(CONFIGMAPS, configMap('a'));
  const seen: string[] = [];
  for await (const line of client.watch(CONFIGMAPS, { namespace: 'n', resourceVersion: from, allowBookmarks: true })) {
    seen.push(`${line.type} ${line.object.metadata.name ?? ''}`);
    if (seen.length === 1) server.watches()[0]?.end();
  }
  expect(seen).toEqual(['ADDED a', 'BOOKMARK ']);
  for await (const _ of client.watch(CONFIGMAPS, { resourceVersion: from })) break;
  await until('the watch to be closed', () => server.watches().length === 0);
});

test('lines before a tear are delivered, then the tear is thrown', async () => {
  const { client, server } = world;
  const lines: WatchLine[] = [];
  const from = String(server.revision());
  server.put(CONFIGMAPS, configMap('a'));
  const reading = (async () => {
    for await (const line of client.watch(CONFIGMAPS, { resourceVersion: from })) lines.push(line);
  })();
  const failed = reading.catch((error: unknown) => error);
  await until('the watch', () => lines.length === 1);
  server.watches()[0]?.response.end('{"type":"ADDED","obj');
  expect(await failed).toMatchObject({ name: 'RequestError', failure: 'undecodable' });
  expect(lines.length).toBe(1);
});

test('a watch that is refused throws the refusal', async () => {
  world.server.fault({ match: any, answer: (response) => sendStatus(response, 403, 'Forbidden', 'not yours') });
  const read = async () => {
    for await (const _ of world.client.watch(CONFIGMAPS, {})) break;
  };
  await expect(read()).rejects.toBeInstanceOf(StatusError);
});

test('a slow reader loses nothing', async () => {
  const { client, server } = world;
  const from = String(server.revision());
  for (let i = 0; i < 5_000; i++) server.put(CONFIGMAPS, configMap(`c${i}`, { filling: 'x'.repeat(500) }));
  let count = 0;
  for await (const line of client.watch(CONFIGMAPS, { resourceVersion: from })) {
    expect(line.object.metadata.name).toBe(`c${count}`);
    count += 1;
    if (count % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    if (count === 5_000) break;
  }
  expect(count).toBe(5_000);
});

test('closing ends watches and refuses further calls', async () => {
  const { client, server } = world;
  const failed = (async () => {
    for await (const _ of client.watch(CONFIGMAPS, { resourceVersion: '100' })) break;
  })().catch((error: unknown) => error);
  await until('the watch', () => server.watches().length === 1);
  await client.close();
  expect(await failed).toBeInstanceOf(RequestError);
  await expect(client.get(CONFIGMAPS, key)).rejects.toThrow('the client is closed');
});

test('requests are counted by code and method', async () => {
  await world.client.get(CONFIGMAPS, key).catch(() => undefined);
  const host = new URL(world.server.url).host;
  expect(world.metrics.render()).toContain(`rest_client_requests_total{code="404",host="${host}",method="GET"} 1`);
  expect(world.metrics.render()).toContain(`rest_client_request_duration_seconds_count{host="${host}",verb="get"} 1`);
});
