const PATIENCE_MS = 60_000;

/** Waits for something that happens through real sockets, however often it takes; fails with `what` after a minute. */
export async function until(what: string, condition: () => boolean, onTurn?: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(`did not happen: ${what}`);
    await onTurn?.();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
