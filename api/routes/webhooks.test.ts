import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestApi, DATABASE_TIMEOUT_MS, ROOT_PLANS, type TestApi, user } from '../testing/testapi.ts';
import { EVENT_TYPES } from '../webhooks/events.ts';

const HOOKS = '/v1/tenants/acme--bob/webhooks';
const JSON_TYPE = { 'content-type': 'application/json' };
const PATCH_TYPE = { 'content-type': 'application/merge-patch+json' };
const URL = 'https://hooks.example.com/sublet?token=t0p';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi({ database: true });
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { type: 'Reseller', members: [user('otto', 'Owner')] });
  api.sell('acme--bob', {
    members: [user('anna', 'Owner'), user('adam', 'Admin'), user('vera', 'Viewer'), user('dora', 'Developer')],
  });
  api.sell('acme--eve', { members: [user('eve', 'Owner')] });
}, DATABASE_TIMEOUT_MS);
afterAll(() => api.close());
beforeEach(async () => {
  await api.db.deleteFrom('webhook_deliveries').execute();
  await api.db.deleteFrom('webhook_endpoints').execute();
});

type Made = { readonly id: string; readonly secret: string };

async function make(payload: object = { url: URL }, as = 'anna'): Promise<Made> {
  const made = await api.as(as, { method: 'POST', url: HOOKS, payload, headers: JSON_TYPE });
  expect(made.statusCode, made.body).toBe(201);
  return made.json();
}

