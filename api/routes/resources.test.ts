import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, desktop, plan, ROOT_PLANS, type TestApi, user } from '../testing/testapi.ts';

let api: TestApi;
const DESK = desktop(
  't-acme--bob',
  'anna-desk',
  { plan: 'pro' },
  { address: '198.51.100.7', port: 3389, conditions: [] },
);

beforeAll(async () => {
  api = await createTestApi();
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { type: 'Reseller', members: [user('rita', 'Owner')] });
  api.put(plan('t-acme', 'pro', { basedOn: 'basic' }));
  api.put(plan('t-acme', 'team', { offers: 'Tenant' }));
  api.sell('acme--bob', { members: [user('anna', 'Owner'), user('vera', 'Viewer')] });
  api.sell('acme--eve', { members: [user('eve', 'Owner')] });
  api.put(DESK);
});
afterAll(() => api.close());

const NEW_DESKTOP = { name: 'desk-two', spec: { plan: 'pro', image: 'ubuntu-24', username: 'anna' } };
const UNSEEN = { ...NEW_DESKTOP, name: 'desk-none' };
const DESKTOPS = '/v1/tenants/acme--bob/desktops';
const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
  ({ method: 'POST', url, payload, headers }) as const;
const merge = (url: string, payload: object, headers: Record<string, string> = {}) =>
  ({ method: 'PATCH', url, payload, headers: { 'content-type': 'application/merge-patch+json', ...headers } }) as const;

describe('getting', () => {
  it('shows what is live, with an ETag over what is declared', async () => {
    const answer = await api.as('anna', { url: `${DESKTOPS}/anna-desk` });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      name: 'anna-desk',
      tenant: 'acme--bob',
      spec: DESK.spec,
      status: DESK.status,
      uid: 'uid-t-acme--bob-anna-desk',
      createdAt: '2025-12-31T00:00:00Z',
    });
    const etag = String(answer.headers.etag);
    expect(etag).toMatch(/^"[A-Za-z0-9_-]{27}"$/);
    const again = await api.as('anna', {
      url: `${DESKTOPS}/anna-desk`,
      headers: { 'if-none-match': `"x", W/${etag}` },
    });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
    api.put({
      ...DESK,
      metadata: { ...DESK.metadata, generation: 2 },
      status: { ...DESK.status, address: '198.51.100.8' },
    } as never);
    expect((await api.as('anna', { url: `${DESKTOPS}/anna-desk` })).headers.etag).toBe(etag);
  });

  it('shows a tenant with its path, to its seller and to its members', async () => {
    for (const name of ['rita', 'anna', 'vera']) {
      const answer = await api.as(name, { url: '/v1/tenants/acme--bob' });
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toMatchObject({ name: 'bob', tenant: 'acme', path: 'acme--bob' });
    }
  });

  it('answers what may not be seen exactly as what does not exist', async () => {
    const hidden = await api.as('eve', { url: `${DESKTOPS}/anna-desk`, headers: { 'request-id': 'request-1' } });
    const missing = await api.as('eve', {
      url: '/v1/tenants/acme--eve/desktops/nothing',
      headers: { 'request-id': 'request-1' },
    });
    const nobodys = await api.as('eve', {
      url: '/v1/tenants/acme--zoe/desktops/nothing',
      headers: { 'request-id': 'request-1' },
    });
    const impossible = await api.as('eve', {
      url: '/v1/tenants/No--Such/desktops',
      headers: { 'request-id': 'request-1' },
    });
    const noRoute = await api.as('eve', { url: '/v1/nothing', headers: { 'request-id': 'request-1' } });
    for (const answer of [hidden, missing, nobodys, impossible, noRoute]) {
      expect(answer.statusCode).toBe(404);
      expect(answer.body).toBe(hidden.body);
    }
    const names = Object.keys(hidden.headers);
    for (const answer of [missing, nobodys, impossible]) expect(Object.keys(answer.headers)).toEqual(names);
  });
});

