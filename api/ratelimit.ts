import type { Clock } from '../kube/clock.ts';
import { Problem } from './problem.ts';

/** At most `quota` requests in each window of `windowSeconds`. */
export type Policy = { readonly name: string; readonly quota: number; readonly windowSeconds: number };

export const DEFAULT_PER_MINUTE = 1_000;
export const DEFAULT_PER_HOUR = 10_000;

/** Where no Plan says more or less; a user of several tenants has as much for each. */
export const DEFAULT_POLICIES: readonly Policy[] = [
  { name: 'minute', quota: DEFAULT_PER_MINUTE, windowSeconds: 60 },
  { name: 'hour', quota: DEFAULT_PER_HOUR, windowSeconds: 3_600 },
];

/** Failed sign-ins of one address. */
export const SIGN_IN_POLICIES: readonly Policy[] = [{ name: 'sign-in', quota: 60, windowSeconds: 60 }];

/** The fields of draft-ietf-httpapi-ratelimit-headers. */
export type RateHeaders = { readonly ratelimit: string; readonly 'ratelimit-policy': string };

export type RateLimiter = {
  /** Counts one request. Throws a 429 with `Retry-After` when it is one too many; it does not count then. A key's policies keep their order and windows; their quotas may change. */
  take(key: string, policies: readonly Policy[]): RateHeaders;
  /** Throws as `take` would and counts nothing. */
  check(key: string, policies: readonly Policy[]): void;
};

/** `endsAtMs` and `count` of each policy, in its place. */
type Windows = { readonly endsAtMs: number[]; readonly counts: number[] };

/** Beyond this many keys the oldest are forgotten: memory is bounded, and a forgotten window only lets more through. */
const MAX_KEYS = 50_000;

/** Fixed windows that begin with a key's first request, counted in this process: so much for each replica. */
export function createRateLimiter(clock: Pick<Clock, 'monotonic'>): RateLimiter {
  const known = new Map<string, Windows>();

  const refuseFull = (windows: Windows, policies: readonly Policy[], nowMs: number): void => {
    for (let i = 0; i < policies.length; i += 1) {
      const policy = policies[i];
      if (policy === undefined || (windows.endsAtMs[i] ?? 0) <= nowMs || (windows.counts[i] ?? 0) < policy.quota)
        continue;
      const seconds = secondsLeft(windows, i, nowMs);
      const detail = `more than ${policy.quota} requests in ${policy.windowSeconds} s; try again in ${seconds} s`;
      const headers = { 'retry-after': String(seconds), ...renderHeaders(policies, windows, nowMs) };
      throw new Problem(429, 'rate-limited', detail, { headers });
    }
  };

  return {
    check: (key, policies) => {
      const windows = known.get(key);
      if (windows !== undefined) refuseFull(windows, policies, clock.monotonic());
    },
    take: (key, policies) => {
      const nowMs = clock.monotonic();
      const windows = known.get(key) ?? { endsAtMs: [], counts: [] };
      if (windows.counts.length === 0) {
        if (known.size >= MAX_KEYS) forgetOldest(known);
        known.set(key, windows);
      }
      refuseFull(windows, policies, nowMs);
      for (let i = 0; i < policies.length; i += 1) {
        const isOver = (windows.endsAtMs[i] ?? 0) <= nowMs;
        if (isOver) windows.endsAtMs[i] = nowMs + (policies[i]?.windowSeconds ?? 0) * 1_000;
        windows.counts[i] = isOver ? 1 : (windows.counts[i] ?? 0) + 1;
      }
      return renderHeaders(policies, windows, nowMs);
    },
  };
}

function renderHeaders(policies: readonly Policy[], windows: Windows, nowMs: number): RateHeaders {
  let ratelimit = '';
  for (let i = 0; i < policies.length; i += 1) {
    const { name = '', quota = 0 } = policies[i] ?? {};
    const isOver = (windows.endsAtMs[i] ?? 0) <= nowMs;
    const left = Math.max(0, quota - (isOver ? 0 : (windows.counts[i] ?? 0)));
    ratelimit += `${i === 0 ? '' : ', '}"${name}";r=${left};t=${secondsLeft(windows, i, nowMs)}`;
  }
  return { ratelimit, 'ratelimit-policy': renderPolicies(policies) };
}

const rendered = new WeakMap<readonly Policy[], string>();

function renderPolicies(policies: readonly Policy[]): string {
  const known = rendered.get(policies);
  if (known !== undefined) return known;
  const text = policies.map(({ name, quota, windowSeconds }) => `"${name}";q=${quota};w=${windowSeconds}`).join(', ');
  rendered.set(policies, text);
  return text;
}

function secondsLeft({ endsAtMs }: Windows, i: number, nowMs: number): number {
  return Math.max(1, Math.ceil(((endsAtMs[i] ?? nowMs) - nowMs) / 1_000));
}

/** A tenth of the keys, in the order in which they came. */
function forgetOldest(windows: Map<string, Windows>): void {
  let left = MAX_KEYS / 10;
  for (const key of windows.keys()) {
    if (left === 0) return;
    windows.delete(key);
    left -= 1;
  }
}
