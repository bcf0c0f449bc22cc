import type { Timer } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import { OPEN_STATES } from '../journal.ts';
import type { WriterDeps, WriterOptions, WriterSettings } from './options.ts';
import { createWorker, type Worker } from './worker.ts';

export type Writer = {
  /** Fetches a repository now, or looks at all that have changes waiting; a forge's webhook calls it. */
  wake(repository?: string): void;
  /** Ends what runs, gives the leases back and closes the repositories. What was accepted stays in the journal. */
  stop(): Promise<void>;
};

/**
 * Carries out what the journal accepted: one leased writer a repository, of whichever process was first. Any number of processes may run it over one
 * journal; which of them dies when makes no commit twice and loses none.
 */
export function startWriter(deps: WriterDeps, options: WriterOptions): Writer {
  const writer = new LeasedWriter(deps, {
    leaseMs: 15_000,
    pollMs: 15_000,
    reviewMs: 60_000,
    concurrency: 8,
    most: 10_000,
    idleMs: 600_000,
    keepMs: 400 * 86_400_000,
    ...defined(options),
  });
  writer.start();
  return { wake: (repository) => writer.wake(repository, true), stop: () => writer.stop() };
}

/** Rows of each table that go at a review, if so many are due. */
const MOST_PRUNED = 1_000;

function defined(options: WriterOptions): Partial<WriterSettings> & Pick<WriterSettings, 'holder'> {
  const { holder, ...others } = options;
  return { holder, ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)) };
}

class LeasedWriter {
  readonly #deps: WriterDeps;
  readonly #settings: WriterSettings;
  readonly #workers = new Map<string, Worker>();
  readonly #queue: (() => void)[] = [];
  readonly #stopping = new AbortController();
  #running = 0;
  #timer: Timer | undefined;
  #reviewedAtMs: number;
  #unsubscribe = (): void => {};
  #polling: Promise<void> = Promise.resolve();

  constructor(deps: WriterDeps, settings: WriterSettings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#reviewedAtMs = deps.clock.monotonic();
  }

  start(): void {
    this.#unsubscribe = this.#deps.journal.onChange((repository) => this.wake(repository));
    this.wake();
    this.#arm();
  }

  wake(repository?: string, review = false): void {
    if (this.#stopping.signal.aborted) return;
    if (repository === undefined) this.#polling = this.#polling.then(() => this.#poll());
    else this.#workerOf(repository).wake(review);
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#deps.clock.clearTimeout(this.#timer);
    this.#stopping.abort();
    for (const resume of this.#queue.splice(0)) resume();
    await this.#polling;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
  }

  #arm(): void {
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.wake();
      this.#arm();
    }, this.#settings.pollMs);
  }

  async #poll(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { journal, clock, log } = this.#deps;
    const review = clock.monotonic() - this.#reviewedAtMs >= this.#settings.reviewMs;
    try {
      for (const repository of await journal.waiting()) this.#workerOf(repository).wake(false);
      if (!review) return;
      for (const repository of await journal.waiting(OPEN_STATES)) this.#workerOf(repository).wake(true);
      this.#reviewedAtMs = clock.monotonic();
      for (const worker of this.#workers.values()) void worker.closeIfIdle(this.#settings.idleMs);
      await journal.prune({ keepMs: this.#settings.keepMs, most: MOST_PRUNED });
    } catch (error) {
      log.warn({ err: renderError(error) }, 'the journal does not say what waits');
    }
  }

  #workerOf(repository: string): Worker {
    const known = this.#workers.get(repository);
    if (known !== undefined) return known;
    const worker = createWorker(this.#deps, this.#settings, repository, (work) => this.#limit(work));
    this.#workers.set(repository, worker);
    return worker;
  }

  /** At most so many at the same time; the others in turn, each taking over the place of one that ended. */
  async #limit(work: () => Promise<void>): Promise<void> {
    if (this.#running < this.#settings.concurrency) this.#running += 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
