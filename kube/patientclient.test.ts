import { describe, expect, it } from 'vitest';
import { CONFIGMAPS, SECRETS } from './builtin.ts';
import type { Client } from './client.ts';
import { PausedError, RequestError, StatusError } from './errors.ts';
import type { KubeObject, ObjectKey, Resource } from './object.ts';
import { createPatientClient } from './patientclient.ts';
import { createFakeClock, settle } from './testing/fakeclock.ts';

const MINUTE_MS = 60_000;
const KEY: ObjectKey = { namespace: 'a', name: 'shared' };
const REFUSED = new StatusError({ code: 500, reason: 'InternalError', message: 'etcd is away' });

/** A server that answers `get` as it is told, and counts. */
function createSubject() {
  const clock = createFakeClock();
  const sent: { readonly atMs: number; readonly name: string }[] = [];
  const server = { answer: async (): Promise<KubeObject> => found };
  const inner = {
    get: (_: Resource, { name }: ObjectKey) => {
      sent.push({ atMs: clock.monotonic(), name });
      return server.answer();
    },
  } as unknown as Client;
  const client = createPatientClient(inner, { clock });
  const get = (key: ObjectKey = KEY, options?: { readonly signal: AbortSignal }) =>
    client.get(CONFIGMAPS, key, options).catch((error: unknown) => error);
  return { clock, sent, server, client, get };
}

const found: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared', namespace: 'a' } };

describe('an object that fails for good', () => {
  it('is called ten times a minute at most, however many want it', async () => {
    const { clock, sent, server, get } = createSubject();
    server.answer = () => Promise.reject(REFUSED);
    for (let elapsedMs = 0; elapsedMs < MINUTE_MS; elapsedMs += 100) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => get()));
      for (const answer of answers) expect(String(answer)).toContain('etcd is away');
      await clock.advance(100);
    }
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.length).toBeLessThanOrEqual(10);
    const paused = await get();
    expect(paused).toBeInstanceOf(PausedError);
    expect(paused).toMatchObject({ message: 'etcd is away', retryAfterMs: expect.any(Number), cause: REFUSED });
  });

  it('is tried again within 15 s, and by everybody once it answers', async () => {
    const { clock, server, get } = createSubject();
    server.answer = () => Promise.reject(new RequestError('timeout', 'no answer within 30 s'));
    for (let elapsedMs = 0; elapsedMs < MINUTE_MS; elapsedMs += 100) {
      await get();
      await clock.advance(100);
    }
    server.answer = async () => found;
    await clock.advance(15_000);
    expect(await Promise.all(Array.from({ length: 16 }, () => get()))).toEqual(Array(16).fill(found));
  });

  it('leaves others alone', async () => {
    const { server, client, get } = createSubject();
    server.answer = () => Promise.reject(REFUSED);
    for (let times = 0; times < 5; times++) await get();
    server.answer = async () => found;
    expect(await get()).toBeInstanceOf(PausedError);
    expect(await get({ namespace: 'b', name: 'shared' })).toBe(found);
    expect(await client.get(SECRETS, KEY)).toBe(found);
  });

  it('is called no more often because it is looked for in between and is not there', async () => {
    const { clock, sent, server, get } = createSubject();
    const absent = new StatusError({ code: 404, reason: 'NotFound', message: 'gone' });
    for (let elapsedMs = 0; elapsedMs < MINUTE_MS; elapsedMs += 100) {
      server.answer = () => Promise.reject(REFUSED);
      await get();
      server.answer = () => Promise.reject(absent);
      await get();
      await clock.advance(100);
    }
    expect(sent.length).toBeLessThanOrEqual(10);
  });

  it('begins anew when nobody wanted it for long', async () => {
    const { clock, sent, server, get } = createSubject();
    server.answer = () => Promise.reject(REFUSED);
    for (let times = 0; times < 5; times++) await get();
    await clock.advance(5 * MINUTE_MS);
    for (let times = 0; times < 5; times++) await get();
    expect(sent.length).toBe(6);
  });
});

it('has few calls about one object under way at once, and each gets its answer', async () => {
  const { sent, server, get } = createSubject();
  const open: ((object: KubeObject) => void)[] = [];
  server.answer = () => new Promise((resolve) => open.push(resolve));
  const answers = Array.from({ length: 16 }, () => get());
  for (let answered = 0; answered < 16; answered++) {
    await settle();
    expect(open.length).toBeLessThanOrEqual(3);
    open.shift()?.(found);
  }
  expect(await Promise.all(answers)).toEqual(Array(16).fill(found));
  expect(sent.length).toBe(16);
});

it('takes absence for an answer, and an aborted call for none', async () => {
  const { sent, server, get } = createSubject();
  server.answer = () => Promise.reject(new StatusError({ code: 404, reason: 'NotFound', message: 'gone' }));
  for (let times = 0; times < 20; times++) expect(await get()).toBeInstanceOf(StatusError);
  const stop = new AbortController();
  stop.abort(new Error('the process stops'));
  server.answer = () => Promise.reject(stop.signal.reason);
  for (let times = 0; times < 20; times++) await get(KEY, { signal: stop.signal });
  server.answer = async () => found;
  expect(await get()).toBe(found);
  expect(sent.length).toBe(41);
});
