import { describe, expect, it } from 'vitest';
import { sleep } from '../kube/clock.ts';
import { createVirtualProcess } from './process.ts';
import { createSeededRandom } from './random.ts';
import { createScheduler, type RunEnd, type TaskGroup } from './scheduler.ts';

const GROUP: TaskGroup = { name: 'test' };
const START = Date.UTC(2026, 0, 1);

function make(maxTasksAtOnce?: number) {
  const scheduler = createScheduler({ startMs: START, maxTasksAtOnce });
  const seen: string[] = [];
  const at = (afterMs: number, word: string) => scheduler.schedule(GROUP, afterMs, () => void seen.push(word));
  return { scheduler, seen, at };
}

describe('the scheduler', () => {
  it('runs tasks by time, and those of one instant in the order in which they were scheduled', async () => {
    const { scheduler, seen, at } = make();
    at(5, 'c');
    at(1, 'a');
    at(5, 'd');
    at(1, 'b');
    expect(await scheduler.run({})).toBe<RunEnd>('empty');
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
    expect(scheduler.elapsedMs()).toBe(5);
    expect(scheduler.nowMs()).toBe(START + 5);
    expect(scheduler.events()).toBe(4);
  });

  it('stands at the time that it was run to, with what is later still to come', async () => {
    const { scheduler, seen, at } = make();
    at(10, 'now');
    at(11, 'later');
    expect(await scheduler.run({ untilMs: 10 })).toBe<RunEnd>('time');
    expect(seen).toEqual(['now']);
    expect(await scheduler.run({ untilMs: 500 })).toBe<RunEnd>('empty');
    expect(scheduler.elapsedMs()).toBe(500);
  });

  it('keeps the order of random tasks, some of them cancelled', async () => {
    const { scheduler } = make();
    const random = createSeededRandom(7);
    const ran: number[] = [];
    let cancelled = 0;
    for (let i = 0; i < 100_000; i++) {
      const afterMs = Math.floor(random.next() * 100_000);
      const timer = scheduler.schedule(GROUP, afterMs, () => void ran.push(afterMs));
      if (random.chance(0.7)) {
        timer.cancel();
        timer.cancel();
        cancelled += 1;
      }
    }
    expect(scheduler.pending()).toBe(100_000 - cancelled);
    await scheduler.run({});
    expect(ran.length).toBe(100_000 - cancelled);
    expect(ran.every((value, i) => i === 0 || value >= (ran[i - 1] ?? 0))).toBe(true);
    expect(scheduler.pending()).toBe(0);
  });

  it('lets all promise jobs of a task run before the next task of the same instant, however long the chain', async () => {
    const { scheduler, seen, at } = make();
    const chain = async (): Promise<void> => {
      for (let i = 0; i < 20_000; i++) await (i % 3 === 0 ? undefined : Promise.resolve(i));
      for await (const value of lines()) if (value === 500) seen.push('chain');
      await new Promise<void>((resolve) => queueMicrotask(resolve));
      seen.push('microtask');
    };
    async function* lines(): AsyncGenerator<number> {
      for (let i = 0; i <= 500; i++) yield i;
    }
    scheduler.schedule(GROUP, 1, () => void chain());
    at(1, 'next task');
    await scheduler.run({});
    expect(seen).toEqual(['chain', 'microtask', 'next task']);
  });

  it('gives what is awaited on its clock to many at once, deterministically', async () => {
    const run = async (): Promise<string> => {
      const scheduler = createScheduler({ startMs: START });
      const process = createVirtualProcess({ scheduler, random: createSeededRandom(3) }, 'one');
      const seen: string[] = [];
      const walk = async (name: string): Promise<void> => {
        for (let i = 0; i < 50; i++) {
          await sleep(process.clock, process.random.next() * 10);
          seen.push(`${name}${i}@${process.clock.monotonic()}`);
        }
      };
      for (const name of ['a', 'b', 'c', 'd']) void walk(name);
      await scheduler.run({});
      return seen.join();
    };
    expect(await run()).toBe(await run());
  });

  it('asks its condition after each task', async () => {
    const { scheduler, seen, at } = make();
    for (let i = 0; i < 10; i++) at(i, String(i));
    expect(await scheduler.run({ until: () => seen.length === 3 })).toBe<RunEnd>('done');
    expect(seen).toEqual(['0', '1', '2']);
  });

  it('notices that something waits for what no task will bring', async () => {
    const { scheduler, at } = make();
    at(3, 'x');
    await expect(scheduler.run({ until: () => false })).rejects.toThrow(/nothing is scheduled.*real I\/O/);
  });

  it('notices an instant that never ends, and names whose it is', async () => {
    const { scheduler } = make(1_000);
    const again = (): void => void scheduler.schedule({ name: 'operator/1' }, 0, again);
    again();
    await expect(scheduler.run({ untilMs: 10 })).rejects.toThrow(/one instant.*operator\/1/);
  });

  it('does not take many tasks one after another for a loop', async () => {
    const { scheduler } = make(10);
    let left = 1_000;
    const again = (): void => {
      left -= 1;
      if (left > 0) scheduler.schedule(GROUP, 1, again);
    };
    again();
    expect(await scheduler.run({})).toBe<RunEnd>('empty');
  });

  it('rejects with what a task throws, and can go on', async () => {
    const { scheduler, seen, at } = make();
    scheduler.schedule(GROUP, 1, () => {
      throw new Error('broken');
    });
    at(2, 'after');
    await expect(scheduler.run({})).rejects.toThrow('broken');
    await scheduler.run({});
    expect(seen).toEqual(['after']);
  });

  it('refuses delays that are none', () => {
    const { at } = make();
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => at(bad, 'x')).toThrow(RangeError);
  });
});

