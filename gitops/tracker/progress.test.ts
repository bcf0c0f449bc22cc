import { describe, expect, it } from 'vitest';
import type { Intent } from '../intent.ts';
import type { Change, Outcome } from '../journal.ts';
import { computeFolderFacts } from './facts.ts';
import { computeProgress, type LiveObject, type ProgressFacts } from './progress.ts';
import {
  buildDesktop,
  buildFolder,
  buildTracked,
  COMMIT,
  condition,
  NOW_MS,
  OLDER,
  PATIENCE,
  POWER_EDIT,
} from './testing/objects.ts';

type Situation = {
  readonly folder?: NonNullable<Parameters<typeof buildFolder>[0]>;
  readonly live?: LiveObject | undefined;
  readonly later?: readonly Change[];
  /** False: the tenant whose folder it is was removed, or is not there yet. */
  readonly isFed?: boolean;
  /** Since the change came into its state. */
  readonly waitedMs?: number;
};

const STOPPED = [condition('Ready', 'False', 'Stopped', 'spec.power is Stopped')];
const READY = [condition('Ready', 'True', 'Succeeded', 'answers RDP at 198.51.100.7:3389')];
const REFUSED =
  'RDPInstance/t-acme--bob/anna-desk dry-run failed (Invalid): RDPInstance.sublet.dev "anna-desk" is invalid: spec.username: ...';
const DELETE: Intent = { type: 'Delete', target: POWER_EDIT.target };

function progress(change: Change, situation: Situation = {}): Outcome | undefined {
  const { folder = {}, later = [], waitedMs = 0, isFed = true } = situation;
  const live = 'live' in situation ? situation.live : buildDesktop({ power: 'Stopped' }, STOPPED);
  const { gitRepository, rootArtifact, ...fed } = buildFolder(folder);
  const unfed = { gitRepository, rootArtifact, kustomization: undefined };
  const facts = computeFolderFacts(isFed ? { ...unfed, ...fed } : unfed);
  // History here is OLDER, then COMMIT.
  const has = (commit: string | undefined): boolean => commit === COMMIT;
  const contains = { fetched: has(facts.fetched), attempted: has(facts.attempted), applied: has(facts.applied) };
  const all: ProgressFacts = { ...facts, contains, live, later };
  return computeProgress({ ...change, updatedAtMs: NOW_MS - waitedMs }, all, NOW_MS, PATIENCE);
}

