import { sleep, type Timer } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import { DEFAULT_FILE_LIMITS } from '../document/parse.ts';
import { createFileCache, type FileCache } from '../filecache.ts';
import { type Lease, LeaseLost } from '../journal.ts';
import { createDoubt, type Doubt } from './doubt.ts';
import { explain } from './explain.ts';
import type { WriterDeps, WriterSettings } from './options.ts';
import { runRound } from './round.ts';
import type { RoundResult } from './rounddeps.ts';
import type { WritableRepository } from './target.ts';
import { createVetter, type Vetter } from './vet.ts';

/** The writer of one repository. */
export type Worker = {
  /** There may be something to do; `review`: look at the branch and at the forge even if nothing waits. */
  wake(review: boolean): void;
  closeIfIdle(idleMs: number): Promise<void>;
  stop(): Promise<void>;
};

type Limit = (work: () => Promise<void>) => Promise<void>;
type Opened = { readonly target: WritableRepository; readonly cache: FileCache; readonly vetter: Vetter | undefined };

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
const FIRST_CONTENTION_MS = 20;
const MAX_CONTENTION_MS = 5_000;
/** How often a lease of somebody else is asked for, and a repository that is not to be seen, as long as something waits. */
const LEASE_POLL_MS = 1_000;

export function createWorker(deps: WriterDeps, settings: WriterSettings, repository: string, limit: Limit): Worker {
  return new RepositoryWorker(deps, settings, repository, limit);
}

class RepositoryWorker implements Worker {
  readonly #deps: WriterDeps;
  readonly #settings: WriterSettings;
  readonly #repository: string;
  readonly #limit: Limit;
  readonly #stopping = new AbortController();
  readonly #doubt: Doubt;
  #opened: Opened | undefined;
  #running: Promise<void> | undefined;
  #dirty = false;
  #review = false;
  #retry: Timer | undefined;
  #reminder: Timer | undefined;
  #lease: Lease | undefined;
  #pushedAtMs = Number.NEGATIVE_INFINITY;
  #busyAtMs: number;
  /** Failures in a row, rounds lost to others in a row, refusals of one push in a row; and how many changes the next push may have. */
  #failures = 0;
  #contentions = 0;
  #refusals = 0;
  #most: number;

  constructor(deps: WriterDeps, settings: WriterSettings, repository: string, limit: Limit) {
    this.#deps = deps;
    this.#settings = settings;
    this.#repository = repository;
    this.#limit = limit;
    this.#doubt = createDoubt(deps.clock);
    this.#most = settings.most;
    this.#busyAtMs = deps.clock.monotonic();
  }