describe('lists', () => {
  it('gives pages whose cursors are good for that list alone', async () => {
    for (let i = 0; i < 5; i++) api.put(plan('t-acme', `page-${i}`, { basedOn: 'basic' }));
    const names: string[] = [];
    let url = '/v1/tenants/acme/plans?limit=3';
    let cursor: string | undefined;
    for (;;) {
      const answer = await api.as('anna', { url: cursor === undefined ? url : `${url}&cursor=${cursor}` });
      expect(answer.statusCode).toBe(200);
      const page: { items: { name: string }[]; next?: string } = answer.json();
      names.push(...page.items.map(({ name }) => name));
      if (page.next === undefined) break;
      cursor = page.next;
    }
    expect(names).toEqual(['page-0', 'page-1', 'page-2', 'page-3', 'page-4', 'pro', 'team']);
    for (const forged of [`${cursor}x`, 'AAAA', '', `${cursor}=`, 'x'.repeat(3_000)]) {
      const answer = await api.as('anna', { url: `${url}&cursor=${encodeURIComponent(forged)}` });
      expect(answer.statusCode).toBe(400);
    }
    url = '/v1/tenants/acme--bob/desktops?limit=1';
    const foreign = await api.as('anna', { url: `${url}&cursor=${cursor}` });
    expect(foreign.statusCode).toBe(400);
    expect(foreign.json()).toMatchObject({ type: 'urn:sublet:problem:bad-cursor', errors: [{ parameter: 'cursor' }] });
    for (let i = 0; i < 5; i++) api.remove(plan('t-acme', `page-${i}`, {}));
  });

  it.each(['limit=0', 'limit=501', 'limit=x', 'limit=1&limit=2', 'other=1', '__proto__[x]=1', 'constructor=1'])(
    'explains the query %s',
    async (query) => {
      const answer = await api.as('anna', { url: `${DESKTOPS}?${query}` });
      expect(answer.statusCode).toBe(400);
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(answer.json().errors[0].parameter).toBe(query.split('=')[0]);
    },
  );

  it('gives everybody the tenants that he may see', async () => {
    const paths = async (name: string) => (await api.as(name, { url: '/v1/tenants' })).json().items;
    expect(await paths('rita')).toEqual([
      { path: 'acme', roles: ['Owner'] },
      { path: 'acme--bob', roles: [] },
      { path: 'acme--eve', roles: [] },
    ]);
    expect(await paths('vera')).toEqual([{ path: 'acme--bob', roles: ['Viewer'] }]);
    expect(await paths('nobody')).toEqual([]);
  });
});

