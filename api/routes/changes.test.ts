import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../gitops/journal.ts';
import { createTestApi, DATABASE_TIMEOUT_MS, desktop, ROOT_PLANS, type TestApi, user } from '../testing/testapi.ts';

let api: TestApi;

beforeAll(async () => {
  api = await createTestApi();
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { members: [user('anna', 'Owner'), user('vera', 'Viewer')] });
  api.put(desktop('t-acme', 'desk'));
});
afterAll(() => api.close());

const restart = async () => {
  await api.clock.advance(1_000);
  const answer = await api.as('anna', { method: 'POST', url: '/v1/tenants/acme/desktops/desk/restart' });
  expect(answer.statusCode).toBe(202);
  return answer.json().id as string;
};
async function move(id: string, outcome: Outcome): Promise<void> {
  const lease = await api.journal.lease('fleet', 'writer', 60_000);
  if (lease === undefined) throw new Error('no lease');
  await api.journal.record(lease, new Map([[id, outcome]]));
}

describe('a change', () => {
  it('is seen by whoever may read the resource, and by nobody else', async () => {
    const id = await restart();
    expect((await api.as('vera', { url: `/v1/changes/${id}` })).json()).toMatchObject({ id, state: 'Accepted' });
    const hidden = await api.as('eve', { url: `/v1/changes/${id}`, headers: { 'request-id': 'request-1' } });
    const missing = await api.as('eve', {
      url: `/v1/changes/I${'0'.repeat(40)}`,
      headers: { 'request-id': 'request-1' },
    });
    expect(hidden.statusCode).toBe(404);
    expect(hidden.body).toBe(missing.body);
    expect((await api.as('anna', { url: '/v1/changes/nothing' })).statusCode).toBe(400);
  });

  it('tells reason and difference', async () => {
    const id = await restart();
    const differences = [{ path: 'spec.power', seen: 'Running', wanted: 'Stopped', found: 'Off' }];
    await move(id, { state: 'Conflict', reason: 'Changed', message: 'somebody was first', differences });
    expect((await api.as('anna', { url: `/v1/changes/${id}` })).json()).toMatchObject({
      state: 'Conflict',
      done: true,
      reason: 'Changed',
      differences,
    });
  });

  it('is waited for', async () => {
    const id = await restart();
    const waiting = api.as('anna', { url: `/v1/changes/${id}?wait=Applied&timeout=60` });
    await api.clock.advance(100);
    await move(id, { state: 'Committed', commit: 'a'.repeat(40) });
    await api.clock.advance(100);
    await move(id, { state: 'Applied' });
    await advanceUntil(waiting);
    expect((await waiting).json()).toMatchObject({ state: 'Applied', commit: 'a'.repeat(40), done: false });
    const ready = await api.as('anna', { url: `/v1/changes/${id}?wait=Applied` });
    expect(ready.json().state).toBe('Applied');
  });

  it('is answered as it is when the time is over', async () => {
    const id = await restart();
    const waiting = api.as('anna', { url: `/v1/changes/${id}?wait=Ready&timeout=1` });
    await advanceUntil(waiting);
    expect((await waiting).json()).toMatchObject({ state: 'Accepted' });
    for (const query of ['wait=Done', 'wait=Ready&timeout=0', 'wait=Ready&timeout=61', 'timeout=x']) {
      expect((await api.as('anna', { url: `/v1/changes/${id}?${query}` })).statusCode).toBe(400);
    }
  });

  it('is not told to who waited for it and may not see it any more', async () => {
    const id = await restart();
    api.sell('acme', { members: [user('anna', 'Owner'), user('vera', 'Viewer'), user('paul', 'Viewer')] });
    const waiting = api.as('paul', { url: `/v1/changes/${id}?wait=Applied&timeout=60` });
    await api.clock.advance(100);
    api.sell('acme', { members: [user('anna', 'Owner'), user('vera', 'Viewer')] });
    await move(id, { state: 'Applied' });
    await advanceUntil(waiting);
    expect((await waiting).statusCode).toBe(404);
  });

  it('does not keep anybody who waits when it is held or has ended', async () => {
    for (const state of ['Held', 'Failed', 'Rejected', 'Superseded', 'Gone'] as const) {
      const id = await restart();
      await move(id, { state });
      expect((await api.as('anna', { url: `/v1/changes/${id}?wait=Ready&timeout=60` })).json().state).toBe(state);
    }
  });

  it('is listed, newest first, in pages', async () => {
    const ids = [await restart(), await restart(), await restart()].reverse();
    const first = (await api.as('vera', { url: '/v1/tenants/acme/changes?limit=2' })).json();
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
    const second = (await api.as('vera', { url: `/v1/tenants/acme/changes?limit=2&cursor=${first.next}` })).json();
    expect(second.items[0].id).toBe(ids[2]);
    const held = (await api.as('vera', { url: '/v1/tenants/acme/changes?state=Held' })).json();
    expect(held.items.every(({ state }: { state: string }) => state === 'Held')).toBe(true);
    expect((await api.as('vera', { url: `/v1/tenants/acme/changes?state=Held&cursor=${first.next}` })).statusCode).toBe(
      400,
    );
    expect((await api.as('eve', { url: '/v1/tenants/acme/changes' })).statusCode).toBe(404);
  });

  it('of a tenant that had the name before is not shown', async () => {
    const id = await restart();
    const namespace = api.caches.namespaces.get('t-acme');
    if (namespace === undefined) throw new Error('no namespace');
    const creationTimestamp = new Date(api.clock.now() + 60_000).toISOString();
    api.put({ ...namespace, metadata: { ...namespace.metadata, creationTimestamp } });
    expect((await api.as('anna', { url: `/v1/changes/${id}` })).statusCode).toBe(404);
    expect((await api.as('anna', { url: '/v1/tenants/acme/changes' })).json().items).toEqual([]);
    api.put(namespace);
    expect((await api.as('anna', { url: `/v1/changes/${id}` })).statusCode).toBe(200);
  });
});

