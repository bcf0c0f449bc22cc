import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONFIGMAPS } from './builtin.ts';
import { createInformer, type Informer, type InformerOptions, type InformerState } from './informer.ts';
import type { KubeObject } from './object.ts';
import { type Fault, type OpenWatch, sendJson, sendStatus } from './testing/fakeapiserver.ts';
import { until } from './testing/until.ts';
import { type ConfigMap, configMap, createWorld, type World } from './testing/world.ts';

let world: World;
let stop: AbortController;
let stopped: Promise<void> | undefined;
beforeEach(async () => {
  world = await createWorld();
  stop = new AbortController();
  stopped = undefined;
});
afterEach(async () => {
  stop.abort();
  await stopped;
  expect(world.clock.timers()).toBe(0);
  await world.close();
});

function start(options: Partial<InformerOptions<ConfigMap>> = {}) {
  const informer = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS, ...options });
  const events: string[] = [];
  const states: InformerState[] = [];
  informer.onStateChange((state) => states.push(state));
  informer.addEventHandler({
    onAdd: (object, { cause }) => events.push(`+${object.metadata.name} ${cause}`),
    onUpdate: (old, object, { cause }) =>
      events.push(`~${object.metadata.name} ${old.data?.x ?? ''}>${object.data?.x ?? ''} ${cause}`),
    onDelete: (object) => events.push(`-${object.metadata.name}`),
  });
  stopped = informer.start(stop.signal);
  return { informer, events, states };
}

async function startSynced(options: Partial<InformerOptions<ConfigMap>> = {}) {
  const started = start(options);
  await until('the sync', () => started.informer.hasSynced() && world.server.watches().length === 1);
  return started;
}

const names = (informer: Informer<ConfigMap>) =>
  informer
    .list()
    .map((object) => object.metadata.name)
    .sort();
const lists = () =>
  world.server.requests.filter((request) => request.method === 'GET' && !request.query.has('watch')).length;
const opened = () => world.server.requests.filter((request) => request.query.has('watch')).length;
const isList: Fault['match'] = (request) => request.method === 'GET' && !request.query.has('watch');
const isWatch: Fault['match'] = (request) => request.query.has('watch');
/** Moves the clock in small steps until the condition holds, each when all requests have their answers; returns how far it went. */
async function untilLater(what: string, condition: () => boolean, stepMs = 100): Promise<number> {
  const startMs = world.clock.monotonic();
  await until(what, condition, async () => {
    await world.clock.advance(stepMs);
    await world.answered();
  });
  return world.clock.monotonic() - startMs;
}
async function pass(ms: number): Promise<void> {
  const untilMs = world.clock.monotonic() + ms;
  await untilLater(`${ms} ms`, () => world.clock.monotonic() >= untilMs);
}
const theWatch = (): OpenWatch => {
  const [watch] = world.server.watches();
  if (watch === undefined) throw new Error('no watch is open');
  return watch;
};

test('lists in pages, then follows the watch', async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e']) world.server.put(CONFIGMAPS, configMap(name));
  const { informer, events } = await startSynced({ pageSize: 2 });
  expect(lists()).toBe(3);
  expect(names(informer)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(events).toEqual(['+a initial', '+b initial', '+c initial', '+d initial', '+e initial']);
  events.length = 0;
  world.server.put(CONFIGMAPS, configMap('a', { x: '1' }));
  world.server.put(CONFIGMAPS, configMap('f'));
  world.server.remove(CONFIGMAPS, 'n/b');
  await until('the events', () => events.length === 3);
  expect(events).toEqual(['~a >1 fresh', '+f fresh', '-b']);
  expect(informer.get('n/a')?.data).toEqual({ x: '1' });
  expect(informer.get('n/b')).toBeUndefined();
  expect(informer.lastSyncResourceVersion()).toBe(String(world.server.revision()));
  expect(opened()).toBe(1);
});

test('can stream the first state instead, and falls back where that is refused', async () => {
  world.server.put(CONFIGMAPS, configMap('a'));
  const { informer } = await startSynced({ listMode: 'streamed' });
  expect(lists()).toBe(0);
  expect(names(informer)).toEqual(['a']);
});

