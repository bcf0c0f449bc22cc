/** How long a signal that comes twice counts as one: the launcher passes on what a terminal or a supervisor sends to the whole group. */
const COPY_MS = 1_000;

/** Aborts with the first SIGINT or SIGTERM. The same signal later, when stopping takes too long for somebody, ends the process at once. */
export function listenForStop(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    const hear = (): void => {
      stop.abort(new Error(`received ${name}`));
      setTimeout(() => process.off(name, hear), COPY_MS).unref();
    };
    process.on(name, hear);
  }
  return stop.signal;
}