describe('a committed change', () => {
  it('stays while Flux has not applied its commit', () => {
    expect(progress(buildTracked(), { folder: { applied: OLDER } })).toBeUndefined();
    expect(progress(buildTracked(), { folder: { fetched: OLDER, published: OLDER } })).toBeUndefined();
  });

  it('is applied when Flux applied the commit and the live object says it, and ready when the object says so', () => {
    expect(progress(buildTracked())).toMatchObject({ state: 'Ready', reason: 'Stopped' });
    const starting = buildDesktop({ power: 'Stopped' }, [condition('Ready', 'False', 'Progressing')]);
    expect(progress(buildTracked(), { live: starting })).toEqual({ state: 'Applied' });
    const seen = {
      ...buildDesktop({ power: 'Stopped' }, READY, 2),
      status: { observedGeneration: 1, conditions: READY },
    };
    expect(progress(buildTracked(), { live: seen })).toEqual({ state: 'Applied' });
  });

  it('is not applied while the live object says something else, and is overwritten when that lasts', () => {
    const live = buildDesktop({ power: 'Running' }, READY);
    expect(progress(buildTracked(), { live })).toBeUndefined();
    expect(progress(buildTracked(), { live, waitedMs: 31_000 })).toMatchObject({
      state: 'Superseded',
      reason: 'Overwritten',
      differences: [{ path: 'spec.power', found: 'Running' }],
    });
  });

  it('is superseded by a later one of the same field, and applied beside one of another field', () => {
    const live = buildDesktop({ power: 'Running', plan: 'pro' }, READY);
    const edit = (path: string, to: string): Change =>
      buildTracked({
        id: `I${'2'.repeat(40)}`,
        sequence: 2n,
        intent: { ...POWER_EDIT, edits: [{ path: ['spec', path], to }] } as Intent,
      });
    expect(progress(buildTracked(), { live, later: [edit('power', 'Running')] })).toMatchObject({
      state: 'Superseded',
      reason: 'Overtaken',
    });
    const both = buildDesktop({ power: 'Stopped', plan: 'pro' }, STOPPED);
    expect(progress(buildTracked(), { live: both, later: [edit('plan', 'pro')] })).toMatchObject({ state: 'Ready' });
    expect(progress(buildTracked(), { live, later: [buildTracked({ sequence: 2n, intent: DELETE })] })).toMatchObject({
      state: 'Superseded',
    });
  });

  it('waits while what is published is from before, however long that lasts, and whatever the live object says', () => {
    const folder = { published: OLDER, applied: OLDER };
    const situations = [
      [POWER_EDIT, buildDesktop({ power: 'Running' }, READY)],
      [POWER_EDIT, buildDesktop({ power: 'Stopped' }, STOPPED)],
      [DELETE, buildDesktop({ power: 'Running' }, READY)],
      [DELETE, undefined],
      [{ type: 'Create', target: POWER_EDIT.target, object: { spec: { plan: 'pro' } } }, undefined],
    ] as const;
    for (const [intent, live] of situations) {
      for (const waitedMs of [0, 31_000, 3_600_000])
        expect(progress(buildTracked({ intent }), { folder, live, waitedMs })).toBeUndefined();
    }
  });

  it('is held while the gate holds its folder or the revision, and goes on after that', () => {
    const message = 'the folder is not accepted; its last good content stays\ndesk.yaml:7: unknown-field: ...';
    expect(progress(buildTracked(), { folder: { published: OLDER, held: message } })).toEqual({
      state: 'Held',
      reason: 'Held',
      message,
    });
    expect(progress(buildTracked(), { folder: { published: OLDER, rootHeld: 'too much' } })).toMatchObject({
      state: 'Held',
      reason: 'RevisionHeld',
    });
    const held = buildTracked({ state: 'Held', reason: 'Held', message });
    expect(progress(held, { folder: { published: OLDER, held: message }, waitedMs: 10 * 86_400_000 })).toBeUndefined();
    expect(progress(held, { folder: { published: OLDER, held: 'another line' } })).toMatchObject({
      state: 'Held',
      message: 'another line',
    });
    expect(progress(held)).toMatchObject({ state: 'Ready' });
  });

  it('is not held by a gate that has not seen its commit', () => {
    expect(
      progress(buildTracked(), { folder: { fetched: OLDER, published: OLDER, held: 'bad before' } }),
    ).toBeUndefined();
  });

  describe('that Flux cannot apply', () => {
    const refuse = (message: string, ageMs = 1_000): Parameters<typeof buildFolder>[0] => ({
      applied: OLDER,
      refusal: condition('Ready', 'False', 'ReconciliationFailed', message, ageMs),
    });

    it('fails at once when the API server finds the object invalid', () => {
      expect(progress(buildTracked(), { folder: refuse(REFUSED) })).toEqual({
        state: 'Failed',
        reason: 'NotAppliable',
        message: REFUSED,
      });
    });

    it('fails only when it lasts, when a right is missing', () => {
      const folder = refuse(REFUSED.replace('Invalid', 'Forbidden'), 60_000);
      expect(progress(buildTracked(), { folder })).toBeUndefined();
      expect(progress(buildTracked(), { folder, waitedMs: 31_000 })).toMatchObject({ state: 'Failed' });
    });

    it('waits when another object is meant, when the commit is not tried yet, and when it is the server that fails', () => {
      const waitedMs = 60_000;
      expect(
        progress(buildTracked(), { folder: refuse(REFUSED.replace('anna-desk ', 'bob-desk ')), waitedMs }),
      ).toBeUndefined();
      expect(
        progress(buildTracked(), { folder: refuse(REFUSED.replaceAll('anna-desk', 'anna-desk-2')), waitedMs }),
      ).toBeUndefined();
      expect(progress(buildTracked(), { folder: { ...refuse(REFUSED), attempted: false }, waitedMs })).toBeUndefined();
      expect(
        progress(buildTracked(), {
          folder: refuse('RDPInstance/t-acme--bob/anna-desk dry-run failed (InternalError): etcd'),
          waitedMs,
        }),
      ).toBeUndefined();
    });
  });

  it('ends after a day in which nothing became of it', () => {
    const folder = { fetched: OLDER, published: OLDER };
    expect(progress(buildTracked(), { folder, waitedMs: 86_399_000 })).toBeUndefined();
    expect(progress(buildTracked(), { folder, waitedMs: 86_400_000 })).toMatchObject({
      state: 'Failed',
      reason: 'NotApplied',
    });
  });
});

