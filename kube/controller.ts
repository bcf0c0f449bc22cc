import type { Logger } from 'pino';
import type { Clock, Random } from './clock.ts';
import type { Informer } from './informer.ts';
import type { Metrics } from './metrics.ts';
import type { KubeObject } from './object.ts';

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

export type Controller = {
  readonly name: string;
  readonly informers: readonly Informer<KubeObject>[];
  /** Asks for a reconcile by hand: the way in for events that no watch carries. */
  enqueue(
    key: string,
    options?: { readonly afterMs?: number | undefined; readonly priority?: 'fresh' | 'resync' | undefined },
  ): void;
  /** Waits until the informers of its watches have synced, then works until the signal aborts and running reconciles ended. */
  start(signal: AbortSignal): Promise<void>;
  /** True from the moment that the workers run. */
  started(): boolean;
  /** Keys waiting, working or delayed; for tests and simulators that ask whether anything is left to do. */
  pending(): { readonly ready: number; readonly working: number; readonly delayed: number };
};

/** Keeps the element type of a watch while inference runs, for arrays that mix kinds. */
export function watchOf<T extends KubeObject>(watch: Watch<T>): Watch<KubeObject> {
  return watch;
}

export declare function createController(deps: ControllerDeps, options: ControllerOptions): Controller;