describe('creating', () => {
  it('answers 202 with a change and shows at once what was accepted', async () => {
    const answer = await api.as('anna', post(DESKTOPS, NEW_DESKTOP, { 'request-id': 'order-123456' }));
    expect(answer.statusCode).toBe(202);
    const change = answer.json();
    expect(answer.headers.location).toBe(`/v1/changes/${change.id}`);
    expect(change).toMatchObject({
      state: 'Accepted',
      done: false,
      type: 'Create',
      target: { kind: 'RDPInstance', tenant: 'acme--bob', namespace: 't-acme--bob', name: 'desk-two' },
      author: 'oidc:anna',
      requestId: 'order-123456',
    });
    const journalled = await api.journal.find(change.id);
    expect(journalled?.intent).toEqual({
      type: 'Create',
      target: { kind: 'RDPInstance', namespace: 't-acme--bob', name: 'desk-two' },
      object: {
        apiVersion: 'sublet.dev/v1alpha1',
        kind: 'RDPInstance',
        metadata: { name: 'desk-two' },
        spec: NEW_DESKTOP.spec,
      },
    });
    expect(journalled).toMatchObject({ repository: 'fleet', mode: 'Commit' });
    const read = await api.as('anna', { url: `${DESKTOPS}/desk-two` });
    expect(read.json()).toMatchObject({
      spec: { ...NEW_DESKTOP.spec, power: 'Running', access: { type: 'LoadBalancer' } },
      pending: [{ change: change.id, type: 'Create', state: 'Accepted' }],
    });
    const list = (await api.as('vera', { url: DESKTOPS })).json();
    expect(list.items.map(({ name }: { name: string }) => name)).toEqual(['anna-desk', 'desk-two']);
    api.put(desktop('t-acme--bob', 'desk-two', { plan: 'pro' }));
    const arrived = await api.as('anna', { url: `${DESKTOPS}/desk-two` });
    expect(arrived.headers.etag).toBe(read.headers.etag);
  });

  it('refuses a second one of the name', async () => {
    const answer = await api.as('anna', post(DESKTOPS, { ...NEW_DESKTOP, name: 'anna-desk' }));
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ type: 'urn:sublet:problem:already-exists' });
  });

  it('gives a repetition with the same key the same change, and refuses the key for another request', async () => {
    const headers = { 'idempotency-key': '"0b5f-key"' };
    const body = { ...NEW_DESKTOP, name: 'desk-three' };
    const first = await api.as('anna', post(DESKTOPS, body, headers));
    expect(first.statusCode).toBe(202);
    const second = await api.as('anna', post(DESKTOPS, body, headers));
    expect(second.statusCode).toBe(202);
    expect(second.json()).toEqual(first.json());
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.headers.location).toBe(first.headers.location);
    const bare = await api.as('anna', post(DESKTOPS, body, { 'idempotency-key': '0b5f-key' }));
    expect(bare.json().id).toBe(first.json().id);
    const other = await api.as('anna', post(DESKTOPS, { ...body, name: 'desk-four' }, headers));
    expect(other.statusCode).toBe(422);
    expect(other.json()).toMatchObject({ type: 'urn:sublet:problem:key-reused' });
    const elsewhere = await api.as('anna', post('/v1/tenants/acme--bob/desktops/anna-desk/restart', {}, headers));
    expect(elsewhere.statusCode).toBe(422);
    for (const bad of ['', ' ', 'a b', 'ä', 'x'.repeat(256)]) {
      const answer = await api.as('anna', post(DESKTOPS, body, { 'idempotency-key': bad }));
      expect(answer.statusCode).toBe(400);
    }
  });

  it.each([
    [{ ...NEW_DESKTOP, name: 'a-name-that-is-far-too-long' }, '/name', 'at most 15 characters'],
    [{ ...UNSEEN, spec: { ...NEW_DESKTOP.spec, username: 'root' } }, '/spec/username', 'must not be an account'],
    [
      { ...UNSEEN, spec: { ...NEW_DESKTOP.spec, access: { allow: ['10.0.0.1/8'] } } },
      '/spec/access/allow/0',
      'must be a network',
    ],
    [{ ...UNSEEN, spec: { ...NEW_DESKTOP.spec, gpu: 1 } }, '/spec/gpu', 'is not known; the members here are'],
    [{ ...UNSEEN, spec: { ...NEW_DESKTOP.spec, plan: 'gold' } }, '/spec/plan', 'no Plan gold in namespace t-acme'],
    [{ ...UNSEEN, spec: { ...NEW_DESKTOP.spec, plan: 'team' } }, '/spec/plan', 'Plan team offers Tenant'],
    [
      { ...UNSEEN, spec: { ...NEW_DESKTOP.spec, image: 'debian' } },
      '/spec/image',
      'debian is not among the images of Plan pro',
    ],
    [{ name: 'x', spec: { plan: 'pro', image: 'ubuntu-24' } }, '/spec/username', 'is required'],
    [{ name: 'x' }, '/spec', 'is required'],
    [{ ...UNSEEN, status: {} }, '/status', 'is not known'],
    [[], '', 'must be a map'],
    [{ name: 3, spec: {} }, '/name', 'must be a text'],
  ])('explains %j', async (body, pointer, message) => {
    const answer = await api.as('anna', post(DESKTOPS, body));
    expect(answer.statusCode).toBe(422);
    expect(answer.json().errors).toContainEqual(
      expect.objectContaining({ pointer, detail: expect.stringContaining(message) }),
    );
  });

  it('mints the identity of a tenant, whose plan may still be on its way', async () => {
    const planned = await api.as(
      'rita',
      post('/v1/tenants/acme/plans', { name: 'gold', spec: { title: 'Gold', offers: 'Tenant', currency: 'USD' } }),
    );
    expect(planned.statusCode).toBe(202);
    const answer = await api.as('rita', post('/v1/tenants/acme/tenants', { name: 'zoe', spec: { plan: 'gold' } }));
    expect(answer.statusCode).toBe(202);
    const read = (await api.as('rita', { url: '/v1/tenants/acme--zoe' })).json();
    expect(read.spec.id).toMatch(/^zoe-[a-z2-9]{5}$/);
    expect(read).toMatchObject({ path: 'acme--zoe', tenant: 'acme' });
    const taken = await api.as(
      'rita',
      post('/v1/tenants/acme/tenants', { name: 'yves', spec: { plan: 'team', id: read.spec.id } }),
    );
    expect(taken.statusCode).toBe(422);
    expect(taken.json().errors[0]).toMatchObject({ pointer: '/spec/id', rule: 'DuplicateIdentity' });
  });

  it('refuses a repository that is inside, in the words that hold for commits', async () => {
    const sell = (url: string) => {
      const source = { type: 'Repository', repository: { url, path: 'x' } };
      return api.as('rita', post('/v1/tenants/acme/tenants', { name: 'ines', spec: { plan: 'team', source } }));
    };
    const refused = await sell('https://10.1.2.3/fleet');
    expect(refused.statusCode).toBe(422);
    expect(refused.json().errors).toEqual([
      {
        pointer: '/spec/source/repository/url',
        rule: 'RepositoryHost',
        detail:
          'names 10.1.2.3, which is a private address; use a repository on the internet, or ask the provider to list 10.1.2.3 in allowedGitHosts',
      },
    ]);
    expect((await api.as('rita', { url: '/v1/tenants/acme--ines' })).statusCode).toBe(404);
    expect((await sell('https://git.example.com/fleet')).statusCode).toBe(202);
  });

  it('says that a tenant without a source is not written to Git', async () => {
    const { source: _, ...spec } = api.sell('acme--kube', { members: [user('kurt', 'Owner')] }).spec;
    api.put({ ...api.sell('acme--kube', {}), spec: { ...spec, members: [user('kurt', 'Owner')] } } as never);
    const answer = await api.as('kurt', post('/v1/tenants/acme--kube/desktops', NEW_DESKTOP));
    expect(answer.statusCode).toBe(409);
    expect(answer.json().detail).toContain('has no source');
  });

  it('says of a repository that is named by ssh that the API does not write it', async () => {
    const own = (url: string) => ({
      members: [user('sven', 'Owner')],
      source: {
        type: 'Repository' as const,
        repository: { url, branch: 'main', secretRef: { name: 'git.git.example.com' } },
      },
    });
    const order = (name: string) => api.as('sven', post('/v1/tenants/acme--sven/desktops', { ...NEW_DESKTOP, name }));
    api.sell('acme--sven', own('ssh://git@git.example.com/sven/desks'));
    const answer = await order('by-ssh');
    expect(answer.statusCode).toBe(409);
    expect(answer.json().detail).toBe(
      'the repository of acme--sven is named by ssh, which Flux reads and the API does not write; commit to it by git, or name it by https:// in spec.source.repository.url',
    );
    expect(await api.journal.waiting()).not.toContain('tenant/t-acme--sven');
    api.sell('acme--sven', own('https://git.example.com/sven/desks'));
    expect((await order('by-https')).statusCode).toBe(202);
  });

  it('tells who may look that he may not order, and everybody else nothing', async () => {
    const viewer = await api.as('vera', post(DESKTOPS, NEW_DESKTOP));
    expect(viewer.statusCode).toBe(403);
    expect(viewer.json().detail).toContain('your role does not let you create rdpinstances in t-acme--bob');
    expect((await api.as('eve', post(DESKTOPS, NEW_DESKTOP))).statusCode).toBe(404);
    expect((await api.as('rita', post(DESKTOPS, NEW_DESKTOP))).statusCode).toBe(404);
    expect((await api.call(post(DESKTOPS, NEW_DESKTOP))).statusCode).toBe(401);
  });
});

