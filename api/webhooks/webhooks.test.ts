import { afterAll, beforeAll, expect, it } from 'vitest';
import { RDPINSTANCES } from '../../crds/v1alpha1/resources.ts';
import { createMemoryJournal } from '../../gitops/writer/journal/memory.ts';
import { NAMESPACES, ROLEBINDINGS } from '../../kube/builtin.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createMetrics } from '../../kube/metrics.ts';
import type { KubeObject } from '../../kube/object.ts';
import { createFakeClock } from '../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { createTestApiServer } from '../../operator/testing/apiserver.ts';
import { openStore, type Store } from '../../store/store.ts';
import { ApiConfig } from '../config.ts';
import { startApi } from '../server.ts';
import { CLIENT_ID, createTestIssuer, ISSUER_URL } from '../testing/issuer.ts';
import { DATABASE_TIMEOUT_MS, desktop } from '../testing/testapi.ts';
import { isSignedWith, type Receiver, startReceiver } from './testing/receiver.ts';

const LOOPBACK = { address: '127.0.0.1', port: 0 };
const WAIT = { timeout: 120_000, interval: 50 };
const { log, lines } = createTestLog();

let store: Store;
let receiver: Receiver;
beforeAll(async () => {
  store = await openStore({ clock: realClock, random: realRandom, log }, { type: 'Embedded' });
  receiver = await startReceiver();
}, DATABASE_TIMEOUT_MS);
afterAll(async () => {
  await receiver.close();
  await store.close();
});

it('a running API tells a webhook, which was made by it, of a desktop that becomes Ready', async () => {
  const kubernetes = createTestApiServer(createFakeClock());
  kubernetes.put(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sublet-root' } });
  kubernetes.put(ROLEBINDINGS, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'staff', namespace: 'sublet-root' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sublet-owner' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'oidc:olga' }],
  } as never);
  const issuer = await createTestIssuer(() => Date.now());
  const config = ApiConfig.parse({
    publicUrl: 'https://api.example.com',
    listen: LOOPBACK,
    manage: LOOPBACK,
    issuers: [{ issuerUrl: ISSUER_URL, clientId: CLIENT_ID, usernamePrefix: 'oidc:', signingAlgorithms: ['ES256'] }],
    webhooks: { allowedHosts: [`127.0.0.1:${receiver.port}`] },
    drainSeconds: 1,
  });
  const shared = { client: kubernetes.client, clock: realClock, random: realRandom, log, metrics: createMetrics() };
  const deps = { ...shared, store, journal: createMemoryJournal({ clock: realClock }), fetch: issuer.fetch };
  const abort = new AbortController();
  const api = await startApi(deps, config, abort.signal);
  await api.ready();
  const made = await fetch(`http://127.0.0.1:${api.port}/v1/tenants/-/webhooks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await issuer.sign({ sub: 'olga' })}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${receiver.url}/hook` }),
  });
  expect(made.status).toBe(201);
  const { secret } = (await made.json()) as { readonly secret: string };

  const { apiVersion, kind, metadata, spec } = desktop('sublet-root', 'desk');
  const named = { name: metadata.name, namespace: metadata.namespace };
  kubernetes.put(RDPINSTANCES, { apiVersion, kind, metadata: named, spec } as KubeObject);
  const lastTransitionTime = new Date(Math.floor(Date.now() / 1_000) * 1_000).toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'it answers RDP', lastTransitionTime };
  const status = { address: '198.51.100.7', port: 3_389, conditions: [ready] };
  const answer = { apiVersion, kind, metadata: named, status };
  const options = { fieldManager: 'sublet-status', force: true, subresource: 'status' } as const;
  await kubernetes.client.apply(RDPINSTANCES, answer, options);

  await expect.poll(() => receiver.received.length, WAIT).toBe(1);
  const [message] = receiver.received;
  expect(message && isSignedWith(message, secret)).toBe(true);
  expect(JSON.parse(message?.body ?? '')).toEqual({
    type: 'desktop.ready',
    timestamp: lastTransitionTime,
    data: { tenant: '-', name: 'desk', address: '198.51.100.7', port: 3_389 },
  });
  abort.abort();
  await api.stopped;
  expect(JSON.stringify(lines)).not.toContain(secret);
}, 300_000);