describe('a process', () => {
  it('loses its timers when it is killed, and gets no new ones', async () => {
    const { scheduler, seen, at } = make();
    const process = createVirtualProcess({ scheduler, random: createSeededRandom(1) }, 'operator/1');
    process.clock.setTimeout(() => void seen.push('dead'), 5);
    process.onKill(() => void seen.push('cut'));
    at(6, 'alive');
    process.kill();
    process.kill();
    process.clock.setTimeout(() => void seen.push('dead'), 1);
    process.onKill(() => void seen.push('late cut'));
    await scheduler.run({});
    expect(seen).toEqual(['cut', 'late cut', 'alive']);
    expect(process.isAlive()).toBe(false);
  });

  it('has a wall clock that may be wrong, and timers that do not mind', async () => {
    const { scheduler } = make();
    const { clock } = createVirtualProcess({ scheduler, random: createSeededRandom(1) }, 'operator/1');
    let firedAt = 0;
    clock.setTimeout(() => {
      firedAt = clock.now();
    }, 100);
    clock.skew(-36 * 86_400_000);
    await scheduler.run({});
    expect(firedAt).toBe(START + 100 - 36 * 86_400_000);
    expect(clock.monotonic()).toBe(100);
  });
});

describe('randomness', () => {
  it('repeats by its seed, and differs between seeds', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, createSeededRandom(seed).next);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('has streams by name that do not move when others are drawn from', () => {
    const first = createSeededRandom(1);
    const second = createSeededRandom(1);
    for (let i = 0; i < 100; i++) second.next();
    second.fork('other').bytes(10);
    expect(first.fork('network').next()).toBe(second.fork('network').next());
    expect(first.fork('a').next()).not.toBe(first.fork('b').next());
  });

  it('is about uniform', () => {
    const random = createSeededRandom('uniform');
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 100_000; i++) {
      const value = random.next();
      expect(value >= 0 && value < 1).toBe(true);
      const bin = Math.floor(value * 10);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    const dice = Array.from({ length: 1_000 }, () => random.integer(1, 6));
    expect([Math.min(...dice), Math.max(...dice)]).toEqual([1, 6]);
    expect(() => random.pick([])).toThrow(RangeError);
  });
});
