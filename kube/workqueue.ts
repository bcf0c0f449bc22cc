import type { Clock, Random, Timer } from './clock.ts';
import { DelayHeap, Lane } from './lanes.ts';

export type Priority = 'fresh' | 'resync';

export type WorkItem = {
  readonly key: string;
  readonly priority: Priority;
  /** When it became ready, by the monotonic clock. */
  readonly readyAtMs: number;
};

export type Backoff = { readonly baseMs: number; readonly factor: number; readonly maxMs: number };

/** 0.1, 0.3, 0.9, 2.7, 8.1, 24.3, 45 s: quick once, and at most 7 tries in the first minute of a permanent error. */
export const DEFAULT_BACKOFF: Backoff = { baseMs: 100, factor: 3, maxMs: 45_000 };

/** So many times in a row a key may fail, and what happens around it still brings it back at once. */
const EAGER_FAILURES = 2;
/** Later it shortens a back-off no further than to this: a key that fails for good is tried at most ten times a minute, whatever goes on around it. */
const PATIENT_MS = 15_000;

export type WorkqueueDeps = { readonly clock: Clock; readonly random: Random };

export type WorkqueueOptions = {
  readonly backoff?: Backoff | undefined;
  /** Groups keys that take turns. Default: what stands before the first slash. */
  readonly fairnessKey?: ((key: string) => string) | undefined;
  readonly onAdd?: ((priority: Priority) => void) | undefined;
};

/**
 * A set of keys to work on. One entry a key; a key that is being worked on is never handed out a second time, but remembered and
 * handed out again afterwards. Fresh keys go before resync keys (which still get every 16th turn), and groups take turns, so that
 * neither ten thousand resyncs nor one busy group delays another group's change.
 */
