import type { Logger } from 'pino';
import type { Clock } from './clock.ts';

/** A clock, and where it is told what time the API server has. */
export type ServerClock = {
  readonly clock: Clock;
  /**
   * Takes the time that a good answer states. `dateMs`: its `Date`, in whole seconds, as milliseconds since the epoch; NaN when it stated none.
   * `sentMs`: when the request went out, by the monotonic clock.
   */
  observeDate(dateMs: number, sentMs: number): void;
};

/** What two well-kept clocks may be apart. */
const TOLERANCE_MS = 1_000;
/** `Date` has no more than seconds. */
const RESOLUTION_MS = 1_000;

/**
 * The machine's time where it agrees with the API server's; otherwise the API server's, carried on by the monotonic clock, so that steps of the machine's time
 * change nothing. What a controller states of times (graces, ends, what is due) is compared with what the API server stamped, and one that is days off would
 * destroy or bill by its own error.
 *
 * Each answer bounds how far the server's time is from the monotonic clock; all of them together are narrower than the second that each states. An
 * answer that contradicts them begins anew: the server's time was set, or this machine slept. Before the first answer the machine's time is all there is.
 */
export function createServerClock(deps: { readonly clock: Clock; readonly log: Logger }): ServerClock {
  const { clock, log } = deps;
  /** The server's time less the monotonic one lies between these. */
  let leastMs = Number.NEGATIVE_INFINITY;
  let mostMs = Number.POSITIVE_INFINITY;
  let agreed = true;

  const isTrusted = (): boolean => {
    const offsetMs = clock.now() - clock.monotonic();
    return offsetMs >= leastMs - TOLERANCE_MS && offsetMs <= mostMs + TOLERANCE_MS;
  };
  const now = (): number =>
    isTrusted() ? clock.now() : Math.round(clock.monotonic() + leastMs + (mostMs - leastMs) / 2);

  return {
    clock: { ...clock, now },
    observeDate: (dateMs, sentMs) => {
      if (Number.isNaN(dateMs)) return;
      const least = dateMs - clock.monotonic();
      const most = dateMs + RESOLUTION_MS - sentMs;
      const contradicts = least > mostMs || most < leastMs;
      leastMs = contradicts ? least : Math.max(least, leastMs);
      mostMs = contradicts ? most : Math.min(most, mostMs);
      const trusted = isTrusted();
      if (trusted === agreed) return;
      agreed = trusted;
      const fields = { aheadMs: Math.round(clock.now() - now()) };
      if (trusted) log.info(fields, 'the time of this machine agrees with that of the API server again');
      else log.warn(fields, 'the time of this machine is wrong: that of the API server is taken instead');
    },
  };
}
