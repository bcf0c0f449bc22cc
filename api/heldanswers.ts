import { Problem } from './problem.ts';

/** Answers that one user and its keys may have held open at once. */
export const MOST_OF_A_USER = 32;
/** About what a tenant of the provider and all below it have: it has as many users as it names, and others are to have their place. */
export const MOST_OF_A_TENANT = 256;
/** In this process: each looks at its change whenever something in the change's repository moves. */
export const MOST_IN_ALL = 1_024;

const RETRY_SECONDS = 5;

export type HeldAnswers = {
  /** Counts one until the signal aborts, and gives the signal back. Throws a 429 when the user or the tenant has as many as it may, a 503 when this process has; it does not count then. */
  hold(whose: Whose, until: AbortSignal): AbortSignal;
};

/** `tenant`: path of the tenant whose change it is; absent for the provider's. */
export type Whose = { readonly username: string; readonly tenant?: string | undefined };

/**
 * How many answers are held open: waits for a change, and streams of its events. Limits of rate count requests, and one such request lasts for minutes. Counted by
 * user and not by key, of which a user may have many, and by the tenant of the provider, which may name many users.
 */
export function createHeldAnswers(): HeldAnswers {
  const counts = new Map<string, number>();
  let all = 0;
  const countOf = (key: string): number => counts.get(key) ?? 0;
  const add = (key: string, more: 1 | -1): void => {
    const count = countOf(key) + more;
    if (count > 0) counts.set(key, count);
    else counts.delete(key);
  };
  return {
    hold: ({ username, tenant }, until) => {
      if (until.aborted) return until;
      const user = `user ${username}`;
      const top = tenant?.split('--', 1)[0];
      const keys = top === undefined ? [user] : [user, `tenant ${top}`];
      const [own, shared] = [countOf(user), countOf(`tenant ${top}`)];
      if (own >= MOST_OF_A_USER) throw refuse(429, `you have ${own}, of at most ${MOST_OF_A_USER}`);
      if (shared >= MOST_OF_A_TENANT) throw refuse(429, `${top} has ${shared}, of at most ${MOST_OF_A_TENANT}`);
      if (all >= MOST_IN_ALL) throw refuse(503, `this server has ${all}, of at most ${MOST_IN_ALL}`);
      for (const key of keys) add(key, 1);
      all += 1;
      const release = (): void => {
        for (const key of keys) add(key, -1);
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
