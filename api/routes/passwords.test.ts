import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, DATABASE_TIMEOUT_MS, desktop, type TestApi, user } from '../testing/testapi.ts';

let api: TestApi;
const PASSWORD = 'Aa2-<script>&"quoted"';

beforeAll(async () => {
  api = await createTestApi({ database: true });
  api.sell('acme', { type: 'Reseller', members: [user('rita', 'Owner')] });
  sellBob();
  api.put(desktop('t-acme--bob', 'anna-desk', {}, { credentials: { secretRef: { name: 'rdp-anna-desk' } } }));
  api.put(desktop('t-acme--bob', 'early', {}));
  api.secrets.set('t-acme--bob/rdp-anna-desk', { username: 'anna', password: PASSWORD });
}, DATABASE_TIMEOUT_MS);
afterAll(() => api.close());

const sellBob = (role: 'Developer' | 'Viewer' = 'Developer') =>
  api.sell('acme--bob', {
    members: [user('anna', role), user('vera', 'Viewer'), { kind: 'Group', name: 'oidc:help', role: 'Admin' }],
  });
const urlOf = (name: string) => `/v1/tenants/acme--bob/desktops/${name}/password-link`;

async function makeLink(name = 'anna', groups: readonly string[] = []): Promise<string> {
  const answer = await api.as(name, { method: 'POST', url: urlOf('anna-desk') }, groups);
  expect(answer.statusCode).toBe(201);
  const { url, expiresAt } = answer.json();
  expect(Date.parse(expiresAt) - api.clock.now()).toBe(600_000);
  expect(url).toMatch(/^https:\/\/api\.example\.com\/password\/[A-Za-z0-9_-]{43}$/);
  return new URL(url).pathname;
}
const press = (url: string) =>
  api.call({ method: 'POST', url, payload: '', headers: { 'content-type': 'application/x-www-form-urlencoded' } });

describe('a password link', () => {
  it('shows the password once, to whoever presses the button', async () => {
    const url = await makeLink();
    expect(api.secretReads).toEqual([]);
    for (let i = 0; i < 3; i++) {
      const page = await api.call({ url });
      expect(page.statusCode).toBe(200);
      expect(page.body).toContain('<form method="post">');
    }
    expect(api.secretReads).toEqual([]);
    const shown = await press(url);
    expect(shown.statusCode).toBe(200);
    expect(shown.body).toContain('<output>Aa2-&lt;script&gt;&amp;&quot;quoted&quot;</output>');
    expect(shown.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(api.secretReads).toEqual(['t-acme--bob/rdp-anna-desk']);
    const again = await press(url);
    expect(again.statusCode).toBe(404);
    expect(again.body).not.toContain('Aa2');
    expect(api.secretReads).toHaveLength(1);
  });

  it('shows it to one of many who press at once', async () => {
    const url = await makeLink();
    const answers = await Promise.all(Array.from({ length: 10 }, () => press(url)));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
  });

  it('is over after ten minutes', async () => {
    const url = await makeLink();
    await api.clock.advance(600_000);
    expect((await press(url)).statusCode).toBe(404);
  });

  it('carries its maker’s rights of the moment', async () => {
    const url = await makeLink();
    sellBob('Viewer');
    expect((await press(url)).statusCode).toBe(404);
    sellBob();
    const byGroup = await makeLink('hank', ['help']);
    expect((await press(byGroup)).statusCode).toBe(200);
  });

  it('of a key ends with the key', async () => {
    const key = (
      await api.as('anna', {
        method: 'POST',
        url: '/v1/tenants/acme--bob/keys',
        payload: { name: 'k', role: 'Developer' },
      })
    ).json();
    const headers = { authorization: `Bearer ${key.token}` };
    const make = async () =>
      new URL((await api.call({ method: 'POST', url: urlOf('anna-desk'), headers })).json().url).pathname;
    expect((await press(await make())).statusCode).toBe(200);
    const { items } = (await api.as('anna', { url: '/v1/tenants/acme--bob/audit' })).json();
    expect(items).toContainEqual(
      expect.objectContaining({ type: 'PasswordShown', who: `oidc:anna (key ${key.id})`, key: key.id }),
    );
    const url = await make();
    await api.as('anna', { method: 'DELETE', url: `/v1/tenants/acme--bob/keys/${key.id}` });
    expect((await press(url)).statusCode).toBe(404);
  });

  it('is not made by who may not read the Secret, nor for what is not there', async () => {
    expect((await api.as('vera', { method: 'POST', url: urlOf('anna-desk') })).statusCode).toBe(404);
    expect((await api.as('rita', { method: 'POST', url: urlOf('anna-desk') })).statusCode).toBe(404);
    expect((await api.as('anna', { method: 'POST', url: urlOf('nothing') })).statusCode).toBe(404);
    expect((await api.as('anna', { method: 'POST', url: urlOf('early') })).statusCode).toBe(409);
  });

  it('keeps neither token nor password', async () => {
    const url = await makeLink();
    await press(url);
    const rows = JSON.stringify(await api.db.selectFrom('password_links').selectAll().execute());
    expect(rows).not.toContain(url.slice('/password/'.length));
    for (const text of [rows, JSON.stringify(api.lines)]) expect(text).not.toContain('Aa2');
    expect(JSON.stringify(api.lines)).not.toContain(url.slice('/password/'.length));
  });

  it.each(['/password/x', `/password/${'A'.repeat(43)}`, "/password/'%20or%201=1"])('is not %s', async (url) => {
    expect((await press(url)).statusCode).toBe(404);
  });

  it('stands in the audit once it was used, beside changes and keys, page by page', async () => {
    const before = (await api.as('anna', { url: '/v1/tenants/acme--bob/audit?limit=500' })).json().items.length;
    await api.clock.advance(1_000);
    const restart = { method: 'POST', url: '/v1/tenants/acme--bob/desktops/anna-desk/restart' } as const;
    const change = (await api.as('anna', restart)).json();
    await api.clock.advance(1_000);
    await press(await makeLink());
    await api.clock.advance(1_000);
    await api.as('anna', {
      method: 'POST',
      url: '/v1/tenants/acme--bob/keys',
      payload: { name: 'new', role: 'Viewer' },
    });
    const seen: { type: string; target: { name: string } }[] = [];
    let cursor = '';
    do {
      const page = (await api.as('vera', { url: `/v1/tenants/acme--bob/audit?limit=2${cursor}` })).json();
      seen.push(...page.items);
      cursor = page.next === undefined ? '' : `&cursor=${page.next}`;
    } while (cursor !== '');
    expect(seen).toHaveLength(before + 3);
    expect(seen.slice(0, 3)).toEqual([
      expect.objectContaining({ type: 'KeyMade', who: 'oidc:anna', target: { kind: 'Key', name: 'new' } }),
      expect.objectContaining({ type: 'PasswordShown', who: 'oidc:anna', from: '127.0.0.1' }),
      expect.objectContaining({ type: 'Change', action: 'Edit', change: change.id, state: 'Accepted' }),
    ]);
    expect((await api.as('rita', { url: '/v1/tenants/acme--bob/audit' })).statusCode).toBe(404);
  });
});
