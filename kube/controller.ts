import type { Logger } from 'pino';
import type { Clock, Random, Timer } from './clock.ts';
import { createControllerMetrics } from './controllermetrics.ts';
import { PausedError, renderError, StatusError, TerminalError, TransientError, WaitingError } from './errors.ts';
import type { EventInfo, Informer } from './informer.ts';
import type { Metrics } from './metrics.ts';
import { type KubeObject, objectKey } from './object.ts';
import { DEFAULT_BACKOFF, type WorkItem, Workqueue } from './workqueue.ts';

export type Result = { readonly requeueAfterMs?: number | undefined };

/** Makes reality match for one key. Level-triggered: reads what it needs from informers; the key is all that it gets. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Result | undefined> | Promise<void>;

/**
 * One source of keys: for each change of the informer's objects that passes the predicate, `map` names what to reconcile.
 * An update maps both the old and the new object, so that a child that changes its owner wakes both.
 */
export type Watch<T extends KubeObject> = {
  readonly informer: Informer<T>;
  map(object: T): readonly string[];
  readonly predicate?: Predicate<T> | undefined;
  /**
   * Whether the answers to our own writes (`observeWrite`) ask for a reconcile too. Default true. False spares one reconcile a write and
   * is right for children whose status nobody reads: what the answer holds was just written. Wrong where the answer may carry news,
   * such as a spec that somebody else changed in between.
   */
  readonly ownWrites?: boolean | undefined;
  /**
   * Whether the controller waits for the kind to be served. Default true. False is for a reconcile that can do part of its work without, and looks by
   * itself whether the kind was ever read.
   */
  readonly required?: boolean | undefined;
};

/** Absent members let everything pass. */
export type Predicate<T extends KubeObject> = {
  onAdd?(object: T): boolean;
  onUpdate?(old: T, object: T): boolean;
  onDelete?(object: T): boolean;
};

export type ControllerDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
};

export type ControllerOptions = {
  /** Lower case; the `controller` label of metrics. */
  readonly name: string;
  readonly workers: number;
  readonly watches: readonly Watch<KubeObject>[];
  readonly reconcile: Reconcile;
  readonly backoff?: { readonly baseMs?: number; readonly factor?: number; readonly maxMs?: number } | undefined;
  /** The reconcile's signal aborts after this long. Absent: never. */
  readonly reconcileTimeoutMs?: number | undefined;
  /** Groups keys for fairness. Default: the namespace. */
  readonly fairnessKey?: ((key: string) => string) | undefined;
};

export type StartOptions = {
  /** How long running reconciles may take after the signal before their own signal aborts; asked at the signal. Default 0: at once. */
  readonly graceMs?: (() => number) | undefined;
  /** Asked before each reconcile; while false nothing is started. For leaders that may have been deposed while asleep. */
  readonly mayWork?: (() => boolean) | undefined;
};

export type Controller = {
  readonly name: string;
  readonly informers: readonly Informer<KubeObject>[];
  /** Asks for a reconcile by hand: the way in for events that no watch carries. */
  enqueue(
    key: string,
    options?: { readonly afterMs?: number | undefined; readonly priority?: 'fresh' | 'resync' | undefined },
  ): void;
  /** Waits until the informers of its watches have synced, then works until the signal aborts and running reconciles ended. */
  start(signal: AbortSignal, options?: StartOptions): Promise<void>;
  /** True from the moment that the workers run. */
  started(): boolean;
  /** Resolves once the workers run for the first time. */
  ready(): Promise<void>;
  /** Keys waiting, working or delayed; for tests and simulators that ask whether anything is left to do. */
  pending(): { readonly ready: number; readonly working: number; readonly delayed: number };
};

/** Keeps the element type of a watch while inference runs, for arrays that mix kinds. */
export function watchOf<T extends KubeObject>(watch: Watch<T>): Watch<KubeObject> {
  return watch;
}

