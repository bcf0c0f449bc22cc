import type { Check } from './checker.ts';
import { isOperator } from './live.ts';

const MINUTE_MS = 60_000;
/** Failing requests an object and minute. */
const MOST = 10;
/** Leader election has a pace of its own, every two seconds. */
const LEASES = 'leases.coordination.k8s.io';
const NOT_FOUND = 404;
const CONFLICT = 409;
/** Failing lists of a kind and minute: a reflector waits for less than a second at first and 4 to 8 s in the end, and of some kinds a process has two. */
const MOST_LISTS = 40;

/**
 * I6: effort is bounded. On one object a process sends at most ten requests a minute that fail, as long as no write succeeds in between,
 * whatever else goes on around it: that it can be read changes nothing. A conflict is over when a newer version is meant: whoever looks at what somebody else changes all the time does not fail for good.
 * Lists have a bound of their own. That a read finds nothing is an answer: whoever asks whether the breaker's record is there before each removal fails at nothing. That other keys stay live is
 * seen by where a run ends.
 */
export const createEffortCheck: Check = (report) => {
  const failing = new Map<string, number[]>();
  /** The version that the last conflict on an object was about. */
  const conflicts = new Map<string, string>();
  return {
    answer({ code, atMs }, request) {
      const { actor, resource, key, verb, subresource } = request;
      if (!isOperator(actor) || resource === LEASES || verb === 'watch') return;
      if (verb === 'get' && code === NOT_FOUND) return;
      const object = `${actor} ${resource} ${key}`;
      const failed = code === 0 || code >= 400;
      if (!failed) {
        if (verb !== 'get') failing.delete(object);
        return;
      }
      const version = code === CONFLICT ? request.means?.resourceVersion : undefined;
      const isNew = version !== undefined && version !== conflicts.get(object);
      if (version !== undefined) conflicts.set(object, version);
      if (isNew) failing.delete(object);
      const times = (failing.get(object) ?? []).filter((time) => atMs - time < MINUTE_MS);
      times.push(atMs);
      failing.set(object, times);
      if (times.length <= (verb === 'list' ? MOST_LISTS : MOST)) return;
      failing.delete(object);
      const what = subresource === undefined ? verb : `${verb} ${subresource}`;
      report('I6', request, `${times.length} failing requests within a minute, the last a ${what} (${code})`);
    },
  };
};