describe('an applied change', () => {
  const applied = buildTracked({ state: 'Applied' });

  it('is ready when the resource is at its generation, and not before', () => {
    expect(progress(applied, { live: buildDesktop({ power: 'Running' }, READY) })).toMatchObject({
      state: 'Ready',
      reason: 'Succeeded',
    });
    const probing = buildDesktop({ power: 'Running' }, [
      condition('Ready', 'False', 'Probing'),
      condition('Reconciling', 'True', 'Probing'),
    ]);
    expect(progress(applied, { live: probing })).toBeUndefined();
    expect(progress(applied, { live: { metadata: { generation: 1 }, spec: {} } })).toBeUndefined();
  });

  it('is ready when the desktop is off because that is asked, once it is off', () => {
    for (const reason of ['Stopped', 'Suspended', 'GuestShutDown']) {
      const conditions = [condition('Ready', 'False', reason)];
      expect(progress(applied, { live: buildDesktop({ power: 'Stopped' }, conditions) })).toMatchObject({
        state: 'Ready',
        reason,
      });
      const stopping = [...conditions, condition('Reconciling', 'True', reason)];
      expect(progress(applied, { live: buildDesktop({ power: 'Stopped' }, stopping) })).toBeUndefined();
    }
  });

  it('fails when the resource stalls and that lasts', () => {
    const stalled = (ageMs: number) =>
      buildDesktop({ power: 'Running' }, [
        condition('Ready', 'False', 'QuotaExceeded', 'vcpu: 4 asked, 16 of 16 used', ageMs),
        condition('Stalled', 'True', 'QuotaExceeded', 'vcpu: 4 asked, 16 of 16 used', ageMs),
      ]);
    expect(progress(applied, { live: stalled(1_000) })).toBeUndefined();
    expect(progress(applied, { live: stalled(30_000) })).toMatchObject({
      state: 'Failed',
      reason: 'QuotaExceeded',
      message: expect.stringContaining('16 of 16 used'),
    });
  });

  it('fails when the resource is not ready in an hour', () => {
    const live = buildDesktop({ power: 'Running' }, [
      condition('Ready', 'False', 'WaitingForDisk', 'the disk is cloned (40%)'),
    ]);
    expect(progress(applied, { live, waitedMs: 3_599_000 })).toBeUndefined();
    expect(progress(applied, { live, waitedMs: 3_600_000 })).toMatchObject({
      state: 'Failed',
      reason: 'WaitingForDisk',
    });
  });

  it('is gone when the resource was removed meanwhile', () => {
    expect(progress(applied, { live: undefined, waitedMs: 31_000 })).toMatchObject({
      state: 'Gone',
      reason: 'Removed',
    });
    expect(
      progress(applied, { live: undefined, later: [buildTracked({ sequence: 2n, intent: DELETE })] }),
    ).toMatchObject({ state: 'Superseded' });
  });
});

describe('a removal', () => {
  const removal = buildTracked({ intent: DELETE });

  it('is applied while the object is going, and gone when it is not there', () => {
    const live = buildDesktop({}, STOPPED);
    const going = { ...live, metadata: { ...live.metadata, deletionTimestamp: '2026-11-26T09:00:00Z' } };
    expect(progress(removal, { live: going })).toEqual({ state: 'Applied' });
    expect(progress({ ...removal, state: 'Applied' }, { live: going })).toBeUndefined();
    expect(progress(removal, { live: undefined })).toMatchObject({ state: 'Gone', reason: 'Deleted' });
    expect(progress({ ...removal, state: 'Applied' }, { live: undefined })).toMatchObject({ state: 'Gone' });
  });

  it('of a folder that went with its tenant is gone with it, once that lasts', () => {
    const gone = { isFed: false, live: undefined, waitedMs: 31_000 } as const;
    expect(progress(removal, gone)).toMatchObject({ state: 'Gone', reason: 'Deleted' });
    expect(progress(removal, { ...gone, waitedMs: 0 })).toBeUndefined();
    expect(progress(removal, { ...gone, live: buildDesktop({}, STOPPED) })).toBeUndefined();
    expect(progress(removal, { ...gone, folder: { fetched: OLDER } })).toBeUndefined();
    expect(progress(removal, { ...gone, folder: { rootHeld: 'too much goes' } })).toMatchObject({ state: 'Held' });
    const later = [buildTracked({ sequence: 2n, intent: DELETE })];
    expect(progress(buildTracked(), { ...gone, later })).toMatchObject({ state: 'Superseded', reason: 'Overtaken' });
    // One of a tenant that is new waits for its folder.
    expect(progress(buildTracked(), gone)).toBeUndefined();
  });

  it('is not gone because the object cannot be found before Flux removed it', () => {
    expect(progress(removal, { folder: { applied: OLDER }, live: undefined })).toBeUndefined();
  });

  it('is overwritten by whoever made the object again', () => {
    expect(progress(removal)).toBeUndefined();
    expect(progress(removal, { waitedMs: 31_000 })).toMatchObject({ state: 'Superseded' });
  });
});

describe('a new resource', () => {
  const object = {
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'RDPInstance',
    metadata: { name: 'anna-desk', labels: { team: 'a' } },
    spec: { plan: 'pro', access: { type: 'LoadBalancer', allow: ['203.0.113.0/24'] } },
  };
  const created = buildTracked({ intent: { type: 'Create', target: POWER_EDIT.target, object } });
  const live = (
    spec: Record<string, unknown>,
    labels: Record<string, string> = { team: 'a', 'kustomize.toolkit.fluxcd.io/name': 'x' },
  ) => {
    const desktop = buildDesktop(spec, READY);
    return { ...desktop, metadata: { ...desktop.metadata, labels } };
  };

  it('is applied when the live object says all of it, whatever was added by default', () => {
    expect(
      progress(created, { live: live({ ...object.spec, power: 'Running', deletion: { graceDays: 7 } }) }),
    ).toMatchObject({ state: 'Ready' });
    expect(progress(created, { live: live({ ...object.spec, plan: 'basic' }) })).toBeUndefined();
    expect(progress(created, { live: live(object.spec, {}) })).toBeUndefined();
    expect(progress(created, { live: undefined })).toBeUndefined();
  });
});
