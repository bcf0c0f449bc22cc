import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createFakeClock } from '../../../kube/testing/fakeclock.ts';
import type { Connection } from '../../context.ts';
import { probeDesktop } from './probe.ts';

/** A peer that hangs up once it was asked, or never says anything; and whether it was hung up on. */
function createPeer(manner: 'silent' | 'hangs up') {
  let closes = 0;
  const connection: Connection = {
    write: () => undefined,
    read: () => (manner === 'silent' ? new Promise(() => undefined) : Promise.resolve(undefined)),
    close: () => {
      closes += 1;
    },
  };
  return { connection, closes: () => closes };
}

const TARGET = { host: '10.0.0.7', port: 3389 };

it('keeps nothing of a probe that is over, however long its caller lives', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const caller = new AbortController();
  const clock = createFakeClock();
  const connections: WeakRef<Connection>[] = [];
  const dial = async () => {
    const { connection } = createPeer('hangs up');
    connections.push(new WeakRef(connection));
    return connection;
  };
  for (let times = 0; times < 20; times++)
    await probeDesktop({ dial, clock }, TARGET, { timeoutMs: 1_000, signal: caller.signal });
  expect(connections.length).toBe(20);
  const kept = () => {
    collect();
    return connections.filter((reference) => reference.deref() !== undefined).length;
  };
  await expect.poll(kept).toBeLessThanOrEqual(1);
  expect(caller.signal.aborted).toBe(false);
});

it('hangs up when its caller cancels, before the dial and after', async () => {
  const clock = createFakeClock();
  const peer = createPeer('silent');
  const caller = new AbortController();
  const dial = async (_: unknown, signal: AbortSignal) => {
    signal.throwIfAborted();
    return peer.connection;
  };
  void probeDesktop({ dial, clock }, TARGET, { timeoutMs: 1_000, signal: caller.signal });
  await clock.advance(10);
  caller.abort();
  expect(peer.closes()).toBe(1);
  expect(await probeDesktop({ dial, clock }, TARGET, { timeoutMs: 1_000, signal: caller.signal })).toEqual({
    answered: false,
    why: 'the probe was cancelled',
  });
});
