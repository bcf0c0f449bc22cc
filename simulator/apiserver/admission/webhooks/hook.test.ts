import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../../../kube/clock.ts';
import { createTestServer, type TestServer } from '../../controllers/testing/server.ts';
import type { JsonObject } from '../../schema/json.ts';
import { installAdmission } from '../install.ts';
import { reviewOf, startWebhookServer, type WebhookServer } from './testing/server.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';

let api: TestServer;
let admission: { close(): Promise<void> };
const servers: WebhookServer[] = [];

beforeEach(() => {
  api = createTestServer({ clock: realClock });
  admission = installAdmission(api.server);
});

afterEach(async () => {
  await admission.close();
  for (const server of servers.splice(0)) await server.stop();
});

async function listen(answer: Parameters<typeof startWebhookServer>[0], status?: number): Promise<WebhookServer> {
  const server = await startWebhookServer(answer, status);
  servers.push(server);
  return server;
}

const RULE = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };

async function register(server: Pick<WebhookServer, 'url' | 'caBundle'>, webhook: JsonObject = {}, name = 'a') {
  const clientConfig = { url: `${server.url}/judge`, caBundle: server.caBundle };
  const defaults = { clientConfig, rules: [RULE], sideEffects: 'None', admissionReviewVersions: ['v1'] };
  const webhooks = [{ name: `${name}.example.com`, ...defaults, ...webhook }];
  const answer = await api.call('POST', CONFIGURATIONS, { metadata: { name }, webhooks });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
}

const create = (name: string, query = '', labels = {}) =>
  api.call('POST', `${CONFIGMAPS}${query}`, { metadata: { name, labels }, data: { a: '1' } });

describe('a webhook that is asked', () => {
  it('gets the whole question and lets a write through', async () => {
    const server = await listen((request) => reviewOf(request, {}));
    await register(server);
    expect((await create('one', '?fieldManager=me')).status).toBe(201);
    const [{ path, review } = { path: '', review: {} }] = server.asked;
    expect(path).toBe('/judge?timeout=10s');
    expect(review).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        kind: { group: '', version: 'v1', kind: 'ConfigMap' },
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
        requestResource: { group: '', version: 'v1', resource: 'configmaps' },
        name: 'one',
        namespace: 'default',
        operation: 'CREATE',
        userInfo: { username: 'tester', groups: ['system:masters'] },
        object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { a: '1' } },
        oldObject: null,
        dryRun: false,
        options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions', fieldManager: 'me' },
      },
    });
  });

  it('sees what was there on update and deletion', async () => {
    const server = await listen((request) => reviewOf(request, {}));
    await register(server);
    await create('one');
    const patch = { data: { a: '2' } };
    await api.call('PATCH', `${CONFIGMAPS}/one`, patch, 'application/merge-patch+json');
    expect((await api.call('DELETE', `${CONFIGMAPS}/one`)).status).toBe(200);
    const requests = server.asked.map(({ review }) => review.request as JsonObject);
    expect(requests.map(({ operation }) => operation)).toEqual(['CREATE', 'UPDATE', 'DELETE']);
    expect(requests[1]).toMatchObject({ object: { data: { a: '2' } }, oldObject: { data: { a: '1' } } });
    expect(requests[2]).toMatchObject({ object: null, oldObject: { data: { a: '2' } } });
  });

  it('refuses with its own words, code and reason', async () => {
    const status = { code: 403, reason: 'Forbidden', message: 'no more than one', details: { name: 'x' } };
    await register(await listen((request) => reviewOf(request, { allowed: false, status })));
    const { status: code, body } = await create('one');
    expect(code).toBe(403);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'admission webhook "a.example.com" denied the request: no more than one',
      reason: 'Forbidden',
      details: { name: 'x' },
      code: 403,
    });
    expect((await api.call('GET', `${CONFIGMAPS}/one`)).status).toBe(404);
  });

  it.each([
    [{}, 'denied the request without explanation', 400],
    [{ status: { reason: 'Odd', code: 200 } }, 'denied the request: Odd', 400],
  ])('refuses when it says little: %j', async (response, message, code) => {
    await register(await listen((request) => reviewOf(request, { allowed: false, ...response })));
    expect((await create('one')).body).toMatchObject({ code, message: `admission webhook "a.example.com" ${message}` });
  });

  it('warns', async () => {
    await register(await listen((request) => reviewOf(request, { warnings: ['mind "this"', 'and that'] })));
    expect((await create('one')).headers.warning).toEqual(['299 - "mind \\"this\\""', '299 - "and that"']);
  });

  it('is asked together with others, and the first by name speaks', async () => {
    const deny = (message: string) => (request: JsonObject) =>
      reviewOf(request, { allowed: false, status: { message } });
    await register(await listen(deny('second')), {}, 'b');
    await register(await listen(deny('first')), {}, 'a');
    expect((await create('one')).body.message).toContain('denied the request: first');
    expect(servers.map(({ asked }) => asked.length)).toEqual([1, 1]);
  });
});