test('a server that refuses to stream is listed in pages', async () => {
  world.server.put(CONFIGMAPS, configMap('a'));
  world.server.fault({
    match: (request) => request.query.has('sendInitialEvents'),
    times: 99,
    answer: (response) => sendStatus(response, 422, 'Invalid', 'sendInitialEvents is forbidden'),
  });
  const { informer } = await startSynced({ listMode: 'streamed' });
  expect(lists()).toBe(1);
  expect(names(informer)).toEqual(['a']);
});

test('indexes follow the objects', async () => {
  const team = (object: ConfigMap): readonly string[] => object.metadata.labels?.team?.split('.') ?? [];
  world.server.put(CONFIGMAPS, configMap('a', {}, { team: 'red' }));
  const { informer, events } = await startSynced({ indexers: { team } });
  const red = () => informer.byIndex('team', 'red').map((object) => object.metadata.name);
  expect(red()).toEqual(['a']);
  world.server.put(CONFIGMAPS, configMap('a', {}, { team: 'blue.green' }));
  world.server.put(CONFIGMAPS, configMap('b', {}, { team: 'red' }));
  await until('the events', () => events.length === 3);
  expect(red()).toEqual(['b']);
  expect(informer.byIndex('team', 'green').length).toBe(1);
  expect(informer.byIndex('team', 'none')).toEqual([]);
  expect(() => informer.byIndex('nope', 'x')).toThrow('no index is named "nope"; there are: team');
});

test('managedFields are dropped, transform and metadata-only mode apply everywhere', async () => {
  const managedFields = [{ manager: 'm', operation: 'Apply' }];
  const withFields = (name: string) => ({
    ...configMap(name, { x: '1' }),
    metadata: { ...configMap(name).metadata, managedFields },
  });
  world.server.put(CONFIGMAPS, withFields('a'));
  const { informer, events } = await startSynced({ metadataOnly: true });
  world.server.put(CONFIGMAPS, withFields('b'));
  await until('the event', () => events.length === 2);
  for (const object of informer.list()) {
    expect(object.metadata.managedFields).toBeUndefined();
    expect(object.data).toBeUndefined();
    expect([object.apiVersion, object.kind]).toEqual(['v1', 'ConfigMap']);
  }
});

test('a handler that throws is logged and keeps nobody from anything', async () => {
  const informer = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS });
  const seen: string[] = [];
  informer.addEventHandler({
    onAdd: () => {
      throw new Error('bad handler');
    },
  });
  informer.addEventHandler({ onAdd: (object) => seen.push(object.metadata.name) });
  stopped = informer.start(stop.signal);
  world.server.put(CONFIGMAPS, configMap('a'));
  await until('the object', () => seen.length === 1);
  expect(world.lines.some((line) => line.msg === 'an event handler failed')).toBe(true);
});

test('an indexer or a transform that throws is logged and stops nothing', async () => {
  const bad = (object: ConfigMap): readonly string[] => {
    if (object.metadata.name === 'bad') throw new Error('bad indexer');
    return ['all'];
  };
  const transform = (object: ConfigMap): ConfigMap => {
    if (object.metadata.name === 'worse') throw new Error('bad transform');
    return object;
  };
  world.server.put(CONFIGMAPS, configMap('bad'));
  const { informer } = await startSynced({ indexers: { bad }, transform });
  world.server.put(CONFIGMAPS, configMap('worse'));
  world.server.put(CONFIGMAPS, configMap('good'));
  await until('the objects', () => informer.size() === 3);
  expect(informer.byIndex('bad', 'all').length).toBe(2);
  const messages = new Set(world.lines.filter((line) => line.level === 50).map((line) => line.msg));
  expect(messages).toEqual(new Set(['an indexer failed', 'transform failed']));
});

test('a late handler is told what is there', async () => {
  world.server.put(CONFIGMAPS, configMap('a'));
  const { informer } = await startSynced();
  const seen: string[] = [];
  const remove = informer.addEventHandler({
    onAdd: (object, { cause }) => seen.push(`${object.metadata.name} ${cause}`),
  });
  expect(seen).toEqual(['a initial']);
  remove();
  world.server.put(CONFIGMAPS, configMap('b'));
  await until('the object', () => informer.size() === 2);
  expect(seen.length).toBe(1);
});

