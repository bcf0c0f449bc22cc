import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createServerClock } from './serverclock.ts';
import { createFakeClock } from './testing/fakeclock.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);

function setUp(aheadMs = 0) {
  const lines: { readonly level: number; readonly msg: string; readonly aheadMs: number }[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const machine = createFakeClock(START_MS);
  machine.step(aheadMs);
  const server = createServerClock({ clock: machine, log });
  /** An answer that took no time, at the true time. */
  const answer = (trueMs = START_MS + machine.monotonic()): void =>
    server.observeDate(Math.floor(trueMs / 1_000) * 1_000, machine.monotonic());
  return { machine, lines, answer, observeDate: server.observeDate, clock: server.clock };
}

describe('the clock that keeps to the API server', () => {
  it('is the machine’s while both agree', async () => {
    const { machine, clock, answer, lines } = setUp(1_500);
    expect(clock.now()).toBe(machine.now());
    answer();
    await machine.advance(12_345);
    answer();
    expect(clock.now()).toBe(machine.now());
    expect(clock.monotonic()).toBe(machine.monotonic());
    expect(lines).toEqual([]);
  });

  it.each([36 * DAY_MS, -36 * DAY_MS, 600_000, -600_000, 5_000, -5_000])(
    'is the server’s when the machine is %i ms ahead',
    async (aheadMs) => {
      const { machine, clock, answer, lines } = setUp(aheadMs);
      answer();
      expect(Math.abs(clock.now() - START_MS)).toBeLessThanOrEqual(500);
      await machine.advance(3_600_999);
      expect(Math.abs(clock.now() - START_MS - 3_600_999)).toBeLessThanOrEqual(500);
      expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
        [40, 'the time of this machine is wrong: that of the API server is taken instead'],
      ]);
      expect(Math.abs((lines[0]?.aheadMs ?? 0) - aheadMs)).toBeLessThanOrEqual(500);
    },
  );

  it('does not notice when the machine’s time is set, and says when it is right again', async () => {
    const { machine, clock, answer, lines } = setUp();
    answer();
    await machine.advance(1_000);
    machine.step(36 * DAY_MS);
    expect(Math.abs(clock.now() - START_MS - 1_000)).toBeLessThanOrEqual(500);
    answer();
    machine.step(-36 * DAY_MS);
    expect(clock.now()).toBe(machine.now());
    answer();
    expect(lines.map(({ level }) => level)).toEqual([40, 30]);
  });

  it('grows finer than a second with each answer', async () => {
    const { machine, clock, answer } = setUp(DAY_MS);
    for (let ms = 0; ms < 2_000; ms += 90) {
      answer();
      await machine.advance(90);
    }
    expect(Math.abs(clock.now() - START_MS - machine.monotonic())).toBeLessThanOrEqual(90);
  });

  it('allows for the time that an answer took', async () => {
    const { machine, clock, observeDate } = setUp();
    await machine.advance(20_000);
    observeDate(START_MS, 0);
    observeDate(START_MS + 20_000, 0);
    expect(clock.now()).toBe(machine.now());
  });

  it('follows a server whose time was set, and one that it finds later after a sleep', async () => {
    const { machine, clock, answer } = setUp();
    answer();
    answer(START_MS + 3_600_000);
    expect(Math.abs(clock.now() - START_MS - 3_600_000)).toBeLessThanOrEqual(500);
    answer(START_MS);
    expect(clock.now()).toBe(machine.now());
  });

  it('takes no time from an answer that states none', () => {
    const { machine, clock, observeDate } = setUp(DAY_MS);
    observeDate(Number.NaN, 0);
    expect(clock.now()).toBe(machine.now());
  });
});