/**
 * Runs `reconcile` for every key that a watch names. Only here errors become requeues: `TerminalError` stalls until a watch fires,
 * `WaitingError` comes back at its time, everything else backs off key by key (and at least for as long as a `Retry-After` asked).
 *
 * Handlers are attached when the controller is made, so informers must not have been dropped before; keys that arrive before
 * `start` wait.
 */
export function createController(deps: ControllerDeps, options: ControllerOptions): Controller {
  const { clock, random } = deps;
  const log = deps.log.child({ controller: options.name });
  const backoff = { ...DEFAULT_BACKOFF, ...options.backoff };
  const metrics = createControllerMetrics(deps.metrics, clock, options.name, options.workers);
  const { fairnessKey } = options;
  const queue = new Workqueue({ clock, random }, { backoff, fairnessKey, onAdd: metrics.added });
  metrics.observeQueue(queue);
  for (const watch of options.watches) subscribe(watch, queue, log);
  const informers = [...new Set(options.watches.map((watch) => watch.informer))];
  const required = new Set(options.watches.filter((watch) => watch.required !== false).map((watch) => watch.informer));
  const ready = Promise.withResolvers<void>();
  let running = false;

  return {
    name: options.name,
    informers,
    enqueue: (key, { afterMs = 0, priority = 'fresh' } = {}) => queue.addAfter(key, afterMs, priority),
    started: () => running,
    ready: () => ready.promise,
    pending: () => queue.counts(),
    start: async (signal, { graceMs = () => 0, mayWork = () => true } = {}) => {
      await allSynced(informers, signal, required);
      if (signal.aborted) return;
      log.info({ workers: options.workers }, 'controller started');
      running = true;
      ready.resolve();
      const work = new AbortController();
      let grace: Timer | undefined;
      const stop = (): void => {
        queue.close();
        const leftMs = graceMs();
        if (leftMs <= 0) work.abort(signal.reason);
        else grace = clock.setTimeout(() => work.abort(signal.reason), leftMs);
      };
      signal.addEventListener('abort', stop, { once: true });
      const worker = async (): Promise<void> => {
        for (let item = await queue.get(); item !== undefined; item = await queue.get()) {
          if (mayWork()) await reconcileOne({ deps, options, queue, metrics, log }, item, work.signal);
          else queue.addAfter(item.key, STANDBY_MS, item.priority);
          queue.done(item.key);
        }
      };
      await Promise.all(Array.from({ length: options.workers }, worker));
      clock.clearTimeout(grace);
      signal.removeEventListener('abort', stop);
      running = false;
      log.info('controller stopped');
    },
  };
}

/** How long a key waits while this process may not work. */
const STANDBY_MS = 1_000;

/** Resolves once all informers have synced at the same time, or the signal aborts. What is not in `required` may not be served instead. */
export function allSynced(
  informers: readonly Informer<KubeObject>[],
  signal: AbortSignal,
  required: ReadonlySet<Informer<KubeObject>> = new Set(informers),
): Promise<void> {
  return new Promise((resolve) => {
    const removers: (() => void)[] = [];
    const isSettled = (informer: Informer<KubeObject>): boolean =>
      informer.hasSynced() || (!required.has(informer) && informer.state() === 'unavailable');
    const check = (): void => {
      if (!signal.aborted && !informers.every(isSettled)) return;
      for (const remove of removers.splice(0)) remove();
      signal.removeEventListener('abort', check);
      resolve();
    };
    for (const informer of informers) removers.push(informer.onStateChange(check));
    signal.addEventListener('abort', check, { once: true });
    check();
  });
}

