import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Condition } from '../../crds/v1alpha1/conditions.ts';
import { RDPINSTANCES, TENANTS } from '../../crds/v1alpha1/resources.ts';
import type { Journal } from '../../gitops/journal.ts';
import { createMemoryJournal } from '../../gitops/writer/journal/memory.ts';
import { NAMESPACES } from '../../kube/builtin.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { createFakeClock } from '../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { computeTenantId } from '../../model/identity.ts';
import { ANNOTATION_PARENT_ID, ANNOTATION_PATH, ANNOTATION_TENANT_ID } from '../../model/labels.ts';
import { splitPath, tenantNamespace } from '../../model/names.ts';
import { createTestApiServer, type TestApiServer } from '../../operator/testing/apiserver.ts';
import { openStore, type Store } from '../../store/store.ts';
import { createCaches, type RunningCaches } from '../caches.ts';
import { desktop } from '../testing/testapi.ts';
import { createTree } from '../tree.ts';
import { createEndpoints } from './endpoints.ts';
import { EVENT_TYPES } from './events.ts';
import { startObserver } from './observer.ts';
import { createOutbox, type Outbox } from './outbox.ts';

const SLOW_MS = 180_000;
const WAIT = { timeout: 60_000, interval: 20 };
const DAY_MS = 86_400_000;
const { log } = createTestLog();
const ROOT = { rootNamespace: 'sublet-root', watchSeconds: 60 };

let store: Store;
let outbox: Outbox;
let kubernetes: TestApiServer;
let caches: RunningCaches;
let reading: AbortController;
let caching: Promise<void>;
let journal: Journal;
/** Endpoints by tenant's path; `-` is the provider. */
let endpoints: Record<string, string> = {};

beforeAll(async () => {
  store = await openStore({ clock: realClock, random: realRandom, log }, { type: 'Embedded' });
  outbox = createOutbox(store);
}, SLOW_MS);
afterAll(() => store.close());

beforeEach(async () => {
  await store.db.deleteFrom('webhook_deliveries').execute();
  await store.db.deleteFrom('webhook_endpoints').execute();
  kubernetes = createTestApiServer(createFakeClock());
  kubernetes.put(NAMESPACES, namespace('sublet-root', {}));
  for (const path of ['acme', 'acme--bob', 'acme--eve']) sell(path);
  endpoints = {};
  for (const path of ['-', 'acme', 'acme--bob', 'acme--eve']) endpoints[path] = await subscribe(path);
  journal = createMemoryJournal({ clock: realClock });
  caches = createCaches({ client: kubernetes.client, clock: realClock, random: realRandom, log }, ROOT);
  reading = new AbortController();
  caching = caches.start(reading.signal);
  return async () => {
    reading.abort();
    await caching;
  };
}, SLOW_MS);

const idOf = (path: string): string => {
  const { parentPath, name } = splitPath(path);
  return computeTenantId(parentPath === undefined ? 'root' : idOf(parentPath), `${name}-1`);
};

function namespace(name: string, annotations: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations } };
}

function tenant(path: string): KubeObject {
  const { parentPath, name } = splitPath(path);
  return {
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name, namespace: parentPath === undefined ? 'sublet-root' : tenantNamespace(parentPath) },
    spec: { id: `${name}-1`, plan: 'team', type: 'Reseller' },
  } as KubeObject;
}

function sell(path: string): void {
  const { parentPath } = splitPath(path);
  const annotations = {
    [ANNOTATION_PATH]: path,
    [ANNOTATION_TENANT_ID]: idOf(path),
    [ANNOTATION_PARENT_ID]: parentPath === undefined ? 'root' : idOf(parentPath),
  };
  kubernetes.put(NAMESPACES, namespace(tenantNamespace(path), annotations));
  kubernetes.put(TENANTS, tenant(path));
}

async function subscribe(path: string): Promise<string> {
  const id = Buffer.from(realRandom.bytes(10)).toString('hex');
  const tenantId = path === '-' ? 'root' : idOf(path);
  const rest = { url: 'https://hooks.example.com/', description: '', events: EVENT_TYPES, secret: 's', maker: 'm' };
  await createEndpoints(store.db).add({ id, tenantId, ...rest, atMs: Date.now() - 2 * DAY_MS });
  return id;
}