describe('a webhook', () => {
  it('is made with a secret that is shown once, and hears of everything unless told otherwise', async () => {
    const made = await make();
    expect(made).toMatchObject({ url: URL, events: EVENT_TYPES, enabled: true, maker: 'oidc:anna', description: '' });
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { secret: _, ...shown } = made;
    const all = await api.as('adam', { url: HOOKS });
    expect(all.json()).toEqual({ items: [shown] });
    expect((await api.as('anna', { url: `${HOOKS}/${made.id}` })).json()).toEqual(shown);
    expect(JSON.stringify(api.lines)).not.toContain(made.secret);
  });

  it.each([
    ['https://10.0.0.1/x', /^\/url names 10\.0\.0\.1, which is a private address/],
    ['https://169.254.169.254/latest/meta-data/', /link-local/],
    ['https://0x7f.1/x', /reads as an address but is none/],
    ['https://[::ffff:127.0.0.1]/', /loopback/],
    ['https://kubernetes.default.svc/', /not on the internet/],
    ['https://user:secret@hooks.example.com/', /credentials/],
    ['http://hooks.example.com/', /has to begin with https/],
    ['gopher://hooks.example.com/', /is no https/],
  ])('is not made for %s', async (url, detail) => {
    const answer = await api.as('anna', { method: 'POST', url: HOOKS, payload: { url }, headers: JSON_TYPE });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ detail: expect.stringMatching(detail), errors: [{ pointer: '/url' }] });
  });

  it.each([
    { url: URL, events: [] },
    { url: URL, events: ['desktop.exploded'] },
    { url: URL, description: 'a\u0000b' },
    { url: URL, description: 'x'.repeat(257) },
    { url: URL, secret: 'whsec_mine' },
    { events: ['desktop.ready'] },
    { url: 5 },
  ])('is not made of %j', async (payload) => {
    const answer = await api.as('anna', { method: 'POST', url: HOOKS, payload, headers: JSON_TYPE });
    expect(answer.statusCode).toBe(422);
  });

  it('is for who manages tenants: others of the tenant are told so, strangers nothing, a parent no more than through its own', async () => {
    const { id } = await make();
    for (const name of ['vera', 'dora']) {
      for (const url of [HOOKS, `${HOOKS}/${id}`, `${HOOKS}/${id}/deliveries`]) {
        const answer = await api.as(name, { url });
        expect(answer.statusCode).toBe(403);
        expect(answer.json().detail).toBe(
          'your role does not let you work with webhooks in t-acme--bob; ask an Owner for another role',
        );
      }
    }
    for (const name of ['eve', 'otto']) {
      expect((await api.as(name, { url: HOOKS })).statusCode).toBe(404);
      expect((await api.as(name, { method: 'DELETE', url: `${HOOKS}/${id}` })).statusCode).toBe(404);
    }
    // Nor is it found in another place by its id.
    for (const [name, path] of [
      ['eve', 'acme--eve'],
      ['otto', 'acme'],
    ]) {
      expect((await api.as(name ?? '', { url: `/v1/tenants/${path}/webhooks/${id}` })).statusCode).toBe(404);
      expect(
        (await api.as(name ?? '', { method: 'POST', url: `/v1/tenants/${path}/webhooks/${id}/test` })).statusCode,
      ).toBe(404);
    }
  });

  it('changes what it hears of, stops and goes on', async () => {
    const { id } = await make();
    const patch = async (payload: object) =>
      (await api.as('anna', { method: 'PATCH', url: `${HOOKS}/${id}`, payload, headers: PATCH_TYPE })).json();
    expect(await patch({ events: ['change.failed'], description: 'orders' })).toMatchObject({
      events: ['change.failed'],
      description: 'orders',
    });
    expect(await patch({ enabled: false })).toMatchObject({ enabled: false, disabledReason: 'by a member' });
    const test = await api.as('anna', { method: 'POST', url: `${HOOKS}/${id}/test` });
    expect(test.statusCode).toBe(409);
    expect(await patch({ enabled: true })).not.toHaveProperty('disabledReason');
    expect(await patch({})).toMatchObject({ enabled: true, description: 'orders' });
    expect(await patch({ url: 'https://elsewhere.example.com/' })).toMatchObject({ status: 422 });
  });

  it('gets another secret, and says how long the one before is good', async () => {
    const { id, secret } = await make();
    const rotate = async (payload?: object) => {
      const headers = payload === undefined ? {} : JSON_TYPE;
      return (
        await api.as('anna', { method: 'POST', url: `${HOOKS}/${id}/rotate`, ...(payload && { payload }), headers })
      ).json();
    };
    const rotated = await rotate();
    expect(rotated.secret).toMatch(/^whsec_/);
    expect(rotated.secret).not.toBe(secret);
    expect(Date.parse(rotated.previousSecretUntil) - api.clock.now()).toBe(86_400_000);
    const again = await rotate({ overlapHours: 0 });
    expect(Date.parse(again.previousSecretUntil)).toBe(api.clock.now());
    expect(await rotate({ overlapHours: 169 })).toMatchObject({ status: 422 });
  });

  it('is removed for good, and that stands in the audit without what may be secret in its address', async () => {
    const { id } = await make();
    expect((await api.as('adam', { method: 'DELETE', url: `${HOOKS}/${id}` })).statusCode).toBe(204);
    expect((await api.as('adam', { method: 'DELETE', url: `${HOOKS}/${id}` })).statusCode).toBe(404);
    expect((await api.as('anna', { url: `${HOOKS}/${id}` })).statusCode).toBe(404);
    const { items } = (await api.as('anna', { url: '/v1/tenants/acme--bob/audit' })).json();
    const ofWebhooks = items.filter(({ target }: { target: { kind: string } }) => target.kind === 'Webhook');
    expect(
      ofWebhooks
        .map(({ type, who, target }: { type: string; who: string; target: { name: string } }) => [
          type,
          who,
          target.name,
        ])
        .sort(),
    ).toEqual([
      ['WebhookMade', 'oidc:anna', 'https://hooks.example.com'],
      ['WebhookRemoved', 'oidc:adam', 'https://hooks.example.com'],
    ]);
    const row = await api.db.selectFrom('webhook_endpoints').select('secret').executeTakeFirstOrThrow();
    expect(row.secret).toBe('');
  });

  it('is of the tenant that made it, and not of who has its name now', async () => {
    const { id } = await make();
    api.sell('acme--bob', { id: 'bob-2', members: [user('newt', 'Owner')] });
    expect((await api.as('newt', { url: HOOKS })).json()).toEqual({ items: [] });
    expect((await api.as('newt', { url: `${HOOKS}/${id}` })).statusCode).toBe(404);
    api.sell('acme--bob', {
      members: [user('anna', 'Owner'), user('adam', 'Admin'), user('vera', 'Viewer'), user('dora', 'Developer')],
    });
    expect((await api.as('anna', { url: HOOKS })).json().items).toHaveLength(1);
  });

  it('is one of sixteen at most', async () => {
    for (let n = 0; n < 16; n++) await make();
    const answer = await api.as('anna', { method: 'POST', url: HOOKS, payload: { url: URL }, headers: JSON_TYPE });
    expect(answer.statusCode).toBe(409);
    expect(answer.json().detail).toContain('16 webhooks');
  });
});