test('resync redelivers everything as such', async () => {
  world.server.put(CONFIGMAPS, configMap('a', { x: '1' }));
  const { events } = await startSynced({ resyncMs: 10_000 });
  events.length = 0;
  await untilLater('the resync', () => events.length > 0);
  expect(events[0]).toBe('~a 1>1 resync');
});

test('a watch that ends in time is renewed where it stopped, without a list', async () => {
  const { informer, events } = await startSynced();
  theWatch().end();
  await until('the renewal', () => opened() === 2 && world.server.watches().length === 1);
  world.server.put(CONFIGMAPS, configMap('a'));
  await until('the event', () => events.length === 1);
  expect(lists()).toBe(1);
  expect(informer.state()).toBe('synced');
  const seconds = world.server.requests.filter(isWatch).map((request) => Number(request.query.get('timeoutSeconds')));
  for (const one of seconds) expect(one >= 24 && one <= 28).toBe(true);
});

test('a watch lives as long as it is told to, and not much longer', async () => {
  await startSynced({ watchSeconds: 3_600 });
  for (let i = 2; i <= 6; i++) {
    theWatch().end();
    await until('the renewal', () => opened() === i && world.server.watches().length === 1);
  }
  const seconds = world.server.requests.filter(isWatch).map((request) => Number(request.query.get('timeoutSeconds')));
  for (const one of seconds) expect(one >= 3_600 && one < 4_320).toBe(true);
  expect(new Set(seconds).size).toBeGreaterThan(1);
});

test('a watch that went mute is noticed within 35 s', async () => {
  const { events } = await startSynced();
  theWatch().mute = true;
  world.server.put(CONFIGMAPS, configMap('a'));
  const tookMs = await untilLater('the event', () => events.length === 1, 20);
  expect(tookMs).toBeLessThanOrEqual(35_000);
  expect(lists()).toBe(2);
  expect(events).toEqual(['+a fresh']);
});

test('a server that accepts watches and never answers them is asked again', async () => {
  const { events } = await startSynced();
  world.server.fault({ match: isWatch, times: 1, answer: () => {} });
  theWatch().end();
  await until('the stalled watch', () => opened() === 2);
  world.server.put(CONFIGMAPS, configMap('a'));
  expect(await untilLater('the event', () => events.length === 1, 20)).toBeLessThanOrEqual(35_000);
});

const breaks: readonly (readonly [string, (watch: OpenWatch) => void, number])[] = [
  ['a reset', (watch) => watch.response.destroy(), 1],
  ['a torn line', (watch) => watch.response.end('{"type":"ADDED","object":{"metadata":{"na'), 2],
  ['a line that is no JSON', (watch) => watch.response.write('<html>oops</html>\n'), 2],
  ['a line of another shape', (watch) => watch.response.write('{"type":"ADDED","object":{"kind":"ConfigMap"}}\n'), 2],
  ['a truncated chunk', (watch) => watch.response.socket?.end('ffff\r\n{"type":"ADD'), 1],
  [
    'an ERROR line with 410',
    (watch) =>
      watch.response.write(
        '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}\n',
      ),
    2,
  ],
  [
    'an ERROR line with 500',
    (watch) => watch.response.write('{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd"}}\n'),
    1,
  ],
  ['an ERROR line without a status', (watch) => watch.response.write('{"type":"ERROR","object":{"foo":1}}\n'), 1],
  [
    'a version from before the watch',
    (watch) =>
      watch.response.write(
        '{"type":"MODIFIED","object":{"metadata":{"name":"z","namespace":"n","resourceVersion":"3"}}}\n',
      ),
    2,
  ],
];

test.each(breaks)(
  'after %s nothing is lost, nothing is deleted and nothing invented',
  async (_, breakIt, expectedLists) => {
    world.server.put(CONFIGMAPS, configMap('kept'));
    const { informer, events, states } = await startSynced();
    events.length = 0;
    const watch = theWatch();
    breakIt(watch);
    watch.mute = true;
    world.server.put(CONFIGMAPS, configMap('missed', { x: '1' }));
    const tookMs = await untilLater('the missed object', () => informer.get('n/missed') !== undefined, 20);
    expect(tookMs).toBeLessThanOrEqual(5_000);
    await until('a new watch', () => world.server.watches().some((one) => one !== watch));
    expect(events).toEqual(['+missed fresh']);
    expect(names(informer)).toEqual(['kept', 'missed']);
    expect(lists() - world.server.requests.filter((one) => one.query.get('limit') === '1').length).toBe(expectedLists);
    expect(states).toEqual(['synced']);
  },
);