export class Workqueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: Backoff;
  readonly #fairnessKey: (key: string) => string;
  readonly #onAdd: ((priority: Priority) => void) | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #failures = new Map<string, Failure>();
  readonly #lanes: Readonly<Record<Priority, Lane>> = { fresh: new Lane(), resync: new Lane() };
  readonly #waiters: ((item: WorkItem | undefined) => void)[] = [];
  readonly #delayed = new DelayHeap();
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #turn = 0;
  #working = 0;
  #closed = false;

  constructor(deps: WorkqueueDeps, options: WorkqueueOptions = {}) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.#fairnessKey = options.fairnessKey ?? namespaceOf;
    this.#onAdd = options.onAdd;
  }

  /** Makes the key ready now; a later deadline that it had is dropped. A resync never lowers a fresh entry. */
  add(key: string, priority: Priority = 'fresh'): void {
    if (this.#closed) return;
    const entry = this.#entryOf(key);
    entry.dueAtMs = undefined;
    if (entry.working) {
      entry.again = strongest(entry.again, priority);
      entry.atOnce = true;
      return;
    }
    if (entry.lane !== undefined && strongest(entry.lane, priority) === entry.lane) return;
    this.#makeReady(key, entry, priority);
  }

  /** Like {@link add}; but a key that keeps failing waits for its back-off, or a shorter while. */
  addPatiently(key: string, priority: Priority = 'fresh'): void {
    const entry = this.#entries.get(key);
    const waitMs = this.#patienceMs(key);
    if (entry?.working === true && !entry.atOnce) entry.again = strongest(entry.again, priority);
    else if (waitMs > 0) this.addAfter(key, waitMs, priority);
    else this.add(key, priority);
  }

  /** Makes the key ready after `delayMs`; of two deadlines the earlier one wins, and being ready wins over both. */
  addAfter(key: string, delayMs: number, priority: Priority = 'fresh'): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key, priority);
      return;
    }
    const entry = this.#entryOf(key);
    if (entry.lane !== undefined || entry.again !== undefined) return;
    const atMs = this.#clock.monotonic() + delayMs;
    if (entry.dueAtMs !== undefined && entry.dueAtMs <= atMs) return;
    entry.dueAtMs = atMs;
    entry.duePriority = priority;
    if (this.#delayed.size > 1024 && this.#delayed.size > 4 * this.#entries.size) {
      this.#delayed.prune((one) => this.#entries.get(one.key)?.dueAtMs === one.atMs && one.key !== key);
    }
    this.#delayed.push({ key, atMs });
    this.#arm();
  }

  /** Counts a failure and makes the key ready after its back-off, at least `minimumMs`. Returns the delay. */
  addRateLimited(key: string, minimumMs = 0): number {
    const failures = this.failures(key);
    const { baseMs, factor, maxMs } = this.#backoff;
    const exact = Math.min(maxMs, baseMs * factor ** Math.min(failures, 64));
    const delayMs = Math.max(minimumMs, exact * (0.8 + 0.4 * this.#random.next()));
    this.#failures.set(key, { count: failures + 1, atMs: this.#clock.monotonic(), delayMs });
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** Ends the back-off of a key. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key)?.count ?? 0;
  }

  /** The next key, or undefined once the queue is closed. Whoever gets one must call {@link done}. */
  get(): Promise<WorkItem | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const item = this.#take();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  done(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || !entry.working) return;
    entry.working = false;
    this.#working -= 1;
    const { again, atOnce } = entry;
    entry.again = undefined;
    entry.atOnce = false;
    if (again !== undefined && atOnce) this.add(key, again);
    else if (again !== undefined) this.addPatiently(key, again);
    else if (entry.dueAtMs === undefined) this.#entries.delete(key);
  }

  /** Hands out nothing more; what is waiting is dropped. */
  close(): void {
    this.#closed = true;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
  }

  /** Keys that are ready. */
  depth(priority: Priority): number {
    return this.#lanes[priority].size;
  }

  counts(): { readonly ready: number; readonly working: number; readonly delayed: number } {
    const ready = this.depth('fresh') + this.depth('resync');
    let again = 0;
    let delayed = 0;
    for (const entry of this.#entries.values()) {
      if (entry.again !== undefined) again += 1;
      if (entry.dueAtMs !== undefined) delayed += 1;
    }
    return { ready: ready + again, working: this.#working, delayed };
  }

  /** How long a key that keeps failing still waits although something happened to it; 0 or less: it does not. */
  #patienceMs(key: string): number {
    const failure = this.#failures.get(key);
    if (failure === undefined || failure.count <= EAGER_FAILURES) return 0;
    return failure.atMs + Math.min(failure.delayMs, PATIENT_MS) - this.#clock.monotonic();
  }

  #entryOf(key: string): Entry {
    const found = this.#entries.get(key);
    if (found !== undefined) return found;
    const made: Entry = {
      lane: undefined,
      readyAtMs: 0,
      working: false,
      again: undefined,
      atOnce: false,
      dueAtMs: undefined,
      duePriority: 'fresh',
    };
    this.#entries.set(key, made);
    return made;
  }

  #makeReady(key: string, entry: Entry, priority: Priority): void {
    if (entry.lane === undefined) entry.readyAtMs = this.#clock.monotonic();
    else this.#lanes[entry.lane].forget();
    entry.lane = priority;
    this.#lanes[priority].push(this.#fairnessKey(key), key);
    this.#onAdd?.(priority);
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter(this.#take());
  }

  #take(): WorkItem | undefined {
    const { fresh, resync } = this.#lanes;
    if (fresh.size === 0 && resync.size === 0) return undefined;
    this.#turn += 1;
    const resyncTurn = resync.size > 0 && (fresh.size === 0 || this.#turn % RESYNC_TURN === 0);
    const priority: Priority = resyncTurn ? 'resync' : 'fresh';
    const key = this.#lanes[priority].shift((candidate) => this.#entries.get(candidate)?.lane === priority);
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || entry === undefined) return undefined;
    entry.lane = undefined;
    entry.working = true;
    this.#working += 1;
    return { key, priority, readyAtMs: entry.readyAtMs };
  }

  #arm(): void {
    const atMs = this.#delayed.peek()?.atMs;
    if (atMs === undefined || (this.#timer !== undefined && this.#timerAtMs <= atMs)) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.setTimeout(() => this.#fire(atMs), Math.max(0, atMs - this.#clock.monotonic()));
  }

  /** A timer may fire a little early by the monotonic clock; its own deadline counts as reached all the same. */
  #fire(firedForMs: number): void {
    this.#timer = undefined;
    const nowMs = Math.max(firedForMs, this.#clock.monotonic());
    for (let next = this.#delayed.peek(); next !== undefined && next.atMs <= nowMs; next = this.#delayed.peek()) {
      this.#delayed.pop();
      const entry = this.#entries.get(next.key);
      if (entry !== undefined && entry.dueAtMs === next.atMs) this.add(next.key, entry.duePriority);
    }
    this.#arm();
  }
}

/** The last of a row of failures: when it was, and how long its back-off is. */
type Failure = { readonly count: number; readonly atMs: number; readonly delayMs: number };

type Entry = {
  /** The lane in which it is ready. */
  lane: Priority | undefined;
  readyAtMs: number;
  working: boolean;
  /** Became ready while being worked on. */
  again: Priority | undefined;
  /** And is not to wait then, though it keeps failing. */
  atOnce: boolean;
  dueAtMs: number | undefined;
  duePriority: Priority;
};

/** A resync key goes first once in this many turns, so that a steady stream of changes cannot starve it. */
const RESYNC_TURN = 16;

function namespaceOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? '' : key.slice(0, slash);
}

function strongest(a: Priority | undefined, b: Priority): Priority {
  return a === 'fresh' || b === 'fresh' ? 'fresh' : 'resync';
}
