import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestApi, DATABASE_TIMEOUT_MS, plan, ROOT_PLANS, type TestApi, user } from '../testing/testapi.ts';

let api: TestApi;

beforeAll(async () => {
  api = await createTestApi({ database: true });
  for (const object of ROOT_PLANS) api.put(object);
  sellAcme('Owner');
  api.put(plan('t-acme', 'starter', { offers: 'Tenant' }));
  api.put(plan('t-acme', 'pro', { basedOn: 'basic' }));
  api.sell('acme--bob', { members: [user('anna', 'Owner')], plan: 'starter' });
}, DATABASE_TIMEOUT_MS);
afterAll(() => api.close());

const sellAcme = (role: 'Owner' | 'Viewer') =>
  api.sell('acme', { type: 'Reseller', members: [user('rita', role), user('vera', 'Viewer')] });
const INVITATIONS = '/v1/tenants/acme/invitations';

async function invite(payload: object): Promise<{ readonly id: string; readonly code: string }> {
  const answer = await api.as('rita', { method: 'POST', url: INVITATIONS, payload });
  expect(answer.statusCode).toBe(201);
  return answer.json();
}
const signUp = (name: string, invitation: string, tenant = name, more: object = {}) =>
  api.as(name, { method: 'POST', url: '/v1/signup', payload: { invitation, name: tenant, ...more } });