describe('the events of a change', () => {
  it('tell each state until it ends, and none twice after a reconnect', async () => {
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = api.app.server.address() as AddressInfo;
    const id = await restart();
    const authorization = `Bearer ${await api.issuer.sign({ sub: 'anna' })}`;
    const open = (headers: Record<string, string>) =>
      httpRequest({
        host: '127.0.0.1',
        port,
        path: `/v1/changes/${id}`,
        headers: { authorization, accept: 'text/event-stream', ...headers },
      }).end();
    const stream = open({});
    const [response] = await once(stream, 'response');
    expect(response.headers['content-type']).toBe('text/event-stream');
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ended = once(response, 'end');
    await expect.poll(() => text).toContain('"state":"Accepted"');
    await move(id, { state: 'Committed', commit: 'b'.repeat(40) });
    await expect.poll(() => api.clock.advance(50).then(() => text)).toContain('"state":"Committed"');
    await move(id, { state: 'Ready' });
    await advanceUntil(ended);
    const states = [...text.matchAll(/^event: change\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '').state);
    expect(states).toEqual(['Accepted', 'Committed', 'Ready']);
    const lastId = [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '';
    const again = open({ 'last-event-id': lastId });
    const [second] = await once(again, 'response');
    let rest = '';
    second.setEncoding('utf8').on('data', (chunk: string) => {
      rest += chunk;
    });
    await once(second, 'end');
    expect(rest).toBe('retry: 1000\n\n');
  });
});

describe('the events of a change, once the right to see it is gone', () => {
  let server: TestApi;
  beforeAll(async () => {
    server = await createTestApi({ database: true });
    for (const object of ROOT_PLANS) server.put(object);
    server.put(desktop('t-acme', 'desk'));
    staff('paul');
    await server.app.listen({ host: '127.0.0.1', port: 0 });
  }, DATABASE_TIMEOUT_MS);
  afterAll(() => server.close());

  const staff = (...names: readonly string[]) =>
    server.sell('acme', { members: [user('anna', 'Owner'), ...names.map((name) => user(name, 'Viewer'))] });
  const DESKTOP = '/v1/tenants/acme/desktops/desk';

  /** Whoever has this token listens to a new change until the first state came; then `end`, and the change goes on. Gives all that came. */
  async function listen(token: string, end: () => unknown): Promise<string> {
    await server.clock.advance(1_000);
    const id = (await server.as('anna', { method: 'POST', url: `${DESKTOP}/restart` })).json().id;
    const { port } = server.app.server.address() as AddressInfo;
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
    const stream = httpRequest({ host: '127.0.0.1', port, path: `/v1/changes/${id}`, headers }).end();
    const [response] = await once(stream, 'response');
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ended = once(response, 'end');
    await expect.poll(() => text).toContain('"state":"Accepted"');
    await end();
    const outcome = { state: 'Committed', commit: 'c'.repeat(40) } as const;
    await server.journal.advance(new Map([[id, { from: 'Accepted', outcome }]]));
    await advanceUntil(ended, server.clock);
    return text;
  }

  it('end for who is no member any more', async () => {
    const token = await server.issuer.sign({ sub: 'paul' });
    expect(await listen(token, () => staff())).not.toContain('Committed');
  });

  it('end for a key that was revoked', async () => {
    const payload = { name: 'panel', role: 'Viewer' };
    const key = (await server.as('anna', { method: 'POST', url: '/v1/tenants/acme/keys', payload })).json();
    const revoke = () => server.as('anna', { method: 'DELETE', url: `/v1/tenants/acme/keys/${key.id}` });
    expect(await listen(key.token, revoke)).not.toContain('Committed');
  });
});

/** Lets time pass until a promise is settled. */
async function advanceUntil(promise: Promise<unknown>, clock = api.clock): Promise<void> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  promise.then(done, done);
  await expect.poll(() => clock.advance(50).then(() => settled), { interval: 1 }).toBe(true);
}