describe('changing', () => {
  it('hands in only what differs, field by field', async () => {
    const url = `${DESKTOPS}/anna-desk`;
    const answer = await api.as(
      'anna',
      merge(url, { spec: { power: 'Stopped', access: { allow: ['203.0.113.0/24'] } } }),
    );
    expect(answer.statusCode).toBe(202);
    const change = await api.journal.find(answer.json().id);
    expect(change?.intent).toEqual({
      type: 'Edit',
      target: { kind: 'RDPInstance', namespace: 't-acme--bob', name: 'anna-desk' },
      edits: [
        { path: ['spec', 'power'], from: 'Running', to: 'Stopped' },
        { path: ['spec', 'access', 'allow'], to: ['203.0.113.0/24'] },
      ],
    });
    const read = await api.as('anna', { url });
    expect(read.json()).toMatchObject({ spec: { power: 'Stopped' }, pending: [{ change: change?.id, type: 'Edit' }] });
    const nothing = await api.as('anna', merge(url, { spec: { power: 'Stopped' } }));
    expect(nothing.statusCode).toBe(200);
    expect(nothing.json()).toEqual(read.json());
  });

  it('holds writes to the state that was seen', async () => {
    const url = `${DESKTOPS}/anna-desk`;
    const seen = await api.as('anna', { url });
    const etag = String(seen.headers.etag);
    const stale = await api.as('anna', merge(url, { spec: { plan: 'pro' } }, { 'if-match': '"old"' }));
    expect(stale.statusCode).toBe(412);
    expect(stale.headers.etag).toBe(etag);
    const weak = await api.as('anna', merge(url, { spec: {} }, { 'if-match': `W/${etag}` }));
    expect(weak.statusCode).toBe(412);
    const bad = await api.as('anna', merge(url, { spec: {} }, { 'if-match': 'no quotes' }));
    expect(bad.statusCode).toBe(400);
    const unseen = await api.as('anna', { method: 'PUT', url, payload: { spec: seen.json().spec } });
    expect(unseen.statusCode).toBe(428);
    const put = {
      method: 'PUT',
      url,
      payload: { spec: { ...seen.json().spec, power: 'Running' } },
      headers: { 'if-match': etag },
    } as const;
    expect((await api.as('anna', put)).statusCode).toBe(202);
    expect((await api.as('anna', put)).statusCode).toBe(412);
    const keyed = { 'idempotency-key': 'known-from-the-first-on' };
    const spec = { access: { allow: ['198.51.100.0/24'] } };
    expect((await api.as('anna', merge(url, { spec }, keyed))).statusCode).toBe(202);
    expect((await api.as('anna', merge(url, { spec }, { ...keyed, 'if-match': '' }))).statusCode).toBe(400);
  });

  it('refuses what never changes, and what would not fit the rules', async () => {
    const url = `${DESKTOPS}/anna-desk`;
    const renamed = await api.as('anna', merge(url, { spec: { username: 'bert' } }));
    expect(renamed.statusCode).toBe(422);
    expect(renamed.json().errors).toEqual([expect.objectContaining({ pointer: '/spec/username', rule: 'Immutable' })]);
    expect((await api.as('anna', merge(url, { spec: { plan: null } }))).statusCode).toBe(422);
    expect((await api.as('anna', { method: 'PATCH', url, payload: { spec: {} } })).statusCode).toBe(415);
    expect((await api.as('anna', merge(`${DESKTOPS}/nothing`, { spec: {} }))).statusCode).toBe(404);
  });

  it('lets stop what was ordered of a plan that is not sold any more', async () => {
    api.put(desktop('t-acme--bob', 'old-desk', { plan: 'discontinued', image: 'ubuntu-20' }));
    const url = `${DESKTOPS}/old-desk`;
    expect((await api.as('anna', post(`${url}/power`, { power: 'Stopped' }))).statusCode).toBe(202);
    const other = await api.as('anna', merge(url, { spec: { plan: 'pro' } }));
    expect(other.json().errors).toEqual([expect.objectContaining({ pointer: '/spec/image' })]);
    api.remove(desktop('t-acme--bob', 'old-desk'));
  });

  it('starts, stops and restarts desktops', async () => {
    const url = '/v1/tenants/acme--bob/desktops/desk-two';
    expect((await api.as('anna', post(`${url}/power`, { power: 'Stopped' }))).statusCode).toBe(202);
    expect((await api.as('anna', post(`${url}/power`, { power: 'Off' }))).json().errors[0].pointer).toBe('/power');
    const restart = await api.as('anna', { method: 'POST', url: `${url}/restart` });
    expect(restart.statusCode).toBe(202);
    // In the same millisecond.
    expect((await api.as('anna', { method: 'POST', url: `${url}/restart` })).statusCode).toBe(200);
    const spec = (await api.as('anna', { url })).json().spec;
    expect(spec).toMatchObject({ power: 'Stopped', restartedAt: new Date(api.clock.now()).toISOString() });
    expect((await api.as('vera', { method: 'POST', url: `${url}/restart` })).statusCode).toBe(403);
  });

  it('gives and takes membership, by who sold to the tenant', async () => {
    const url = '/v1/tenants/acme--eve/members';
    const put = {
      method: 'PUT',
      url: `${url}/User/${encodeURIComponent('oidc:zed/1')}`,
      payload: { role: 'Viewer' },
    } as const;
    expect((await api.as('eve', put)).statusCode).toBe(403);
    const answer = await api.as('rita', put);
    expect(answer.statusCode).toBe(202);
    const edits = (await api.journal.find(answer.json().id))?.intent;
    expect(edits).toMatchObject({
      edits: [
        {
          path: ['spec', 'members', { kind: 'User', name: 'oidc:zed/1' }],
          to: { kind: 'User', name: 'oidc:zed/1', role: 'Viewer' },
        },
      ],
    });
    expect((await api.as('eve', { url })).json().items).toHaveLength(2);
    const gone = await api.as('rita', { method: 'DELETE', url: put.url });
    expect(gone.statusCode).toBe(202);
    expect((await api.as('rita', { method: 'DELETE', url: put.url })).statusCode).toBe(404);
    const system = await api.as('rita', {
      method: 'PUT',
      url: `${url}/Group/system%3Amasters`,
      payload: { role: 'Owner' },
    });
    expect(system.statusCode).toBe(422);
  });
});

