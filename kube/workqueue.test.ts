import { expect, test } from 'vitest';
import { createFakeClock, createFakeRandom } from './testing/fakeclock.ts';
import { Workqueue, type WorkqueueOptions } from './workqueue.ts';

function setUp(options: WorkqueueOptions = {}) {
  const clock = createFakeClock();
  return { clock, queue: new Workqueue({ clock, random: createFakeRandom() }, options) };
}

async function drain(queue: Workqueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.counts().ready > 0) {
    const item = await queue.get();
    if (item === undefined) break;
    keys.push(item.key);
    queue.done(item.key);
  }
  return keys;
}

test('a key waits once however often it is added', async () => {
  const { queue } = setUp();
  for (let i = 0; i < 5; i++) queue.add('n/a');
  expect(await drain(queue)).toEqual(['n/a']);
});

test('a key that is worked on is handed out again only after it is done', async () => {
  const { queue } = setUp();
  queue.add('n/a');
  expect((await queue.get())?.key).toBe('n/a');
  queue.add('n/a');
  queue.add('n/a');
  let second: string | undefined;
  const waiting = queue.get().then((item) => {
    second = item?.key;
  });
  await Promise.resolve();
  expect(second).toBeUndefined();
  queue.done('n/a');
  await waiting;
  expect(second).toBe('n/a');
  queue.done('n/a');
  expect(queue.counts()).toEqual({ ready: 0, working: 0, delayed: 0 });
});

test('the earliest deadline wins, and being ready wins over deadlines', async () => {
  const { clock, queue } = setUp();
  queue.addAfter('n/a', 1000);
  queue.addAfter('n/a', 200);
  queue.addAfter('n/a', 500);
  await clock.advance(199);
  expect(queue.counts().ready).toBe(0);
  await clock.advance(1);
  expect(await drain(queue)).toEqual(['n/a']);
  await clock.advance(5000);
  expect(queue.counts()).toEqual({ ready: 0, working: 0, delayed: 0 });
  queue.addAfter('n/a', 1000);
  queue.add('n/a');
  expect(await drain(queue)).toEqual(['n/a']);
  await clock.advance(5000);
  expect(queue.counts().ready).toBe(0);
});

test('a deadline set while the key is worked on is kept', async () => {
  const { clock, queue } = setUp();
  queue.add('n/a');
  await queue.get();
  queue.addAfter('n/a', 100);
  queue.done('n/a');
  expect(queue.counts()).toEqual({ ready: 0, working: 0, delayed: 1 });
  await clock.advance(100);
  expect(await drain(queue)).toEqual(['n/a']);
});

test('the machine clock stepping back does not delay a key', async () => {
  const { clock, queue } = setUp();
  queue.addAfter('n/a', 100);
  clock.step(-3_600_000);
  queue.addAfter('n/b', 150);
  await clock.advance(200);
  expect(await drain(queue)).toEqual(['n/a', 'n/b']);
});

test('failures back off key by key until forgotten, with bounded effort', () => {
  const { queue } = setUp();
  const delays = Array.from({ length: 12 }, () => queue.addRateLimited('n/a'));
  expect(delays[0]).toBeGreaterThanOrEqual(80);
  expect(delays[0]).toBeLessThanOrEqual(120);
  for (const delay of delays) expect(delay).toBeLessThanOrEqual(45_000 * 1.2);
  let elapsedMs = 0;
  const triesInFirstMinute = delays.filter((delay) => {
    elapsedMs += delay;
    return elapsedMs < 60_000;
  }).length;
  expect(triesInFirstMinute).toBeLessThanOrEqual(8);
  expect(queue.addRateLimited('n/b')).toBeLessThanOrEqual(120);
  expect(queue.addRateLimited('n/c', 7000)).toBeGreaterThanOrEqual(7000);
  queue.forget('n/a');
  expect(queue.addRateLimited('n/a')).toBeLessThanOrEqual(120);
});

