import { expect, it } from 'vitest';
import { realClock } from '../kube/clock.ts';
import { createFakeClock, settle } from '../kube/testing/fakeclock.ts';
import { createPace } from './pace.ts';

const signal = new AbortController().signal;

it('lets timers have their turn between passes that never wait for anything', async () => {
  const pace = createPace(realClock);
  const busy = async (): Promise<void> => {
    const untilMs = performance.now() + 5;
    while (performance.now() < untilMs);
  };
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  for (let pass = 0; pass < 20; pass += 1) await pace(busy, signal);
  clearInterval(timer);
  expect(turns).toBeGreaterThanOrEqual(15);
});

it('pauses for as long as the last pass took and at most a tenth of a second, less what went by since', async () => {
  const clock = createFakeClock();
  const pace = createPace(clock);
  let passes = 0;
  const pass = (ms: number) => async (): Promise<void> => {
    passes += 1;
    await clock.advance(ms);
  };
  await pace(pass(40), signal);
  const second = pace(pass(5_000), signal);
  await clock.advance(39);
  expect(passes).toBe(1);
  await clock.advance(1);
  await second;
  expect(passes).toBe(2);
  await clock.advance(60);
  const third = pace(pass(0), signal);
  await clock.advance(39);
  expect(passes).toBe(2);
  await clock.advance(1);
  await third;
  await pace(pass(0), signal);
  expect(passes).toBe(4);
});

it('keeps its pace after a pass that failed, and ends a pause with the signal', async () => {
  const clock = createFakeClock();
  const pace = createPace(clock);
  const failing = async (): Promise<void> => {
    await clock.advance(50);
    throw new Error('no');
  };
  await expect(pace(failing, signal)).rejects.toThrow('no');
  const stop = new AbortController();
  let ran = false;
  const next = pace(async () => {
    ran = true;
  }, stop.signal);
  await settle();
  stop.abort(new Error('stopped'));
  await expect(next).rejects.toThrow('stopped');
  expect(ran).toBe(false);
});
