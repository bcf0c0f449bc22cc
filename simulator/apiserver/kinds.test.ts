import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiAnswer } from './request.ts';
import { createWorld, type World } from './testing/world.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});

const USER = { username: 'tester', groups: [] };

function send(method: string, path: string, body?: unknown, type = 'application/json', accept = 'application/json') {
  const headers = { 'content-type': type, accept, 'user-agent': 'test/1' };
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const answer = world.server.handle({ method, path, headers, body: text, user: USER }) as ApiAnswer;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer, it asserts.
  const parsed: any = answer.headers['content-type'] === 'application/json' ? JSON.parse(answer.body) : answer.body;
  return { status: answer.status, headers: answer.headers, body: parsed };
}

const NS = '/api/v1/namespaces/default';
const named = (name: string, more: object) => ({ metadata: { name }, ...more });

describe('Services', () => {
  const service = (name: string, spec: object = {}) => named(name, { spec: { ports: [{ port: 80 }], ...spec } });

  it('get an address of their own, which stays', () => {
    const addresses = ['a', 'b', 'c'].map((name) => send('POST', `${NS}/services`, service(name)).body.spec.clusterIP);
    expect(new Set(addresses).size).toBe(3);
    for (const address of addresses) expect(address).toMatch(/^10\.96\./);
    const put = send('PUT', `${NS}/services/a`, service('a', { ports: [{ port: 81 }] }));
    expect(put.body.spec).toMatchObject({
      clusterIP: addresses[0],
      ports: [{ port: 81, targetPort: 81, protocol: 'TCP' }],
    });
    const moved = send('PUT', `${NS}/services/a`, service('a', { clusterIP: '10.96.250.1' }));
    expect([moved.status, moved.body.details.causes[0].field]).toEqual([422, 'spec.clusterIPs[0]']);
  });

  it('get ports on nodes, and lose them with their type', () => {
    const { body } = send('POST', `${NS}/services`, service('a', { type: 'LoadBalancer' }));
    const { nodePort } = body.spec.ports[0];
    expect(nodePort).toBeGreaterThanOrEqual(30_000);
    const patched = send('PATCH', `${NS}/services/a`, { spec: { type: 'ClusterIP' } }, 'application/merge-patch+json');
    expect(patched.body.spec.ports[0].nodePort).toBeUndefined();
    expect(patched.body.spec.externalTrafficPolicy).toBeUndefined();
  });
});