describe('signing up', () => {
  it('makes a tenant of the seller, whose Owner is who signed up', async () => {
    const { code, id } = await invite({ plan: 'starter' });
    const answer = await signUp('carl', code, 'carls', { displayName: 'Carl & Co' });
    expect(answer.statusCode).toBe(202);
    const change = await api.journal.find(answer.json().id);
    expect(change).toMatchObject({
      author: { subject: 'oidc:carl' },
      intent: { type: 'Create', target: { kind: 'Tenant', namespace: 't-acme', name: 'carls' } },
    });
    expect(change?.intent).toMatchObject({
      object: {
        spec: {
          id: expect.stringMatching(/^carls-[a-z2-9]{5}$/),
          displayName: 'Carl & Co',
          plan: 'starter',
          members: [{ kind: 'User', name: 'oidc:carl', role: 'Owner' }],
          source: { type: 'Fleet' },
        },
      },
    });
    const again = await signUp('carl', code, 'another');
    expect(again.json().id).toBe(answer.json().id);
    expect((await signUp('dora', code)).statusCode).toBe(422);
    const list = (await api.as('rita', { url: INVITATIONS })).json().items;
    expect(list).toContainEqual(expect.objectContaining({ id, uses: 1, maxUses: 1, tenant: 'acme' }));
    const rows = JSON.stringify(await api.db.selectFrom('invitations').selectAll().execute());
    expect(rows).not.toContain(code);
  });

  it('gives a place back that nothing came of', async () => {
    const { code } = await invite({ plan: 'starter' });
    expect((await signUp('emil', code, 'bob')).statusCode).toBe(409);
    expect((await signUp('emil', code, 'No Name')).statusCode).toBe(422);
    expect((await signUp('frida', code, 'fridas')).statusCode).toBe(202);
  });

  it('makes one tenant of one place, although two are asked for at once', async () => {
    await api.clock.advance(86_400_000);
    const { code, id } = await invite({ plan: 'starter' });
    // Both are at the journal before either has been written down.
    const both = Promise.withResolvers<void>();
    const accept = api.journal.accept.bind(api.journal);
    let count = 0;
    const spy = vi.spyOn(api.journal, 'accept').mockImplementation(async (...args) => {
      count += 1;
      if (count === 2) both.resolve();
      await both.promise;
      return accept(...args);
    });
    const answers = await Promise.all(['many-a', 'many-b'].map((name) => signUp('mallory', code, name)));
    spy.mockRestore();
    const accepted = answers.filter(({ statusCode }) => statusCode === 202).map((answer) => answer.json().id);
    expect(accepted).toEqual([accepted[0], accepted[0]]);
    const changes = await api.journal.list({ namespaces: ['t-acme'], most: 100 });
    expect(changes.filter(({ author }) => author.subject === 'oidc:mallory')).toHaveLength(1);
    const { items } = (await api.as('rita', { url: INVITATIONS })).json();
    expect(items).toContainEqual(expect.objectContaining({ id, uses: 1 }));
  });

  it('makes one tenant although what came of it was not written down', async () => {
    await api.clock.advance(86_400_000);
    const { code, id } = await invite({ plan: 'starter' });
    const first = (await signUp('nora', code, 'noras')).json().id;
    await api.db.updateTable('signups').set({ change_id: null }).where('invitation', '=', id).execute();
    const again = await signUp('nora', code, 'noras');
    expect([again.statusCode, again.json().id]).toEqual([202, first]);
    expect((await signUp('otto', code)).statusCode).toBe(422);
  });

  it('leaves the place to who has it when nothing came of the tenant', async () => {
    await api.clock.advance(86_400_000);
    const { code } = await invite({ plan: 'starter' });
    const first = (await signUp('paul', code, 'pauls')).json().id;
    const outcome = { state: 'Conflict', message: 'Tenant pauls exists already' } as const;
    await api.journal.advance(new Map([[first, { from: 'Accepted', outcome }]]));
    const again = await signUp('paul', code, 'paul-two');
    expect(again.json()).toMatchObject({ state: 'Accepted', target: { name: 'paul-two' } });
    expect((await signUp('paul', code, 'paul-three')).json().id).toBe(again.json().id);
  });

  it('admits so many in a period, and tells the others when to come', async () => {
    await api.clock.advance(86_400_000);
    const { code } = await invite({ plan: 'starter', maxUses: 5, admits: 2, windowHours: 24 });
    const answers = await Promise.all(['w1', 'w2', 'w3', 'w4'].map((name) => signUp(name, code)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([202, 202, 429, 429]);
    const late = await signUp('w5', code);
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(86_000);
    await api.clock.advance(86_400_000);
    expect((await signUp('w6', code)).statusCode).toBe(202);
  });

  it('admits so many below a seller, however many invitations there are', async () => {
    await api.clock.advance(86_400_000);
    const codes: string[] = [];
    for (let n = 0; n < 5; n++)
      codes.push((await invite({ plan: 'starter', maxUses: 2, admits: 3, windowHours: 24 })).code);
    const answers = await Promise.all(codes.map((code, n) => signUp(`x${n}`, code)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([202, 202, 202, 429, 429]);
    const wider = await invite({ plan: 'starter', admits: 4, windowHours: 24 });
    expect((await signUp('x6', wider.code)).statusCode).toBe(202);
    // Whoever has a place keeps it, whoever came after.
    const admitted = answers.findIndex(({ statusCode }) => statusCode === 202);
    const again = await signUp(`x${admitted}`, codes[admitted] ?? '');
    expect([again.statusCode, again.json().id]).toEqual([202, answers[admitted]?.json().id]);
    api.sell('other', { type: 'Reseller', members: [user('olga', 'Owner')] });
    api.put(plan('t-other', 'starter', { offers: 'Tenant' }));
    const payload = { plan: 'starter', admits: 1 };
    const elsewhere = await api.as('olga', { method: 'POST', url: '/v1/tenants/other/invitations', payload });
    expect((await signUp('x7', elsewhere.json().code)).statusCode).toBe(202);
  });

  it('counts nobody who signed up below a seller that had the name before', async () => {
    api.sell('heir', { type: 'Reseller', members: [user('olga', 'Owner')] });
    api.put(plan('t-heir', 'starter', { offers: 'Tenant' }));
    const inviteOne = async (): Promise<string> => {
      const payload = { plan: 'starter', admits: 1 };
      return (await api.as('olga', { method: 'POST', url: '/v1/tenants/heir/invitations', payload })).json().code;
    };
    expect((await signUp('y1', await inviteOne())).statusCode).toBe(202);
    expect((await signUp('y2', await inviteOne())).statusCode).toBe(429);
    await api.clock.advance(60_000);
    const namespace = api.caches.namespaces.get('t-heir');
    if (namespace === undefined) throw new Error('no namespace');
    const creationTimestamp = new Date(api.clock.now()).toISOString();
    api.put({ ...namespace, metadata: { ...namespace.metadata, creationTimestamp } });
    expect((await signUp('y2', await inviteOne())).statusCode).toBe(202);
  });

  it('ends with the invitation, and with its maker’s right to sell', async () => {
    const revoked = await invite({ plan: 'starter' });
    expect((await api.as('rita', { method: 'DELETE', url: `${INVITATIONS}/${revoked.id}` })).statusCode).toBe(204);
    expect((await api.as('rita', { method: 'DELETE', url: `${INVITATIONS}/${revoked.id}` })).statusCode).toBe(404);
    expect((await signUp('gina', revoked.code)).statusCode).toBe(422);
    const over = await invite({ plan: 'starter', expiresInDays: 1 });
    await api.clock.advance(86_400_000);
    expect((await signUp('gina', over.code)).statusCode).toBe(422);
    const { code } = await invite({ plan: 'starter' });
    sellAcme('Viewer');
    expect((await signUp('gina', code)).statusCode).toBe(422);
    sellAcme('Owner');
    expect((await signUp('gina', code)).statusCode).toBe(202);
  });

  it('carries no right that its maker has by a group, of which nobody hears when he left it', async () => {
    const sellers = { kind: 'Group', name: 'oidc:sellers', role: 'Admin' } as const;
    api.sell('grouped', { type: 'Reseller', members: [sellers, user('gus', 'Viewer')] });
    api.put(plan('t-grouped', 'starter', { offers: 'Tenant' }));
    const ask = () =>
      api.as('gus', { method: 'POST', url: '/v1/tenants/grouped/invitations', payload: { plan: 'starter' } }, [
        'sellers',
      ]);
    const refused = await ask();
    expect([refused.statusCode, refused.json().detail]).toEqual([403, expect.stringContaining('by name')]);
    api.sell('grouped', { type: 'Reseller', members: [sellers, user('gus', 'Admin')] });
    const { code } = (await ask()).json();
    api.sell('grouped', { type: 'Reseller', members: [sellers] });
    expect((await signUp('heidi', code)).statusCode).toBe(422);
  });

  it('needs an invitation that somebody made, and a plan for tenants', async () => {
    expect((await signUp('hugo', 'x'.repeat(32))).json().errors).toEqual([
      expect.objectContaining({ pointer: '/invitation' }),
    ]);
    for (const name of ['pro', 'nothing']) {
      const answer = await api.as('rita', { method: 'POST', url: INVITATIONS, payload: { plan: name } });
      expect(answer.statusCode).toBe(422);
    }
    expect((await api.as('vera', { method: 'POST', url: INVITATIONS, payload: { plan: 'starter' } })).statusCode).toBe(
      403,
    );
    expect((await api.as('anna', { url: INVITATIONS })).statusCode).toBe(404);
    expect(
      (await api.call({ method: 'POST', url: '/v1/signup', payload: { invitation: 'x', name: 'y' } })).statusCode,
    ).toBe(401);
  });

  it('is in the seller’s audit with its invitation, and so is what became of that', async () => {
    await api.clock.advance(1_000);
    const { id, code } = await invite({ plan: 'starter' });
    await api.clock.advance(1_000);
    const change = (await signUp('ines', code)).json();
    await api.clock.advance(1_000);
    await api.as('rita', { method: 'DELETE', url: `${INVITATIONS}/${id}` });
    const audit = async (query: string) => (await api.as('rita', { url: `/v1/tenants/acme/audit?${query}` })).json();
    const { items, next } = await audit('limit=3');
    const target = { kind: 'Invitation', name: id };
    expect(items).toEqual([
      { at: expect.any(String), type: 'InvitationRevoked', who: 'oidc:rita', target },
      expect.objectContaining({ type: 'Change', change: change.id, who: 'oidc:ines' }),
      { at: items[1].at, type: 'SignedUp', who: 'oidc:ines', target, change: change.id },
    ]);
    expect((await audit(`limit=1&cursor=${next}`)).items).toEqual([
      { at: expect.any(String), type: 'InvitationMade', who: 'oidc:rita', target },
    ]);
    expect(JSON.stringify(await audit('limit=500'))).not.toContain(code);
  });
});
