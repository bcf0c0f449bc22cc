import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLANS } from '../crds/v1alpha1/resources.ts';
import { createMemoryJournal } from '../gitops/writer/journal/memory.ts';
import { NAMESPACES, ROLEBINDINGS } from '../kube/builtin.ts';
import { realClock, realRandom } from '../kube/clock.ts';
import { createMetrics } from '../kube/metrics.ts';
import { createFakeClock } from '../kube/testing/fakeclock.ts';
import { createTestLog } from '../kube/testing/testlog.ts';
import { createTestApiServer, type TestApiServer } from '../operator/testing/apiserver.ts';
import { openStore, type Store } from '../store/store.ts';
import { ApiConfig } from './config.ts';
import { type RunningApi, startApi } from './server.ts';
import { CLIENT_ID, createTestIssuer, ISSUER_URL, type TestIssuer } from './testing/issuer.ts';
import { DATABASE_TIMEOUT_MS, ROOT_PLANS } from './testing/testapi.ts';

const LOOPBACK = { address: '127.0.0.1', port: 0 };
const WAIT = { timeout: 60_000, interval: 50 };

let kubernetes: TestApiServer;
let issuer: TestIssuer;
let store: Store;
const { log } = createTestLog();

beforeAll(async () => {
  kubernetes = createTestApiServer(createFakeClock());
  kubernetes.put(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sublet-root' } });
  for (const plan of ROOT_PLANS) kubernetes.put(PLANS, plan);
  kubernetes.put(ROLEBINDINGS, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'staff', namespace: 'sublet-root' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sublet-owner' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'oidc:olga' }],
  } as never);
  issuer = await createTestIssuer(() => Date.now());
  store = await openStore({ clock: realClock, random: realRandom, log }, { type: 'Embedded' });
}, DATABASE_TIMEOUT_MS);
afterAll(() => store.close());

async function start(
  signal: AbortSignal,
  settings: object = {},
  journal = createMemoryJournal({ clock: realClock }),
): Promise<RunningApi> {
  const config = ApiConfig.parse({
    publicUrl: 'https://api.example.com',
    listen: LOOPBACK,
    manage: LOOPBACK,
    issuers: [{ issuerUrl: ISSUER_URL, clientId: CLIENT_ID, usernamePrefix: 'oidc:', signingAlgorithms: ['ES256'] }],
    ...settings,
  });
  const deps = { client: kubernetes.client, clock: realClock, random: realRandom, log, metrics: createMetrics() };
  return startApi({ ...deps, store, journal, fetch: issuer.fetch }, config, signal);
}

const read = async (port: number, path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  return { status: response.status, text: await response.text() };
};
const bearer = async () => ({ authorization: `Bearer ${await issuer.sign({ sub: 'olga' })}` });

describe('the server', () => {
  it('reads the cluster, serves the provider’s staff, and keeps health and metrics to another port', async () => {
    const abort = new AbortController();
    const api = await start(abort.signal);
    await api.ready();
    const plans = await read(api.port, '/v1/tenants/-/plans', await bearer());
    expect(JSON.parse(plans.text).items.map(({ name }: { name: string }) => name)).toEqual(['basic', 'team']);
    expect((await read(api.manage.port, '/readyz')).status).toBe(200);
    expect((await read(api.manage.port, '/healthz')).status).toBe(200);
    const metrics = await read(api.manage.port, '/metrics');
    expect(metrics.text).toContain('sublet_api_requests_total{operation="list-plans",code="200"} 1');
    for (const path of ['/metrics', '/healthz', '/readyz']) expect((await read(api.port, path)).status).toBe(404);
    abort.abort();
    await api.stopped;
    await expect(read(api.port, '/docs')).rejects.toThrow();
  }, 120_000);

  it('answers who waits and finishes what runs when it is told to stop', async () => {
    const abort = new AbortController();
    const journal = createMemoryJournal({ clock: realClock });
    const { onChange } = journal;
    let listening = 0;
    const note: typeof onChange = (listener) => {
      listening += 1;
      return onChange.call(journal, listener);
    };
    const api = await start(abort.signal, { drainSeconds: 60 }, Object.assign(journal, { onChange: note }));
    await api.ready();
    const headers = { ...(await bearer()), 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'gold', spec: { title: 'Gold', offers: 'Tenant', currency: 'USD' } });
    const made = await fetch(`http://127.0.0.1:${api.port}/v1/tenants/-/plans`, { method: 'POST', headers, body });
    expect(made.status).toBe(202);
    const { id } = (await made.json()) as { readonly id: string };
    const before = listening;
    const waiting = read(api.port, `/v1/changes/${id}?wait=Ready&timeout=60`, headers);
    const stream = httpRequest({
      host: '127.0.0.1',
      port: api.port,
      path: `/v1/changes/${id}`,
      headers: { ...headers, accept: 'text/event-stream' },
    }).end();
    const [events] = (await once(stream, 'response')) as [IncomingMessage];
    let text = '';
    events.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await expect.poll(() => text, WAIT).toContain('"state":"Accepted"');
    await expect.poll(() => listening - before, WAIT).toBe(2);
    const ended = once(events, 'end');
    const startMs = performance.now();
    abort.abort();
    expect(JSON.parse((await waiting).text)).toMatchObject({ id, state: 'Accepted' });
    await ended;
    await api.stopped;
    // Neither the minute that somebody waits for nor that of connections that are kept alive.
    expect(performance.now() - startMs).toBeLessThan(30_000);
  }, 120_000);

  it('does not wait for who never sends the rest of a request', async () => {
    const abort = new AbortController();
    const api = await start(abort.signal, { drainSeconds: 1 });
    const slow = connect(api.port, '127.0.0.1');
    slow.on('error', () => {});
    await once(slow, 'connect');
    slow.write('POST /v1/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\ncontent-type: application/json\r\n');
    abort.abort();
    await api.stopped;
    slow.destroy();
  }, 120_000);

  it('refuses floods of headers and lines that are no HTTP', async () => {
    const abort = new AbortController();
    const api = await start(abort.signal);
    const send = async (text: string): Promise<string> => {
      const socket = connect(api.port, '127.0.0.1');
      let answer = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        answer += chunk;
      });
      socket.on('error', () => {});
      socket.end(text);
      await once(socket, 'close');
      return answer;
    };
    const flood = Array.from({ length: 2_000 }, (_, i) => `x-${i}: ${'a'.repeat(20)}\r\n`).join('');
    expect(await send(`GET /docs HTTP/1.1\r\nhost: x\r\n${flood}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await send('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    const smuggled =
      'POST /v1/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await send(smuggled)).toMatch(/^HTTP\/1\.1 400 /);
    expect((await read(api.port, '/docs')).status).toBe(200);
    abort.abort();
    await api.stopped;
  }, 120_000);
});
