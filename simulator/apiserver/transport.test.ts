import { describe, expect, it } from 'vitest';
import { CONFIGMAPS } from '../../kube/builtin.ts';
import { RequestError } from '../../kube/errors.ts';
import { settle } from '../../kube/testing/fakeclock.ts';
import type { CallFault, LineFault } from './faults.ts';
import { configMap, createWorld, type World, watch } from './testing/world.ts';

const KEY = { namespace: 'default', name: 'a' };

/** One faulty create, and whether it was carried out. */
async function createWith(world: World, fault: CallFault): Promise<{ outcome: string; exists: boolean }> {
  const client = world.connect({ call: ({ method }, tries) => (method === 'POST' && tries === 1 ? fault : undefined) });
  let outcome = 'pending';
  client.create(CONFIGMAPS, configMap('a')).then(
    () => {
      outcome = 'done';
    },
    (error: unknown) => {
      outcome = error instanceof RequestError ? error.failure : error instanceof Error ? error.message : 'odd';
    },
  );
  await world.clock.advance(60_000);
  const exists = world.server.core.store.collection('', 'configmaps').get('default', 'a') !== undefined;
  return { outcome, exists };
}

describe('calls that go wrong', () => {
  const cases: readonly [fault: CallFault, outcome: string, exists: boolean][] = [
    [{ type: 'unsent' }, 'connect', false],
    [{ type: 'reset', when: 'before' }, 'reset', false],
    [{ type: 'reset', when: 'after' }, 'reset', true],
    [{ type: 'stall', when: 'before' }, 'timeout', false],
    [{ type: 'stall', when: 'after' }, 'timeout', true],
    [{ type: 'truncate', bytes: 10 }, 'undecodable', true],
    [{ type: 'delay', ms: 5_000 }, 'done', true],
    [{ type: 'delay', ms: 50_000 }, 'timeout', false],
    [{ type: 'refuse', when: 'before', code: 429, reason: 'TooManyRequests', retryAfterSeconds: 2 }, 'done', true],
  ];

  it.each(cases)('%j: %s', async (fault, outcome, exists) => {
    expect(await createWith(createWorld(), fault)).toEqual({ outcome, exists });
  });

  it('may be refused although they were carried out', async () => {
    const fault = { type: 'refuse', when: 'after', code: 504, reason: 'Timeout', message: 'slow' } as const;
    const { outcome, exists } = await createWith(createWorld(), fault);
    expect([outcome, exists]).toEqual([expect.stringContaining('slow'), true]);
  });

  it('are repeated once after a reset when that does no harm', async () => {
    const world = createWorld();
    await world.client.create(CONFIGMAPS, configMap('a'));
    let tries = 0;
    const client = world.connect({
      call: () => {
        tries += 1;
        return tries === 1 ? { type: 'reset', when: 'before' } : undefined;
      },
    });
    expect((await client.get(CONFIGMAPS, KEY)).metadata.name).toBe('a');
    expect(tries).toBe(2);
  });

  it('may read an older state', async () => {
    const world = createWorld();
    const made = await world.client.create(CONFIGMAPS, configMap('a', { v: '1' }));
    await world.client.delete(CONFIGMAPS, KEY);
    const revision = Number(made.metadata.resourceVersion);
    const client = world.connect({ call: () => ({ type: 'stale', revision }) });
    expect(await client.get(CONFIGMAPS, KEY)).toMatchObject({ data: { v: '1' } });
    const list = await client.list(CONFIGMAPS, {});
    expect([list.items.length, list.metadata.resourceVersion]).toEqual([1, String(revision)]);
  });

  it('take the time that they are told', async () => {
    const world = createWorld();
    const client = world.connect({}, () => 10);
    let isDone = false;
    void client.create(CONFIGMAPS, configMap('a')).then(() => {
      isDone = true;
    });
    await world.clock.advance(19);
    expect(isDone).toBe(false);
    await world.clock.advance(1);
    expect(isDone).toBe(true);
  });
});

describe('streams that go wrong', () => {
  const cases: readonly [fault: LineFault, seen: readonly string[], ended: string | undefined][] = [
    [{ type: 'drop' }, ['ADDED b', 'MODIFIED a'], undefined],
    [{ type: 'duplicate' }, ['ADDED a', 'ADDED a', 'ADDED b', 'MODIFIED a'], undefined],
    [{ type: 'swap' }, ['ADDED b', 'ADDED a', 'MODIFIED a'], undefined],
    [{ type: 'merge' }, ['ADDED b', 'ADDED a'], undefined],
    [{ type: 'split', bytes: 20 }, ['ADDED a', 'ADDED b', 'MODIFIED a'], undefined],
    [{ type: 'delay', ms: 1000 }, ['ADDED a', 'ADDED b', 'MODIFIED a'], undefined],
    [{ type: 'tear', bytes: 20 }, [], 'the watch ended inside a line, after 20 bytes of it'],
    [{ type: 'garbage', text: 'oops' }, [], 'a watch line is not JSON: "oops"'],
    [{ type: 'blackhole' }, [], undefined],
    [{ type: 'end' }, [], 'properly'],
    [{ type: 'reset' }, [], 'watch configmaps: the connection was reset'],
  ];

  it.each(cases)('%j', async (fault, seen, ended) => {
    const world = createWorld();
    const judge = (_: Buffer, index: number) => (index === 0 ? fault : undefined);
    const watching = watch(world.connect({ stream: () => ({ type: 'lines', judge }) }), CONFIGMAPS);
    await settle();
    const made = await world.client.create(CONFIGMAPS, configMap('a'));
    await world.client.create(CONFIGMAPS, configMap('b'));
    await world.client.patch(CONFIGMAPS, made.metadata, { type: 'merge', body: { data: { x: '1' } } });
    await world.clock.advance(2_000);
    expect(watching.seen).toEqual(seen);
    expect(watching.ended()).toBe(ended);
  });

  it('may be refused, or never answered', async () => {
    const world = createWorld();
    const fault = { type: 'refuse', when: 'before', code: 503, reason: 'ServiceUnavailable', message: 'away' } as const;
    const refused = watch(world.connect({ stream: () => fault }), CONFIGMAPS);
    const mute = watch(world.connect({ stream: () => ({ type: 'stall', when: 'before' }) }), CONFIGMAPS);
    await world.clock.advance(100_000);
    expect(refused.ended()).toContain('away');
    expect([mute.seen, mute.ended()]).toEqual([[], undefined]);
  });

  it('end when the client closes', async () => {
    const world = createWorld();
    const watching = watch(world.client, CONFIGMAPS);
    await settle();
    await world.client.close();
    await settle();
    expect(watching.ended()).toBe('the client was closed');
    expect(world.server.core.store.collection('', 'configmaps').watches.size).toBe(0);
  });
});
