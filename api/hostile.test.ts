import type { HTTPMethods } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Quota } from '../crds/v1alpha1/quota.ts';
import type { KubeObject } from '../kube/object.ts';
import { API_VERSION } from '../model/group.ts';
import { createCursors } from './cursor.ts';
import { describeRoutes } from './openapi/document.ts';
import type { Route } from './route.ts';
import {
  createTestApi,
  DATABASE_TIMEOUT_MS,
  desktop,
  plan,
  ROOT_PLANS,
  type TestApi,
  user,
} from './testing/testapi.ts';

/** Two customers of one seller, each with one of everything that has an id, and two of everything that is listed. */
const SIDES = { anna: 'acme--bob', eve: 'acme--eve' } as const;
type Who = keyof typeof SIDES;

let api: TestApi;
const idsOf: Record<Who, Readonly<Record<string, string>>> = { anna: {}, eve: {} };

beforeAll(async () => {
  api = await createTestApi({ database: true });
  for (const object of ROOT_PLANS) api.put(object);
  api.put(plan('sublet-root', 'panel', { offers: 'Tenant', requests: { perMinute: 100_000, perHour: 1_000_000 } }));
  api.sell('acme', { type: 'Reseller', plan: 'panel', members: [user('otto', 'Owner')] });
  api.put(plan('t-acme', 'panel', { offers: 'Tenant', basedOn: 'panel' }));
  for (const who of ['anna', 'eve'] as const) await furnish(who);
}, DATABASE_TIMEOUT_MS);
afterAll(() => api.close());
// What one case asks for counts in no other.
beforeEach(() => api.clock.advance(3_600_000));

async function furnish(who: Who): Promise<void> {
  const path = SIDES[who];
  const namespace = `t-${path}`;
  api.sell(path, { type: 'Reseller', plan: 'panel', members: [user(who, 'Owner')] });
  for (const name of [`${who}1`, `${who}2`]) {
    api.put(plan(namespace, name, { offers: 'Tenant', basedOn: 'panel' }));
    api.put(quota(namespace, name));
    api.put(
      desktop(namespace, name, {}, { address: '198.51.100.7', port: 3389, credentials: { secretRef: { name } } }),
    );
    api.sell(`${path}--${name}`, { plan: `${who}1` });
  }
  const post = async (url: string, payload?: object) => {
    await api.clock.advance(1_000);
    const answer = await api.as(who, {
      method: 'POST',
      url: `/v1/tenants/${path}/${url}`,
      ...(payload && { payload }),
    });
    expect(answer.statusCode, answer.body).toBeLessThan(300);
    return answer.json() as { readonly id: string };
  };
  const webhook = await post('webhooks', { url: 'https://hooks.example.com/x' });
  const event = await post(`webhooks/${webhook.id}/test`);
  await post(`webhooks/${webhook.id}/test`);
  const key = await post('keys', { name: 'robot', role: 'Viewer' });
  const invitation = await post('invitations', { plan: `${who}1` });
  const change = await post(`desktops/${who}1/restart`);
  await post(`desktops/${who}2/restart`);
  idsOf[who] = {
    webhooks: webhook.id,
    keys: key.id,
    invitations: invitation.id,
    changes: change.id,
    event: event.id,
    name: `${who}1`,
    member: `oidc:${who}`,
  };
}

function quota(namespace: string, name: string): Quota & KubeObject {
  const metadata = { name, namespace, uid: `uid-quota-${name}`, generation: 1 };
  return { apiVersion: API_VERSION, kind: 'Quota', metadata, spec: { hard: { vcpu: 4 } } };
}

const routes = describeRoutes();

/** The address of a route with whose path and whose ids. */
function addressOf({ url }: Pick<Route, 'url'>, path: string, ids: Readonly<Record<string, string>>): string {
  const word = /\/(\w+)\/\{id\}/.exec(url)?.[1] ?? '';
  return url.replaceAll(/\{(\w+)\}/g, (_, param: string) => {
    const value = { path, kind: 'User', id: ids[word] }[param] ?? ids[param];
    if (value === undefined) throw new Error(`nothing is known for {${param}} of ${url}`);
    return encodeURIComponent(value);
  });
}

