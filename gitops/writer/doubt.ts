import type { Clock } from '../../kube/clock.ts';

/**
 * Since when a thing looks to this process as if nothing could come of it. Whoever accepted a change saw its place; another process that writes may see the cluster as it was
 * before, until its watches have caught up. So only what lasts is believed, and it is the change's end.
 */
export type Doubt = {
  /** Whether it has looked so for long; the first time, it has not. */
  hasLasted(id: string): boolean;
  /** It does not look so any more. */
  forget(id: string): void;
};

/** Longer than a watch may be silent before it is made anew. */
const LASTING_MS = 60_000;
const MOST_REMEMBERED = 20_000;

export function createDoubt(clock: Pick<Clock, 'monotonic'>): Doubt {
  const since = new Map<string, number>();
  return {
    hasLasted: (id) => {
      const nowMs = clock.monotonic();
      const sinceMs = since.get(id) ?? nowMs;
      if (since.size >= MOST_REMEMBERED) since.clear();
      since.set(id, sinceMs);
      return nowMs - sinceMs >= LASTING_MS;
    },
    forget: (id) => void since.delete(id),
  };
}
