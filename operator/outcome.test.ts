import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Condition } from '../crds/v1alpha1/conditions.ts';
import { StatusError, TerminalError, TransientError, WaitingError } from '../kube/errors.ts';
import { createFakeClock } from '../kube/testing/fakeclock.ts';
import { computeConditions, computeOutcome, nowSeconds, type Outcome } from './outcome.ts';

const T0 = '2026-11-21T09:00:00Z';
const T1 = '2026-11-21T09:00:05Z';
const READY: Outcome = { kind: 'ready', message: 'all is well' };
const STALLED: Outcome = { kind: 'stalled', reason: 'PlanNotFound', message: 'no Plan' };
const WAITING: Outcome = { kind: 'waiting', reason: 'Progressing', message: 'waiting for the disk' };
const RETRYING: Outcome = { kind: 'retrying', reason: 'Retrying', message: 'connection reset' };

const show = (conditions: readonly Condition[]) =>
  conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`).sort();

describe('computeOutcome', () => {
  it.each([
    [new TerminalError('NameConflict', 'taken'), { kind: 'stalled', reason: 'NameConflict', message: 'taken' }],
    [
      new WaitingError('the disk', { retryAfterMs: 1 }),
      { kind: 'waiting', reason: 'Progressing', message: 'the disk' },
    ],
    [new TransientError('moved'), { kind: 'retrying', reason: 'Retrying', message: 'moved' }],
    [new StatusError({ code: 503, message: 'busy' }), { kind: 'retrying', reason: 'Retrying', message: 'busy' }],
    ['thrown text', { kind: 'retrying', reason: 'Retrying', message: 'thrown text' }],
  ])('of %s', (error, outcome) => {
    expect(computeOutcome(error)).toEqual(outcome);
  });
});

describe('computeConditions', () => {
  it('has Ready always, Reconciling and Stalled only while true', () => {
    expect(show(computeConditions([], READY, 1, T0))).toEqual(['Ready=True Succeeded']);
    expect(show(computeConditions([], STALLED, 1, T0))).toEqual([
      'Ready=False PlanNotFound',
      'Stalled=True PlanNotFound',
    ]);
    expect(show(computeConditions([], WAITING, 1, T0))).toEqual([
      'Ready=False Progressing',
      'Reconciling=True Progressing',
    ]);
    expect(show(computeConditions([], RETRYING, 1, T0))).toEqual(['Ready=False Retrying', 'Reconciling=True Retrying']);
  });

  it('clears what is no longer true', () => {
    const stalled = computeConditions([], STALLED, 1, T0);
    expect(show(computeConditions(stalled, WAITING, 1, T1))).toEqual([
      'Ready=False Progressing',
      'Reconciling=True Progressing',
    ]);
    expect(show(computeConditions(stalled, READY, 1, T1))).toEqual(['Ready=True Succeeded']);
  });

  it('moves the transition time only when the status moves', () => {
    const waiting = computeConditions([], WAITING, 1, T0);
    const later = computeConditions(waiting, { ...WAITING, message: 'waiting for the machine' }, 2, T1);
    expect(later.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([T0, T0]);
    const ready = computeConditions(later, READY, 2, T1);
    expect(ready).toMatchObject([{ type: 'Ready', status: 'True', lastTransitionTime: T1, observedGeneration: 2 }]);
  });

  it('takes Ready from nobody for an error that passes', () => {
    const ready = computeConditions([], READY, 3, T0);
    expect(computeConditions(ready, RETRYING, 3, T1)).toBe(ready);
  });

  it('but does for a spec that was not made yet: Ready never precedes the fact', () => {
    const ready = computeConditions([], READY, 3, T0);
    expect(show(computeConditions(ready, RETRYING, 4, T1))).toEqual([
      'Ready=False Retrying',
      'Reconciling=True Retrying',
    ]);
  });

  it('leaves conditions of other types alone', () => {
    const suspended: Condition = {
      type: 'Suspended',
      status: 'True',
      reason: 'Suspended',
      message: '',
      lastTransitionTime: T0,
    };
    expect(show(computeConditions([suspended], READY, 1, T1))).toEqual([
      'Ready=True Succeeded',
      'Suspended=True Suspended',
    ]);
  });

  it('is stable: the same outcome again changes nothing', () => {
    const outcome = fc.constantFrom(READY, STALLED, WAITING, RETRYING);
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 6 }), (outcomes) => {
        let conditions: readonly Condition[] = [];
        for (const one of outcomes) {
          conditions = computeConditions(conditions, one, 1, T0);
          expect(computeConditions(conditions, one, 1, T1)).toEqual(conditions);
          expect(conditions.filter(({ type }) => type === 'Ready')).toHaveLength(1);
          const both = conditions.filter(({ type }) => type === 'Reconciling' || type === 'Stalled');
          expect(both.length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('nowSeconds', () => {
  it('is RFC 3339 in whole seconds', () => {
    expect(nowSeconds(createFakeClock(Date.UTC(2026, 10, 21, 9, 0, 0, 999)))).toBe(T0);
  });
});
