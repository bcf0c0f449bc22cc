import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  createTestApi,
  DATABASE_TIMEOUT_MS,
  desktop,
  plan,
  ROOT_PLANS,
  type TestApi,
  user,
} from './testing/testapi.ts';
import { createOutbox } from './webhooks/outbox.ts';
import { createPost } from './webhooks/post.ts';
import { startSender } from './webhooks/sender.ts';

const PLACE = '/v1/tenants/acme';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi({ database: true });
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { type: 'Reseller', members: [user('anna', 'Owner')] });
  api.put(plan('t-acme', 'starter', { offers: 'Tenant' }));
  api.put(desktop('t-acme', 'desk', {}, { credentials: { secretRef: { name: 'rdp-desk' } } }));
}, DATABASE_TIMEOUT_MS);
afterAll(() => api.close());

async function post(url: string, payload?: object) {
  const answer = await api.as('anna', { method: 'POST', url: `${PLACE}/${url}`, ...(payload && { payload }) });
  expect(answer.statusCode, answer.body).toBeLessThan(300);
  return answer;
}

/** Every row of every table, and every change of the journal. */
async function dump(): Promise<Readonly<Record<string, string>>> {
  const tables = await listTables();
  const rows = await Promise.all(
    tables.map(async (table) => {
      const { rows: found } = await sql<{
        text: string;
      }>`SELECT row_to_json(t)::text AS text FROM ${sql.table(table)} t`.execute(api.db);
      return [`table ${table}`, found.map(({ text }) => text).join('\n')] as const;
    }),
  );
  const changes = await api.journal.list({ namespaces: ['t-acme'], most: 1_000 });
  const journal = JSON.stringify(changes, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  return { ...Object.fromEntries(rows), journal };
}

async function listTables(): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`.execute(api.db);
  return rows.map(({ name }) => name);
}

describe('what is secret', () => {
  const secrets: Record<string, string> = { password: 'pa55-w0rd-of-the-desktop' };
  let outputs: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    api.secrets.set('t-acme/rdp-desk', { username: 'anna', password: secrets.password ?? '' });
    await useEverything();
    const read = async (url: string) => (await api.as('anna', { url: `${PLACE}${url}` })).body;
    outputs = {
      log: JSON.stringify(api.lines),
      metrics: api.metrics.render(),
      audit: await read('/audit?limit=500'),
      changes: await read('/changes?limit=500'),
      keys: await read('/keys'),
      invitations: await read('/invitations'),
      webhooks: await read('/webhooks'),
      events: await read('/events'),
      openapi: (await api.call({ url: '/openapi.json' })).body,
      ...(await dump()),
    };
  }, DATABASE_TIMEOUT_MS);

  /** Each kind of secret, used rightly, wrongly and too late. */
  async function useEverything(): Promise<void> {
    secrets.token = await api.issuer.sign({ sub: 'anna', groups: [] });
    secrets.badToken = await api.issuer.sign({ sub: 'anna', groups: [], aud: 'other' });
    const asks = (authorization: string) => api.call({ url: `${PLACE}/desktops`, headers: { authorization } });
    for (const name of ['token', 'badToken']) await asks(`Bearer ${secrets[name]}`);
    const { token: key, id } = (await post('keys', { name: 'robot', role: 'Owner' })).json();
    secrets.key = key;
    for (const used of [key, `${key}x`, `${key.slice(0, -1)}x`, key.toUpperCase()]) await asks(`Bearer ${used}`);
    for (const scheme of ['Basic', 'Key', '']) await asks(`${scheme} ${key}`);
    await post('keys', { name: 'another', role: 'Viewer' });
    await api.as('anna', { method: 'DELETE', url: `${PLACE}/keys/${id}` });
    expect((await asks(`Bearer ${key}`)).statusCode).toBe(401);
    const { code } = (await post('invitations', { plan: 'starter' })).json();
    secrets.invitation = code;
    for (const name of ['carl', 'bad name', 'dora']) {
      await api.as(name, { method: 'POST', url: '/v1/signup', payload: { invitation: code, name } });
    }
    const { url } = (await post('desktops/desk/password-link')).json();
    secrets.link = new URL(url).pathname.split('/').at(-1) ?? '';
    for (let n = 0; n < 2; n++)
      await api.call({ method: 'POST', url: new URL(url).pathname, payload: '', headers: FORM });
    await api.call({ method: 'POST', url: `${new URL(url).pathname}%ff`, payload: '', headers: FORM });
    const hook = (await post('webhooks', { url: 'https://hooks.example.com/path-t0ken?key=query-t0ken' })).json();
    secrets.signing = hook.secret;
    secrets.rotated = (await post(`webhooks/${hook.id}/rotate`)).json().secret;
    await post(`webhooks/${hook.id}/test`);
    await sendInVain();
    const { items } = JSON.parse((await api.as('anna', { url: `${PLACE}/webhooks/${hook.id}/deliveries` })).body);
    expect(items).toMatchObject([{ attempts: 1, state: 'Pending' }]);
  }

  async function sendInVain(): Promise<void> {
    const { clock, random, log, db } = api;
    const outbox = createOutbox({ db, listen: () => () => {} });
    const resolve = () => Promise.reject(new Error('no such host'));
    const options = { allowedHosts: [], protocols: ['https'], resolve } as const;
    const sender = startSender({ clock, random, log, outbox, post: createPost({ clock }, options) });
    const tries = () => db.selectFrom('webhook_attempts').selectAll().execute();
    await vi.waitFor(async () => expect(await tries()).toHaveLength(1), { timeout: 60_000, interval: 20 });
    await sender.stop();
  }

  /** Webhooks are signed with what both sides have; that is in one column, which nothing else reads. */
  const KEPT: Readonly<Record<string, readonly string[]>> = {
    signing: ['table webhook_endpoints'],
    rotated: ['table webhook_endpoints'],
  };

  it.each(['password', 'token', 'badToken', 'key', 'invitation', 'link', 'signing', 'rotated'])(
    'is in no log, metric, list, audit or row: %s',
    (name) => {
      const whole = secrets[name] ?? '';
      // The secret part alone would do, too: what stands before it is none.
      const part = whole.replace(/^(whsec_|sublet_sk_[0-9a-f]+_|.*\.)/, '');
      expect(part.length).toBeGreaterThan(15);
      const parts = [whole, part, Buffer.from(whole).toString('base64')];
      const holders = Object.entries(outputs).flatMap(([where, text]) =>
        parts.some((part) => text.includes(part)) ? [where] : [],
      );
      expect(holders).toEqual(KEPT[name] ?? []);
    },
  );

  it('may stand in the address of a webhook, which its managers see and nobody else', () => {
    for (const part of ['path-t0ken', 'query-t0ken']) {
      const holders = Object.entries(outputs).flatMap(([where, text]) => (text.includes(part) ? [where] : []));
      expect(holders.sort()).toEqual(['table webhook_endpoints', 'webhooks']);
    }
  });

  it('was looked for where something is', () => {
    for (const where of [
      'log',
      'metrics',
      'audit',
      'changes',
      'keys',
      'webhooks',
      'table api_keys',
      'table password_links',
      'table invitations',
      'journal',
    ]) {
      expect(outputs[where]?.length, where).toBeGreaterThan(50);
    }
  });
});

describe('what a caller sends', () => {
  const EVIL = 'eve"} 1\nsublet_paid_total{tenant="eve\\"} 9\r\n{"level":50,"msg":"forged"}\u2028\u001b[31m';
  /** A sample of the text format, with labels that hold no more than words. */
  const SAMPLE = /^[a-z_]+(\{([a-z_]+="[A-Za-z0-9.+-]*",?)*\})? [0-9.e+-]+$/;

  it('makes no metric, no label and no line of the log', async () => {
    const word = encodeURIComponent(EVIL);
    for (const url of [
      `/${word}`,
      `${PLACE}/${word}`,
      `${PLACE}/desktops/${word}`,
      `/v1/tenants/${word}?${word}=${word}`,
    ]) {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'] as const) {
        await api.as(EVIL, { method, url, headers: { 'request-id': encodeURI(EVIL), 'user-agent': word } });
      }
    }
    const lines = api.metrics.render().trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(line.startsWith('# ') ? /^# (HELP|TYPE) [a-z_]+ / : SAMPLE);
    expect(api.lines.filter(({ msg }) => msg === 'forged')).toEqual([]);
    const operations = new Set(lines.flatMap((line) => /operation="([^"]*)"/.exec(line)?.[1] ?? []));
    expect([...operations].filter((name) => !/^[a-z-]+$/.test(name))).toEqual([]);
  });

  it('stands in one line of the log where it is told there', async () => {
    api.sell('evil', { members: [user(EVIL, 'Owner')] });
    api.put(desktop('t-evil', 'desk', {}, { credentials: { secretRef: { name: 'rdp-desk' } } }));
    api.secrets.set('t-evil/rdp-desk', { username: EVIL, password: '<b>"pass"</b>' });
    const made = await api.as(EVIL, { method: 'POST', url: '/v1/tenants/evil/desktops/desk/password-link' });
    const before = api.lines.length;
    const shown = await api.call({
      method: 'POST',
      url: new URL(made.json().url).pathname,
      payload: '',
      headers: FORM,
    });
    expect(shown.statusCode).toBe(200);
    expect(shown.body).not.toContain('<b>');
    expect(api.lines.slice(before)).toMatchObject([{ msg: 'a password was shown', maker: `oidc:${EVIL}` }]);
  });
});

describe('SQL', () => {
  const TEXTS = [
    "'; DROP TABLE api_keys; --",
    "x' OR '1'='1",
    "\\'; SELECT pg_sleep(60); --",
    '"; DELETE FROM changes; --',
    '$1) RETURNING secret --',
    "E'\\x27' || (SELECT secret FROM webhook_endpoints)",
    '%s ? :name {{7*7}} #{7*7}',
  ];

  it.each(TEXTS)('in names is only text: %s', async (text) => {
    const before = await listTables();
    api.sell('sql', { type: 'Reseller', members: [user(text, 'Owner')] });
    const send = (url: string, payload: object, headers = {}) =>
      api.as(text, { method: 'POST', url: `/v1/tenants/sql/${url}`, payload, headers });
    expect((await send('keys', { name: text, role: 'Viewer' })).statusCode).toBe(201);
    expect((await send('webhooks', { url: 'https://hooks.example.com/', description: text })).statusCode).toBe(201);
    const { items: keys } = (await api.as(text, { url: '/v1/tenants/sql/keys' })).json();
    expect(keys).toContainEqual(expect.objectContaining({ name: text, maker: `oidc:${text}` }));
    const { items: hooks } = (await api.as(text, { url: '/v1/tenants/sql/webhooks' })).json();
    expect(hooks).toContainEqual(expect.objectContaining({ description: text }));
    const order = { name: `gold${TEXTS.indexOf(text)}`, spec: { title: text, offers: 'Tenant', currency: 'USD' } };
    const key = { 'idempotency-key': text.replaceAll(' ', '/**/') };
    const first = await send('plans', order, key);
    expect(first.statusCode, first.body).toBe(202);
    expect((await send('plans', order, key)).json().id).toBe(first.json().id);
    expect((await api.as(text, { url: `/v1/tenants/sql/audit` })).statusCode).toBe(200);
    for (const query of [`state=${encodeURIComponent(text)}`, `limit=${encodeURIComponent(text)}`]) {
      expect((await api.as(text, { url: `/v1/tenants/sql/changes?${query}` })).statusCode).toBe(400);
    }
    expect(await listTables()).toEqual(before);
  });
});
