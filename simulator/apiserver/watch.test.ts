import { describe, expect, it } from 'vitest';
import { CONFIGMAPS, NAMESPACES } from '../../kube/builtin.ts';
import { isGone } from '../../kube/errors.ts';
import { settle } from '../../kube/testing/fakeclock.ts';
import { configMap, createWorld, watch } from './testing/world.ts';

describe('a watch', () => {
  it('tells a selection when objects enter and leave it', async () => {
    const { client } = createWorld();
    const watching = watch(client, CONFIGMAPS, { labelSelector: 'tier=front' });
    const made = await client.create(CONFIGMAPS, configMap('a', {}, { tier: 'back' }));
    const relabel = (tier: string) =>
      client.patch(CONFIGMAPS, made.metadata, { type: 'merge', body: { metadata: { labels: { tier } } } });
    await relabel('front');
    await client.patch(CONFIGMAPS, made.metadata, { type: 'merge', body: { data: { x: '1' } } });
    const left = await relabel('back');
    await client.delete(CONFIGMAPS, made.metadata);
    await settle();
    expect(watching.seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    const last = watching.lines.at(-1)?.object.metadata;
    expect(last?.labels).toEqual({ tier: 'front' });
    expect(last?.resourceVersion).toBe(left.metadata.resourceVersion);
  });

  it('begins with the state and says where that ends', async () => {
    const { client } = createWorld();
    await client.create(CONFIGMAPS, configMap('a'));
    const watching = watch(client, CONFIGMAPS, { sendInitialEvents: true });
    await client.create(CONFIGMAPS, configMap('b'));
    await settle();
    expect(watching.seen).toEqual(['ADDED a', 'BOOKMARK', 'ADDED b']);
    expect(watching.lines[1]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  });

  it('has bookmarks every minute, one before its end, and ends in time', async () => {
    const { client, clock, server } = createWorld();
    const watching = watch(client, CONFIGMAPS, { allowBookmarks: true, timeoutSeconds: 90 });
    await clock.advance(59_000);
    expect(watching.seen).toEqual([]);
    await clock.advance(1_000);
    expect(watching.seen).toEqual(['BOOKMARK']);
    expect(watching.lines[0]?.object.metadata.resourceVersion).toBe(String(server.core.store.revision));
    await clock.advance(28_000);
    expect(watching.seen).toEqual(['BOOKMARK', 'BOOKMARK']);
    await clock.advance(2_000);
    expect(watching.ended()).toBe('properly');
    expect(clock.timers()).toBe(0);
  });

  it('has no bookmarks unasked, also where its timer fires early', async () => {
    const { client, clock } = createWorld();
    const watching = watch(client, CONFIGMAPS, { timeoutSeconds: 1, allowBookmarks: false });
    await settle();
    const monotonic = clock.monotonic.bind(clock);
    clock.monotonic = () => monotonic() - 0.5;
    await clock.advance(1_002);
    expect(watching.seen).toEqual([]);
    expect(watching.ended()).toBe('properly');
  });

  it('is told that its version is gone', async () => {
    const { client } = createWorld(10);
    const first = await client.create(CONFIGMAPS, configMap('a', { n: '0' }));
    for (let n = 1; n <= 30; n += 1)
      await client.patch(CONFIGMAPS, first.metadata, { type: 'merge', body: { data: { n: `${n}` } } });
    const watching = watch(client, CONFIGMAPS, { resourceVersion: first.metadata.resourceVersion });
    await settle();
    expect(watching.lines[0]).toMatchObject({ type: 'ERROR', object: { reason: 'Expired', code: 410 } });
    expect(watching.ended()).toBe('properly');
  });

  it('looks at one namespace only, and is forgotten when it is over', async () => {
    const { client, server } = createWorld();
    const watching = watch(client, CONFIGMAPS, { namespace: 'kube-system' });
    await client.create(CONFIGMAPS, configMap('a'));
    await client.create(CONFIGMAPS, { ...configMap('b'), metadata: { namespace: 'kube-system', name: 'b' } });
    await settle();
    expect(watching.seen).toEqual(['ADDED b']);
    const collection = server.core.store.collection('', 'configmaps');
    expect([collection.watches.size, collection.namespaceListeners.size]).toEqual([1, 1]);
    watching.stop();
    await settle();
    expect([collection.watches.size, collection.namespaceListeners.size]).toEqual([0, 0]);
  });
});

describe('thousands of watches', () => {
  it('cost a write nothing that is not theirs', async () => {
    const { client, server } = createWorld();
    const { collection } = server.core.registry.find('', 'v1', 'configmaps') ?? {};
    const user = { username: 'u', groups: [] };
    let told = 0;
    const onLine = (): void => {
      told += 1;
    };
    const sink = { onLine, onEnd: () => {} };
    for (let index = 0; index < 5000; index += 1) {
      const path = `/api/v1/namespaces/n${index}/configmaps?watch=true`;
      const answer = await server.handle({ method: 'GET', path, headers: {}, user });
      answer.watch?.(sink);
    }
    expect(collection?.watches.size).toBe(5000);
    await client.create(CONFIGMAPS, configMap('a'));
    expect(told).toBe(0);
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n7' } });
    await client.create(CONFIGMAPS, { ...configMap('b'), metadata: { namespace: 'n7', name: 'b' } });
    expect(told).toBe(1);
    server.close();
    expect(collection?.watches.size).toBe(0);
  });
});

describe('pages', () => {
  it('show the state of the first, whatever happens meanwhile', async () => {
    const { client } = createWorld();
    for (const name of ['a', 'b', 'c', 'd']) await client.create(CONFIGMAPS, configMap(name, { v: '1' }));
    const first = await client.list(CONFIGMAPS, { namespace: 'default', limit: 2 });
    expect(first.metadata.remainingItemCount).toBe(2);
    await client.delete(CONFIGMAPS, { namespace: 'default', name: 'c' });
    await client.create(CONFIGMAPS, configMap('bb'));
    const rest = await client.list(CONFIGMAPS, { namespace: 'default', limit: 5, continue: first.metadata.continue });
    expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(['c', 'd']);
    expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it('expire with the history, and say how to go on', async () => {
    const { client, server } = createWorld();
    for (const name of ['a', 'b', 'c']) await client.create(CONFIGMAPS, configMap(name));
    const first = await client.list(CONFIGMAPS, { namespace: 'default', limit: 1 });
    await client.create(CONFIGMAPS, configMap('bb'));
    server.core.store.compact();
    const again = { namespace: 'default', limit: 5, continue: first.metadata.continue };
    await expect(client.list(CONFIGMAPS, again)).rejects.toSatisfy(isGone);
    const headers = { accept: 'application/json' };
    const user = { username: 'u', groups: [] };
    const path = `/api/v1/namespaces/default/configmaps?limit=5&continue=${first.metadata.continue}`;
    const answer = await server.handle({ method: 'GET', path, headers, user });
    const token = JSON.parse(answer.body).metadata.continue;
    const rest = await client.list(CONFIGMAPS, { namespace: 'default', continue: token });
    expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(['b', 'bb', 'c']);
  });

  it('can show an exact version', async () => {
    const { client, server } = createWorld();
    const made = await client.create(CONFIGMAPS, configMap('a', { v: '1' }));
    await client.patch(CONFIGMAPS, made.metadata, { type: 'merge', body: { data: { v: '2' } } });
    const { resourceVersion } = made.metadata;
    const path = `/api/v1/configmaps?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`;
    const answer = await server.handle({ method: 'GET', path, headers: {}, user: { username: 'u', groups: [] } });
    expect(JSON.parse(answer.body).items[0].data).toEqual({ v: '1' });
  });
});
