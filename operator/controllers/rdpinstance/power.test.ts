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
  guestDownAt: undefined,
  created: false,
  starting: false,
};
const alive: ObservedVmi = { uid: 'a', createdAt: EARLIER, finishedAt: undefined, crashed: false, deleting: false };
const epochA: Epoch = { vmiUID: 'a', startedAt: EARLIER };

/** KubeVirt knows of what is there. */
function facts(change: Partial<PowerFacts>): PowerFacts {
  const asked = { asked: 'Running', suspended: false, orderedAt: EARLIER, restartedAt: undefined } as const;
  const given = { ...asked, epoch: epochA, vm: running, vmi: alive, now: NOW, ...change };
  return { ...given, vm: given.vm && { ...given.vm, created: given.vm.created || given.vmi !== undefined } };
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

  test('a VMI that went unseen ended when KubeVirt took note of it, and no earlier than it was up', () => {
    const end = (downAt: string, epoch: Epoch = epochA) =>
      computePower(facts({ vmi: undefined, vm: { ...running, downAt }, epoch })).epoch?.endedAt;
    expect(end(BETWEEN)).toBe(BETWEEN);
    expect(end('2026-11-21T07:00:00Z')).toBe(NOW);
    expect(end(LATER)).toBe(NOW);
    expect(end(BETWEEN, { ...epochA, firstHandshakeAt: '2026-11-21T08:45:00Z' })).toBe(NOW);
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
    const recorded = computePower(facts({ asked: 'Stopped' }));
    expect(recorded).toMatchObject({
      recordFirst: true,
      runStrategy: 'RerunOnFailure',
      epoch: { ...epochA, endedAt: NOW },
    });
    const carried = computePower(facts({ asked: 'Stopped', epoch: recorded.epoch }));
    expect(carried).toMatchObject({ recordFirst: false, runStrategy: 'Halted', endedEpoch: 'a', state: 'Stopping' });
    const halted = { ...running, runStrategy: 'Halted', endedEpoch: 'a' };
    const waiting = computePower(
      facts({ asked: 'Stopped', epoch: recorded.epoch, vm: halted, vmi: { ...alive, deleting: true } }),
    );
    expect(waiting).toMatchObject({ runStrategy: 'Halted', state: 'Stopping' });
    const stopped = computePower(facts({ asked: 'Stopped', epoch: recorded.epoch, vm: halted, vmi: undefined }));
    expect(stopped).toMatchObject({ runStrategy: 'Halted', state: 'Stopped', guestShutDown: false });
  });

  describe('on views of which one is old', () => {
    const unknown = (change: Partial<PowerFacts>): PowerFacts => ({
      ...facts(change),
      vm: { ...running, ...change.vm },
    });

    test('a guest that KubeVirt knows of has not ended, though none is seen', () => {
      const decision = computePower(facts({ vmi: undefined, vm: { ...running, created: true } }));
      expect(decision).toMatchObject({ epoch: epochA, recordFirst: false, runStrategy: 'RerunOnFailure' });
      expect(decision.epoch?.endedAt).toBeUndefined();
    });

    test('a guest that is older than the one of this epoch begins none', () => {
      const decision = computePower(facts({ epoch: { vmiUID: 'b', startedAt: BETWEEN } }));
      expect(decision).toMatchObject({
        epoch: { vmiUID: 'b', startedAt: BETWEEN },
        recordFirst: false,
        state: 'Running',
      });
    });

    test('a guest of which KubeVirt knows no more is not stopped once more, though it seems alive', () => {
      const ended = computePower(unknown({ epoch: { ...epochA, endedAt: BETWEEN } }));
      expect(ended).toMatchObject({ runStrategy: 'RerunOnFailure', state: 'Stopping', recordFirst: false });
      const started = computePower(unknown({ vm: { ...running, runStrategy: 'Halted' } }));
      expect(started).toMatchObject({ recordFirst: false, epoch: epochA });
    });
  });

  test('an end that was recorded is carried out although the wish changed meanwhile', () => {
    const decision = computePower(facts({ asked: 'Running', epoch: { ...epochA, endedAt: NOW } }));
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
    const next = { uid: 'b', createdAt: LATER, finishedAt: undefined, crashed: false, deleting: false };
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
    const next = { uid: 'b', createdAt: EARLIER, finishedAt: undefined, crashed: false, deleting: false };
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

  test('a guest that shut itself down stays down although its status, and the epoch with it, was lost', () => {
    const lost = { epoch: undefined, vm: { ...running, guestDownAt: BETWEEN }, vmi: undefined };
    expect(computePower(facts(lost))).toMatchObject({ state: 'Stopped', guestShutDown: true, guestDownAt: BETWEEN });
    expect(computePower(facts({ ...lost, restartedAt: EARLIER }))).toMatchObject({ guestShutDown: true });
    const asked = computePower(facts({ ...lost, restartedAt: NOW }));
    expect(asked).toMatchObject({ runStrategy: 'Halted', state: 'Starting', guestDownAt: undefined });
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
    for (const asked of ['Running', 'Stopped'] as const) {
      const first = computePower(facts({ asked, epoch: { ...epochA, endedAt: BETWEEN }, vmi: undefined }));
      const vm = {
        ...running,
        runStrategy: first.runStrategy,
        actedOn: first.runStrategy,
        endedEpoch: first.endedEpoch,
        guestDownAt: first.guestDownAt,
      };
      const second = computePower(facts({ asked, epoch: first.epoch, vmi: undefined, vm }));
      expect(second.runStrategy).toBe(first.runStrategy);
    }
  });

  test('an end is never recorded before its beginning, whatever the clock says', () => {
    const behind = '2026-11-21T07:50:00Z';
    expect(computePower(facts({ vmi: undefined, now: behind })).epoch?.endedAt).toBe(EARLIER);
    expect(computePower(facts({ asked: 'Stopped', now: behind })).epoch?.endedAt).toBe(EARLIER);
  });
});

describe('a guest that shut itself down', () => {
  const ended: Epoch = { ...epochA, endedAt: BETWEEN };
  const down = { epoch: ended, vmi: undefined };
  const noted: ObservedVm = { ...running, guestDownAt: BETWEEN };
  const halted: ObservedVm = { ...noted, runStrategy: 'Halted', actedOn: 'Halted', endedEpoch: 'a' };

  test('is noted at once', () => {
    const shown = computePower(facts({ vmi: { ...alive, finishedAt: BETWEEN } }));
    expect(shown).toMatchObject({ guestDownAt: BETWEEN, guestShutDown: true, runStrategy: 'RerunOnFailure' });
    expect(computePower(facts(down))).toMatchObject({ guestDownAt: BETWEEN, guestShutDown: true });
  });

  test('is not taken for one that crashed, nor for one that KubeVirt is not done with', () => {
    const failed = computePower(facts({ vmi: { ...alive, finishedAt: BETWEEN, crashed: true } }));
    expect(failed).toMatchObject({ guestDownAt: undefined, guestShutDown: false, state: 'Starting' });
    const early = computePower(facts({ ...down, vm: { ...running, created: true } }));
    expect(early).toMatchObject({ guestDownAt: undefined, guestShutDown: false, state: 'Stopping' });
    const deleted = computePower(facts({ vmi: { ...alive, deleting: true } }));
    expect(deleted).toMatchObject({ guestDownAt: undefined, state: 'Stopping' });
  });

  test('stays down when its status was lost', () => {
    const lost = computePower(facts({ epoch: undefined, vmi: undefined, vm: noted }));
    expect(lost).toMatchObject({ guestDownAt: BETWEEN, guestShutDown: true, runStrategy: 'RerunOnFailure' });
  });

  test('stays down through a suspension', () => {
    const during = computePower(facts({ ...down, vm: noted, suspended: true }));
    expect(during).toMatchObject({ runStrategy: 'Halted', guestDownAt: BETWEEN, endedEpoch: 'a', state: 'Stopped' });
    const after = computePower(facts({ ...down, vm: halted }));
    expect(after).toMatchObject({ runStrategy: 'Halted', guestDownAt: BETWEEN, guestShutDown: true, state: 'Stopped' });
    expect(computePower(facts({ epoch: undefined, vmi: undefined, vm: halted }))).toMatchObject({
      runStrategy: 'Halted',
      guestShutDown: true,
    });
  });

  test('stays down when the suspension was seen first', () => {
    const vmi = { ...alive, finishedAt: BETWEEN };
    const seen = computePower(facts({ vmi, suspended: true }));
    expect(seen).toMatchObject({ runStrategy: 'Halted', guestDownAt: BETWEEN, recordFirst: false });
  });

  test('what ran until a suspension runs again after it', () => {
    const vm = { ...halted, guestDownAt: undefined };
    expect(computePower(facts({ ...down, vm }))).toMatchObject({ runStrategy: 'RerunOnFailure', state: 'Starting' });
    const crashed = { ...alive, finishedAt: BETWEEN, crashed: true };
    expect(computePower(facts({ vmi: crashed, suspended: true }))).toMatchObject({
      runStrategy: 'Halted',
      guestDownAt: undefined,
      endedEpoch: 'a',
    });
  });

  test('is started by its power, off and on, also while it is suspended', () => {
    for (const suspended of [false, true]) {
      const off = computePower(facts({ ...down, vm: suspended ? halted : noted, suspended, asked: 'Stopped' }));
      expect(off).toMatchObject({ runStrategy: 'Halted', guestDownAt: undefined, endedEpoch: 'a' });
    }
    const on = computePower(facts({ ...down, vm: { ...halted, guestDownAt: undefined } }));
    expect(on).toMatchObject({ runStrategy: 'RerunOnFailure', state: 'Starting', guestShutDown: false });
  });

  test('is started by a restart that is newer than its end, also by one from within the suspension', () => {
    const after = computePower(facts({ ...down, vm: halted, restartedAt: NOW }));
    expect(after).toMatchObject({ runStrategy: 'RerunOnFailure', guestDownAt: undefined, state: 'Starting' });
    const within = computePower(facts({ ...down, vm: halted, restartedAt: NOW, suspended: true }));
    expect(within).toMatchObject({ runStrategy: 'Halted', guestDownAt: undefined });
    const older = computePower(facts({ ...down, vm: halted, restartedAt: EARLIER }));
    expect(older).toMatchObject({ runStrategy: 'Halted', guestShutDown: true });
    const lost = computePower(facts({ epoch: undefined, vmi: undefined, vm: noted, restartedAt: NOW }));
    expect(lost).toMatchObject({ runStrategy: 'Halted', guestDownAt: undefined, state: 'Starting' });
  });

  test('is started when the desktop is ordered again', () => {
    const again = { epoch: undefined, vmi: undefined, orderedAt: NOW };
    expect(computePower(facts({ ...again, vm: halted }))).toMatchObject({
      runStrategy: 'RerunOnFailure',
      guestDownAt: undefined,
    });
    expect(computePower(facts({ ...again, vm: noted }))).toMatchObject({
      runStrategy: 'Halted',
      guestDownAt: undefined,
      state: 'Starting',
    });
  });

  test('is forgotten once a guest runs', () => {
    const next = { ...alive, uid: 'b', createdAt: NOW };
    expect(computePower(facts({ epoch: ended, vmi: next, vm: noted }))).toMatchObject({
      guestDownAt: undefined,
      state: 'Running',
    });
  });
});