describe('a webhook that is not asked', () => {
  it.each([
    ['its rules name another kind', { rules: [{ ...RULE, resources: ['secrets'] }] }],
    ['its rules name a subresource', { rules: [{ ...RULE, resources: ['configmaps/status'] }] }],
    ['its rules name another operation', { rules: [{ ...RULE, operations: ['UPDATE', 'DELETE'] }] }],
    ['its scope is the cluster', { rules: [{ ...RULE, scope: 'Cluster' }] }],
    ['the object is not selected', { objectSelector: { matchLabels: { wanted: 'yes' } } }],
    [
      'the namespace is not selected',
      { namespaceSelector: { matchExpressions: [{ key: 'tenant', operator: 'Exists' }] } },
    ],
  ])('lets the write through at once because %s', async (_, webhook) => {
    const server = await listen((request) => reviewOf(request, { allowed: false }));
    await register(server, webhook);
    expect((await create('one')).status).toBe(201);
    expect(server.asked).toEqual([]);
  });

  it('is asked again once object and namespace are selected', async () => {
    const server = await listen((request) => reviewOf(request, {}));
    await register(server, {
      objectSelector: { matchExpressions: [{ key: 'wanted', operator: 'In', values: ['yes'] }] },
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
    });
    await create('one', '', { wanted: 'yes' });
    expect(server.asked).toHaveLength(1);
  });

  it('never judges what decides about admission', async () => {
    const rule = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] };
    await register(await listen((request) => reviewOf(request, { allowed: false })), { rules: [rule] });
    expect((await api.call('DELETE', `${CONFIGURATIONS}/a`)).status).toBe(200);
  });
});

describe('dry runs', () => {
  it('reach a webhook without side effects, as such', async () => {
    const server = await listen((request) => reviewOf(request, {}));
    await register(server, { sideEffects: 'NoneOnDryRun' });
    expect((await create('one', '?dryRun=All')).status).toBe(201);
    expect(server.asked[0]?.review.request).toMatchObject({ dryRun: true });
  });
});

describe('a webhook that fails', () => {
  const broken: readonly (readonly [string, Parameters<typeof startWebhookServer>[0], number, string])[] = [
    [
      'answers 500',
      () => 'boom',
      500,
      'failed to call webhook: an error on the server ("boom") has prevented the request from succeeding',
    ],
    ['answers 404', () => '', 404, 'failed to call webhook: the server could not find the requested resource'],
    ['answers no JSON', () => 'hello', 200, "failed to call webhook: couldn't get version/kind; json parse error"],
    ['answers no object of a kind', () => ({}), 200, "failed to call webhook: Object 'Kind' is missing in"],
    [
      'answers no response',
      () => ({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }),
      200,
      'received invalid webhook response: webhook response was absent',
    ],
    [
      'answers another question',
      (request) => reviewOf(request, { uid: 'x' }),
      200,
      'received invalid webhook response: expected response.uid="',
    ],
    [
      'answers in another version',
      (request) => ({ ...reviewOf(request, {}), apiVersion: 'admission.k8s.io/v1beta1' }),
      200,
      'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview',
    ],
    [
      'patches',
      (request) => reviewOf(request, { patch: 'W10=' }),
      200,
      'validating webhook may not return response.patch',
    ],
  ];

  it.each(broken)('%s: the write is refused', async (_, answer, status, message) => {
    await register(await listen(answer, status));
    const { status: code, body } = await create('one');
    expect([code, body.reason]).toEqual([500, 'InternalError']);
    expect(body.message).toContain('Internal error occurred: failed calling webhook "a.example.com": ');
    expect(body.message).toContain(message);
    expect(body.details.causes[0].message).toBe(body.message.slice('Internal error occurred: '.length));
  });

  it('is passed over when its policy is Ignore', async () => {
    await register(await listen(() => 'boom', 500), { failurePolicy: 'Ignore' });
    expect((await create('one')).status).toBe(201);
  });

  it('is given up after its time', async () => {
    const server = await listen(() => undefined);
    await register(server, { timeoutSeconds: 1 });
    const { body } = await create('one');
    expect(body.message).toContain(`Post "${server.url}/judge?timeout=1s": context deadline exceeded`);
  });

  it('is not trusted with another certificate than its bundle names', async () => {
    const [server, other] = [await listen(() => ''), await listen(() => '')];
    await register({ url: server.url, caBundle: other.caBundle });
    const { body } = await create('one');
    expect(body.message).toContain('tls: failed to verify certificate: x509: certificate signed by unknown authority');
    expect(server.asked).toEqual([]);
  });

  it('is not there', async () => {
    const { caBundle } = await listen(() => '');
    await register({ url: 'https://127.0.0.1:1', caBundle });
    expect((await create('one')).body.message).toContain('dial tcp 127.0.0.1:1: connect: connection refused');
  });
});

describe('an object that changes while a webhook thinks', () => {
  it('is judged again as it then is', async () => {
    let isFirst = true;
    const server = await listen((request) => {
      if (isFirst && request.operation === 'UPDATE') {
        isFirst = false;
        const { collection } = api.server.core.registry.find('', 'v1', 'configmaps') ?? {};
        const stored = collection?.get('default', 'one');
        if (collection !== undefined && stored !== undefined) {
          api.server.core.store.put(collection, { ...stored.object, data: { a: '1', b: 'other' } }, stored);
        }
      }
      return reviewOf(request, {});
    });
    await register(server);
    await create('one');
    const patch = { data: { a: '2' } };
    const { body } = await api.call('PATCH', `${CONFIGMAPS}/one`, patch, 'application/merge-patch+json');
    expect(body.data).toEqual({ a: '2', b: 'other' });
    const last = server.asked.at(-1)?.review.request as JsonObject;
    expect(last).toMatchObject({ object: { data: { a: '2', b: 'other' } }, oldObject: { data: { b: 'other' } } });
  });
});
