import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHeldAnswers, MOST_IN_ALL, MOST_OF_A_TENANT, MOST_OF_A_USER } from './heldanswers.ts';
import { createTestApi, desktop, ROOT_PLANS, type TestApi, user } from './testing/testapi.ts';

describe('the count of held answers', () => {
  it('is of each user, until they end', () => {
    const held = createHeldAnswers();
    const ends = Array.from({ length: MOST_OF_A_USER }, () => new AbortController());
    for (const { signal } of ends) held.hold({ username: 'anna' }, signal);
    const last = new AbortController();
    const hold = (name: string) => () => held.hold({ username: name }, last.signal);
    expect(hold('anna')).toThrow(/you have 32, of at most 32; end one/);
    expect(hold('berta')).not.toThrow();
    ends[0]?.abort();
    ends[0]?.abort();
    expect(hold('anna')).not.toThrow();
    expect(hold('anna')).toThrow(expect.objectContaining({ status: 429, headers: { 'retry-after': '5' } }));
  });

  it('is of each tenant of the provider with all below it, however many users it has', () => {
    const held = createHeldAnswers();
    const end = new AbortController();
    const tenants = ['acme', 'acme--bob', 'acme--bob--eve'];
    for (let i = 0; i < MOST_OF_A_TENANT; i++)
      held.hold({ username: `user ${i}`, tenant: tenants[i % tenants.length] }, end.signal);
    const hold = (tenant: string | undefined) => () => held.hold({ username: 'anna', tenant }, end.signal);
    expect(hold('acme--bob')).toThrow(/acme has 256, of at most 256; end one/);
    expect(hold('acme')).toThrow(expect.objectContaining({ status: 429 }));
    expect(hold('acm')).not.toThrow();
    expect(hold(undefined)).not.toThrow();
    end.abort();
    const later = new AbortController();
    expect(() => held.hold({ username: 'anna', tenant: 'acme' }, later.signal)).not.toThrow();
  });

  it('is bounded in all, too', () => {
    const held = createHeldAnswers();
    const end = new AbortController();
    for (let i = 0; i < MOST_IN_ALL; i++) held.hold({ username: `user ${i}` }, end.signal);
    const hold = () => held.hold({ username: 'anna' }, new AbortController().signal);
    expect(hold).toThrow(/this server has 1024, of at most 1024/);
    expect(hold).toThrow(expect.objectContaining({ status: 503, headers: { 'retry-after': '5' } }));
    end.abort();
    expect(hold).not.toThrow();
  });

  it('leaves out who is gone already', () => {
    const held = createHeldAnswers();
    for (let i = 0; i < MOST_OF_A_USER; i++) held.hold({ username: 'anna' }, AbortSignal.abort());
    expect(() => held.hold({ username: 'anna' }, new AbortController().signal)).not.toThrow();
  });
});

