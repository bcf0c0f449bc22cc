import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithCluster } from '../test/support/cluster.ts';
import { createApplier } from './apply.ts';
import {
  CONFIGMAPS,
  CUSTOMRESOURCEDEFINITIONS,
  EVENTS,
  NAMESPACES,
  NETWORKPOLICIES,
  RESOURCEQUOTAS,
  ROLEBINDINGS,
  SECRETS,
  SERVICES,
} from './builtin.ts';
import { type Client, createClient } from './client.ts';
import { realClock as clock, realRandom as random } from './clock.ts';
import { createController, watchOf } from './controller.ts';
import { isAlreadyExists, isConflict, isNotFound, TransientError } from './errors.ts';
import { createEventRecorder } from './events.ts';
import { ensureFinalizer, removeFinalizer } from './finalizer.ts';
import { createInformer, type Informer, type InformerOptions } from './informer.ts';
import type { Lease } from './leaderelection.ts';
import { createManager } from './manager.ts';
import { type KubeObject, objectKey, type Resource } from './object.ts';

const POLL = { timeout: 120_000, interval: 20 };
const HASH = 'runtime-test.example/applied-hash';
const FINALIZER = 'runtime-test.example/finalizer';
type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };

describeWithCluster('the controller runtime on a real API server', {}, (cluster) => {
  const log = pino({ level: 'silent' });
  const namespace = `runtime-${process.pid}-${performance.now().toFixed(0)}`;
  const stop = new AbortController();
  const running: Promise<unknown>[] = [];
  let client: Client;
  const deps = () => ({ client, clock, random, log });

  beforeAll(async () => {
    client = createClient({ kubeConfig: cluster().kubeConfig, clock, random, log });
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });

  afterAll(async () => {
    stop.abort();
    await Promise.all(running);
    await client?.delete(NAMESPACES, { name: namespace });
    await client?.close();
  });

  const configMap = (name: string, data: Readonly<Record<string, string>> = {}): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name },
    data,
  });

  async function synced<T extends KubeObject>(options: InformerOptions<T>): Promise<Informer<T>> {
    const informer = createInformer<T>(deps(), { namespace, ...options });
    running.push(informer.start(stop.signal));
    await expect.poll(() => informer.hasSynced(), POLL).toBe(true);
    return informer;
  }

  it.each(['paged', 'streamed'] as const)('keeps a cache by a %s list and a watch', async (listMode) => {
    for (let i = 0; i < 7; i++) await client.create(CONFIGMAPS, configMap(`${listMode}-${i}`));
    const cache = await synced<ConfigMap>({ resource: CONFIGMAPS, listMode, pageSize: 3 });
    const own = () => cache.list().filter((one) => one.metadata.name.startsWith(listMode));
    expect(own().length).toBe(7);
    expect(own().every((one) => one.kind === 'ConfigMap' && one.metadata.managedFields === undefined)).toBe(true);
    await client.delete(CONFIGMAPS, { namespace, name: `${listMode}-0` });
    await client.patch(CONFIGMAPS, { namespace, name: `${listMode}-1` }, { type: 'merge', body: { data: { x: '1' } } });
    await expect.poll(() => [own().length, cache.get(`${namespace}/${listMode}-1`)?.data?.x], POLL).toEqual([6, '1']);
  });

  it('keeps Secrets as metadata only', async () => {
    const cache = await synced({ resource: SECRETS, metadataOnly: true });
    await client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 's' },
      stringData: { a: 'hidden' },
    } as KubeObject);
    await expect.poll(() => cache.get(`${namespace}/s`), POLL).toBeDefined();
    expect(Object.keys(cache.get(`${namespace}/s`) ?? {}).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(cache.get(`${namespace}/s`)?.kind).toBe('Secret');
  });

  const children: readonly (readonly [Resource, KubeObject & Record<string, unknown>])[] = [
    [CONFIGMAPS, { ...configMap('child', { x: '1' }) }],
    [
      SERVICES,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace, name: 'child' },
        spec: { selector: { a: 'b' }, ports: [{ name: 'rdp', port: 3389 }] },
      },
    ],
    [
      NETWORKPOLICIES,
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { namespace, name: 'child' },
        spec: {
          podSelector: {},
          policyTypes: ['Ingress'],
          ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 53 }] }],
        },
      },
    ],
    [
      ROLEBINDINGS,
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { namespace, name: 'child' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'User', name: 'anna' }],
      },
    ],
    [
      RESOURCEQUOTAS,
      {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { namespace, name: 'child' },
        spec: { hard: { 'count/pods': '1000m', 'requests.memory': '1024Mi' } },
      },
    ],
  ];

  it.each(children)('applies $kind once and sees that nothing would change', async (resource, intent) => {
    const applier = createApplier({ client }, { fieldManager: 'runtime-test', hashAnnotation: HASH });
    const restarted = createApplier({ client }, { fieldManager: 'runtime-test', hashAnnotation: HASH });
    const first = await applier.apply<KubeObject>(resource, intent, undefined, { mustNotExist: true });
    expect(first.outcome).toBe('created');
    const live = () => client.get<KubeObject>(resource, intent.metadata);
    // Others write too, such as the controller that counts a quota: then it is looked at again.
    const applyToLive = async (wanted: KubeObject) => {
      for (;;) {
        try {
          return await applier.apply<KubeObject>(resource, wanted, await live());
        } catch (error) {
          if (!(error instanceof TransientError)) throw error;
        }
      }
    };
    expect((await restarted.apply(resource, intent, await live())).outcome).toBe('unchanged');
    const refused = await applier
      .apply(resource, intent, undefined, { mustNotExist: true })
      .catch((error: unknown) => error);
    expect(isAlreadyExists(refused)).toBe(true);
    const labelled = { ...intent, metadata: { ...intent.metadata, labels: { extra: 'yes' } } };
    expect((await applyToLive(labelled)).object?.metadata.labels).toEqual({ extra: 'yes' });
    const { object } = await applyToLive(intent);
    expect(object?.metadata.labels).toBeUndefined();
    expect((await restarted.apply(resource, intent, await live())).outcome).toBe('unchanged');
  });

  it('removes a field that POST created and the intent lost', async () => {
    const applier = createApplier({ client }, { fieldManager: 'runtime-test', hashAnnotation: HASH });
    const { object } = await applier.apply<ConfigMap>(CONFIGMAPS, configMap('lossy', { x: '1', y: '2' }), undefined, {
      mustNotExist: true,
    });
    const after = await applier.apply<ConfigMap>(CONFIGMAPS, configMap('lossy', { x: '1' }), object);
    expect(after.object?.data).toEqual({ x: '1' });
    const managers = after.object?.metadata.managedFields?.filter((entry) => entry.manager === 'runtime-test');
    expect(managers?.map((entry) => entry.operation)).toEqual(['Apply']);
  });

  it('takes a subject out of a RoleBinding that somebody put in', async () => {
    const applier = createApplier({ client }, { fieldManager: 'runtime-test', hashAnnotation: HASH });
    const [, binding] = children[3] ?? [];
    if (binding === undefined) throw new Error('no RoleBinding');
    const intent = { ...binding, metadata: { namespace, name: 'tampered' } };
    await applier.apply(ROLEBINDINGS, intent, undefined);
    const evil = { kind: 'User', name: 'evil', apiGroup: 'rbac.authorization.k8s.io' };
    const ops = [{ op: 'add', path: '/subjects/-', value: evil }] as const;
    const tampered = await client.patch<KubeObject>(ROLEBINDINGS, intent.metadata, { type: 'json', ops });
    const fixed = await applier.apply<KubeObject & { subjects?: readonly unknown[] }>(ROLEBINDINGS, intent, {
      ...tampered,
    });
    expect(fixed.outcome).toBe('configured');
    expect(fixed.object?.subjects?.length).toBe(1);
  });

  it('adds and removes finalizers only where nothing changed in between', async () => {
    const cache = createInformer<ConfigMap>(deps(), { resource: CONFIGMAPS, namespace });
    const bare = await client.create(CONFIGMAPS, configMap('final'));
    const held = await ensureFinalizer(client, cache, bare, FINALIZER);
    expect(held.metadata.finalizers).toEqual([FINALIZER]);
    await expect(ensureFinalizer(client, cache, bare, 'runtime-test.example/other')).rejects.toBeInstanceOf(
      TransientError,
    );
    const both = await ensureFinalizer(client, cache, held, 'runtime-test.example/other');
    await expect(removeFinalizer(client, CONFIGMAPS, held, FINALIZER)).rejects.toBeInstanceOf(TransientError);
    await client.delete(CONFIGMAPS, both.metadata);
    await removeFinalizer(client, CONFIGMAPS, both, FINALIZER);
    const last = await client.get<ConfigMap>(CONFIGMAPS, both.metadata);
    expect(last.metadata.finalizers).toEqual(['runtime-test.example/other']);
    await removeFinalizer(client, CONFIGMAPS, last, 'runtime-test.example/other');
    expect(isNotFound(await client.get(CONFIGMAPS, both.metadata).catch((error: unknown) => error))).toBe(true);
  });

  it('deletes only the version that was seen', async () => {
    const seen = await client.create(CONFIGMAPS, configMap('precious'));
    await client.patch(CONFIGMAPS, seen.metadata, { type: 'merge', body: { data: { x: '1' } } });
    const { uid, resourceVersion } = seen.metadata;
    const failed = await client
      .delete(CONFIGMAPS, seen.metadata, { preconditions: { uid, resourceVersion } })
      .catch((error: unknown) => error);
    expect(isConflict(failed)).toBe(true);
  });

  it('writes Events that the API server accepts, and their series', async () => {
    const recorder = createEventRecorder(deps(), {
      reportingController: 'runtime-test.example/it',
      reportingInstance: 'here',
    });
    const about = await client.create(CONFIGMAPS, configMap('eventful'));
    for (let i = 0; i < 3; i++) recorder.event(about, { type: 'Warning', reason: 'Broken', note: 'no disk' });
    await recorder.flush();
    const { items } = await client.list<KubeObject & { note?: string; series?: { count: number } }>(EVENTS, {
      namespace,
    });
    const ours = items.filter((item) => item.note === 'no disk');
    expect(ours.map((item) => item.series?.count)).toEqual([3]);
  });

  it('keeps what it knows of a kind whose CRD goes, and goes on when it returns', async () => {
    const group = `g${process.pid}.runtime-test.example`;
    const resource: Resource = { group, version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    };
    const cache = createInformer(deps(), { resource, namespace });
    running.push(cache.start(stop.signal));
    await expect.poll(() => cache.state(), POLL).toBe('unavailable');
    await client.create(CUSTOMRESOURCEDEFINITIONS, definition);
    await expect.poll(() => cache.state(), POLL).toBe('synced');
    const thing = {
      apiVersion: `${group}/v1`,
      kind: 'Thing',
      metadata: { namespace, name: 'kept', finalizers: [FINALIZER] },
    };
    const stored = await client.create<KubeObject>(resource, thing);
    await expect.poll(() => cache.size(), POLL).toBe(1);
    await client.delete(CUSTOMRESOURCEDEFINITIONS, definition.metadata);
    await expect.poll(() => cache.get(`${namespace}/kept`)?.metadata.deletionTimestamp, POLL).toBeDefined();
    await removeFinalizer(client, resource, stored, FINALIZER);
    await expect.poll(() => cache.state(), POLL).toBe('unavailable');
  });

  it('elects, converges, changes nothing in a second pass, and hands over', async () => {
    const owners = createInformer<ConfigMap>(deps(), { resource: CONFIGMAPS, namespace, labelSelector: 'role=owner' });
    const kids = createInformer<KubeObject>(deps(), { resource: SERVICES, namespace, labelSelector: 'owner' });
    const applier = createApplier({ client }, { fieldManager: 'runtime-test', hashAnnotation: HASH });
    let writes = 0;
    const controller = createController(deps(), {
      name: 'owners',
      workers: 4,
      watches: [
        watchOf<ConfigMap>({ informer: owners, map: (object) => [objectKey(object)] }),
        watchOf<KubeObject>({ informer: kids, map: (object) => [`${namespace}/${object.metadata.labels?.owner}`] }),
      ],
      reconcile: async (key, signal) => {
        const owner = owners.get(key);
        if (owner === undefined) return;
        const { name } = owner.metadata;
        const metadata = { namespace, name, labels: { owner: name } };
        const intent = { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } };
        const { outcome, object } = await applier.apply(SERVICES, intent, kids.get(key), { signal });
        if (object !== undefined) kids.observeWrite(object);
        if (outcome !== 'unchanged') writes += 1;
      },
    });
    const leaderElection = { namespace, name: 'owners' };
    const manager = createManager(deps(), { leaderElection });
    manager.addController(controller);
    const end = new AbortController();
    const done = manager.start(end.signal);
    await manager.ready();
    for (let i = 0; i < 5; i++) {
      const owner = configMap(`owner-${i}`);
      await client.create(CONFIGMAPS, { ...owner, metadata: { ...owner.metadata, labels: { role: 'owner' } } });
    }
    await expect.poll(() => kids.size(), POLL).toBe(5);
    await expect.poll(() => controller.pending(), POLL).toEqual({ ready: 0, working: 0, delayed: 0 });
    const before = writes;
    for (const owner of owners.list()) controller.enqueue(objectKey(owner));
    await client.delete(SERVICES, { namespace, name: 'owner-0' });
    await expect.poll(() => [kids.size(), controller.pending().working], POLL).toEqual([5, 0]);
    await expect.poll(() => writes - before, POLL).toBe(1);
    const next = createManager(deps(), { leaderElection });
    const nextEnd = new AbortController();
    const nextDone = next.start(nextEnd.signal);
    end.abort();
    await done;
    await next.ready();
    expect(
      (
        await client.get<Lease>(
          { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true },
          { namespace, name: 'owners' },
        )
      ).spec?.leaseTransitions,
    ).toBe(1);
    nextEnd.abort();
    await nextDone;
  });
});