describe('built-in kinds', () => {
  it('are decoded as Go decodes them', () => {
    const wrong = send('POST', `${NS}/services`, named('a', { spec: { ports: [{ port: 'http' }] } }));
    expect([wrong.status, wrong.body.message]).toEqual([
      400,
      'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32',
    ]);
    const odd = send('POST', `${NS}/configmaps?fieldValidation=Strict`, named('a', { extra: 1 }));
    expect(odd.body.message).toContain('strict decoding error: unknown field "extra"');
    const warned = send('POST', `${NS}/configmaps`, named('a', { extra: 1, data: {} }));
    expect(warned.headers.warning).toEqual(['299 - "unknown field \\"extra\\""']);
    expect(warned.body).not.toHaveProperty('extra');
    expect(warned.body).not.toHaveProperty('data');
  });

  it('keep text of Secrets as bytes', () => {
    const { body } = send('POST', `${NS}/secrets`, named('a', { stringData: { k: 'ü' } }));
    expect(body).toMatchObject({ type: 'Opaque', data: { k: 'w7w=' } });
    expect(body.metadata.managedFields[0].fieldsV1).toEqual({ 'f:data': { '.': {}, 'f:k': {} }, 'f:type': {} });
    const changed = send('PATCH', `${NS}/secrets/a`, { type: 'x' }, 'application/merge-patch+json');
    expect(changed.body.message).toBe('Secret "a" is invalid: type: Invalid value: "x": field is immutable');
  });

  it('write quantities in one form', () => {
    const claim = (storage: unknown) => {
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } };
      const { body } = send('POST', `${NS}/persistentvolumeclaims?dryRun=All`, named('a', { spec }));
      return body.spec?.resources.requests.storage ?? body.message;
    };
    expect(['1024Mi', '0.5Gi', '1000m', 1500, '1500M'].map(claim)).toEqual(['1Gi', '512Mi', '1', '1500', '1500M']);
    expect(claim('much')).toContain('quantities must match the regular expression');
  });

  it('count generations of what is wanted only', () => {
    const path = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies';
    expect(send('POST', path, named('a', { spec: { podSelector: {} } })).body.metadata.generation).toBe(1);
    const merge = 'application/merge-patch+json';
    const labelled = send('PATCH', `${path}/a`, { metadata: { labels: { a: 'b' } } }, merge);
    expect(labelled.body.metadata.generation).toBe(1);
    expect(send('PATCH', `${path}/a`, { spec: { policyTypes: ['Egress'] } }, merge).body.metadata.generation).toBe(2);
  });

  it('keep status and spec apart', () => {
    const path = `${NS}/resourcequotas`;
    send(
      'POST',
      path,
      named('a', { spec: { hard: { 'count/secrets': '1' } }, status: { used: { 'count/secrets': '9' } } }),
    );
    const merge = 'application/merge-patch+json';
    const change = { spec: { hard: { 'count/secrets': '5' } }, status: { used: { 'count/secrets': '1' } } };
    const { body } = send('PATCH', `${path}/a/status`, change, merge);
    expect(body).toMatchObject({
      spec: { hard: { 'count/secrets': '1' } },
      status: { used: { 'count/secrets': '1' } },
    });
    const whole = send('PATCH', `${path}/a`, { ...change, status: { used: { 'count/secrets': '7' } } }, merge).body;
    expect(whole).toMatchObject({
      spec: { hard: { 'count/secrets': '5' } },
      status: { used: { 'count/secrets': '1' } },
    });
  });

  it('show Events under both APIs', () => {
    const event = {
      ...named('a', {
        eventTime: '2026-01-01T00:00:00.000000Z',
        type: 'Normal',
        reason: 'Done',
        action: 'Do',
        note: 'It is.',
      }),
      ...{
        reportingController: 'x.dev/y',
        reportingInstance: 'i',
        regarding: { kind: 'ConfigMap', name: 'c', namespace: 'default' },
      },
    };
    expect(send('POST', '/apis/events.k8s.io/v1/namespaces/default/events', event).status).toBe(201);
    const core = send('GET', `${NS}/events?fieldSelector=involvedObject.name%3Dc`).body.items[0];
    expect(core).toMatchObject({ message: 'It is.', reportingComponent: 'x.dev/y', involvedObject: { name: 'c' } });
    const newer = send('GET', '/apis/events.k8s.io/v1/namespaces/default/events/a').body;
    expect(newer).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'It is.' });
  });

  it('give ServiceAccounts tokens that say whose they are, for their time', async () => {
    send('POST', `${NS}/serviceaccounts`, named('bob', {}));
    const { status } = send('POST', `${NS}/serviceaccounts/bob/token`, { spec: { expirationSeconds: 600 } }).body;
    const { tokens } = world.server.core;
    const user = tokens.verify(status.token, world.clock.now());
    expect(user?.username).toBe('system:serviceaccount:default:bob');
    expect(tokens.verify(status.token, world.clock.now() + 600_000)).toBeUndefined();
    expect(tokens.verify(`${status.token}x`, world.clock.now())).toBeUndefined();
  });
});

