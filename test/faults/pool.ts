import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Point } from './point.ts';

export type Task =
  | { readonly kind: 'enumerate'; readonly class: string; readonly scenario: string; readonly seed: number }
  | { readonly kind: 'try'; readonly point: Point };

export type Answer =
  | { readonly kind: 'points'; readonly points: readonly Point[] }
  | { readonly kind: 'tried'; readonly texts: readonly string[]; readonly counts: ReadonlyMap<string, number> }
  | { readonly kind: 'failed'; readonly text: string };

/** Threads that work on tasks, one at a time each, in the order in which they were asked for. */
export type Pool = {
  ask(task: Task): Promise<Answer>;
  close(): Promise<void>;
};

type Job = { readonly task: Task; readonly resolve: (answer: Answer) => void };

export function createPool(threads: number): Pool {
  const waiting: Job[] = [];
  const idle: Worker[] = [];
  const workers = Array.from({ length: threads }, () => new Worker(path.join(import.meta.dirname, 'worker.ts')));
  const next = (worker: Worker): void => {
    const job = waiting.shift();
    if (job === undefined) {
      idle.push(worker);
      return;
    }
    const done = (answer: Answer): void => {
      worker.off('message', done);
      worker.off('error', fail);
      job.resolve(answer);
      if (answer.kind !== 'failed' || !answer.text.startsWith(DIED)) next(worker);
    };
    const fail = (error: unknown): void => done({ kind: 'failed', text: `${DIED}: ${String(error)}` });
    worker.once('message', done);
    worker.once('error', fail);
    worker.postMessage(job.task);
  };
  idle.push(...workers);
  return {
    ask: (task) =>
      new Promise((resolve) => {
        waiting.push({ task, resolve });
        const worker = idle.shift();
        if (worker !== undefined) next(worker);
      }),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

const DIED = 'a worker died';
