import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, type ClientOptions, createClient } from './client.ts';
import { REAL_DEPS } from './deps.ts';
import { ApiError, UnreachableError } from './errors.ts';
import { listAll, type Page, takeAll } from './pages.ts';
import { changeOf, WaitTimeoutError, waitForChange } from './wait.ts';

type Seen = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};
type Script = (seen: Seen, response: ServerResponse) => void;

const ID = `I${'0'.repeat(40)}`;
const TOKEN = 'sublet_sk_0123456789abcdef0123_secret';

let seen: Seen[];
let script: Script;
let server: ReturnType<typeof createServer>;
let url: string;
let pauses: number[];

beforeEach(async () => {
  seen = [];
  pauses = [];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      seen.push(one);
      script(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Pauses are written down and not taken. */
const connect = (options: Partial<ClientOptions> = {}, now = REAL_DEPS.now): Client => {
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    pauses.push(ms);
  };
  return createClient({ server: url, token: TOKEN, ...options }, { ...REAL_DEPS, now, sleep, random: () => 0.5 });
};

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Script => {
  return (_seen, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const inOrder = (...scripts: readonly Script[]): Script => {
  let at = 0;
  return (one, response) => {
    scripts[Math.min(at, scripts.length - 1)]?.(one, response);
    at += 1;
  };
};
const cut: Script = (_seen, response) => response.socket?.destroy();

const bob = { path: { path: 'acme--bob', name: 'anna-desk' } };
const get = (client: Client) => client.get('/v1/tenants/{path}/desktops/{name}', bob);
const start = (client: Client, options = {}) =>
  client.post('/v1/tenants/{path}/desktops/{name}/power', { ...bob, body: { power: 'Running' } }, options);
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  );

describe('a call', () => {
  it('says who asks, escapes what stands in the address, and gives data, tag and request id', async () => {
    script = answer(200, { name: 'anna-desk' }, { etag: '"a"', 'request-id': 'req-1' });
    const found = await connect().get('/v1/tenants/{path}/desktops/{name}', { path: { path: 'a/../b', name: 'x?y' } });
    expect(found).toMatchObject({ status: 200, data: { name: 'anna-desk' }, etag: '"a"', requestId: 'req-1' });
    expect(seen).toMatchObject([
      { method: 'GET', url: '/v1/tenants/a%2F..%2Fb/desktops/x%3Fy', headers: { authorization: `Bearer ${TOKEN}` } },
    ]);
    expect(seen[0]?.headers['idempotency-key']).toBeUndefined();
  });

  it('keeps a path before /v1, and leaves out what is undefined', async () => {
    script = answer(200, { items: [] });
    await connect({ server: `${url}/sublet` }).get('/v1/tenants/{path}/desktops', {
      path: { path: '-' },
      query: { limit: 5 },
    });
    expect(seen[0]?.url).toBe('/sublet/v1/tenants/-/desktops?limit=5');
  });

  it('asks a function for the token each time', async () => {
    script = answer(200, {});
    let turn = 0;
    const client = connect({
      token: async () => {
        turn += 1;
        return `t${turn}`;
      },
    });
    await get(client);
    await get(client);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('sends merge patches as such, with the tag that was seen', async () => {
    script = answer(202, { id: ID, state: 'Accepted' });
    const { status } = await connect().patch(
      '/v1/tenants/{path}/desktops/{name}',
      { ...bob, body: { spec: { plan: 'pro' } } },
      { ifMatch: '"a"' },
    );
    expect(status).toBe(202);
    expect(seen[0]).toMatchObject({
      method: 'PATCH',
      body: '{"spec":{"plan":"pro"}}',
      headers: { 'content-type': 'application/merge-patch+json', 'if-match': '"a"' },
    });
  });

  it('follows no redirect, so that no other server gets the token', async () => {
    script = (_seen, response) => response.writeHead(307, { location: `${url}/elsewhere` }).end();
    expect(await failure(get(connect()))).toMatchObject({
      name: 'ApiError',
      status: 307,
      message: expect.stringContaining('redirects, which is not followed'),
    });
    expect(seen).toHaveLength(1);
  });

  it.each([
    ['http://sublet.example.com', 'would send the token in the clear; use https'],
    ['ftp://127.0.0.1', 'would send the token in the clear'],
    ['https://user:pass@example.com', 'without user, password, query and fragment'],
    ['sublet.example.com', 'is no address such as https://api.example.com'],
  ])('goes not to %s', (server, message) => {
    expect(() => createClient({ server })).toThrow(message);
  });

  it('goes in the clear to this machine, and elsewhere when it is told that the way is safe', () => {
    for (const server of ['http://localhost:1', 'http://[::1]:1', 'http://127.0.0.2'])
      expect(createClient({ server }).server).toContain(server);
    expect(createClient({ server: 'http://api.sublet-system.svc', insecure: true }).server).toBe(
      'http://api.sublet-system.svc/',
    );
  });

  it('refuses a token with a line break and an empty parameter before anything is sent', async () => {
    expect(await failure(get(connect({ token: 'a\nb' })))).toMatchObject({
      message: expect.stringContaining('line break'),
    });
    for (const name of ['', '.', '..'])
      expect(
        await failure(connect().get('/v1/tenants/{path}/desktops/{name}', { path: { path: 'a', name } })),
      ).toBeInstanceOf(TypeError);
    expect(seen).toEqual([]);
  });
});

describe('a refusal', () => {
  it('carries what problem+json says', async () => {
    const problem = {
      type: 'urn:sublet:problem:invalid',
      title: 'The resource breaks a rule',
      status: 422,
      detail: '/spec/plan is required',
      errors: [{ pointer: '/spec/plan', detail: 'is required' }, 7, {}],
      requestId: 'req-9',
    };
    script = answer(422, problem, { 'content-type': 'application/problem+json; charset=utf-8' });
    const error = await failure(get(connect()));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 422,
      code: 'invalid',
      detail: '/spec/plan is required',
      requestId: 'req-9',
      errors: [{ pointer: '/spec/plan', detail: 'is required' }],
    });
    expect(pauses).toEqual([]);
  });

  it.each(['', 'null', '[]', '<html>', '{"detail": 5}', '{"errors": "x", "type": {}}'])(
    'is one without %j as well',
    async (body) => {
      script = (_seen, response) => response.writeHead(403).end(body);
      expect(await failure(get(connect()))).toMatchObject({
        name: 'ApiError',
        status: 403,
        code: 'unknown',
        title: 'the server answered 403',
      });
    },
  );

  it('never shows the token', async () => {
    script = answer(500, { title: 'x' });
    const error = await failure(get(connect({ retry: { retries: 0 } })));
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  });

  it('of an answer that claims to be JSON and is none names the likely cause', async () => {
    script = (_seen, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
    expect(await failure(get(connect()))).toMatchObject({
      name: 'UnreachableError',
      message: 'the answer is no JSON; is this the address of the API?',
    });
  });
});

describe('retries', () => {
  it('wait as long as the server says, in seconds or until a date', async () => {
    const nowMs = Date.UTC(2026, 10, 26);
    const date = new Date(nowMs + 5_000).toUTCString();
    script = inOrder(
      answer(429, {}, { 'retry-after': '2' }),
      answer(503, {}, { 'retry-after': date }),
      answer(200, {}),
    );
    await get(connect({}, () => nowMs));
    expect(pauses).toEqual([2_000, 5_000]);
  });

  it('pause longer each time without a word from the server, and end', async () => {
    script = answer(502, {});
    expect(await failure(get(connect({ retry: { retries: 3, pauseMs: 100 } })))).toMatchObject({ status: 502 });
    expect(pauses).toEqual([75, 150, 300]);
  });

  it('leave it to the caller when the server asks for a long pause', async () => {
    script = answer(429, {}, { 'retry-after': '3600' });
    expect(await failure(get(connect()))).toMatchObject({ status: 429, retryAfterMs: 3_600_000 });
    expect(pauses).toEqual([]);
  });

  it('of a write carry one key, so that they are one request, also after a cut connection', async () => {
    script = inOrder(cut, answer(503, {}), answer(202, { id: ID, state: 'Accepted' }));
    await start(connect());
    const keys = seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    await start(connect());
    expect(seen.at(-1)?.headers['idempotency-key']).not.toBe(keys[0]);
    await start(connect(), { idempotencyKey: 'mine' });
    expect(seen.at(-1)?.headers['idempotency-key']).toBe('mine');
  });

  it('are not made where a second attempt would make a second thing', async () => {
    script = cut;
    const body = { name: 'ci', role: 'Viewer' } as const;
    const error = await failure(connect().post('/v1/tenants/{path}/keys', { path: { path: 'acme' }, body }));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.headers['idempotency-key']).toBeUndefined();
  });

  it('tell with which key a write can be settled when no answer came', async () => {
    script = cut;
    const error = await failure(start(connect({ retry: { retries: 1 } }), { idempotencyKey: 'k1' }));
    expect(error).toMatchObject({
      name: 'UnreachableError',
      idempotencyKey: 'k1',
      message: expect.stringContaining('gave no answer after 2 attempts'),
    });
  });

  it('are made after an attempt that took too long', async () => {
    let turn = 0;
    script = (_seen, response) => {
      turn += 1;
      if (turn > 1) answer(200, {})(_seen, response);
    };
    await get(connect({ timeoutMs: 5_000 }));
    expect(seen.length).toBeGreaterThan(1);
  });

  it.each([400, 401, 404, 409, 412, 422, 500])('are not made for %s', async (status) => {
    script = answer(status, {});
    expect(await failure(get(connect()))).toMatchObject({ status });
    expect(seen).toHaveLength(1);
  });

  it('end with the signal, whose reason is thrown', async () => {
    const stop = new AbortController();
    script = (_seen, response) => {
      stop.abort(new Error('enough'));
      response.writeHead(503).end();
    };
    expect(
      await failure(connect().get('/v1/tenants/{path}/desktops/{name}', bob, { signal: stop.signal })),
    ).toMatchObject({ message: 'enough' });
  });
});

describe('a list', () => {
  it('is read page by page, and only as far as it is asked for', async () => {
    const fetched: (string | undefined)[] = [];
    const pages: Readonly<Record<string, Page<number>>> = {
      first: { items: [1, 2], next: 'b' },
      b: { items: [3], next: 'c' },
      c: { items: [4] },
    };
    const all = listAll(async (cursor) => {
      fetched.push(cursor);
      return pages[cursor ?? 'first'] ?? { items: [] };
    });
    for await (const item of all) if (item === 3) break;
    expect(fetched).toEqual([undefined, 'b']);
    await expect(takeAll(listAll(async () => ({ items: [1], next: 'same' })))).rejects.toThrow(
      'the same page again and again',
    );
  });
});

describe('an accepted write', () => {
  it('is a change, and none when nothing was different', () => {
    expect(changeOf({ status: 202, data: { id: ID, state: 'Accepted' } })?.id).toBe(ID);
    expect(changeOf({ status: 200, data: { name: 'anna-desk' } })).toBeUndefined();
    expect(() => changeOf({ status: 202, data: '<html>' })).toThrow('the answer is no change');
  });
});

describe('waiting for a change', () => {
  const change = (state: string, done = false): Script => answer(200, { id: ID, state, done });

  it('asks the server to wait, says each state once, and ends where it was to', async () => {
    script = inOrder(
      change('Accepted'),
      change('Committed'),
      change('Committed'),
      cut,
      answer(503, {}),
      change('Applied'),
      change('Ready', true),
    );
    const states: string[] = [];
    const found = await waitForChange(connect({ retry: { retries: 0 } }), ID, {
      until: 'Ready',
      timeoutMs: 60_000,
      onState: ({ state }) => states.push(state),
    });
    expect(found.state).toBe('Ready');
    expect(states).toEqual(['Accepted', 'Committed', 'Applied', 'Ready']);
    expect(seen[0]?.url).toBe(`/v1/changes/${ID}?wait=Ready&timeout=30`);
  });

  const event = (state: string, done = false): string =>
    `id: ${state}-1\nevent: change\ndata: ${JSON.stringify({ id: ID, state, done })}\n\n`;
  const stream = (...parts: readonly string[]): Script => {
    return (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const part of parts) response.write(part);
      response.end();
    };
  };

  it('listens to events, and goes on after the last one that it heard when the stream ends or breaks', async () => {
    const broken: Script = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event('Committed') + event('Applied').slice(0, 20), () => response.destroy());
    };
    script = inOrder(
      stream(': hello\n\n', event('Accepted')),
      broken,
      answer(500, {}),
      stream(event('Applied'), event('Ready', true)),
    );
    const states: string[] = [];
    const found = await waitForChange(connect(), ID, {
      until: 'Ready',
      timeoutMs: 60_000,
      onState: ({ state }) => states.push(state),
    });
    expect([found.state, states]).toEqual(['Ready', ['Accepted', 'Committed', 'Applied', 'Ready']]);
    expect(seen.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      'Accepted-1',
      'Committed-1',
      'Committed-1',
    ]);
    expect(seen[0]?.headers).toMatchObject({
      accept: expect.stringContaining('text/event-stream'),
      authorization: `Bearer ${TOKEN}`,
    });
  });

  it('waits as long as a server asks that has no place for another stream', async () => {
    script = inOrder(answer(429, {}, { 'retry-after': '5' }), answer(503, {}), stream(event('Ready', true)));
    // However long the answers take here, no time passes for who waits.
    const client = connect({}, () => 0);
    const found = await waitForChange(client, ID, { until: 'Ready', timeoutMs: 60_000 });
    expect([found.state, pauses]).toEqual(['Ready', [5_000, 1_000]]);
  });

  it('lets go of the stream when it has what it waited for', async () => {
    const gone = Promise.withResolvers<void>();
    script = (_seen, response) => {
      response.on('close', () => gone.resolve());
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('Applied'));
    };
    await waitForChange(connect(), ID, { until: 'Applied', timeoutMs: 60_000 });
    await gone.promise;
  });

  it('ends with the signal in the middle of a stream', async () => {
    const stop = new AbortController();
    script = (_seen, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('Accepted'));
    const waiting = waitForChange(connect(), ID, {
      until: 'Ready',
      timeoutMs: 60_000,
      signal: stop.signal,
      onState: () => stop.abort(new Error('enough')),
    });
    expect(await failure(waiting)).toMatchObject({ message: 'enough' });
  });

  it.each(['Failed', 'Conflict', 'Rejected', 'Superseded', 'Gone'])('ends with %s', async (state) => {
    script = change(state, true);
    expect((await waitForChange(connect(), ID, { until: 'Applied', timeoutMs: 60_000 })).state).toBe(state);
  });

  it('ends with Held, which a person has to look at, and at Applied when that was the aim', async () => {
    script = change('Held');
    expect((await waitForChange(connect(), ID, { until: 'Ready', timeoutMs: 60_000 })).state).toBe('Held');
    script = change('Applied');
    expect((await waitForChange(connect(), ID, { until: 'Applied', timeoutMs: 60_000 })).state).toBe('Applied');
  });

  it('gives up when the time is over, and says where it was', async () => {
    let nowMs = 0;
    script = (one, response) => {
      nowMs += 100_000;
      change('Committed')(one, response);
    };
    const waiting = waitForChange(
      connect({}, () => nowMs),
      ID,
      { until: 'Ready', timeoutMs: 250_000 },
    );
    const error = await failure(waiting);
    expect(error).toBeInstanceOf(WaitTimeoutError);
    expect(error).toMatchObject({
      change: { state: 'Committed' },
      message: `change ${ID} was not Ready within 250 s; it is Committed`,
    });
    expect(seen.map((one) => one.url.split('=').at(-1))).toEqual(['30', '30', '30']);
  });

  it('passes a refusal on', async () => {
    script = answer(404, { type: 'urn:sublet:problem:not-found', detail: 'nothing is here' });
    expect(await failure(waitForChange(connect(), ID, { until: 'Ready', timeoutMs: 60_000 }))).toMatchObject({
      status: 404,
      code: 'not-found',
    });
  });
});
