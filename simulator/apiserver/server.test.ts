import { describe, expect, it } from 'vitest';
import { CONFIGMAPS, NAMESPACES } from '../../kube/builtin.ts';
import { createClientOn, type WatchLine } from '../../kube/client.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';
import { createFakeClock, createFakeRandom } from '../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { type ApiServer, createApiServer } from './server.ts';
import { createInProcessTransport } from './transport.ts';

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };

function createWorld() {
  const clock = createFakeClock();
  const random = createFakeRandom();
  const { log } = createTestLog();
  const server: ApiServer = createApiServer({ clock, random, log });
  const user = { username: 'tester', groups: ['system:masters'] };
  const client = createClientOn(createInProcessTransport({ server, clock, random }, { user, userAgent: 'test/1' }));
  return { clock, server, client };
}

const configMap = (name: string, data: Readonly<Record<string, string>> = {}): ConfigMap => {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name }, data };
};

describe('the API server in memory', () => {
  it('creates, reads, replaces and deletes', async () => {
    const { client } = createWorld();
    const made = await client.create(CONFIGMAPS, configMap('a', { x: '1' }));
    expect(made.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(made.metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z');
    const updated = await client.update(CONFIGMAPS, { ...made, data: { x: '2' } });
    expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
    await expect(client.update(CONFIGMAPS, made)).rejects.toSatisfy(isConflict);
    expect((await client.get<ConfigMap>(CONFIGMAPS, made.metadata)).data).toEqual({ x: '2' });
    expect((await client.list(CONFIGMAPS, { namespace: 'default' })).items).toHaveLength(1);
    await client.delete(CONFIGMAPS, made.metadata);
    await expect(client.get(CONFIGMAPS, made.metadata)).rejects.toSatisfy(isNotFound);
  });

  it('writes nothing when nothing changes', async () => {
    const { client } = createWorld();
    const made = await client.create(CONFIGMAPS, configMap('a', { x: '1' }));
    const again = await client.update(CONFIGMAPS, made);
    expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  it('refuses content of a namespace that is not there', async () => {
    const { client } = createWorld();
    const lost = { ...configMap('a'), metadata: { namespace: 'nowhere', name: 'a' } };
    await expect(client.create(CONFIGMAPS, lost)).rejects.toThrow('namespaces "nowhere" not found');
  });

  it('tells watches of what happens, from a version on', async () => {
    const { client } = createWorld();
    const first = await client.create(CONFIGMAPS, configMap('a', { x: '1' }));
    const stop = new AbortController();
    const seen: string[] = [];
    const options = { resourceVersion: first.metadata.resourceVersion, signal: stop.signal };
    const watching = (async () => {
      for await (const line of client.watch(CONFIGMAPS, options)) seen.push(describeLine(line));
    })().catch(() => {});
    await client.update(CONFIGMAPS, { ...first, data: { x: '2' } });
    await client.create(CONFIGMAPS, configMap('b'));
    await client.delete(CONFIGMAPS, { namespace: 'default', name: 'a' });
    stop.abort();
    await watching;
    expect(seen).toEqual(['MODIFIED a', 'ADDED b', 'DELETED a']);
  });

  it('waits for finalizers', async () => {
    const { client } = createWorld();
    const object = configMap('a');
    const made = await client.create(CONFIGMAPS, {
      ...object,
      metadata: { ...object.metadata, finalizers: ['x.dev/f'] },
    });
    await client.delete(CONFIGMAPS, made.metadata);
    const marked = await client.get(CONFIGMAPS, made.metadata);
    expect(marked.metadata.deletionTimestamp).toBeDefined();
    const ops = [{ op: 'remove', path: '/metadata/finalizers' }] as const;
    await client.patch(CONFIGMAPS, made.metadata, { type: 'json', ops });
    await expect(client.get(CONFIGMAPS, made.metadata)).rejects.toSatisfy(isNotFound);
  });

  it('keeps a namespace until it is finalized', async () => {
    const { client } = createWorld();
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
    await client.delete(NAMESPACES, { name: 'n' });
    const marked = await client.get<KubeObject & { status: unknown }>(NAMESPACES, { name: 'n' });
    expect(marked.status).toEqual({ phase: 'Terminating' });
    const inside = { ...configMap('a'), metadata: { namespace: 'n', name: 'a' } };
    await expect(client.create(CONFIGMAPS, inside)).rejects.toThrow('because it is being terminated');
  });
});

function describeLine({ type, object }: WatchLine): string {
  return `${type} ${object.metadata.name}`;
}
