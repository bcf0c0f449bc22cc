import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestApi,
  DATABASE_TIMEOUT_MS,
  desktop,
  plan,
  ROOT_PLANS,
  type TestApi,
  user,
} from '../testing/testapi.ts';

let api: TestApi;

beforeAll(async () => {
  api = await createTestApi({ database: true });
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', {
    type: 'Reseller',
    members: [user('rita', 'Owner'), { kind: 'Group', name: 'oidc:sales', role: 'Admin' }],
  });
  sellBob('Owner');
  api.put(plan('t-acme', 'basic', { basedOn: 'basic' }));
  api.put(desktop('t-acme--bob', 'anna-desk'));
}, DATABASE_TIMEOUT_MS);
afterAll(() => api.close());

const sellBob = (role: 'Owner' | 'Viewer' | undefined) =>
  api.sell('acme--bob', { members: [user('vera', 'Viewer'), ...(role === undefined ? [] : [user('anna', role)])] });
const KEYS = '/v1/tenants/acme--bob/keys';
const DESKTOPS = '/v1/tenants/acme--bob/desktops';

type Made = { readonly id: string; readonly token: string };
async function makeKey(name: string, payload: object, url = KEYS): Promise<Made> {
  const answer = await api.as(name, { method: 'POST', url, payload });
  expect(answer.statusCode).toBe(201);
  return answer.json();
}
const withKey = (
  { token }: Made,
  request: { readonly url: string; readonly method?: 'GET' | 'POST' | 'DELETE'; readonly payload?: object },
) => api.call({ ...request, headers: { authorization: `Bearer ${token}` } });

