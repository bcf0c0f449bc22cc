import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NAMESPACES } from '../kube/builtin.ts';
import type { KubeObject } from '../kube/object.ts';
import { ANNOTATION_HELD, ANNOTATION_REMOVED_AT, ANNOTATION_SWEEP_AT } from '../model/labels.ts';
import { createHarness, type Harness } from './testing/harness.ts';
import { clearRemoval, parseTombstone, releaseHold, stampRemoval } from './tombstone.ts';

const signal = new AbortController().signal;
const NOW = '2026-11-21T09:00:00.000Z';

let harness: Harness;
beforeEach(async () => {
  harness = createHarness();
  harness.server.put(NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 't-x', annotations: { team: 'web' } },
  });
  await harness.sync();
});
afterEach(() => harness.stop());

const live = (): KubeObject => {
  const found = harness.context.informers.namespaces.get('t-x');
  if (found === undefined) throw new Error('t-x is gone');
  return found;
};
const stamp = (decision: 'stop' | 'hold', policy: 'Retain' | 'Delete' = 'Retain', graceDays = 7) =>
  stampRemoval(
    harness.context,
    harness.context.informers.namespaces,
    live(),
    { decision, deletion: { policy, graceDays } },
    signal,
  );

function withStamps(removedAt: string | undefined, sweepAt?: string): KubeObject {
  const annotations = {
    ...(removedAt && { [ANNOTATION_REMOVED_AT]: removedAt }),
    ...(sweepAt && { [ANNOTATION_SWEEP_AT]: sweepAt }),
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 't-x', annotations } };
}

describe('stamps', () => {
  it('say when it was removed and when its grace is over, beside what others wrote', async () => {
    await stamp('stop');
    expect(live().metadata.annotations).toEqual({
      team: 'web',
      [ANNOTATION_REMOVED_AT]: NOW,
      [ANNOTATION_SWEEP_AT]: '2026-11-28T09:00:00.000Z',
    });
  });

  it.each([
    ['Retain', 0, NOW],
    ['Retain', 30, '2026-12-21T09:00:00.000Z'],
    ['Delete', 7, NOW],
  ] as const)('with %s and %d days are over at %s', async (policy, days, sweepAt) => {
    await stamp('stop', policy, days);
    expect(live().metadata.annotations?.[ANNOTATION_SWEEP_AT]).toBe(sweepAt);
  });

  it('keep their times when they are put again', async () => {
    await stamp('stop');
    const written = harness.server.writes.length;
    harness.clock.step(1_000);
    await stamp('hold');
    expect(live().metadata.annotations?.[ANNOTATION_REMOVED_AT]).toBe(NOW);
    expect(harness.server.writes).toHaveLength(written);
  });

  it('can hold, be released and be taken off; each is one call or none', async () => {
    const { context, server } = harness;
    const { namespaces } = context.informers;
    await stamp('hold');
    expect(parseTombstone(live())).toMatchObject({ held: true });
    await releaseHold(context, namespaces, live(), signal);
    await releaseHold(context, namespaces, live(), signal);
    expect(parseTombstone(live())).toMatchObject({ held: false });
    await clearRemoval(context, namespaces, live(), signal);
    await clearRemoval(context, namespaces, live(), signal);
    expect(live().metadata.annotations).toEqual({ team: 'web' });
    expect(server.writes).toHaveLength(3);
  });

  it('are never put on a state that was not seen, nor on a successor', async () => {
    const seen = live();
    harness.server.put(NAMESPACES, { ...seen, metadata: { ...seen.metadata, labels: { edited: 'true' } } });
    const deletion = { policy: 'Retain', graceDays: 7 } as const;
    const late = stampRemoval(
      harness.context,
      harness.context.informers.namespaces,
      seen,
      { decision: 'stop', deletion },
      signal,
    );
    await expect(late).rejects.toMatchObject({ code: 409 });
    expect(harness.server.get(NAMESPACES, 't-x')?.metadata.annotations).toEqual({ team: 'web' });
  });
});

describe('parseTombstone', () => {
  it('reads nothing from what is not removed', () => {
    expect(parseTombstone(withStamps(undefined))).toBeUndefined();
    expect(parseTombstone(withStamps(undefined, NOW))).toBeUndefined();
  });

  it.each([
    ['without an end', NOW, undefined],
    ['with an end that is no time', NOW, 'tomorrow'],
    ['with a beginning that is no time', 'yesterday', NOW],
  ])('never sweeps one %s', (_, removedAt, sweepAt) => {
    expect(parseTombstone(withStamps(removedAt, sweepAt))).toEqual({
      sweepAtMs: Number.POSITIVE_INFINITY,
      held: false,
      suspended: false,
    });
  });

  it('takes any mark as a hold', () => {
    const object = withStamps(NOW, NOW);
    const annotations = { ...object.metadata.annotations, [ANNOTATION_HELD]: '' };
    expect(parseTombstone({ ...object, metadata: { ...object.metadata, annotations } })).toMatchObject({ held: true });
  });
});
