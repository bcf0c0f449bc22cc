import { describe, expect, it } from 'vitest';
import { createFakeClock, createFakeRandom } from '../kube/testing/fakeclock.ts';
import { createTestLog } from '../kube/testing/testlog.ts';
import { createListenerHub, type ListenSession } from './listener.ts';

function createWorld() {
  const clock = createFakeClock();
  const sessions: {
    notify: (channel: string, payload: string) => void;
    end: () => void;
    channels: string[];
    answers: boolean;
    closed: boolean;
  }[] = [];
  let reachable = true;
  const hub = createListenerHub(
    { clock, random: createFakeRandom(), log: createTestLog().log },
    async (notify, end): Promise<ListenSession> => {
      if (!reachable) throw new Error('connection refused');
      const session = { notify, end, channels: [] as string[], answers: true, closed: false };
      sessions.push(session);
      return {
        listen: async (channel) => void session.channels.push(channel),
        ping: async () => {
          if (!session.answers) throw new Error('no answer');
        },
        close: async () => {
          session.closed = true;
        },
      };
    },
  );
  return { clock, hub, sessions, setReachable: (value: boolean) => (reachable = value) };
}

describe('listening', () => {
  it('has one session for all, and each hears its own channel', async () => {
    const { clock, hub, sessions } = createWorld();
    const heard: string[] = [];
    hub.listen('a', (payload) => heard.push(`a ${payload}`));
    hub.listen('b', (payload) => heard.push(`b ${payload}`));
    await clock.advance(10);
    hub.listen('c', (payload) => heard.push(`c ${payload}`));
    await clock.advance(10);
    expect(sessions).toHaveLength(1);
    expect(sessions[0]?.channels.sort()).toEqual(['a', 'b', 'c']);
    heard.length = 0;
    sessions[0]?.notify('b', 'x');
    expect(heard).toEqual(['b x']);
  });

  it('says that something may have been missed whenever it begins, begins again, and every 15 seconds', async () => {
    const { clock, hub, sessions, setReachable } = createWorld();
    let missed = 0;
    hub.listen('a', () => (missed += 1));
    await clock.advance(10);
    expect(missed).toBe(1);
    setReachable(false);
    sessions[0]?.end();
    await clock.advance(5_000);
    expect(missed).toBe(1);
    setReachable(true);
    await clock.advance(10_000);
    expect(sessions).toHaveLength(2);
    expect(missed).toBeGreaterThanOrEqual(2);
    const before = missed;
    await clock.advance(30_000);
    expect(missed).toBe(before + 2);
  });

  it('gives up a session that does not answer', async () => {
    const { clock, hub, sessions } = createWorld();
    hub.listen('a', () => {});
    await clock.advance(10);
    const [first] = sessions;
    if (first !== undefined) first.answers = false;
    await clock.advance(11_000);
    expect(first?.closed).toBe(true);
    expect(sessions).toHaveLength(2);
  });

  it('goes on when a listener throws, and ends with nothing left', async () => {
    const { clock, hub, sessions } = createWorld();
    const heard: unknown[] = [];
    hub.listen('a', () => {
      throw new Error('mine');
    });
    hub.listen('a', (payload) => heard.push(payload));
    await clock.advance(10);
    expect(heard).toEqual([undefined]);
    await hub.close();
    expect(sessions[0]?.closed).toBe(true);
    expect(clock.timers()).toBe(0);
  });
});
