import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../../kube/testing/fakeclock.ts';
import type { Connection, Dial } from '../../context.ts';
import { createProber, type ProbeRequest } from './prober.ts';

const CONFIRM = Uint8Array.from([3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0]);
const SETTINGS = { timeoutMs: 5_000, intervalMs: 60_000, failureThreshold: 3 };
const TARGET: ProbeRequest = {
  host: '10.0.0.7',
  port: 3389,
  vmiUID: 'a',
  answeredBefore: false,
  failedBefore: undefined,
};

type Guest = 'up' | 'down' | 'silent' | 'garbage';

function setup(first: Guest) {
  const clock = createFakeClock();
  let guest: Guest = first;
  let dials = 0;
  const become = (next: Guest): void => {
    guest = next;
  };
  const changes: string[] = [];
  const dial: Dial = async (_address, signal) => {
    dials += 1;
    if (guest === 'down') throw new Error('connect ECONNREFUSED');
    return connect(guest, signal);
  };
  const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
  const prober = createProber({ dial, clock, random }, SETTINGS, (key) => void changes.push(key));
  return { clock, prober, changes, dials: () => dials, become };
}

function connect(guest: Guest, signal: AbortSignal): Connection {
  const silence = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const answer = guest === 'garbage' ? new TextEncoder().encode('SSH-2.0-x') : CONFIRM;
  return {
    write: () => undefined,
    read: () => (guest === 'silent' ? silence : Promise.resolve(answer)),
    close: () => undefined,
  };
}

describe('createProber', () => {
  test('a desktop that answers is told at the first answer, with its time', async () => {
    const { clock, prober, changes, become } = setup('down');
    expect(prober.observe('ns/a', TARGET)).toEqual({ state: 'Probing', why: undefined });
    await clock.advance(1_000);
    expect(prober.observe('ns/a', TARGET)).toEqual({ state: 'Probing', why: 'connect ECONNREFUSED' });
    expect(changes).toEqual([]);
    become('up');
    const before = clock.now();
    await clock.advance(250);
    expect(changes).toEqual(['ns/a']);
    const state = prober.observe('ns/a', TARGET);
    if (state.state !== 'Answering') throw new Error(`expected Answering, got ${state.state}`);
    expect((state.answeredAtMs ?? 0) - before).toBeLessThanOrEqual(250);
    prober.stop();
  });

  test('three failures in a row are Failing, one answer ends that', async () => {
    const { clock, prober, changes, become } = setup('up');
    prober.observe('ns/a', TARGET);
    await clock.advance(10);
    become('down');
    await clock.advance(70_000);
    expect(prober.observe('ns/a', TARGET).state).toBe('Answering');
    await clock.advance(60_000);
    expect(prober.observe('ns/a', TARGET)).toEqual({ state: 'Failing', why: 'connect ECONNREFUSED' });
    become('up');
    await clock.advance(70_000);
    expect(prober.observe('ns/a', TARGET).state).toBe('Answering');
    expect(changes).toEqual(['ns/a', 'ns/a', 'ns/a']);
    prober.stop();
  });

  test('a guest that never answers is given up on after the time-out, one probe at a time', async () => {
    const { clock, prober, dials } = setup('silent');
    prober.observe('ns/a', TARGET);
    await clock.advance(4_000);
    expect(dials()).toBe(1);
    await clock.advance(1_100);
    expect(prober.observe('ns/a', TARGET)).toEqual({ state: 'Probing', why: 'no answer within 5000 ms' });
    prober.stop();
  });

  test('what is no RDP server is not Ready', async () => {
    const { clock, prober } = setup('garbage');
    prober.observe('ns/a', TARGET);
    await clock.advance(100);
    const state = prober.observe('ns/a', TARGET);
    expect(state.state).toBe('Probing');
    expect(JSON.stringify(state)).not.toContain('SSH');
    prober.stop();
  });

  test('another VMI or another address starts from nothing', async () => {
    const { clock, prober } = setup('up');
    prober.observe('ns/a', TARGET);
    await clock.advance(10);
    expect(prober.observe('ns/a', TARGET).state).toBe('Answering');
    expect(prober.observe('ns/a', { ...TARGET, vmiUID: 'b' }).state).toBe('Probing');
    prober.stop();
  });

  test('what was said to have answered, and is not any more, is asked at once', async () => {
    const { clock, prober } = setup('up');
    prober.observe('ns/a', { ...TARGET, answeredBefore: true });
    expect(prober.observe('ns/a', TARGET)).toEqual({ state: 'Probing', why: undefined });
    await clock.advance(10);
    expect(prober.observe('ns/a', TARGET).state).toBe('Answering');
    prober.stop();
  });

  test('after a restart of the operator what answered counts as answering and is probed within an interval', async () => {
    const { clock, prober, changes, dials } = setup('up');
    expect(prober.observe('ns/a', { ...TARGET, answeredBefore: true })).toEqual({
      state: 'Answering',
      answeredAtMs: undefined,
    });
    expect(dials()).toBe(0);
    await clock.advance(60_000);
    expect(dials()).toBe(1);
    expect(changes).toEqual([]);
    prober.stop();
  });

  test('after a restart of the operator what failed stays Failing until it answers', async () => {
    const { clock, prober, changes } = setup('up');
    const request = { ...TARGET, answeredBefore: true, failedBefore: 'gone' };
    expect(prober.observe('ns/a', request)).toEqual({ state: 'Failing', why: 'gone' });
    await clock.advance(10);
    expect(prober.observe('ns/a', request).state).toBe('Answering');
    expect(changes).toEqual(['ns/a']);
    prober.stop();
  });

  test('the longer a boot takes, the less often it is asked', async () => {
    const { clock, prober, dials } = setup('down');
    prober.observe('ns/a', TARGET);
    await clock.advance(5_000);
    expect(dials()).toBeGreaterThan(80);
    await clock.advance(55_000);
    expect(dials()).toBeLessThan(400);
    const before = dials();
    await clock.advance(3_600_000);
    expect(dials() - before).toBeLessThan(1_000);
    prober.stop();
  });

  test('forgetting and stopping end all probing', async () => {
    const { clock, prober, dials } = setup('down');
    prober.observe('ns/a', TARGET);
    prober.observe('ns/b', TARGET);
    prober.forget('ns/a');
    prober.stop();
    await clock.advance(60_000);
    expect(dials()).toBe(0);
  });
});