function condition(type: string, status: Condition['status'], reason: string, ageMs = 1_000): Condition {
  const lastTransitionTime = new Date(Math.floor((Date.now() - ageMs) / 1_000) * 1_000).toISOString();
  return { type, status, reason, message: `it is ${reason}`, lastTransitionTime };
}

async function putDesktop(path: string, name: string, conditions: readonly Condition[]): Promise<void> {
  const { apiVersion, kind, metadata, spec } = desktop(tenantNamespace(path), name);
  const { namespace: of } = metadata;
  kubernetes.put(RDPINSTANCES, { apiVersion, kind, metadata: { name, namespace: of }, spec } as KubeObject);
  await putStatus(RDPINSTANCES, kind, { name, namespace: of }, { address: '198.51.100.7', port: 3389, conditions });
}

async function suspend(path: string): Promise<void> {
  const { kind, metadata } = tenant(path);
  await putStatus(TENANTS, kind, metadata, { conditions: [condition('Suspended', 'True', 'Suspended')] });
}

/** As the operator does. */
async function putStatus(
  resource: Resource,
  kind: string,
  metadata: KubeObject['metadata'],
  status: object,
): Promise<void> {
  const body = { apiVersion: 'sublet.dev/v1alpha1', kind, metadata, status };
  await kubernetes.client.apply(resource, body, { fieldManager: 'sublet-status', force: true, subresource: 'status' });
}

const observe = (more: Partial<Parameters<typeof startObserver>[0]> = {}) =>
  startObserver({ clock: realClock, log, caches, tree: createTree(caches, ROOT), journal, outbox, ...more });

/** What each tenant's endpoint has, oldest first. */
async function told(
  path: string,
): Promise<readonly { readonly type: string; readonly data: Record<string, unknown> }[]> {
  const deliveries = await outbox.list(endpoints[path] ?? '', { most: 100 });
  return deliveries.toReversed().map(({ body }) => JSON.parse(body));
}
const typesOf = async (path: string) => (await told(path)).map(({ type }) => type);