describe('removing', () => {
  it('shows what is on its way out, and lets nobody change it', async () => {
    const url = `${DESKTOPS}/desk-three`;
    const removed = await api.as('anna', { method: 'DELETE', url });
    expect(removed.statusCode).toBe(202);
    expect((await api.as('anna', { url })).json()).toMatchObject({ removing: true });
    expect((await api.as('anna', merge(url, { spec: { power: 'Stopped' } }))).statusCode).toBe(409);
    expect((await api.as('vera', { method: 'DELETE', url })).statusCode).toBe(403);
    expect((await api.as('anna', { method: 'DELETE', url: `${DESKTOPS}/nothing` })).statusCode).toBe(404);
  });
});

describe('connecting', () => {
  it('gives the .rdp file once there is an address', async () => {
    const answer = await api.as('vera', { url: `${DESKTOPS}/anna-desk/connect` });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/x-rdp');
    expect(answer.headers['content-disposition']).toBe('attachment; filename="anna-desk.rdp"');
    expect(answer.body).toContain('full address:s:198.51.100.8:3389\r\nusername:s:anna\r\n');
    const early = await api.as('vera', { url: `${DESKTOPS}/desk-two/connect` });
    expect(early.statusCode).toBe(409);
    expect(early.headers['retry-after']).toBe('5');
  });
});