describe('waits and streams of events', () => {
  let api: TestApi;
  let port: number;
  let id: string;
  /** Held answers: each listens to the journal. */
  let listening = 0;

  beforeAll(async () => {
    api = await createTestApi();
    const onChange = api.journal.onChange.bind(api.journal);
    const listen: typeof onChange = (listener) => {
      listening += 1;
      const stop = onChange(listener);
      return () => {
        listening -= 1;
        stop();
      };
    };
    Object.assign(api.journal, { onChange: listen });
    for (const object of ROOT_PLANS) api.put(object);
    api.sell('acme', { members: [user('anna', 'Owner'), user('vera', 'Viewer')] });
    api.put(desktop('t-acme', 'desk'));
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    ({ port } = api.app.server.address() as AddressInfo);
    const order = { method: 'POST', url: '/v1/tenants/acme/desktops/desk/restart' } as const;
    id = (await api.as('anna', order)).json().id;
  });
  afterAll(() => api.close());

  async function open(name: string, kind: 'wait' | 'stream'): Promise<ClientRequest> {
    const accept = kind === 'wait' ? 'application/json' : 'text/event-stream';
    const headers = { authorization: `Bearer ${await api.issuer.sign({ sub: name })}`, accept };
    const path = `/v1/changes/${id}${kind === 'wait' ? '?wait=Ready&timeout=60' : ''}`;
    return httpRequest({ host: '127.0.0.1', port, path, headers })
      .on('error', () => {})
      .end();
  }
  /** A stream's status; it goes on where it is 200. */
  async function stream(
    name: string,
  ): Promise<{ readonly status: number | undefined; readonly request: ClientRequest }> {
    const request = await open(name, 'stream');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode, request };
  }
  async function finish(): Promise<string> {
    const order = { method: 'DELETE', url: '/v1/tenants/acme/desktops/desk' } as const;
    const change = (await api.as('anna', order)).json();
    const lease = await api.journal.lease('fleet', 'writer', 60_000);
    if (lease === undefined) throw new Error('no lease');
    await api.journal.record(lease, new Map([[change.id, { state: 'Ready' }]]));
    return change.id;
  }
  const leave = (requests: readonly ClientRequest[]): void => {
    for (const request of requests) request.destroy();
  };
  const statusOnceFree = async (name: string): Promise<number | undefined> => {
    const { status, request } = await stream(name);
    leave([request]);
    return status;
  };

  it('are refused by number beyond 32 of a user, and another one goes when one has ended', async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => stream('anna')));
    expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const waits = await Promise.all(Array.from({ length: MOST_OF_A_USER - 20 }, () => open('anna', 'wait')));
    // Nobody asks before all are in: he might be let in before one of them.
    await expect.poll(() => listening).toBe(MOST_OF_A_USER);
    expect(await statusOnceFree('anna')).toBe(429);

    const [refused] = (await once(await open('anna', 'wait'), 'response')) as [IncomingMessage];
    expect(refused.statusCode).toBe(429);
    expect(refused.headers).toMatchObject({ 'retry-after': '5', 'content-type': expect.stringContaining('problem') });
    expect(JSON.parse(await text(refused))).toMatchObject({
      type: 'urn:sublet:problem:rate-limited',
      detail: expect.stringContaining('you have 32, of at most 32; end one, read the change without wait'),
    });
    expect((await api.as('anna', { url: `/v1/changes/${id}` })).statusCode).toBe(200);
    expect(await statusOnceFree('vera')).toBe(200);
    const done = `/v1/changes/${await finish()}`;
    expect((await api.as('anna', { url: `${done}?wait=Ready` })).statusCode).toBe(200);
    expect((await api.as('anna', { url: done, headers: { accept: 'text/event-stream' } })).statusCode).toBe(200);

    leave([...waits.slice(0, 1), ...streams.slice(0, 1).map(({ request }) => request)]);
    for (let freed = 0; freed < 2; ) {
      const next = await stream('anna');
      streams.push(next);
      if (next.status === 200) freed += 1;
    }
    expect(await statusOnceFree('anna')).toBe(429);
    leave([...waits, ...streams.map(({ request }) => request)]);
    await expect.poll(() => statusOnceFree('anna')).toBe(200);
  });

  it('count no more when they fail', async () => {
    const find = api.journal.find.bind(api.journal);
    for (let i = 0; i < MOST_OF_A_USER + 1; i++) {
      let isFound = false;
      const findOnce = (wanted: string) => {
        if (isFound) return Promise.reject(new Error('the database is gone'));
        isFound = true;
        return find(wanted);
      };
      Object.assign(api.journal, { find: findOnce });
      const [response] = (await once(await open('anna', 'wait'), 'response')) as [IncomingMessage];
      expect([response.statusCode, isFound]).toEqual([500, true]);
      response.resume();
    }
    Object.assign(api.journal, { find });
    expect(await statusOnceFree('anna')).toBe(200);
  });

  it('do not count of who left before they began', async () => {
    const find = api.journal.find.bind(api.journal);
    const all = Promise.withResolvers<void>();
    let asked = 0;
    const findLate = async (wanted: string) => {
      asked += 1;
      await all.promise;
      return find(wanted);
    };
    Object.assign(api.journal, { find: findLate });
    const requests = await Promise.all(Array.from({ length: MOST_OF_A_USER }, () => open('anna', 'wait')));
    await expect.poll(() => asked).toBe(MOST_OF_A_USER);
    leave(requests);
    const connections = () => new Promise((resolve) => api.app.server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
    Object.assign(api.journal, { find });
    all.resolve();
    expect(await statusOnceFree('anna')).toBe(200);
  });
});