  wake(review: boolean): void {
    if (this.#stopping.signal.aborted) return;
    this.#dirty = true;
    this.#review ||= review;
    // One that failed waits for its time, whoever calls; what runs looks again at its end.
    if (this.#running !== undefined || this.#retry !== undefined) return;
    this.#running = this.#limit(() => this.#run()).finally(() => {
      this.#running = undefined;
      if (this.#dirty) this.wake(false);
    });
  }

  async closeIfIdle(idleMs: number): Promise<void> {
    const { clock } = this.#deps;
    if (this.#running !== undefined || clock.monotonic() - this.#busyAtMs < idleMs) return;
    await this.#close();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the writer stops'));
    this.#deps.clock.clearTimeout(this.#retry);
    this.#deps.clock.clearTimeout(this.#reminder);
    this.#dirty = false;
    await this.#running;
    if (this.#lease !== undefined) await this.#deps.journal.release(this.#lease).catch(() => {});
    await this.#close();
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    while (this.#dirty && !this.#stopping.signal.aborted) {
      this.#dirty = false;
      const review = this.#review;
      this.#review = false;
      this.#busyAtMs = clock.monotonic();
      try {
        const waitMs = await this.#turn(review);
        if (waitMs === undefined) continue;
        return this.#later(waitMs, review);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        const waitMs = this.#backoff(FIRST_BACKOFF_MS, MAX_BACKOFF_MS, this.#failures);
        this.#failures += 1;
        log.warn(
          { repository: this.#repository, err: renderError(error), retryMs: waitMs },
          'writing a repository failed',
        );
        if (error instanceof LeaseLost) this.#lease = undefined;
        else await this.#explain(renderError(error));
        return this.#later(waitMs, review);
      }
    }
  }

  /** One round. Gives how long to wait before the next, or nothing when the next is due whenever something comes. */
  async #turn(review: boolean): Promise<number | undefined> {
    const { clock, journal } = this.#deps;
    const { leaseMs } = this.#settings;
    const isNeeded = (await journal.pending(this.#repository, ['Accepted'], 1)).length > 0;
    if (!isNeeded && !review) return undefined;
    const opened = await this.#open();
    if (opened === undefined && !this.#doubt.hasLasted(this.#repository))
      return this.#backoff(LEASE_POLL_MS, LEASE_POLL_MS, 0);
    if (opened === undefined) return this.#abandon();
    this.#doubt.forget(this.#repository);
    const pauseMs = this.#pushedAtMs + opened.target.pushWindowMs - clock.monotonic();
    if (pauseMs > 0) return pauseMs;
    const lease = await journal.lease(this.#repository, this.#settings.holder, leaseMs);
    this.#lease = lease;
    // Another process writes it. It may stop or die, and what waits then is ours.
    if (lease === undefined) return isNeeded ? this.#backoff(LEASE_POLL_MS, leaseMs, 0) : undefined;
    const options = { leaseMs, most: this.#most, refusals: this.#refusals, review };
    const deps = { ...this.#deps, ...opened, doubt: this.#doubt };
    const result = await this.#beat(lease, (signal) => runRound(deps, lease, options, signal));
    return this.#digest(result);
  }

  async #digest(result: RoundResult): Promise<number | undefined> {
    const { clock, log } = this.#deps;
    if (result.type !== 'contended') this.#contentions = 0;
    if (result.type !== 'refused') this.#refusals = 0;
    if (result.type !== 'waiting') this.#failures = 0;
    if ('pushed' in result && result.pushed) this.#pushedAtMs = clock.monotonic();
    switch (result.type) {
      case 'done':
        this.#dirty ||= result.more;
        // After a refusal the way back to large pushes is taken step by step.
        this.#most = Math.min(this.#settings.most, this.#most * 4);
        return undefined;
      case 'contended':
        log.info({ repository: this.#repository, why: result.why }, 'fetching and replaying');
        this.#contentions += 1;
        return this.#backoff(FIRST_CONTENTION_MS, MAX_CONTENTION_MS, this.#contentions - 1);
      case 'refused':
        log.warn(
          { repository: this.#repository, why: result.why, changes: result.changes },
          'the repository does not take a push',
        );
        this.#refusals = result.changes === 1 ? this.#refusals + 1 : 0;
        this.#most = Math.max(1, Math.ceil(result.changes / 2));
        return this.#backoff(FIRST_CONTENTION_MS, MAX_CONTENTION_MS, this.#refusals);
      case 'waiting': {
        await this.#explain(result.why);
        this.#failures += 1;
        const waitMs = this.#backoff(FIRST_BACKOFF_MS, MAX_BACKOFF_MS, this.#failures - 1);
        if (result.blocking) return waitMs;
        this.#again(waitMs);
        return undefined;
      }
    }
  }

  /** Renews the lease while the work goes on, and ends the work when it cannot. */
  async #beat<T>(lease: Lease, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, journal } = this.#deps;
    const { leaseMs } = this.#settings;
    const lost = new AbortController();
    const done = new AbortController();
    const renew = async (): Promise<void> => {
      for (;;) {
        await sleep(clock, leaseMs / 3, done.signal);
        const renewed = await journal.lease(lease.repository, lease.holder, leaseMs).catch(() => lease);
        if (renewed?.epoch !== lease.epoch)
          return lost.abort(new LeaseLost(`the lease of ${lease.repository} went to another`));
      }
    };
    renew().catch(() => {});
    try {
      return await work(AbortSignal.any([lost.signal, this.#stopping.signal]));
    } finally {
      done.abort();
    }
  }

  async #open(): Promise<Opened | undefined> {
    const opened = this.#opened;
    if (opened !== undefined && (opened.target.isCurrent?.() ?? true)) return opened;
    await this.#close();
    const target = await this.#deps.open(this.#repository);
    if (target === undefined) return undefined;
    const vetter = target.dryRun === undefined ? undefined : createVetter(target.dryRun);
    this.#opened = { target, vetter, cache: createFileCache(DEFAULT_FILE_LIMITS, target.cacheCharacters) };
    return this.#opened;
  }

  /** There is no such repository, so nothing that was accepted for it can be carried out. */
  async #abandon(): Promise<undefined> {
    const { journal } = this.#deps;
    const lease = await journal.lease(this.#repository, this.#settings.holder, this.#settings.leaseMs);
    if (lease === undefined) return;
    const message = 'the repository that this was accepted for is not there any more';
    const waiting = await journal.pending(this.#repository, ['Accepted', 'Proposed'], this.#settings.most);
    await journal.record(
      lease,
      new Map(waiting.map(({ id }) => [id, { state: 'Rejected', reason: 'NoRepository', message }])),
    );
  }

  async #close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.target.repository.close().catch(() => {});
  }

  /** Tells those who wait, as far as the journal answers and nobody else writes. Who cannot open the repository leaves it to those who can. */
  async #explain(why: string): Promise<void> {
    const { journal } = this.#deps;
    try {
      const lease = await journal.lease(this.#repository, this.#settings.holder, this.#settings.leaseMs);
      this.#lease = lease;
      if (lease === undefined) return;
      await explain(journal, lease, why);
      if (this.#opened === undefined) await journal.release(lease);
    } catch {
      // The journal does not answer; the next attempt tells.
    }
  }

  /** Looks again after a while, and before when something comes. */
  #again(ms: number): void {
    const { clock } = this.#deps;
    clock.clearTimeout(this.#reminder);
    this.#reminder = clock.setTimeout(() => this.wake(false), ms);
  }

  #later(ms: number, review: boolean): void {
    this.#retry = this.#deps.clock.setTimeout(() => {
      this.#retry = undefined;
      this.wake(review);
    }, ms);
  }

  #backoff(firstMs: number, maxMs: number, failures: number): number {
    return Math.min(maxMs, firstMs * 2 ** failures) * (0.5 + this.#deps.random.next() / 2);
  }
}
