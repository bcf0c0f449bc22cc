import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, desktop, plan, ROOT_PLANS, type TestApi, user } from './testing/testapi.ts';

let api: TestApi;

beforeAll(async () => {
  api = await createTestApi();
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { type: 'Reseller', members: [user('anna', 'Owner')] });
  api.put(plan('t-acme', 'pro', { basedOn: 'basic' }));
  api.put(desktop('t-acme', 'desk'));
});
afterAll(() => api.close());

const DESKTOPS = '/v1/tenants/acme/desktops';
const send = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  api.as('anna', {
    method: 'POST',
    url: DESKTOPS,
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  });

describe('bodies', () => {
  it.each<[string, string | Buffer, Record<string, string>, number]>([
    ['a member twice', '{"name":"a","name":"b","spec":{}}', {}, 400],
    ['__proto__', '{"name":"a","spec":{},"__proto__":{"x":1}}', {}, 400],
    ['__proto__ in disguise', '{"name":"a","spec":{"\\u005f_proto__":{"x":1}}}', {}, 400],
    ['too many levels', `{"name":"a","spec":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`, {}, 400],
    ['half of JSON', '{"name":', {}, 400],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), {}, 400],
    ['nothing', '', {}, 400],
    ['too much', `{"name":"${'a'.repeat(300_000)}"}`, {}, 413],
    ['gzip', gzipSync('{"name":"a","spec":{}}'), { 'content-encoding': 'gzip' }, 415],
    ['a gzip bomb', gzipSync(Buffer.alloc(10_000_000)), { 'content-encoding': 'GZIP' }, 415],
    ['an unknown coding', 'x', { 'content-encoding': 'identity, br' }, 415],
    ['YAML', 'a: &a [*a]', { 'content-type': 'application/yaml' }, 415],
    ['XML', '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', { 'content-type': 'text/xml' }, 415],
    ['a form', 'name=a', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a merge patch where JSON is meant', '{}', { 'content-type': 'application/merge-patch+json' }, 415],
    ['constructor', '{"name":"a","spec":{"constructor":{"prototype":{"x":1}}}}', {}, 422],
    ['toString', '{"toString":1,"name":"a","spec":{}}', {}, 422],
    ['a number that is none', '{"name":"a","spec":{"deletion":{"graceDays":1e999}}}', {}, 422],
  ])('that are %s are refused', async (_, payload, headers, status) => {
    const answer = await send(payload, headers);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.json()).toMatchObject({ status, requestId: answer.headers['request-id'] });
    expect({}).not.toHaveProperty('x');
  });

  it('are not read of who may not write', async () => {
    const payload = '{"name":"a","name":"b"}';
    const request = {
      method: 'POST',
      url: DESKTOPS,
      payload,
      headers: { 'content-type': 'application/json' },
    } as const;
    expect((await api.as('eve', request)).statusCode).toBe(404);
    expect((await api.call(request)).statusCode).toBe(401);
  });

  it('are refused where none is taken', async () => {
    const answer = await api.as('anna', { method: 'DELETE', url: `${DESKTOPS}/desk`, payload: { a: 1 } });
    expect(answer.statusCode).toBe(400);
  });
});

describe('every answer', () => {
  it('names its request, by the caller’s own id where it is well formed', async () => {
    const own = await api.as('anna', { url: DESKTOPS, headers: { 'request-id': 'my-request-0001' } });
    expect(own.headers['request-id']).toBe('my-request-0001');
    for (const bad of ['short', 'a'.repeat(65), 'has spaces in it', 'line\u0001break-ish', "'; drop table changes"]) {
      const answer = await api.as('anna', { url: DESKTOPS, headers: { 'request-id': bad } });
      expect(answer.headers['request-id']).toMatch(/^req-[0-9a-f]{16}-[0-9]+$/);
    }
  });

  it.each(['/v1/tenants', '/v1/nothing', '/docs', '/openapi.json', '/password/x'])(
    'of %s forbids to sniff, frame and keep it',
    async (url) => {
      const answer = await api.call({ url });
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringContaining('max-age='),
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      });
    },
  );

  it.each([
    '/%',
    '/v1/tenants/%c0%ae%c0%ae',
    '/v1/tenants/..%2f..%2fetc',
    '/v1//tenants',
    `/v1/tenants/${'a'.repeat(5_000)}`,
    '/v1/tenants/acme/desktops/a%00b',
    '/\\..\\',
  ])('to the address %s is a problem', async (url) => {
    const answer = await api.as('anna', { url });
    expect([400, 404, 414]).toContain(answer.statusCode);
    expect(answer.json()).toMatchObject({ type: expect.stringMatching(/^urn:sublet:problem:/) });
  });

  it.each([
    'Basic YTpi',
    'Bearer',
    'Bearer a b',
    'bearer',
    'Bearer \u00e4',
    `Bearer ${'a'.repeat(15_000)}`,
    'Bearer ..',
    'Bearer null',
    'Negotiate x',
  ])('to the credentials %s is 401', async (authorization) => {
    const answer = await api.call({ url: DESKTOPS, headers: { authorization } });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('Bearer');
  });
});

