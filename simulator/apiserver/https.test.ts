import { connect } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { CONFIGMAPS } from '../../kube/builtin.ts';
import { createClient } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { createSelfSignedCertificate } from '../rdp/certificate.ts';
import { type HttpsServer, serveHttps } from './https.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { createApiServer } from './server.ts';

const HOST = '127.0.0.1';
const certificate = createSelfSignedCertificate('kubernetes', Date.now() - 60_000, [HOST, 'localhost']);
const { log } = createTestLog();
let running: HttpsServer | undefined;

async function start() {
  const server = createApiServer({ clock: realClock, random: realRandom, log });
  const authenticate = (token: string) => (token === 'secret' ? { username: 'admin', groups: [] } : undefined);
  running = await serveHttps({ server, log, authenticate }, { host: HOST, port: 0, ...certificate });
  const dispatcher = new Agent({ connect: { ca: certificate.cert } });
  const call = async (path: string, options: Parameters<typeof request>[1] = {}) => {
    const headers = { authorization: 'Bearer secret', ...(options?.headers as Record<string, string>) };
    const answer = await request(`${running?.url}${path}`, { ...options, dispatcher, headers });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  };
  return { server, https: running, call, dispatcher };
}

afterEach(async () => {
  await running?.close();
});

const object = (name: string, text = '') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { text },
});

describe('the API server over HTTPS', () => {
  it('serves a client that knows it by its kubeconfig only', async () => {
    const { https } = await start();
    const kubeConfig = new KubeConfig();
    const access = { url: https.url, ca: certificate.cert, user: 'admin', token: 'secret' };
    kubeConfig.loadFromString(renderKubeconfig(access, 'here'));
    const client = createClient({ kubeConfig, clock: realClock, random: realRandom, log });
    const lines = client.watch(CONFIGMAPS, { namespace: 'default' })[Symbol.asyncIterator]();
    const first = lines.next();
    await client.create(CONFIGMAPS, object('a'));
    expect((await first).value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
    await client.close();
  });

  it('knows nobody without a token, but says that it lives', async () => {
    const { call } = await start();
    const wrong = await call('/api/v1/namespaces', { headers: { authorization: 'Bearer wrong' } });
    expect(wrong.status).toBe(401);
    expect(JSON.parse(wrong.text)).toMatchObject({ kind: 'Status', reason: 'Unauthorized' });
    expect((await call('/healthz', { headers: { authorization: '' } })).text).toBe('ok');
  });

  it('takes bodies of 3 MiB and refuses larger ones', async () => {
    const { call } = await start();
    const headers = { 'content-type': 'application/json' };
    const path = '/api/v1/namespaces/default/configmaps';
    const large = JSON.stringify(object('large', 'x'.repeat(3 * 1024 * 1024)));
    const refused = await call(path, { method: 'POST', headers, body: large });
    expect(refused.status).toBe(413);
    expect(JSON.parse(refused.text).message).toBe('Request entity too large: limit is 3145728');
  });

  it('gives a watch up whose client never reads', async () => {
    const { server, https } = await start();
    const socket = connect({ host: HOST, port: Number(new URL(https.url).port), ca: certificate.cert });
    socket.pause();
    const query = 'GET /api/v1/configmaps?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n\r\n';
    await new Promise<void>((resolve) => socket.write(query, () => resolve()));
    const { collection } = server.core.registry.find('', 'v1', 'configmaps') ?? {};
    await expect.poll(() => collection?.watches.size).toBe(1);
    const user = { username: 'admin', groups: [] };
    for (let index = 0; index < 3000; index += 1) {
      const body = JSON.stringify(object(`c${index}`, 'x'.repeat(10_000)));
      const headers = { 'content-type': 'application/json' };
      server.handle({ method: 'POST', path: '/api/v1/namespaces/default/configmaps', headers, body, user });
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(collection?.watches.size).toBe(0);
    socket.destroy();
  });
});