describe('what happens', { timeout: SLOW_MS }, () => {
  it('to a desktop is told to its tenant, to everybody above, and to nobody else', async () => {
    const observer = observe();
    await putDesktop('acme--bob', 'desk', [condition('Ready', 'False', 'Probing')]);
    await putDesktop('acme--bob', 'desk', [condition('Ready', 'True', 'Succeeded')]);
    await expect.poll(() => typesOf('acme--bob'), WAIT).toEqual(['desktop.ready']);
    expect(await typesOf('acme')).toEqual(['desktop.ready']);
    expect(await typesOf('-')).toEqual(['desktop.ready']);
    expect(await typesOf('acme--eve')).toEqual([]);
    expect((await told('acme'))[0]?.data).toEqual({
      tenant: 'acme--bob',
      name: 'desk',
      address: '198.51.100.7',
      port: 3389,
    });
    await observer.stop();
  });

  it('is one event for all who see it, however often, and one event a transition', async () => {
    const observers = [observe(), observe()];
    const ready = condition('Ready', 'True', 'Succeeded', 60_000);
    await putDesktop('acme', 'desk', [ready]);
    await expect.poll(() => typesOf('acme'), WAIT).toEqual(['desktop.ready']);
    await putDesktop('acme', 'desk', [ready, condition('RestartRequired', 'True', 'RestartRequired')]);
    await putDesktop('acme', 'desk', [condition('Ready', 'False', 'ProbeFailed', 30_000)]);
    await expect.poll(() => typesOf('acme'), WAIT).toEqual(['desktop.ready', 'desktop.failed']);
    await putDesktop('acme', 'desk', [condition('Ready', 'True', 'Succeeded', 5_000)]);
    await expect.poll(() => typesOf('acme'), WAIT).toEqual(['desktop.ready', 'desktop.failed', 'desktop.ready']);
    for (const observer of observers) await observer.stop();
    const heir = observe();
    await putDesktop('acme', 'other', [condition('Ready', 'True', 'Succeeded')]);
    await expect.poll(() => typesOf('acme'), WAIT).toHaveLength(4);
    await heir.stop();
  });

  it('while nobody watched is told by the next who does, if it is still so and not too old', async () => {
    await putDesktop('acme', 'recent', [condition('Ready', 'True', 'Succeeded', DAY_MS)]);
    await putDesktop('acme', 'old', [condition('Ready', 'True', 'Succeeded', 4 * DAY_MS)]);
    await putDesktop('acme', 'stopped', [condition('Ready', 'False', 'Stopped')]);
    await putDesktop('acme', 'refused', [
      condition('Ready', 'False', 'QuotaExceeded'),
      condition('Stalled', 'True', 'QuotaExceeded'),
    ]);
    const observer = observe();
    await expect
      .poll(async () => (await told('acme')).map(({ data }) => data.name).sort(), WAIT)
      .toEqual(['recent', 'refused']);
    expect((await told('acme')).find(({ type }) => type === 'desktop.failed')?.data).toMatchObject({
      name: 'refused',
      reason: 'QuotaExceeded',
      message: 'it is QuotaExceeded',
    });
    await observer.stop();
  });

  it('to a Tenant is told to it and above', async () => {
    const observer = observe();
    await suspend('acme--bob');
    await expect
      .poll(() => told('acme--bob'), WAIT)
      .toMatchObject([{ type: 'tenant.suspended', data: { tenant: 'acme--bob', message: 'it is Suspended' } }]);
    expect(await typesOf('acme')).toEqual(['tenant.suspended']);
    expect(await typesOf('acme--eve')).toEqual([]);
    await observer.stop();
  });

  it('to changes is told when they failed, once each, whatever else ends', async () => {
    const observer = observe();
    const failed = await endChange('t-acme--bob', 'Failed');
    await endChange('t-acme--bob', 'Ready');
    await expect.poll(() => typesOf('acme--bob'), WAIT).toEqual(['change.failed']);
    await endChange('t-acme--bob', 'Rejected');
    await expect.poll(() => typesOf('acme--bob'), WAIT).toEqual(['change.failed', 'change.failed']);
    expect((await told('acme'))[0]).toMatchObject({
      type: 'change.failed',
      data: { tenant: 'acme--bob', id: failed, state: 'Failed', reason: 'NotAppliable', kind: 'Plan', name: 'gold' },
    });
    await observer.stop();
  });

  it('in a namespace whose tenant is not known yet waits until it is', async () => {
    kubernetes.put(NAMESPACES, namespace('t-acme--new', {}));
    const observer = observe({});
    await putDesktop('acme--new', 'desk', [condition('Ready', 'True', 'Succeeded')]);
    await putDesktop('acme', 'desk', [condition('Ready', 'True', 'Succeeded')]);
    await expect.poll(() => typesOf('acme'), WAIT).toEqual(['desktop.ready']);
    sell('acme--new');
    await expect
      .poll(async () => (await told('acme')).map(({ data }) => data.tenant), WAIT)
      .toEqual(['acme', 'acme--new']);
    await observer.stop();
  });

  it('is written down once the database answers again', async () => {
    let failures = 0;
    const flaky: Pick<Outbox, 'put'> = {
      put: async (events, nowMs) => {
        failures += 1;
        if (failures <= 1) throw new Error('the database is away');
        return outbox.put(events, nowMs);
      },
    };
    const observer = observe({ outbox: flaky });
    await putDesktop('acme', 'desk', [condition('Ready', 'True', 'Succeeded')]);
    await expect.poll(() => typesOf('acme'), WAIT).toEqual(['desktop.ready']);
    expect(failures).toBe(2);
    await observer.stop();
  });
});

async function endChange(namespaceOf: string, state: 'Failed' | 'Ready' | 'Rejected'): Promise<string> {
  const id = `I${Buffer.from(realRandom.bytes(20)).toString('hex')}`;
  await journal.accept({
    id,
    repository: 'fleet',
    intent: { type: 'Delete', target: { kind: 'Plan', namespace: namespaceOf, name: 'gold' } },
    mode: 'Commit',
    author: { subject: 'oidc:anna', name: 'Anna', email: 'anna@example.com' },
    requestId: 'r',
  } as Parameters<Journal['accept']>[0]);
  const outcome = { state, reason: 'NotAppliable', message: 'it cannot be applied' };
  await journal.advance(new Map([[id, { from: 'Accepted', outcome }]]));
  return id;
}
