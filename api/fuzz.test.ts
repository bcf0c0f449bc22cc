import type { AddressInfo } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Quota } from '../crds/v1alpha1/quota.ts';
import type { KubeObject } from '../kube/object.ts';
import { API_VERSION } from '../model/group.ts';
import type { JsonSchema } from './testing/fuzzinput.ts';
import {
  arbitraryRequest,
  document,
  NAMES,
  OPERATIONS,
  type Operation,
  type Sent,
  SIGNED,
} from './testing/fuzzrequest.ts';
import {
  createTestApi,
  DATABASE_TIMEOUT_MS,
  desktop,
  plan,
  ROOT_PLANS,
  type TestApi,
  user,
} from './testing/testapi.ts';
import { createWire, type Got, type Wire } from './testing/wire.ts';

/** Another number is another run; this one is the same everywhere. */
const SEED = 20_261_126;
const RUNS = 80;

let api: TestApi;
let token: string;
let wire: Wire;
let ticking: NodeJS.Timeout;

beforeAll(async () => {
  api = await createTestApi({ database: true });
  for (const object of ROOT_PLANS) api.put(object);
  api.put(plan('sublet-root', 'panel', { offers: 'Tenant', requests: { perMinute: 100_000, perHour: 1_000_000 } }));
  api.sell('acme', { type: 'Reseller', plan: 'panel', members: [user('anna', 'Owner')] });
  api.put(plan('t-acme', 'pro', { basedOn: 'basic' }));
  api.put(plan('t-acme', 'team', { offers: 'Tenant' }));
  for (const name of NAMES) {
    api.put(quota('t-acme', name));
    api.put(desktop('t-acme', name, {}, { address: '198.51.100.7', port: 3389 }));
    api.sell(`acme--${name}`, { plan: 'team', members: [user('anna', 'Owner')] });
  }
  token = await api.issuer.sign({ sub: 'anna', groups: [], exp: Math.floor(api.clock.now() / 1_000) + 1e9 });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  wire = createWire((api.app.server.address() as AddressInfo).port);
  // What waits, waits for this clock; and no minute's requests are used up.
  ticking = setInterval(() => void api.clock.advance(30_000), 10);
}, DATABASE_TIMEOUT_MS);

afterAll(async () => {
  clearInterval(ticking);
  wire.close();
  await api.close();
});

function quota(namespace: string, name: string): Quota & KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'Quota',
    metadata: { name, namespace, uid: `uid-quota-${name}`, generation: 1, creationTimestamp: '2025-12-31T00:00:00Z' },
    spec: { hard: { vcpu: 4 } },
  };
}

describe('any request', () => {
  const reached = new Set<string>();

  it.each(OPERATIONS.map((operation, at) => [operation.operationId, operation, SEED + at] as const))(
    'to %s is answered as the description says',
    async (_, operation, seed) => {
      await fc.assert(
        fc.asyncProperty(arbitraryRequest(operation), async (sent) => {
          const got = await wire.send(sign(sent));
          expect(explainBreach(operation, sent.method, got)).toBeUndefined();
          if (got.status < 400) reached.add(operation.operationId);
        }),
        { seed, numRuns: RUNS, endOnFailure: true },
      );
    },
    300_000,
  );

  it('was of every kind: what is well formed gets through', () => {
    expect(OPERATIONS.length * RUNS).toBeGreaterThanOrEqual(2_000);
    // Identifiers, codes and tokens are not to be guessed, and some rules are hard to meet by chance.
    expect(reached.size).toBeGreaterThan(OPERATIONS.length / 2);
  });

  it('leaves no trace in what all objects inherit, and nothing that the log calls a failure', () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect('polluted' in {}).toBe(false);
    expect(api.lines.filter(({ msg }) => msg === 'a request failed')).toEqual([]);
  });
});

describe('what is no request', () => {
  it.each<[string, string | Buffer, number]>([
    ['bytes', Buffer.from([0, 255, 1, 254, 13, 10, 13, 10]), 400],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex'), 400],
    ['an unknown method', 'BREW / HTTP/1.1\r\nhost: a\r\n\r\n', 400],
    ['another protocol', 'GET /v1/tenants SIP/2.0\r\nhost: a\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nhost: a\r\nx\r\n\r\n', 400],
    ['a length that is none', 'POST /v1/signup HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n', 400],
    ['two lengths', 'POST /v1/signup HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 400],
    [
      'a length and chunks',
      'POST /v1/signup HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a chunk of no size', 'POST /v1/signup HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', 400],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\u0000b\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}`, 431],
    ['a thousand headers', `GET / HTTP/1.1\r\nhost: a\r\n${'x: abcdefghijklmnop\r\n'.repeat(1_000)}\r\n`, 431],
  ])('%s is refused as a problem', async (_, bytes, status) => {
    const text = await wire.sendRaw(bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text.toLowerCase()).toContain('content-type: application/problem+json');
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
    expect(validatorOf({ $ref: '#/components/schemas/Problem' })(body)).toBe(true);
  });
});

function sign(sent: Sent): Sent {
  if (sent.headers.authorization !== SIGNED) return sent;
  return { ...sent, headers: { ...sent.headers, authorization: `Bearer ${token}` } };
}

/** How an answer is not what the description says; undefined when it is. */
function explainBreach(operation: Operation, method: string, { status, headers, body }: Got): string | undefined {
  const media = headers['content-type']?.split(';', 1)[0];
  const say = (what: string) => `${status} ${media ?? ''} ${what}: ${body.slice(0, 500)}`;
  if (status >= 500) return say('is a failure');
  if (typeof headers['request-id'] !== 'string') return say('names no request');
  const isDeclared = OPERATIONS.some((one) => one.url === operation.url && one.method === method);
  if (!isDeclared && ![400, 404, 405, 431].includes(status)) return say('to a method that is not declared');
  const declared = OPERATIONS.find((one) => one.url === operation.url && one.method === method) ?? operation;
  const response = (isDeclared ? declared.responses[status] : undefined) ?? declared.responses.default;
  const [described] = Object.entries(response?.content ?? {});
  if (described === undefined) return body === '' ? undefined : say('has a body and none is described');
  const [type, { schema }] = described;
  if (media !== type) return say(`is not ${type}`);
  const validate = validatorOf(schema);
  if (validate(type.endsWith('json') ? JSON.parse(body) : body)) return undefined;
  return say(`is not as its schema says, ${JSON.stringify(validate.errors)}`);
}

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
ajv.addSchema({ $id: 'https://api.example.com/openapi.json', components: document.components });
const validators = new Map<JsonSchema, ValidateFunction>();

function validatorOf(schema: JsonSchema): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const made = ajv.compile({
    ...schema,
    $id: `https://api.example.com/${validators.size}`,
    components: document.components,
  });
  validators.set(schema, made);
  return made;
}
