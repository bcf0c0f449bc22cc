/** Waits for something that happens through real sockets, however often it takes; fails with `what` after five seconds. */
export async function until(what: string, condition: () => boolean, onTurn?: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > 5_000) throw new Error(`did not happen: ${what}`);
    await onTurn?.();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