describe('the cursor of a list', () => {
  const paged = routes.filter(({ query }) => query?.safeParse({ cursor: 'x' }).success === true);
  const ask = (who: Who, route: Route, query: string) =>
    api.as(who, { url: `${addressOf(route, SIDES[who], idsOf[who])}?${query}` });
  const nextOf = async (who: Who, route: Route): Promise<string> => {
    const { next } = (await ask(who, route, 'limit=1')).json();
    expect(next, route.operationId).toMatch(/^[\w-]{23,}$/);
    return next;
  };
  const expectRefused = async (who: Who, route: Route, cursor: string) => {
    const answer = await ask(who, route, `limit=1&cursor=${encodeURIComponent(cursor)}`);
    expect([answer.statusCode, answer.json().type], `${route.operationId} ${cursor}`).toEqual([
      400,
      'urn:sublet:problem:bad-cursor',
    ]);
  };

  it('is tried on every list that has one', () => {
    expect(paged.map(({ operationId }) => operationId).sort()).toEqual([
      'list-audit',
      'list-changes',
      'list-desktops',
      'list-my-tenants',
      'list-plans',
      'list-quotas',
      'list-tenants',
      'list-webhook-deliveries',
    ]);
  });

  it.each(paged.map((route) => [route.operationId, route] as const))('%s is good for it alone', async (_, route) => {
    const cursor = await nextOf('anna', route);
    expect((await ask('anna', route, `limit=1&cursor=${cursor}`)).statusCode).toBe(200);
    await expectRefused('eve', route, cursor);
    for (const other of paged) if (other !== route) await expectRefused('anna', other, cursor);
  });

  it.each(paged.map((route) => [route.operationId, route] as const))(
    '%s cannot be made or changed',
    async (_, route) => {
      const bytes = Buffer.from(await nextOf('anna', route), 'base64url');
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await expectRefused('anna', route, changed.toString('base64url'));
        if (at > 0) await expectRefused('anna', route, bytes.toString('base64url', 0, at));
      }
      const guesses = [
        '0',
        '-1',
        '1e9',
        '9999999999999 ',
        "1' OR '1'='1",
        '1; DROP TABLE changes',
        '{"__proto__":1}',
        '\0',
      ];
      const forge = createCursors(new Uint8Array(32).fill(1));
      for (const guess of guesses) {
        await expectRefused('anna', route, forge.render(`changes t-${SIDES.anna} `, guess));
        await expectRefused('anna', route, Buffer.concat([Buffer.alloc(16), Buffer.from(guess)]).toString('base64url'));
        await expectRefused('anna', route, guess.replaceAll('\0', '0'));
      }
    },
  );
});

describe("another tenant's id", () => {
  /** Ids of the right form that nothing has. */
  const NONE = {
    webhooks: '0'.repeat(20),
    keys: '0'.repeat(20),
    invitations: '0'.repeat(20),
    changes: `I${'0'.repeat(40)}`,
    event: `msg_${'0'.repeat(32)}`,
    name: 'none',
    member: 'oidc:none',
  };
  const BODIES: Readonly<Record<string, object>> = {
    'replay-webhook': { since: '2025-01-01T00:00:00Z' },
    'put-member': { role: 'Owner' },
    'power-desktop': { power: 'Stopped' },
    'change-webhook': { enabled: false },
  };
  const call = async (route: Route, path: string, ids: Readonly<Record<string, string>>) => {
    const payload =
      BODIES[route.operationId] ?? (route.method === 'GET' || route.body === undefined ? undefined : { spec: {} });
    const type = route.body?.kind === 'merge-patch' ? 'application/merge-patch+json' : 'application/json';
    const optional = route.body?.optional === true;
    const answer = await api.as('anna', {
      method: route.method as HTTPMethods & 'GET',
      url: addressOf(route, path, ids),
      headers: {
        'request-id': 'request-1',
        'if-match': '"x"',
        ...(payload === undefined || optional ? {} : { 'content-type': type }),
      },
      ...(payload === undefined || optional ? {} : { payload }),
    });
    return { status: answer.statusCode, body: answer.body };
  };
  const ofPlaces = routes.filter(({ url }) => url.includes('{path}'));
  /** A member is no resource: whoever may name one may name any. */
  const ofIds = routes.filter(({ url, access }) => /\{(name|id)\}/.test(url) && access !== 'Public');

  it.each(ofIds.map((route) => [route.operationId, route] as const))(
    'in the own place is nothing to %s',
    async (_, route) => {
      const foreign = await call(route, SIDES.anna, idsOf.eve);
      const none = await call(route, SIDES.anna, NONE);
      expect(foreign.status, foreign.body).toBe(404);
      expect(foreign).toEqual(none);
    },
  );

  it.each(ofPlaces.map((route) => [route.operationId, route] as const))(
    'in its own place is as much to %s as a place that is not there',
    async (_, route) => {
      const foreign = await call(route, SIDES.eve, idsOf.eve);
      expect(foreign.status, foreign.body).toBe(404);
      expect(foreign).toEqual(await call(route, 'acme--none', NONE));
    },
  );

  it('did nothing to what is there', async () => {
    const of = (url: string) => api.as('eve', { url: `/v1/tenants/${SIDES.eve}/${url}` });
    expect((await of('keys')).json().items).toMatchObject([{ id: idsOf.eve.keys }]);
    expect((await of('invitations')).json().items).toMatchObject([{ id: idsOf.eve.invitations }]);
    expect((await of('webhooks')).json().items).toMatchObject([{ id: idsOf.eve.webhooks, enabled: true }]);
    const authors = (await of('changes')).json().items.map(({ author }: { author: string }) => author);
    expect(authors).toEqual(['oidc:eve', 'oidc:eve']);
  });
});

describe('guesses of addresses', () => {
  it('count together, however many are tried', async () => {
    for (let n = 0; n < 1_000; n++) {
      const answer = await api.as('guest', { url: `/v1/tenants/acme--guess${n}/desktops` });
      expect(answer.statusCode).toBe(404);
    }
    for (const path of ['acme--guess1000', SIDES.eve, 'NOBODY']) {
      expect((await api.as('guest', { url: `/v1/tenants/${path}/desktops` })).statusCode, path).toBe(429);
    }
    api.sell('guests', { members: [user('guest', 'Owner')] });
    expect((await api.as('guest', { url: '/v1/tenants/guests/desktops' })).statusCode).toBe(200);
  });
});