describe('definitions', () => {
  const definition = (schema: object) => ({
    metadata: { name: 'things.x.dev' },
    spec: {
      group: 'x.dev',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } },
        },
      ],
    },
  });
  const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const THINGS = '/apis/x.dev/v1/namespaces/default/things';
  const text = { type: 'string' };
  const thing = (name: string, spec: object, meta: object = {}) => {
    return { apiVersion: 'x.dev/v1', kind: 'Thing', metadata: { name, ...meta }, spec };
  };

  it('serve their kind at once, under new schemas what is old, and leave with their objects', () => {
    send('POST', DEFINITIONS, definition({ type: 'object', properties: { a: text } }));
    expect(send('POST', THINGS, thing('t', { a: '1', b: '2' })).body.spec).toEqual({ a: '1' });
    const wider = { type: 'object', properties: { a: text, b: { ...text, default: 'd' } } };
    const { metadata } = send('GET', `${DEFINITIONS}/things.x.dev`).body;
    const next = {
      ...definition(wider),
      metadata: { ...definition(wider).metadata, resourceVersion: metadata.resourceVersion },
    };
    expect(send('PUT', `${DEFINITIONS}/things.x.dev`, next).status).toBe(200);
    expect(send('GET', `${THINGS}/t`).body.spec).toEqual({ a: '1', b: 'd' });
    send('DELETE', `${DEFINITIONS}/things.x.dev`);
    expect(send('GET', `${DEFINITIONS}/things.x.dev`).status).toBe(404);
    expect(send('GET', THINGS)).toMatchObject({ status: 404, body: '404 page not found\n' });
  });

  it('wait for objects that have finalizers', () => {
    send('POST', DEFINITIONS, definition({ type: 'object' }));
    send('POST', THINGS, thing('t', {}, { finalizers: ['x.dev/f'] }));
    send('DELETE', `${DEFINITIONS}/things.x.dev`);
    const { status } = send('GET', `${DEFINITIONS}/things.x.dev`).body;
    expect(status.conditions.at(-1)).toMatchObject({ type: 'Terminating', reason: 'InstanceDeletionInProgress' });
    send('PATCH', `${THINGS}/t`, [{ op: 'remove', path: '/metadata/finalizers' }], 'application/json-patch+json');
    expect(send('GET', `${DEFINITIONS}/things.x.dev`).status).toBe(404);
  });

  it('show in discovery, OpenAPI and tables', () => {
    send('POST', DEFINITIONS, definition({ type: 'object', properties: { a: text } }));
    expect(send('GET', '/apis/x.dev/v1').body.resources[0]).toMatchObject({
      name: 'things',
      kind: 'Thing',
      namespaced: true,
    });
    const schemas = send('GET', '/openapi/v3/apis/x.dev/v1').body.components.schemas;
    expect(schemas['dev.x.v1.Thing'].properties.spec.properties).toEqual({ a: text });
    send('POST', THINGS, thing('t', { a: '1' }));
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const table = send('GET', THINGS, undefined, 'application/json', accept).body;
    expect([
      table.kind,
      table.columnDefinitions.map(({ name }: { name: string }) => name),
      table.rows[0].cells,
    ]).toEqual(['Table', ['Name', 'Age'], ['t', '0s']]);
  });
});

describe('paths and bodies', () => {
  it.each([
    ['GET', '/nowhere', 404, '404 page not found\n'],
    ['GET', '/apis/none.dev/v1/things', 404, '404 page not found\n'],
    ['GET', '/api/v1/nothings', 404, undefined],
    ['PUT', `${NS}/configmaps`, 405, undefined],
    ['DELETE', '/api/v1/namespaces', 405, undefined],
    ['GET', `${NS}/configmaps/../x`, 404, undefined],
  ])('%s %s: %d', (method, path, status, body) => {
    const answer = send(method, path, method === 'PUT' ? {} : undefined);
    expect(answer.status).toBe(status);
    if (body !== undefined) expect(answer.body).toBe(body);
    else expect(answer.body.kind).toBe('Status');
  });

  it('refuse what is no JSON, what is too deep, and types that nobody reads', () => {
    expect(send('POST', `${NS}/configmaps`, '{"a"').body.message).toContain('unexpected end of JSON input');
    const deep = `{"data":${'['.repeat(10_001)}`;
    expect(send('POST', `${NS}/configmaps`, deep).body.code).toBe(400);
    expect(send('POST', `${NS}/configmaps`, '{}', 'text/plain').status).toBe(415);
    expect(send('GET', `${NS}/configmaps`, undefined, 'application/json', 'text/plain').status).toBe(406);
  });

  it('take no options of a deletion as such, and refuse what can be none', () => {
    for (const name of ['a', 'b']) send('POST', `${NS}/configmaps`, named(name, {}));
    expect(send('DELETE', `${NS}/configmaps/a`, 'null').status).toBe(200);
    expect(send('DELETE', `${NS}/configmaps/b`, '[]').body.message).toContain('cannot unmarshal array into Go value');
  });

  it('keep names that JavaScript knows as what they are', () => {
    const body = '{"metadata":{"name":"a"},"data":{"__proto__":"x","constructor":"y"}}';
    const made = send('POST', `${NS}/configmaps`, body).body;
    expect(Object.entries(made.data).sort()).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it('answer in YAML to who wants it', () => {
    const { body } = send('GET', '/api/v1/namespaces/default', undefined, 'application/json', 'application/yaml');
    expect(body).toContain('kind: Namespace\n');
  });
});