test('whatever happens around it, a key that fails for good is tried at most ten times a minute', async () => {
  const { clock, queue } = setUp();
  let tries = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      const item = await queue.get();
      if (item === undefined) return;
      tries += 1;
      // Something happens while it is worked on, too.
      queue.addPatiently('n/a');
      queue.addRateLimited('n/a');
      queue.done('n/a');
    }
  };
  const working = work();
  for (let ms = 0; ms < 60_000; ms += 100) {
    queue.addPatiently('n/a');
    await clock.advance(100);
  }
  expect(tries).toBeGreaterThanOrEqual(7);
  expect(tries).toBeLessThanOrEqual(10);
  queue.close();
  await working;
});

test('what happens around a key brings it back at once after its first failures and its success, and never later than its back-off', async () => {
  const { clock, queue } = setUp();
  const fail = async (): Promise<void> => {
    queue.addPatiently('n/a');
    expect(await drain(queue)).toEqual(['n/a']);
    queue.addRateLimited('n/a');
  };
  await fail();
  await fail();
  await fail();
  queue.addPatiently('n/a');
  expect(await drain(queue)).toEqual([]);
  await clock.advance(1_080);
  expect(await drain(queue)).toEqual(['n/a']);
  queue.addRateLimited('n/a');
  queue.add('n/a');
  expect(await drain(queue)).toEqual(['n/a']);
  queue.addRateLimited('n/a');
  queue.forget('n/a');
  queue.addPatiently('n/a');
  expect(await drain(queue)).toEqual(['n/a']);
});

test('fresh keys go before resync keys, which still move', async () => {
  const { queue } = setUp();
  for (let i = 0; i < 100; i++) queue.add(`r${i}/x`, 'resync');
  for (let i = 0; i < 40; i++) queue.add(`f${i}/x`);
  const order = await drain(queue);
  expect(order.length).toBe(140);
  const resyncEarly = order.slice(0, 40).filter((key) => key.startsWith('r')).length;
  expect(resyncEarly).toBeGreaterThan(0);
  expect(resyncEarly).toBeLessThanOrEqual(3);
});

test('a change lifts a key out of the resync lane, a resync never lowers one', async () => {
  const { queue } = setUp();
  queue.add('a/1', 'resync');
  queue.add('b/1', 'resync');
  queue.add('b/1', 'fresh');
  queue.add('b/1', 'resync');
  expect(queue.depth('fresh')).toBe(1);
  expect(queue.depth('resync')).toBe(1);
  expect(await drain(queue)).toEqual(['b/1', 'a/1']);
});

test('namespaces take turns', async () => {
  const { queue } = setUp();
  for (let i = 0; i < 1000; i++) queue.add(`busy/${i}`);
  queue.add('quiet/1');
  expect((await drain(queue)).indexOf('quiet/1')).toBeLessThanOrEqual(1);
});

test('another grouping can be given', async () => {
  const { queue } = setUp({ fairnessKey: (key) => key.slice(0, 1) });
  for (const key of ['a1', 'a2', 'a3', 'b1']) queue.add(key);
  expect(await drain(queue)).toEqual(['a1', 'b1', 'a2', 'a3']);
});

test('closing wakes whoever waits and drops the rest', async () => {
  const { clock, queue } = setUp();
  const waiting = queue.get();
  queue.addAfter('n/a', 10);
  queue.close();
  expect(await waiting).toBeUndefined();
  queue.add('n/b');
  expect(await queue.get()).toBeUndefined();
  await clock.advance(100);
  expect(clock.timers()).toBe(0);
});

test('replaced deadlines do not pile up', async () => {
  const { clock, queue } = setUp();
  for (let i = 0; i < 20_000; i++) {
    queue.addAfter('n/a', 1_000_000 - i);
    if (i % 2 === 0) {
      queue.add('n/a');
      await drain(queue);
    }
  }
  queue.addAfter('n/b', 5);
  await clock.advance(5);
  expect(await drain(queue)).toEqual(['n/b']);
});
