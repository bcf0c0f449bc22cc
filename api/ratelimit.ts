import type { Clock } from '../kube/clock.ts';
import { Problem } from './problem.ts';

/** At most `quota` requests in each window of `windowSeconds`. */
export type Policy = { readonly name: string; readonly quota: number; readonly windowSeconds: number };

/** Requests a tenant may make by default; a user of several tenants has as much for each. */
export const DEFAULT_POLICIES: readonly Policy[] = [
  { name: 'minute', quota: 1_000, windowSeconds: 60 },
  { name: 'hour', quota: 10_000, windowSeconds: 3_600 },
];

/** Failed sign-ins of one address. */
export const SIGN_IN_POLICIES: readonly Policy[] = [{ name: 'sign-in', quota: 60, windowSeconds: 60 }];

/** The fields of draft-ietf-httpapi-ratelimit-headers. */
export type RateHeaders = { readonly ratelimit: string; readonly 'ratelimit-policy': string };

export type RateLimiter = {
  /** Counts one request. Throws a 429 with `Retry-After` when it is one too many; it does not count then. */
  take(key: string, policies: readonly Policy[]): RateHeaders;
  /** Throws as `take` would and counts nothing. */
  check(key: string, policies: readonly Policy[]): void;
};

type Window = { readonly endsAtMs: number; count: number };

/** Beyond this many keys the oldest windows are forgotten: memory is bounded, and a forgotten window only lets more through. */
const MAX_KEYS = 50_000;

/** Fixed windows that begin with a key's first request, counted in this process: so much for each replica. */
export function createRateLimiter(clock: Pick<Clock, 'monotonic'>): RateLimiter {
  const windows = new Map<string, Window[]>();

  const open = (key: string, policies: readonly Policy[]): readonly Window[] => {
    const nowMs = clock.monotonic();
    const found = windows.get(key);
    const current = policies.map(({ windowSeconds }, i) => {
      const window = found?.[i];
      return window !== undefined && window.endsAtMs > nowMs
        ? window
        : { endsAtMs: nowMs + windowSeconds * 1_000, count: 0 };
    });
    if (found === undefined && windows.size >= MAX_KEYS) forgetOldest(windows);
    windows.set(key, current);
    return current;
  };

  const check = (key: string, policies: readonly Policy[]): readonly Window[] => {
    const current = open(key, policies);
    const full = policies.findIndex(({ quota }, i) => (current[i]?.count ?? 0) >= quota);
    const policy = policies[full];
    if (policy === undefined) return current;
    const seconds = secondsLeft(current[full], clock);
    throw new Problem(
      429,
      'rate-limited',
      `more than ${policy.quota} requests in ${policy.windowSeconds} s; try again in ${seconds} s`,
      { headers: { 'retry-after': String(seconds), ...renderHeaders(policies, current, clock) } },
    );
  };

  return {
    check,
    take: (key, policies) => {
      const current = check(key, policies);
      for (const window of current) window.count += 1;
      return renderHeaders(policies, current, clock);
    },
  };
}

function renderHeaders(
  policies: readonly Policy[],
  windows: readonly Window[],
  clock: Pick<Clock, 'monotonic'>,
): RateHeaders {
  const left = policies.map(({ name, quota }, i) => {
    const window = windows[i];
    return `"${name}";r=${quota - (window?.count ?? 0)};t=${secondsLeft(window, clock)}`;
  });
  return { ratelimit: left.join(', '), 'ratelimit-policy': renderPolicies(policies) };
}

const rendered = new WeakMap<readonly Policy[], string>();

function renderPolicies(policies: readonly Policy[]): string {
  const known = rendered.get(policies);
  if (known !== undefined) return known;
  const text = policies.map(({ name, quota, windowSeconds }) => `"${name}";q=${quota};w=${windowSeconds}`).join(', ');
  rendered.set(policies, text);
  return text;
}

function secondsLeft(window: Window | undefined, clock: Pick<Clock, 'monotonic'>): number {
  return window === undefined ? 0 : Math.max(1, Math.ceil((window.endsAtMs - clock.monotonic()) / 1_000));
}

/** A tenth of the keys, in the order in which they came. */
function forgetOldest(windows: Map<string, Window[]>): void {
  let left = MAX_KEYS / 10;
  for (const key of windows.keys()) {
    if (left === 0) return;
    windows.delete(key);
    left -= 1;
  }
}
