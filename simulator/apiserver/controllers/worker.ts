import { isNotFound, renderError } from '../../../kube/errors.ts';
import { type Backoff, Workqueue } from '../../../kube/workqueue.ts';
import type { ControllerDeps, RunningController } from './deps.ts';

/** One key at a time. */
export type Worker = RunningController & {
  /** Works on the key after `delayMs`; of two deadlines the earlier one counts. */
  add(key: string, delayMs: number): void;
};

export type WorkerOptions = {
  readonly name: string;
  readonly backoff: Backoff;
  /** Gives the milliseconds after which to look again, if it has to; what it throws is tried again with back-off. */
  readonly reconcile: (key: string) => Promise<number | undefined>;
};

/** client-go's default for one item: 5 ms, doubled up to 1000 s. */
export const CLIENT_GO_BACKOFF: Backoff = { baseMs: 5, factor: 2, maxMs: 1_000_000 };

export function startWorker(deps: Pick<ControllerDeps, 'clock' | 'random' | 'log'>, options: WorkerOptions): Worker {
  const { name, backoff, reconcile } = options;
  const queue = new Workqueue(deps, { backoff });
  const run = async (): Promise<void> => {
    for (let item = await queue.get(); item !== undefined; item = await queue.get()) {
      const { key } = item;
      try {
        const againMs = await reconcile(key);
        queue.forget(key);
        if (againMs !== undefined) queue.addAfter(key, againMs);
      } catch (error) {
        queue.addRateLimited(key);
        deps.log.debug({ controller: name, key, error: renderError(error) }, 'a controller tries again');
      }
      queue.done(key);
    }
  };
  const stopped = run();
  return {
    add: (key, delayMs) => queue.addAfter(key, delayMs),
    stop: async () => {
      queue.close();
      await stopped;
    },
  };
}

/** What `read` gives, or undefined where the server says that it is not there. */
export async function orAbsent<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
