import type { Change, Journal } from '../gitops/journal.ts';
import type { Clock } from '../kube/clock.ts';

export type WatchDeps = { readonly journal: Pick<Journal, 'find' | 'onChange'>; readonly clock: Clock };

/** However quiet the journal is, it is asked this often, and whoever listens hears that we are there. */
const LOOK_MS = 15_000;
/** A burst of notifications is one look. */
const SETTLE_MS = 25;

/**
 * The change as it is, and again whenever it moved; `undefined` now and then when it did not. Ends at the time-out, when the signal aborts, or when the change is
 * forgotten. Leaving the loop stops the listening.
 */
export async function* watchChange(
  { journal, clock }: WatchDeps,
  first: Change,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): AsyncGenerator<Change | undefined> {
  const untilMs = clock.monotonic() + timeoutMs;
  let heard = Promise.withResolvers<void>();
  const wake = (): void => heard.resolve();
  const stop = journal.onChange((repository) => {
    if (repository === undefined || repository === first.repository) wake();
  });
  signal.addEventListener('abort', wake, { once: true });
  try {
    // Between the caller's read and our listening it may have moved.
    let last: Change | undefined;
    for (;;) {
      const seen = await journal.find(first.id);
      if (seen === undefined || signal.aborted) return;
      const isNew = last === undefined || seen.state !== last.state || seen.updatedAtMs !== last.updatedAtMs;
      yield isNew ? seen : undefined;
      last = seen;
      const leftMs = untilMs - clock.monotonic();
      if (leftMs <= 0 || signal.aborted) return;
      await waitOrTimeOut(clock, heard.promise, Math.min(leftMs, LOOK_MS));
      heard = Promise.withResolvers<void>();
      await sleepBriefly(clock, Math.min(SETTLE_MS, Math.max(0, untilMs - clock.monotonic())));
    }
  } finally {
    stop();
    signal.removeEventListener('abort', wake);
  }
}

function waitOrTimeOut(clock: Clock, event: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(resolve, ms);
    void event.then(() => {
      clock.clearTimeout(timer);
      resolve();
    });
  });
}

function sleepBriefly(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}
