import type { HTTPMethods } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Member } from '../crds/v1alpha1/tenant.ts';
import { authorize, type Question } from './authorize.ts';
import { describeRoutes } from './openapi/document.ts';
import { parsePlace } from './place.ts';
import type { Route } from './route.ts';
import { createTestApi, desktop, plan, ROOT_PLANS, type TestApi, user } from './testing/testapi.ts';

const ROLES = Member.shape.role.options;
/** Whose member the caller is, seen from `acme--bob`. */
const RELATIONS = { own: 'acme--bob', child: 'acme--bob--kim', parent: 'acme', stranger: 'acme--eve' } as const;
const TARGET = 'acme--bob';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
  for (const object of ROOT_PLANS) api.put(object);
  const members = (path: string) => ROLES.map((role) => user(`${path}.${role}`, role));
  for (const path of ['acme', 'acme--bob', 'acme--eve', 'acme--bob--kim']) {
    api.sell(path, { type: 'Reseller', members: members(path) });
  }
  api.put(plan('t-acme--bob', 'x', { basedOn: 'y' }));
  api.put(
    desktop(
      't-acme--bob',
      'x',
      {},
      { address: '198.51.100.7', port: 3389, credentials: { secretRef: { name: 'rdp-x' } } },
    ),
  );
});
afterAll(() => api.close());

/** Every route that asks for a right in a place; all others are listed, so that none is added unseen. */
const routes = describeRoutes();
const guarded = routes.filter(({ access }) => typeof access === 'function');

const PARAMS: Readonly<Record<string, string>> = {
  path: TARGET,
  name: 'x',
  kind: 'User',
  member: 'oidc:x',
  id: '0'.repeat(20),
  event: `msg_${'0'.repeat(32)}`,
};

function questionOf(route: Route): Question {
  const question =
    typeof route.access === 'function' ? route.access(parsePlace(TARGET, 'sublet-root'), PARAMS) : undefined;
  if (question === undefined) throw new Error(`${route.operationId} asks for nothing`);
  return question;
}

describe('every route x role x relation', () => {
  it('leaves no route without a decision', () => {
    const others = routes
      .filter(({ access }) => typeof access !== 'function')
      .map(({ operationId, access }) => `${operationId}: ${access}`);
    expect(others.sort()).toEqual([
      'get-change: SignedIn',
      'get-docs: Public',
      'get-openapi: Public',
      'list-my-tenants: SignedIn',
      'password-page: Public',
      'reveal-password: Public',
      'sign-up: SignedIn',
    ]);
    expect(guarded.length).toBeGreaterThan(30);
  });

  const cases = guarded.flatMap((route) =>
    Object.entries(RELATIONS).map(([relation, path]) => ({ route, operation: route.operationId, relation, path })),
  );

  it.each(cases)('$operation, $relation', async ({ route, path }) => {
    const question = questionOf(route);
    for (const role of ROLES) {
      const name = `${path}.${role}`;
      const memberships = ['acme', 'acme--bob', 'acme--eve', 'acme--bob--kim']
        .filter((of) => of === path)
        .map((of) => {
          const { namespace, tenant } = parsePlace(of, 'sublet-root');
          return {
            role,
            namespace,
            ...(tenant === undefined
              ? {}
              : { tenant: { path: of, name: tenant.name, sellerNamespace: tenant.namespace } }),
          };
        });
      const may = authorize({}, memberships, question);
      const url = route.url.replaceAll(/\{(\w+)\}/g, (_, param: string) => encodeURIComponent(PARAMS[param] ?? ''));
      const answer = await api.as(name, { method: route.method as HTTPMethods & 'GET', url });
      const text = `${name} ${route.method} ${url}: ${answer.statusCode} ${answer.body.slice(0, 200)}`;
      // Without a body, what was admitted is told that one is missing, or that the thing itself is not there.
      if (may) expect(answer.statusCode === 403 || answer.statusCode === 401, text).toBe(false);
      else expect([403, 404], text).toContain(answer.statusCode);
      const mayLook = authorize({}, memberships, { ...question, verb: question.verb === 'create' ? 'list' : 'get' });
      if (!may && !mayLook) expect(answer.statusCode, text).toBe(404);
      if (may && question.name === 'x' && route.method === 'GET' && !route.url.includes('quotas'))
        expect(answer.statusCode, text).toBe(200);
    }
  });
});