const refusals: readonly (readonly [string, Fault['answer']])[] = [
  ['409', (response) => sendStatus(response, 409, 'Conflict', 'no')],
  ['410', (response) => sendStatus(response, 410, 'Expired', 'old')],
  ['422', (response) => sendStatus(response, 422, 'Invalid', 'no')],
  ['429 with Retry-After', (response) => sendStatus(response, 429, 'TooManyRequests', 'later', { 'retry-after': '1' })],
  ['500', (response) => sendStatus(response, 500, 'InternalError', 'no')],
  ['503', (response) => sendStatus(response, 503, 'ServiceUnavailable', 'no')],
  ['504', (response) => sendStatus(response, 504, 'Timeout', 'no')],
  ['403', (response) => sendStatus(response, 403, 'Forbidden', 'no')],
  ['a reset', (response) => response.destroy()],
  ['a stall', () => {}],
  ['an empty object', (response) => sendJson(response, 200, {})],
  ['an empty answer', (response) => response.writeHead(200).end()],
  ['broken JSON', (response) => response.writeHead(200).end('{"kind":"ConfigMapList","items":[')],
];

test.each(refusals)('a first list answered by %s is tried again until it works', async (_, answer) => {
  world.server.put(CONFIGMAPS, configMap('a'));
  world.server.fault({ match: isList, times: 3, answer });
  const { informer } = start();
  const tookMs = await untilLater('the sync', () => informer.hasSynced());
  expect(tookMs).toBeLessThanOrEqual(100_000);
  expect(names(informer)).toEqual(['a']);
});

test.each(refusals)('a later page answered by %s gives no half of a state', async (_, answer) => {
  for (const name of ['a', 'b', 'c']) world.server.put(CONFIGMAPS, configMap(name));
  const { informer, events } = await startSynced({ pageSize: 2 });
  events.length = 0;
  world.server.fault({ match: (request) => request.query.has('continue'), times: 3, answer });
  theWatch().response.end('<torn\n');
  await untilLater('a new watch', () => opened() === 2 && world.server.watches().length === 1);
  expect(names(informer)).toEqual(['a', 'b', 'c']);
  expect(events).toEqual([]);
  expect(informer.state()).toBe('synced');
});

test.each(refusals)('a watch answered by %s is opened again', async (_, answer) => {
  const { events } = await startSynced();
  world.server.fault({ match: isWatch, times: 3, answer });
  theWatch().end();
  await until('the refused watch', () => opened() >= 2);
  world.server.put(CONFIGMAPS, configMap('a'));
  await untilLater('the event', () => events.length === 1);
  expect(events).toEqual(['+a fresh']);
});

test('relists after compaction and reports what changed meanwhile as a diff', async () => {
  for (const name of ['same', 'changed', 'gone']) world.server.put(CONFIGMAPS, configMap(name));
  const { events } = await startSynced();
  events.length = 0;
  const watch = theWatch();
  watch.mute = true;
  world.server.put(CONFIGMAPS, configMap('changed', { x: '1' }));
  world.server.remove(CONFIGMAPS, 'n/gone');
  world.server.put(CONFIGMAPS, configMap('new'));
  world.server.compact();
  watch.response.end();
  await untilLater('the diff', () => events.length === 3);
  expect(events.sort()).toEqual(['+new fresh', '-gone', '~changed >1 fresh']);
});