it('takes a token after one space, as the API server does: each spelling would be kept', async () => {
  const token = await api.issuer.sign({ sub: 'anna' });
  for (const [authorization, status] of [
    [`Bearer ${token}`, 200],
    [`bearer ${token}`, 200],
    [`Bearer  ${token}`, 401],
    [`Bearer ${' '.repeat(500)}${token}`, 401],
    [`Bearer\t${token}`, 401],
    [`Bearer ${token},${token}`, 401],
  ] as const) {
    const answer = await api.call({ url: DESKTOPS, headers: { authorization } });
    expect(answer.statusCode, authorization.slice(0, 12)).toBe(status);
  }
});

describe('limits of rate', () => {
  it('are counted for each user and tenant, told in every answer, and end with the minute', async () => {
    api.sell('busy', { members: [user('berta', 'Owner')] });
    const url = '/v1/tenants/busy/desktops';
    const first = await api.as('berta', { url });
    expect(first.headers['ratelimit-policy']).toBe('"minute";q=1000;w=60, "hour";q=10000;w=3600');
    expect(first.headers.ratelimit).toBe('"minute";r=999;t=60, "hour";r=9999;t=3600');
    for (let i = 1; i < 1_000; i++) await api.as('berta', { url });
    const refused = await api.as('berta', { url });
    expect(refused.statusCode).toBe(429);
    expect(refused.headers).toMatchObject({
      'retry-after': '60',
      ratelimit: expect.stringContaining('"minute";r=0;t=60'),
    });
    expect((await api.as('anna', { url: DESKTOPS })).statusCode).toBe(200);
    await api.clock.advance(60_000);
    expect((await api.as('berta', { url })).statusCode).toBe(200);
  });

  it("are those of the tenant's Plan, never above its seller's, and the default's to whoever may not see the tenant", async () => {
    const policyOf = async (name: string, path: string): Promise<unknown> =>
      (await api.as(name, { url: `/v1/tenants/${path}/desktops` })).headers['ratelimit-policy'];
    api.put(plan('sublet-root', 'small', { offers: 'Tenant', requests: { perMinute: 20, perHour: 500 } }));
    api.sell('slow', { plan: 'small', type: 'Reseller', members: [user('sam', 'Owner')] });
    expect(await policyOf('sam', 'slow')).toBe('"minute";q=20;w=60, "hour";q=500;w=3600');
    expect(await policyOf('eve', 'slow')).toBe('"minute";q=1000;w=60, "hour";q=10000;w=3600');

    api.put(plan('t-slow', 'wide', { offers: 'Tenant', requests: { perMinute: 100_000, perHour: 400 } }));
    api.put(plan('t-slow', 'wider', { offers: 'Tenant', basedOn: 'small', requests: { perMinute: 21 } }));
    api.put(plan('t-slow', 'same', { offers: 'Tenant', basedOn: 'small', requests: { perMinute: 19 } }));
    for (const [name, expected] of [
      ['wide', '"minute";q=20;w=60, "hour";q=400;w=3600'],
      ['wider', '"minute";q=20;w=60, "hour";q=500;w=3600'],
      ['same', '"minute";q=19;w=60, "hour";q=500;w=3600'],
      ['gone', '"minute";q=20;w=60, "hour";q=500;w=3600'],
    ] as const) {
      api.sell(`slow--${name}`, { plan: name, members: [user(`of-${name}`, 'Owner')] });
      expect(await policyOf(`of-${name}`, `slow--${name}`), name).toBe(expected);
    }

    for (let i = 1; i < 20; i++) expect(await policyOf('sam', 'slow')).toBeDefined();
    const refused = await api.as('sam', { url: '/v1/tenants/slow' });
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '60']);
    expect(refused.json().detail).toContain('more than 20 requests in 60 s');
    api.put(plan('sublet-root', 'small', { offers: 'Tenant', requests: { perMinute: 2_000, perHour: 20_000 } }));
    const raised = await api.as('sam', { url: '/v1/tenants/slow' });
    expect([raised.statusCode, raised.headers.ratelimit]).toEqual([200, '"minute";r=1979;t=60, "hour";r=19979;t=3600']);
    api.put(plan('sublet-root', 'small', { offers: 'Tenant', requests: { perMinute: 10 } }));
    const lowered = await api.as('sam', { url: '/v1/tenants/slow' });
    expect([lowered.statusCode, lowered.headers.ratelimit]).toEqual([
      429,
      expect.stringContaining('"minute";r=0;t=60'),
    ]);
  });

  it('hold for guesses of addresses too', async () => {
    for (let i = 0; i < 1_000; i++) await api.as('guesser', { url: '/v1/tenants/NOBODY' });
    expect((await api.as('guesser', { url: '/v1/tenants/NOBODY' })).statusCode).toBe(429);
  });

  it('hold up nobody who is in, however many guess from the same address', async () => {
    const call = (token: string) =>
      api.call({ url: DESKTOPS, remoteAddress: '203.0.113.77', headers: { authorization: `Bearer ${token}` } });
    const token = await api.issuer.sign({ sub: 'anna' });
    expect((await call(token)).statusCode).toBe(200);
    for (let i = 0; i < 60; i++) expect((await call('x.y.z')).statusCode).toBe(401);
    expect((await call('x.y.z')).statusCode).toBe(429);
    expect((await call(token)).statusCode).toBe(200);
  });

  it('hold for sign-ins that fail, by address', async () => {
    const guess = () =>
      api.call({ url: DESKTOPS, remoteAddress: '203.0.113.9', headers: { authorization: 'Bearer x.y.z' } });
    for (let i = 0; i < 60; i++) expect((await guess()).statusCode).toBe(401);
    const refused = await guess();
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const other = await api.call({
      url: DESKTOPS,
      remoteAddress: '203.0.113.10',
      headers: { authorization: 'Bearer x.y.z' },
    });
    expect(other.statusCode).toBe(401);
    const newcomer = `Bearer ${await api.issuer.sign({ sub: 'anna', jti: 'new' })}`;
    const fresh = { url: DESKTOPS, remoteAddress: '203.0.113.9', headers: { authorization: newcomer } };
    expect((await api.call(fresh)).statusCode).toBe(429);
    const forged = { authorization: 'Bearer x.y.z', 'x-forwarded-for': '198.51.100.1' };
    expect((await api.call({ url: DESKTOPS, remoteAddress: '203.0.113.9', headers: forged })).statusCode).toBe(429);
  });
});