function subscribe(watch: Watch<KubeObject>, queue: Workqueue, log: Logger): void {
  const { informer, predicate, ownWrites = true } = watch;
  const enqueue = (objects: readonly KubeObject[], { cause }: EventInfo): void => {
    if (cause === 'own' && !ownWrites) return;
    const priority = cause === 'fresh' || cause === 'own' ? 'fresh' : 'resync';
    const own = objects.map(objectKey);
    for (const key of new Set(objects.flatMap((object) => watch.map(object)))) {
      // Whoever changes the object itself is answered at once, however often it failed before.
      if (own.includes(key)) queue.add(key, priority);
      else queue.addPatiently(key, priority);
    }
  };
  informer.addEventHandler({
    onAdd: (object, info) => {
      if (predicate?.onAdd?.(object) ?? true) enqueue([object], info);
    },
    onUpdate: (old, object, info) => {
      if (info.cause !== 'resync' && !(predicate?.onUpdate?.(old, object) ?? true)) return;
      enqueue(old === object ? [object] : [old, object], info);
    },
    onDelete: (object, info) => {
      if (predicate?.onDelete?.(object) ?? true) enqueue([object], info);
    },
  });
  informer.onStateChange((state) => {
    if (state === 'unavailable')
      log.warn({ kind: informer.resource.kind }, 'waiting: the API server does not serve this kind');
  });
}

type Work = {
  readonly deps: ControllerDeps;
  readonly options: ControllerOptions;
  readonly queue: Workqueue;
  readonly metrics: ReturnType<typeof createControllerMetrics>;
  readonly log: Logger;
};

async function reconcileOne(work: Work, item: WorkItem, signal: AbortSignal): Promise<void> {
  const { options, queue, metrics, log } = work;
  const { key } = item;
  const finished = metrics.started(item);
  try {
    const result = await withTimeout(work.deps.clock, options.reconcileTimeoutMs, signal, (limited) =>
      toResult(options.reconcile(key, limited)),
    );
    queue.forget(key);
    const requeueAfterMs = result?.requeueAfterMs;
    if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs, 'fresh');
    finished(requeueAfterMs === undefined ? 'success' : 'requeue_after');
  } catch (error) {
    if (signal.aborted) {
      finished('error');
      log.debug({ key, err: error }, 'reconcile ended by the stop');
    } else finished(applyError(work, key, error));
  }
}

async function toResult(running: Promise<Result | undefined> | Promise<void>): Promise<Result | undefined> {
  const result = await running;
  return typeof result === 'object' ? result : undefined;
}

type Outcome = 'error' | 'terminal' | 'requeue_after';

/** The one place that maps an error to when the key is looked at again. */
function applyError({ queue, log, metrics }: Work, key: string, error: unknown): Outcome {
  if (error instanceof WaitingError) {
    queue.forget(key);
    queue.addAfter(key, error.retryAfterMs);
    log.debug({ key, retryAfterMs: error.retryAfterMs, waitingFor: error.message }, 'reconcile waits');
    return 'requeue_after';
  }
  if (error instanceof PausedError) {
    queue.addAfter(key, error.retryAfterMs);
    log.debug(
      { key, retryAfterMs: error.retryAfterMs, error: error.message },
      'reconcile waits for an object that fails',
    );
    return 'requeue_after';
  }
  if (error instanceof TerminalError) {
    queue.forget(key);
    log.warn({ key, reason: error.reason, error: error.message }, 'reconcile stalled until something changes');
    return 'terminal';
  }
  const known = error instanceof TransientError || error instanceof StatusError;
  metrics.retried();
  const retryAfterMs = queue.addRateLimited(key, known ? error.retryAfterMs : undefined);
  const fields = {
    key,
    failures: queue.failures(key),
    retryAfterMs: Math.round(retryAfterMs),
    error: renderError(error),
  };
  if (known) log.warn(fields, 'reconcile failed, trying again');
  else log.error({ ...fields, err: error }, 'reconcile failed, trying again');
  return 'error';
}

async function withTimeout<R>(
  clock: Clock,
  timeoutMs: number | undefined,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  if (timeoutMs === undefined) return run(signal);
  const limited = new AbortController();
  const stop = (): void => limited.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const expired = new TransientError(`the reconcile did not end within ${timeoutMs} ms`);
  const timer = clock.setTimeout(() => limited.abort(expired), timeoutMs);
  try {
    return await run(limited.signal);
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