test('a kind that is not served any more is unavailable; its objects stay until a list says otherwise', async () => {
  world.server.put(CONFIGMAPS, configMap('a'));
  const { informer, events, states } = await startSynced();
  world.server.serve(CONFIGMAPS, false);
  theWatch().response.end();
  await untilLater('the state', () => informer.state() === 'unavailable');
  await pass(60_000);
  expect(informer.hasSynced()).toBe(false);
  expect(names(informer)).toEqual(['a']);
  expect(events).toEqual(['+a initial']);
  expect(world.lines.filter((line) => line.level >= 40).length).toBeLessThanOrEqual(4);
  world.server.serve(CONFIGMAPS, true);
  await untilLater('the return', () => informer.hasSynced());
  expect(states).toEqual(['synced', 'unavailable', 'synced']);
  expect(events).toEqual(['+a initial']);
});

test('a kind that is missing at the start is waited for', async () => {
  world.server.serve(CONFIGMAPS, false);
  const { informer, states } = start();
  await untilLater('the state', () => informer.state() === 'unavailable');
  world.server.serve(CONFIGMAPS, true);
  await untilLater('the sync', () => informer.hasSynced());
  expect(states).toEqual(['unavailable', 'synced']);
});

test('a server whose history went back is listed anew', async () => {
  world.server.put(CONFIGMAPS, configMap('old'));
  const backup = world.server.revision();
  world.server.put(CONFIGMAPS, configMap('lost'));
  const { informer } = await startSynced();
  world.server.restore(backup);
  theWatch().response.destroy();
  await untilLater('the older state', () => informer.get('n/lost') === undefined);
  expect(names(informer)).toEqual(['old']);
  expect(informer.lastSyncResourceVersion()).toBe(String(backup));
});

test('repeated failures are spaced out', async () => {
  await startSynced();
  const before = opened();
  world.server.fault({
    match: isWatch,
    times: 1000,
    answer: (response) => sendStatus(response, 500, 'InternalError', 'no'),
  });
  theWatch().response.end();
  await untilLater('the first failure', () => opened() === before + 1);
  await pass(60_000);
  expect(opened() - before).toBeGreaterThan(5);
  expect(opened() - before).toBeLessThanOrEqual(20);
});

const endings: readonly (readonly [string, Fault['answer']])[] = [
  ['410', (response) => sendStatus(response, 410, 'Expired', 'old')],
  ['an ERROR line with 410', (response) => response.end('{"type":"ERROR","object":{"kind":"Status","code":410}}\n')],
  ['a line that is no JSON', (response) => response.end('<html>oops</html>\n')],
];

test.each(endings)('lists that work are spaced out, too, while every watch is answered by %s', async (_, answer) => {
  await startSynced();
  world.server.fault({ match: isWatch, times: 10_000, answer });
  const before = lists();
  theWatch().response.end();
  await pass(60_000);
  expect(lists() - before).toBeGreaterThan(5);
  expect(lists() - before).toBeLessThanOrEqual(20);
});

test('our own write is in the store at once, and the watch does not repeat it', async () => {
  const { informer, events } = await startSynced();
  theWatch().mute = true;
  const answer = await world.client.create(CONFIGMAPS, configMap('a', { x: '1' }));
  expect(informer.observeWrite(answer)).toBe(true);
  expect(informer.get('n/a')?.data).toEqual({ x: '1' });
  expect(informer.observeWrite(answer)).toBe(false);
  theWatch().response.end();
  await untilLater('a new watch', () => opened() === 2 && world.server.watches().length === 1);
  world.server.put(CONFIGMAPS, configMap('b'));
  await until('the next event', () => events.includes('+b fresh'));
  expect(events).toEqual(['+a own', '+b fresh']);
});

test('what the API server says is gone is out of the store at once, and what took its name stays', async () => {
  const { informer, events } = await startSynced();
  const first = world.server.put(CONFIGMAPS, configMap('a'));
  await until('it is there', () => informer.size() === 1);
  theWatch().mute = true;
  const other = { ...first, metadata: { ...first.metadata, uid: 'another' } };
  expect(informer.observeGone(other)).toBe(false);
  expect(names(informer)).toEqual(['a']);
  expect(informer.observeGone(first)).toBe(true);
  expect(informer.observeGone(first)).toBe(false);
  expect(names(informer)).toEqual([]);
  expect(events).toEqual(['+a fresh', '-a']);
});

