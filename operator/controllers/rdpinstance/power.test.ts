import { describe, expect, test } from 'vitest';
import { computePower, type Epoch, type ObservedVm, type ObservedVmi, type PowerFacts } from './power.ts';

const NOW = '2026-11-21T09:00:00Z';
const EARLIER = '2026-11-21T08:00:00Z';
const BETWEEN = '2026-11-21T08:30:00Z';
const LATER = '2026-11-21T10:00:00Z';

const running: ObservedVm = {
  runStrategy: 'RerunOnFailure',
  actedOn: 'RerunOnFailure',
  endedEpoch: undefined,
  created: false,
  starting: false,
};
const alive: ObservedVmi = { uid: 'a', createdAt: EARLIER, finishedAt: undefined, deleting: false };
const epochA: Epoch = { vmiUID: 'a', startedAt: EARLIER };

function facts(change: Partial<PowerFacts>): PowerFacts {
  return { wanted: 'Running', restartedAt: undefined, epoch: epochA, vm: running, vmi: alive, now: NOW, ...change };
}

describe('computePower', () => {
  test('a new desktop starts', () => {
    const decision = computePower(facts({ epoch: undefined, vm: undefined, vmi: undefined }));
    expect(decision).toMatchObject({
      runStrategy: 'RerunOnFailure',
      state: 'Starting',
      epoch: undefined,
      recordFirst: false,
    });
  });

  test('a VMI begins an epoch at its creation', () => {
    const decision = computePower(facts({ epoch: undefined }));
    expect(decision).toMatchObject({ state: 'Running', runStrategy: 'RerunOnFailure', epoch: epochA });
  });

  test('a new VMI (after a crash) begins another epoch', () => {
    const decision = computePower(facts({ vmi: { ...alive, uid: 'b', createdAt: BETWEEN } }));
    expect(decision.epoch).toEqual({ vmiUID: 'b', startedAt: BETWEEN });
  });

  test('a restart within the present second is due, and not waited for without end', () => {
    const within = NOW.replace('Z', '.257Z');
    expect(computePower(facts({ restartedAt: within }))).toMatchObject({ recordFirst: true, dueAt: undefined });
    const ended = { ...epochA, endedAt: EARLIER };
    const down = computePower(facts({ restartedAt: within, epoch: ended, vmi: undefined }));
    expect(down).toMatchObject({ runStrategy: 'Halted', endedEpoch: 'a', state: 'Starting', dueAt: undefined });
    const later = NOW.replace('00Z', '01.257Z');
    expect(computePower(facts({ restartedAt: later }))).toMatchObject({ recordFirst: false, dueAt: later });
  });

  test('a machine is told to run again only when KubeVirt, too, knows of no VMI any more', () => {
    const epoch = { ...epochA, endedAt: EARLIER };
    const halted = { ...running, runStrategy: 'Halted', actedOn: 'Halted', endedEpoch: 'a' };
    const early = computePower(facts({ epoch, vm: { ...halted, created: true }, vmi: undefined }));
    expect(early).toMatchObject({ runStrategy: 'Halted', state: 'Stopping' });
    const gone = computePower(facts({ epoch, vm: halted, vmi: undefined }));
    expect(gone).toMatchObject({ runStrategy: 'RerunOnFailure', state: 'Starting' });
  });

  test('a stop is recorded, then carried out, then waited for', () => {
    const recorded = computePower(facts({ wanted: 'Stopped' }));
    expect(recorded).toMatchObject({
      recordFirst: true,
      runStrategy: 'RerunOnFailure',
      epoch: { ...epochA, endedAt: NOW },
    });
    const carried = computePower(facts({ wanted: 'Stopped', epoch: recorded.epoch }));
    expect(carried).toMatchObject({ recordFirst: false, runStrategy: 'Halted', endedEpoch: 'a', state: 'Stopping' });
    const halted = { ...running, runStrategy: 'Halted', endedEpoch: 'a' };
    const waiting = computePower(
      facts({ wanted: 'Stopped', epoch: recorded.epoch, vm: halted, vmi: { ...alive, deleting: true } }),
    );
    expect(waiting).toMatchObject({ runStrategy: 'Halted', state: 'Stopping' });
    const stopped = computePower(facts({ wanted: 'Stopped', epoch: recorded.epoch, vm: halted, vmi: undefined }));
    expect(stopped).toMatchObject({ runStrategy: 'Halted', state: 'Stopped', guestShutDown: false });
  });

  test('an end that was recorded is carried out although the wish changed meanwhile', () => {
    const decision = computePower(facts({ wanted: 'Running', epoch: { ...epochA, endedAt: NOW } }));
    expect(decision).toMatchObject({ runStrategy: 'Halted', endedEpoch: 'a' });
  });

  test('a halted VM starts only after its VMI is gone and KubeVirt saw Halted', () => {
    const halted: ObservedVm = { ...running, runStrategy: 'Halted', actedOn: 'RerunOnFailure', endedEpoch: 'a' };
    const ended = { ...epochA, endedAt: BETWEEN };
    expect(computePower(facts({ epoch: ended, vm: halted, vmi: undefined })).runStrategy).toBe('Halted');
    const seen = { ...halted, actedOn: 'Halted' };
    expect(computePower(facts({ epoch: ended, vm: seen, vmi: { ...alive, deleting: true } })).runStrategy).toBe(
      'Halted',
    );
    expect(computePower(facts({ epoch: ended, vm: seen, vmi: undefined }))).toMatchObject({
      runStrategy: 'RerunOnFailure',
      state: 'Starting',
      endedEpoch: 'a',
    });
    const started = { ...seen, runStrategy: 'RerunOnFailure' };
    expect(computePower(facts({ epoch: ended, vm: started, vmi: undefined }))).toMatchObject({
      runStrategy: 'RerunOnFailure',
      state: 'Starting',
      guestShutDown: false,
    });
  });

  test('restartedAt newer than the start ends the epoch once', () => {
    const recorded = computePower(facts({ restartedAt: BETWEEN }));
    expect(recorded).toMatchObject({ recordFirst: true, epoch: { endedAt: NOW, restartedAt: BETWEEN } });
    const carried = computePower(facts({ restartedAt: BETWEEN, epoch: recorded.epoch }));
    expect(carried).toMatchObject({ runStrategy: 'Halted', endedEpoch: 'a', recordFirst: false });
    const next = { uid: 'b', createdAt: LATER, finishedAt: undefined, deleting: false };
    const again = computePower(
      facts({
        restartedAt: BETWEEN,
        epoch: recorded.epoch,
        vmi: next,
        now: LATER,
        vm: { ...running, endedEpoch: 'a' },
      }),
    );
    expect(again).toMatchObject({ state: 'Running', recordFirst: false, epoch: { vmiUID: 'b', startedAt: LATER } });
    expect(again.epoch?.restartedAt).toBeUndefined();
  });

  test('a restart is not repeated when the API server clock is behind', () => {
    const epoch = { ...epochA, endedAt: BETWEEN, restartedAt: BETWEEN };
    const next = { uid: 'b', createdAt: EARLIER, finishedAt: undefined, deleting: false };
    const decision = computePower(
      facts({ restartedAt: BETWEEN, epoch, vmi: next, vm: { ...running, endedEpoch: 'a' } }),
    );
    expect(decision).toMatchObject({ state: 'Running', recordFirst: false });
  });

  test('a restart whose guest went down by itself before it was carried out still starts again', () => {
    const epoch = { ...epochA, endedAt: NOW, restartedAt: BETWEEN };
    const decision = computePower(facts({ restartedAt: BETWEEN, epoch, vmi: undefined }));
    expect(decision).toMatchObject({ runStrategy: 'Halted', endedEpoch: 'a', state: 'Starting' });
  });

  test('restartedAt older than the start, or in its second, does nothing', () => {
    expect(computePower(facts({ restartedAt: '2026-11-21T07:00:00Z' })).recordFirst).toBe(false);
    expect(computePower(facts({ restartedAt: '2026-11-21T08:00:00.900Z' })).recordFirst).toBe(false);
  });

  test('restartedAt in the future waits until it is due', () => {
    expect(computePower(facts({ restartedAt: LATER }))).toMatchObject({ recordFirst: false, dueAt: LATER });
  });

  test('a guest that shuts down stays down', () => {
    const vmi = { ...alive, finishedAt: BETWEEN };
    const down = computePower(facts({ vmi }));
    expect(down).toMatchObject({
      runStrategy: 'RerunOnFailure',
      guestShutDown: true,
      state: 'Stopping',
      epoch: { endedAt: BETWEEN },
    });
    expect(computePower(facts({ epoch: down.epoch, vmi: undefined }))).toMatchObject({
      state: 'Stopped',
      guestShutDown: true,
    });
  });

  test('restartedAt newer than the end of a guest that shut down starts it again by way of Halted', () => {
    const epoch = { ...epochA, endedAt: BETWEEN };
    const decision = computePower(facts({ restartedAt: NOW, epoch, vmi: undefined }));
    expect(decision).toMatchObject({ runStrategy: 'Halted', endedEpoch: 'a', recordFirst: false });
    expect(computePower(facts({ restartedAt: EARLIER, epoch, vmi: undefined })).runStrategy).toBe('RerunOnFailure');
  });

  test('a crash that KubeVirt restarts is Starting, not a shutdown', () => {
    const decision = computePower(
      facts({ epoch: { ...epochA, endedAt: BETWEEN }, vmi: undefined, vm: { ...running, starting: true } }),
    );
    expect(decision).toMatchObject({ state: 'Starting', guestShutDown: false });
  });

  test('an end that nobody saw counts from when it was noticed', () => {
    expect(computePower(facts({ vmi: undefined })).epoch).toEqual({ ...epochA, endedAt: NOW });
  });

  test('a VM that somebody else halted under a running guest is cycled', () => {
    const decision = computePower(facts({ vm: { ...running, runStrategy: 'Halted' } }));
    expect(decision).toMatchObject({ recordFirst: true, runStrategy: 'Halted' });
  });

  test('every state is reached and then left alone: the decision on its own outcome is the same', () => {
    for (const wanted of ['Running', 'Stopped'] as const) {
      const first = computePower(facts({ wanted, epoch: { ...epochA, endedAt: BETWEEN }, vmi: undefined }));
      const vm = {
        ...running,
        runStrategy: first.runStrategy,
        actedOn: first.runStrategy,
        endedEpoch: first.endedEpoch,
      };
      const second = computePower(facts({ wanted, epoch: first.epoch, vmi: undefined, vm }));
      expect(second.runStrategy).toBe(first.runStrategy);
    }
  });
});
