import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonMap } from '../gitops/intent.ts';
import { API_VERSION } from '../model/group.ts';
import { MOST_OPEN_BYTES, MOST_OPEN_CHANGES } from './submit.ts';
import { createTestApi, plan, ROOT_PLANS, type TestApi, user } from './testing/testapi.ts';

let api: TestApi;

beforeEach(async () => {
  api = await createTestApi();
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { type: 'Reseller', members: [user('rita', 'Owner')] });
  api.sell('acme--bob', { members: [user('bob', 'Owner')], plan: 'starter' });
  api.put(plan('t-acme', 'starter', { offers: 'Tenant' }));
  api.put(plan('t-acme', 'pro', { basedOn: 'basic' }));
});
afterEach(() => api.close());

/** Changes that wait, as if they had come through the API. Gives their ids. */
async function acceptMany(count: number, kind: string, specOf: (i: number) => JsonMap): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, i) => `I${createHash('sha1').update(`${kind} ${i}`).digest('hex')}`);
  for (const [i, id] of ids.entries()) {
    const target = { kind, namespace: 't-acme', name: `many-${i}` };
    const object = { apiVersion: API_VERSION, kind, metadata: { name: target.name }, spec: specOf(i) };
    await api.journal.accept({
      id,
      repository: 'fleet',
      intent: { type: 'Create', target, object },
      mode: 'Commit',
      author: { subject: 'oidc:rita', name: 'Rita', email: 'rita@example.com' },
      requestId: 'request-1',
    });
  }
  return ids;
}

const members = Array.from({ length: 60 }, (_, i) => ({ kind: 'User', name: `oidc:user-${i}`, role: 'Viewer' }));
const tenant = (i: number): JsonMap => ({ id: `many-${i}`, plan: 'starter', type: 'Customer', members });
const price = Array.from({ length: 16 }, (_, i) => ({
  name: `part-${i}`,
  type: 'Recurring',
  per: 'Resource',
  accrues: 'Exists',
  recurring: { amount: '1.00', interval: 'Month' },
}));
const sellTo = (name: string) =>
  api.as('rita', { method: 'POST', url: '/v1/tenants/acme/tenants', payload: { name, spec: { plan: 'starter' } } });
const order = (name: string) => {
  const spec = { plan: 'pro', image: 'ubuntu-24', username: 'bob' };
  return api.as('bob', { method: 'POST', url: '/v1/tenants/acme--bob/desktops', payload: { name, spec } });
};

/** Processor time of this thread. */
async function measureMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user: userUs, system } = process.threadCpuUsage(before);
  return (userUs + system) / 1_000;
}

describe('with a thousand changes on their way', () => {
  it('a Tenant is judged without reading each of them by its schema', async () => {
    await acceptMany(1_000, 'Tenant', tenant);
    expect((await sellTo('first')).statusCode).toBe(202);
    expect(await measureMs(() => sellTo('second'))).toBeLessThan(200);
  });

  it('of Plans above, an order reads those that it names', async () => {
    await acceptMany(1_000, 'Plan', (i) => ({
      title: `P ${i}`,
      basedOn: 'basic',
      offers: 'Desktop',
      currency: 'USD',
      price,
    }));
    expect((await order('first')).statusCode).toBe(202);
    expect(await measureMs(() => order('second'))).toBeLessThan(200);
  });
});

describe('what is on its way in a namespace', () => {
  const end = (ids: readonly string[]) =>
    api.journal.advance(new Map(ids.map((id) => [id, { from: 'Accepted', outcome: { state: 'Rejected' } }])));

  it('has a most in number, and an end of some makes room', async () => {
    const ids = await acceptMany(MOST_OPEN_CHANGES, 'Plan', () => ({ title: 'x' }));
    const refused = await sellTo('late');
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '10']);
    expect(refused.json().detail).toContain(`${MOST_OPEN_CHANGES} changes of t-acme have not ended`);
    expect((await order('elsewhere')).statusCode).toBe(202);
    await end(ids.slice(0, 1));
    expect((await sellTo('late')).statusCode).toBe(202);
  });

  it('has a most in size', async () => {
    const ids = await acceptMany(MOST_OPEN_BYTES / 65_536, 'Plan', () => ({ title: 'x'.repeat(65_536) }));
    expect((await sellTo('late')).statusCode).toBe(429);
    await end(ids);
    expect((await sellTo('late')).statusCode).toBe(202);
  });
});
