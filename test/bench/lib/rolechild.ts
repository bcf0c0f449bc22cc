/** What the bench tells the process of a contender. */
export type ToRole = { readonly type: 'go' } | { readonly type: 'usage' } | { readonly type: 'stop' };

/** What the process of a contender tells the bench. */
export type FromRole =
  | { readonly type: 'ready' }
  | { readonly type: 'usage'; readonly cpuSeconds: number; readonly maxRssBytes: number }
  | { readonly type: 'caught-up'; readonly seconds: number }
  | { readonly type: 'failed'; readonly message: string };

/** What a contender does: `go` starts the work that is timed, `stop` ends it so that the process can exit. */
export type Role = { readonly go?: () => Promise<void>; readonly stop: () => Promise<void> };

/** Answers the bench for the rest of this process's life: says that it is ready, starts, counts CPU time, stops. */
export function serveRole(role: Role): void {
  process.on('message', (message: ToRole) => {
    if (message.type === 'usage') tell(readUsage());
    else if (message.type === 'go') role.go?.().catch(fail);
    else role.stop().then(() => process.exit(0), fail);
  });
  process.on('disconnect', () => process.exit(1));
  tell({ type: 'ready' });
}

export function tell(message: FromRole): void {
  process.send?.(message);
}

/** Ends the process with an error that the bench shows. */
export function fail(error: unknown): void {
  tell({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

function readUsage(): FromRole {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { type: 'usage', cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, maxRssBytes: maxRSS * 1_024 };
}
