import { afterEach, beforeEach, expect, test } from 'vitest';
import { EVENTS } from './builtin.ts';
import { createEventRecorder, type EventRecorder } from './events.ts';
import { sendStatus } from './testing/fakeapiserver.ts';
import { configMap, createWorld, type World } from './testing/world.ts';

let world: World;
let recorder: EventRecorder;
beforeEach(async () => {
  world = await createWorld();
  recorder = createEventRecorder(world.deps, { reportingController: 'x.dev/tester', reportingInstance: 'here' });
});
afterEach(() => world.close());

const about = { ...configMap('a'), metadata: { ...configMap('a').metadata, uid: 'u1' } };
const warning = (note: string) => ({ type: 'Warning', reason: 'Broken', action: 'Reconcile', note }) as const;
const calls = () => world.server.requests.map((request) => request.method);

test('an Event names what, who and why', async () => {
  recorder.event(about, warning('no disk'));
  await recorder.flush();
  const [request] = world.server.requests;
  expect(request).toMatchObject({ method: 'POST', path: '/apis/events.k8s.io/v1/namespaces/n/events' });
  expect(request?.body).toMatchObject({
    kind: 'Event',
    metadata: { namespace: 'n', name: expect.stringMatching(/^a\.[0-9a-f]{16}$/) },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'x.dev/tester',
    reportingInstance: 'here',
    type: 'Warning',
    reason: 'Broken',
    action: 'Reconcile',
    note: 'no disk',
    regarding: { kind: 'ConfigMap', namespace: 'n', name: 'a', uid: 'u1' },
  });
});

test('repetition becomes a series, written rarely', async () => {
  for (let i = 0; i < 100; i++) recorder.event(about, warning('no disk'));
  await recorder.flush();
  expect(calls()).toEqual(['POST', 'PATCH']);
  expect(world.server.requests[1]?.body).toMatchObject({ series: { count: 100 } });
  await world.clock.advance(5 * 60_000);
  recorder.event(about, warning('no disk'));
  await recorder.flush();
  expect(world.server.requests[2]?.body).toMatchObject({ series: { count: 101 } });
  await world.clock.advance(7 * 60_000);
  recorder.event(about, warning('no disk'));
  await recorder.flush();
  expect(calls()).toEqual(['POST', 'PATCH', 'PATCH', 'POST']);
});

test('one object cannot cause a flood, and does not use up another’s share', async () => {
  for (let i = 0; i < 100; i++) recorder.event(about, warning(`number ${i}`));
  const other = { ...about, metadata: { ...about.metadata, name: 'b', uid: 'u2' } };
  recorder.event(other, warning('me too'));
  await recorder.flush();
  expect(calls().length).toBe(11);
  await world.clock.advance(60_000);
  for (let i = 0; i < 100; i++) recorder.event(about, warning(`again ${i}`));
  await recorder.flush();
  expect(calls().length).toBe(13);
});

test('a long note is cut at 1024 bytes, between characters', async () => {
  recorder.event(about, warning('ä'.repeat(1_000)));
  await recorder.flush();
  const { note } = (world.server.requests[0]?.body as { note: string } | undefined) ?? { note: '' };
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
  expect(note).toMatch(/^ä+…$/);
});

test('a failure is logged and does not stop the next one', async () => {
  world.server.fault({ match: () => true, answer: (response) => sendStatus(response, 403, 'Forbidden', 'no') });
  recorder.event(about, warning('one'));
  recorder.event(about, warning('two'));
  await recorder.flush();
  expect(calls().length).toBe(2);
  expect(world.lines.filter((line) => line.msg === 'an event could not be written, dropped').length).toBe(1);
});

test('an Event that expired meanwhile is no failure', async () => {
  recorder.event(about, warning('one'));
  await recorder.flush();
  const stored = world.server.requests[0]?.body as { metadata: { name: string } };
  world.server.remove(EVENTS, `n/${stored.metadata.name}`);
  recorder.event(about, warning('one'));
  await recorder.flush();
  expect(world.lines).toEqual([]);
});
