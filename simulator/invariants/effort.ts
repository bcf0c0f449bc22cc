import type { Check } from './checker.ts';
import { isOperator, NAMESPACES, namespaceOf, TENANTS } from './live.ts';

const MINUTE_MS = 60_000;
/** Failing requests an object and minute while nothing changes. */
const MOST = 10;
/** Leader election has a pace of its own, every two seconds; a definition is asked for once for each removal that is judged. */
const SHARED: ReadonlySet<string> = new Set([
  'leases.coordination.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
]);
const COLLECTIONS: ReadonlySet<string> = new Set(['list', 'watch']);
/** What belongs to a Tenant lies in several namespaces. */
const WIDE: ReadonlySet<string> = new Set([TENANTS, NAMESPACES]);
const ANYWHERE = '';

/**
 * I6: effort is bounded. On one object a process sends at most ten requests a minute that fail, as long as none succeeds in between; each
 * change that somebody else makes meanwhile in the object's namespace is a reason for one more. That other keys stay live is seen by where
 * a run ends.
 */
export const createEffortCheck: Check = (report) => {
  const failing = new Map<string, number[]>();
  /** Times of changes by others, by namespace. */
  const changes = new Map<string, number[]>();
  const note = (namespace: string, atMs: number): void => {
    const times = (changes.get(namespace) ?? []).filter((time) => atMs - time < MINUTE_MS);
    times.push(atMs);
    changes.set(namespace, times);
  };
  return {
    change({ actor, key, atMs }) {
      if (isOperator(actor)) return;
      note(ANYWHERE, atMs);
      if (namespaceOf(key) !== ANYWHERE) note(namespaceOf(key), atMs);
    },
    answer({ code, atMs }, request) {
      const { actor, resource, key, verb, subresource } = request;
      if (!isOperator(actor) || SHARED.has(resource) || COLLECTIONS.has(verb)) return;
      const object = `${actor} ${resource} ${key}`;
      const failed = code === 0 || code >= 400;
      if (!failed) return void failing.delete(object);
      const times = (failing.get(object) ?? []).filter((time) => atMs - time < MINUTE_MS);
      times.push(atMs);
      failing.set(object, times);
      const reasons = changes.get(WIDE.has(resource) ? ANYWHERE : namespaceOf(key)) ?? [];
      const most = MOST + reasons.filter((time) => atMs - time < MINUTE_MS).length;
      if (times.length !== most + 1) return;
      const what = subresource === undefined ? verb : `${verb} ${subresource}`;
      report('I6', request, `${times.length} failing requests within a minute, the last a ${what} (${code})`);
    },
  };
};