describe('an API key', () => {
  it('is shown once, kept as a salted hash, and acts in its maker’s name', async () => {
    const key = await makeKey('anna', { name: 'ci', role: 'Owner' });
    expect(key.token).toMatch(/^sublet_sk_[0-9a-f]{20}_[A-Za-z0-9_-]{43}$/);
    const secret = key.token.slice(-43);
    const rows = await api.db.selectFrom('api_keys').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(secret);
    const list = await api.as('anna', { url: KEYS });
    expect(list.body).not.toContain(secret);
    expect(list.json().items).toContainEqual(
      expect.objectContaining({ id: key.id, name: 'ci', maker: 'oidc:anna', scope: 'acme--bob', role: 'Owner' }),
    );
    expect((await withKey(key, { url: `${DESKTOPS}/anna-desk` })).statusCode).toBe(200);
    const restarted = await withKey(key, { method: 'POST', url: `${DESKTOPS}/anna-desk/restart` });
    expect(restarted.statusCode).toBe(202);
    const change = await api.journal.find(restarted.json().id);
    expect(change?.author).toEqual({
      subject: 'oidc:anna',
      name: `oidc:anna (key ${key.id})`,
      email: 'noreply@sublet.invalid',
    });
    expect(JSON.stringify(api.lines)).not.toContain(secret);
  });

  it('does no more than its role', async () => {
    const key = await makeKey('anna', { name: 'reader', role: 'Viewer' });
    expect((await withKey(key, { url: DESKTOPS })).statusCode).toBe(200);
    expect((await withKey(key, { method: 'POST', url: `${DESKTOPS}/anna-desk/restart` })).statusCode).toBe(403);
    expect((await withKey(key, { method: 'POST', url: `${DESKTOPS}/anna-desk/password-link` })).statusCode).toBe(404);
  });

  it('does no more than its maker may at that moment', async () => {
    const key = await makeKey('anna', { name: 'shrinking', role: 'Owner' });
    sellBob('Viewer');
    expect((await withKey(key, { method: 'POST', url: `${DESKTOPS}/anna-desk/restart` })).statusCode).toBe(403);
    sellBob(undefined);
    expect((await withKey(key, { url: `${DESKTOPS}/anna-desk` })).statusCode).toBe(404);
    sellBob('Owner');
    expect((await withKey(key, { url: `${DESKTOPS}/anna-desk` })).statusCode).toBe(200);
  });

  it('ends at its subtree', async () => {
    const key = await makeKey('rita', { name: 'sales', role: 'Owner' }, '/v1/tenants/acme/keys');
    expect((await withKey(key, { url: '/v1/tenants/acme--bob' })).statusCode).toBe(200);
    api.sell('other', { members: [user('rita', 'Owner')] });
    expect((await api.as('rita', { url: '/v1/tenants/other/desktops' })).statusCode).toBe(200);
    expect((await withKey(key, { url: '/v1/tenants/other/desktops' })).statusCode).toBe(404);
    expect((await withKey(key, { url: '/v1/tenants' })).json().items.map(({ path }: { path: string }) => path)).toEqual(
      ['acme', 'acme--bob'],
    );
  });

  it('is revoked at once', async () => {
    const key = await makeKey('anna', { name: 'short', role: 'Owner' });
    expect((await api.as('vera', { method: 'DELETE', url: `${KEYS}/${key.id}` })).statusCode).toBe(404);
    expect((await api.as('anna', { method: 'DELETE', url: `${KEYS}/${key.id}` })).statusCode).toBe(204);
    const answer = await withKey(key, { url: DESKTOPS });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    expect((await api.as('anna', { method: 'DELETE', url: `${KEYS}/${key.id}` })).statusCode).toBe(404);
  });

  it('expires', async () => {
    const key = await makeKey('anna', { name: 'day', role: 'Owner', expiresInDays: 1 });
    await api.clock.advance(86_400_000 - 1);
    expect((await withKey(key, { url: DESKTOPS })).statusCode).toBe(200);
    await api.clock.advance(1);
    expect((await withKey(key, { url: DESKTOPS })).json()).toMatchObject({
      status: 401,
      detail: expect.stringContaining('expired'),
    });
  });

  it('says when it was used last, to the minute', async () => {
    const key = await makeKey('anna', { name: 'used', role: 'Viewer' });
    const find = async () => (await api.as('anna', { url: KEYS })).json().items.find(({ id }: Made) => id === key.id);
    expect((await find()).lastUsedAt).toBeUndefined();
    const usedAt = new Date(api.clock.now()).toISOString();
    await withKey(key, { url: DESKTOPS });
    await expect.poll(async () => (await find()).lastUsedAt).toBe(usedAt);
    await api.clock.advance(1_000);
    await withKey(key, { url: DESKTOPS });
    expect((await find()).lastUsedAt).toBe(usedAt);
  });

  it('tells in the audit on which days it was used, from where, and who ended it', async () => {
    const key = await makeKey('anna', { name: 'leaked', role: 'Viewer' });
    await api.clock.advance(86_400_000 - (api.clock.now() % 86_400_000));
    const midnightMs = api.clock.now();
    const at = (afterMs: number) => new Date(midnightMs + afterMs).toISOString();
    const use = async (remoteAddress: string) => {
      const headers = { authorization: `Bearer ${key.token}` };
      expect((await api.call({ url: DESKTOPS, headers, remoteAddress })).statusCode).toBe(200);
    };
    const entries = async () =>
      (await api.as('vera', { url: '/v1/tenants/acme--bob/audit?limit=500' }))
        .json()
        .items.filter((entry: { readonly key?: string }) => entry.key === key.id);
    await use('192.0.2.1');
    await use('198.51.100.7');
    await api.clock.advance(3_600_000);
    for (let i = 0; i < 5; i++) await use('192.0.2.1');
    await api.clock.advance(86_400_000 - 3_600_000);
    await use('192.0.2.1');
    await api.clock.advance(1_000);
    await api.as('anna', { method: 'DELETE', url: `${KEYS}/${key.id}` });
    const used = {
      type: 'KeyUsed',
      who: `oidc:anna (key ${key.id})`,
      target: { kind: 'Key', name: 'leaked' },
      key: key.id,
    };
    await expect
      .poll(async () =>
        (await entries()).slice(0, -1).sort((a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
      )
      .toEqual([
        { at: at(0), ...used, from: '192.0.2.1', until: at(3_600_000) },
        { at: at(0), ...used, from: '198.51.100.7', until: at(0) },
        { at: at(86_400_000), ...used, from: '192.0.2.1', until: at(86_400_000) },
        { at: at(86_401_000), type: 'KeyRevoked', who: 'oidc:anna', target: used.target, key: key.id },
      ]);
    expect((await entries()).at(-1)).toMatchObject({ type: 'KeyMade', who: 'oidc:anna' });
  });

  it('used from everywhere is a bounded number of rows a day', async () => {
    const key = await makeKey('anna', { name: 'everywhere', role: 'Viewer' });
    const authorization = `Bearer ${key.token}`;
    await api.clock.advance(86_400_000 - (api.clock.now() % 86_400_000));
    for (let i = 0; i < 200; i++) {
      if (i % 5 === 0) await api.clock.advance(60_000);
      await api.call({ url: DESKTOPS, headers: { authorization }, remoteAddress: `2001:db8::${i.toString(16)}` });
    }
    const rows = () => api.db.selectFrom('key_uses').selectAll().where('key', '=', key.id).execute();
    const lastAt = async () => Math.max(...(await rows()).map(({ last_at }) => last_at.getTime()));
    await expect.poll(lastAt, { timeout: 30_000 }).toBe(api.clock.now());
    expect(await rows()).toHaveLength(33);
    expect((await rows()).filter(({ address }) => address === '')).toHaveLength(1);
    const list = (await api.as('anna', { url: '/v1/tenants/acme--bob/audit?limit=500' })).json().items;
    expect(
      list.filter(
        (entry: { readonly key?: string; readonly from?: string }) => entry.key === key.id && entry.from === undefined,
      ),
    ).toEqual([
      expect.objectContaining({ type: 'KeyUsed', until: new Date(api.clock.now()).toISOString() }),
      expect.objectContaining({ type: 'KeyMade' }),
    ]);
  });

  it('that was ended by another, or by itself, says so', async () => {
    const others = await makeKey('vera', { name: 'of vera', role: 'Viewer' });
    const own = await makeKey('anna', { name: 'of anna', role: 'Viewer' });
    await api.as('anna', { method: 'DELETE', url: `${KEYS}/${others.id}` });
    await withKey(own, { method: 'DELETE', url: `${KEYS}/${own.id}` });
    const list = (await api.as('anna', { url: '/v1/tenants/acme--bob/audit?limit=500' })).json().items;
    const revoked = (id: string) =>
      list.find(
        (entry: { readonly type: string; readonly key?: string }) => entry.type === 'KeyRevoked' && entry.key === id,
      )?.who;
    expect([revoked(others.id), revoked(own.id)]).toEqual(['oidc:anna', `oidc:anna (key ${own.id})`]);
  });

  it('of a tenant that had the name before is in nobody’s audit', async () => {
    api.sell('reborn', { members: [user('anna', 'Owner')] });
    const key = await makeKey('anna', { name: 'of old', role: 'Viewer' }, '/v1/tenants/reborn/keys');
    await api.clock.advance(60_000);
    const namespace = api.caches.namespaces.get('t-reborn');
    if (namespace === undefined) throw new Error('no namespace');
    const creationTimestamp = new Date(api.clock.now()).toISOString();
    api.put({ ...namespace, metadata: { ...namespace.metadata, creationTimestamp } });
    await api.clock.advance(60_000);
    await withKey(key, { url: '/v1/tenants/reborn' });
    const uses = () => api.db.selectFrom('key_uses').selectAll().where('key', '=', key.id).execute();
    await expect.poll(uses).toHaveLength(1);
    expect((await api.as('anna', { url: '/v1/tenants/reborn/audit' })).json().items).toEqual([]);
  });

  it('of a tenant that had the name before hides none of the own, however often it is used', async () => {
    api.sell('heir', { members: [user('anna', 'Owner')] });
    const old = await makeKey('anna', { name: 'of old', role: 'Viewer' }, '/v1/tenants/heir/keys');
    await api.clock.advance(60_000);
    const namespace = api.caches.namespaces.get('t-heir');
    if (namespace === undefined) throw new Error('no namespace');
    const creationTimestamp = new Date(api.clock.now()).toISOString();
    api.put({ ...namespace, metadata: { ...namespace.metadata, creationTimestamp } });
    await api.clock.advance(60_000);
    const own = await makeKey('anna', { name: 'own', role: 'Viewer' }, '/v1/tenants/heir/keys');
    await withKey(own, { url: '/v1/tenants/heir' });
    const used = async () =>
      (await api.as('anna', { url: '/v1/tenants/heir/audit' }))
        .json()
        .items.filter(({ type }: { readonly type: string }) => type === 'KeyUsed')
        .map(({ key }: { readonly key: string }) => key);
    await expect.poll(used).toEqual([own.id]);
    const at = new Date(api.clock.now() + 60_000);
    const flood = Array.from({ length: 1_100 }, (_, i) => ({
      key: old.id,
      day: at.toISOString().slice(0, 10),
      address: `2001:db8::${i.toString(16)}`,
      scope: 'heir',
      first_at: at,
      last_at: at,
    }));
    await api.db.insertInto('key_uses').values(flood).execute();
    expect(await used()).toEqual([own.id]);
  });

  it('is not made by a key, nor with more than its maker has by name', async () => {
    const key = await makeKey('anna', { name: 'maker', role: 'Owner' });
    expect((await withKey(key, { method: 'POST', url: KEYS, payload: { name: 'x', role: 'Viewer' } })).statusCode).toBe(
      403,
    );
    expect(
      (await api.as('vera', { method: 'POST', url: KEYS, payload: { name: 'x', role: 'Developer' } })).statusCode,
    ).toBe(403);
    const grouped = await api.as(
      'gus',
      { method: 'POST', url: '/v1/tenants/acme/keys', payload: { name: 'x', role: 'Viewer' } },
      ['sales'],
    );
    expect(grouped.statusCode).toBe(403);
    expect(grouped.json().detail).toContain('by name');
    expect(
      (await api.as('eve', { method: 'POST', url: KEYS, payload: { name: 'x', role: 'Viewer' } })).statusCode,
    ).toBe(404);
  });

  it('of others is seen by Owners and Admins', async () => {
    const own = await makeKey('vera', { name: 'mine', role: 'Viewer' });
    expect((await api.as('vera', { url: KEYS })).json().items.map(({ id }: Made) => id)).toEqual([own.id]);
    expect((await api.as('anna', { url: KEYS })).json().items.map(({ id }: Made) => id)).toContain(own.id);
    const viewer = await makeKey('anna', { name: 'cannot', role: 'Viewer' });
    expect((await withKey(viewer, { method: 'DELETE', url: `${KEYS}/${own.id}` })).statusCode).toBe(404);
    expect((await withKey(viewer, { method: 'DELETE', url: `${KEYS}/${viewer.id}` })).statusCode).toBe(204);
  });

  it.each([
    'sublet_sk_',
    'sublet_sk_00000000000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    "sublet_sk_0'-or-1=1--",
    'sublet_sk_0000000000000000000g_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  ])('is not %s', async (token) => {
    expect((await withKey({ id: '', token }, { url: DESKTOPS })).statusCode).toBe(401);
  });

  it('has to have the whole secret right', async () => {
    const { token, id } = await makeKey('anna', { name: 'exact', role: 'Viewer' });
    const last = token.at(-2) === 'A' ? 'B' : 'A';
    expect(
      (await withKey({ id, token: `${token.slice(0, -2)}${last}${token.at(-1)}` }, { url: DESKTOPS })).statusCode,
    ).toBe(401);
  });

  it('is one of at most fifty of its maker', async () => {
    let status = 201;
    for (let i = 0; i < 60 && status === 201; i++) {
      status = (await api.as('anna', { method: 'POST', url: KEYS, payload: { name: `many ${i}`, role: 'Viewer' } }))
        .statusCode;
    }
    expect(status).toBe(409);
  });
});