describe('deliveries', () => {
  it('are listed page by page, and shown with their attempts', async () => {
    const { id } = await make();
    const sent: string[] = [];
    for (let n = 0; n < 3; n++) {
      const test = await api.as('anna', { method: 'POST', url: `${HOOKS}/${id}/test` });
      expect(test.statusCode).toBe(202);
      sent.unshift(test.json().id);
    }
    const first = (await api.as('anna', { url: `${HOOKS}/${id}/deliveries?limit=2` })).json();
    expect(first.items.map((one: Made) => one.id)).toEqual(sent.slice(0, 2));
    const rest = (await api.as('anna', { url: `${HOOKS}/${id}/deliveries?limit=2&cursor=${first.next}` })).json();
    expect(rest.items.map((one: Made) => one.id)).toEqual(sent.slice(2));
    expect(rest.next).toBeUndefined();
    const foreign = await api.as('anna', { url: `${HOOKS}/${id}/deliveries?state=Dead&cursor=${first.next}` });
    expect(foreign.statusCode).toBe(400);
    const one = (await api.as('anna', { url: `${HOOKS}/${id}/deliveries/${sent[0]}` })).json();
    expect(one).toMatchObject({ state: 'Pending', type: 'webhook.test', attempts: 0, tries: [] });
    expect(JSON.parse(one.body)).toMatchObject({ type: 'webhook.test', data: { tenant: 'acme--bob', webhook: id } });
    expect((await api.as('anna', { url: `${HOOKS}/${id}/deliveries/msg_${'0'.repeat(32)}` })).statusCode).toBe(404);
  });

  it('are sent again, one or all that were given up', async () => {
    const { id } = await make();
    const { id: event } = (await api.as('anna', { method: 'POST', url: `${HOOKS}/${id}/test` })).json();
    const die = () => api.db.updateTable('webhook_deliveries').set({ state: 'Dead', attempts: 10 }).execute();
    await die();
    const dead = (await api.as('anna', { url: `${HOOKS}/${id}/deliveries?state=Dead` })).json();
    expect(dead.items).toMatchObject([{ id: event, state: 'Dead', attempts: 10 }]);
    const one = await api.as('anna', { method: 'POST', url: `${HOOKS}/${id}/deliveries/${event}/replay` });
    expect(one.json()).toMatchObject({ id: event, state: 'Pending', attempts: 0 });
    await die();
    const replay = (since: string) =>
      api.as('anna', { method: 'POST', url: `${HOOKS}/${id}/replay`, payload: { since }, headers: JSON_TYPE });
    const now = api.clock.now();
    expect((await replay(new Date(now + 1_000).toISOString())).json()).toEqual({ replayed: 0 });
    expect((await replay(new Date(now - 1_000).toISOString())).json()).toEqual({ replayed: 1 });
    expect((await replay('yesterday')).statusCode).toBe(422);
  });
});