test('the answer about an object that is being deleted counts until it is the last', async () => {
  const { informer } = await startSynced();
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  const answer = (name: string, more: object, metadata: object = {}): KubeObject => {
    const own = { namespace: 'n', name, uid: name, resourceVersion: '999', deletionTimestamp, ...metadata };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: own, ...more };
  };
  expect(informer.observeWrite(answer('last', { spec: { finalizers: [] } }))).toBe(false);
  expect(informer.observeWrite(answer('held', {}, { finalizers: ['x.dev/mine'] }))).toBe(true);
  expect(informer.observeWrite(answer('namespace', { spec: { finalizers: ['kubernetes'] } }))).toBe(true);
  expect(names(informer)).toEqual(['held', 'namespace']);
});

test('an older answer never replaces what is newer, nor brings back what was deleted', async () => {
  const { informer } = await startSynced();
  const first = world.server.put(CONFIGMAPS, configMap('a', { x: '1' }));
  world.server.put(CONFIGMAPS, configMap('a', { x: '2' }));
  await until('the newer one', () => informer.get('n/a')?.data?.x === '2');
  expect(informer.observeWrite(first)).toBe(false);
  const second = world.server.put(CONFIGMAPS, configMap('b'));
  world.server.remove(CONFIGMAPS, 'n/b');
  world.server.put(CONFIGMAPS, configMap('c'));
  await until('the deletion', () => informer.get('n/c') !== undefined);
  expect(informer.observeWrite(second)).toBe(false);
  expect(names(informer)).toEqual(['a', 'c']);
});

test('an older watch line does not undo an own write', async () => {
  const { informer, events } = await startSynced();
  const watch = theWatch();
  const held = world.server.put(CONFIGMAPS, configMap('a', { x: '1' }));
  watch.mute = true;
  await until('the first', () => informer.get('n/a') !== undefined);
  const older = {
    ...held,
    data: { x: 'older' },
    metadata: { ...held.metadata, resourceVersion: String(world.server.revision() + 1) },
  };
  const newer = {
    ...held,
    data: { x: 'newer' },
    metadata: { ...held.metadata, resourceVersion: String(world.server.revision() + 2) },
  };
  informer.observeWrite(newer);
  watch.response.write(`${JSON.stringify({ type: 'MODIFIED', object: older })}\n`);
  watch.response.write(`${JSON.stringify({ type: 'DELETED', object: older })}\n`);
  watch.response.write(
    `${JSON.stringify({ type: 'ADDED', object: { ...held, metadata: { ...newer.metadata, name: 'mark' } } })}\n`,
  );
  await until('the lines', () => events.includes('+mark fresh'));
  expect(informer.get('n/a')?.data?.x).toBe('newer');
});

test('an own write during a list survives a list that is older than it', async () => {
  const { informer } = await startSynced();
  const page = { kind: 'ConfigMapList', metadata: { resourceVersion: String(world.server.revision()) }, items: [] };
  let answer: (() => void) | undefined;
  world.server.fault({
    match: isList,
    answer: (response) => {
      answer = () => sendJson(response, 200, page);
    },
  });
  theWatch().response.end('<torn\n');
  await untilLater('the held list', () => answer !== undefined);
  informer.observeWrite(await world.client.create(CONFIGMAPS, configMap('mine')));
  answer?.();
  await until('the new watch', () => world.server.watches().length === 1);
  expect(names(informer)).toEqual(['mine']);
});

test.each<readonly [string, Partial<InformerOptions<ConfigMap>>, KubeObject]>([
  ['another namespace', { namespace: 'm' }, configMap('a')],
  ['other labels', { labelSelector: 'team=red' }, configMap('a', {}, { team: 'blue' })],
  ['a field that cannot be judged', { fieldSelector: 'spec.x=1' }, configMap('a')],
])('a write with %s is not this informer’s', async (_, options, object) => {
  const informer = createInformer<ConfigMap>(world.deps, { resource: CONFIGMAPS, ...options });
  expect(informer.observeWrite({ ...object, metadata: { ...object.metadata, resourceVersion: '999' } })).toBe(false);
  expect(informer.observeWrite({ ...object, metadata: { ...object.metadata, resourceVersion: 'abc' } })).toBe(false);
});

test('stopping ends the watch', async () => {
  await startSynced();
  stop.abort();
  await stopped;
  await until('the end', () => world.server.watches().length === 0);
});