describe('what goes wrong inside', () => {
  it('is told to the log and not to the caller', async () => {
    const broken = api.journal.open;
    Object.assign(api.journal, { open: () => Promise.reject(new Error('column "secret" at 10.0.0.5 does not exist')) });
    const answer = await api.as('anna', { url: `${DESKTOPS}/desk` });
    Object.assign(api.journal, { open: broken });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(answer.json()).toMatchObject({ type: 'urn:sublet:problem:internal' });
    expect(api.lines.some(({ msg }) => msg === 'a request failed')).toBe(true);
  });

  it('is 503 where another try may help', async () => {
    const open = api.journal.open;
    Object.assign(api.journal, {
      open: () => Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })),
    });
    const answer = await api.as('anna', { url: `${DESKTOPS}/desk` });
    Object.assign(api.journal, { open });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('2');
  });

  it('is 503 when the issuer does not answer', async () => {
    const token = await api.issuer.sign({ sub: 'fresh' });
    await api.issuer.rotate();
    api.issuer.answer = () => new Response('', { status: 500 });
    await api.clock.advance(700_000);
    const fresh = await createTestApi();
    fresh.issuer.answer = () => new Response('', { status: 500 });
    const answer = await fresh.call({ url: DESKTOPS, headers: { authorization: `Bearer ${token}` } });
    expect(answer.statusCode).toBe(503);
    api.issuer.answer = undefined;
    await fresh.close();
  });
});
