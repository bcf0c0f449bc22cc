import { Problem } from './problem.ts';

/** Answers that one user and its keys may have held open at once. */
export const MOST_OF_A_USER = 32;
/** In this process: each looks at its change whenever something in the change's repository moves. */
export const MOST_IN_ALL = 1_024;

const RETRY_SECONDS = 5;

export type HeldAnswers = {
  /** Counts one until the signal aborts, and gives the signal back. Throws a 429 when the user has as many as it may, a 503 when this process has; it does not count then. */
  hold(username: string, until: AbortSignal): AbortSignal;
};

/**
 * How many answers are held open: waits for a change, and streams of its events. Limits of rate count requests, and one such request lasts for minutes. Counted by
 * user and not by key, of which a user may have many.
 */
export function createHeldAnswers(): HeldAnswers {
  const ofUsers = new Map<string, number>();
  let all = 0;
  return {
    hold: (username, until) => {
      if (until.aborted) return until;
      const own = ofUsers.get(username) ?? 0;
      if (own >= MOST_OF_A_USER) throw refuse(429, `you have ${own}, of at most ${MOST_OF_A_USER}`);
      if (all >= MOST_IN_ALL) throw refuse(503, `this server has ${all}, of at most ${MOST_IN_ALL}`);
      ofUsers.set(username, own + 1);
      all += 1;
      const release = (): void => {
        const left = (ofUsers.get(username) ?? 0) - 1;
        if (left > 0) ofUsers.set(username, left);
        else ofUsers.delete(username);
        all -= 1;
      };
      until.addEventListener('abort', release, { once: true });
      return until;
    },
  };
}

function refuse(status: 429 | 503, count: string): Problem {
  const detail = `too many answers are held open to wait for a change or to stream its events: ${count}; end one, read the change without wait, or try again in ${RETRY_SECONDS} s`;
  const headers = { 'retry-after': String(RETRY_SECONDS) };
  return new Problem(status, status === 429 ? 'rate-limited' : 'unavailable', detail, { headers });
}
