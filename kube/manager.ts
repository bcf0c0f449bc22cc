import type { Logger } from 'pino';
import type { Client } from './client.ts';
import type { Clock, Random } from './clock.ts';
import { allSynced, type Controller } from './controller.ts';
import { type Check, type HttpServer, startHttpServer } from './httpserver.ts';
import type { Informer } from './informer.ts';
import { createLeaderElector, type LeaderElectionOptions, type LeaderElector } from './leaderelection.ts';
import type { Metrics } from './metrics.ts';
import { type KubeObject, qualifiedName } from './object.ts';

export type ManagerDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
};

export type ManagerOptions = {
  readonly leaderElection?: LeaderElectionOptions | undefined;
  /** Serves /metrics, /healthz and /readyz. Port 0 picks a free one. */
  readonly http?: { readonly address: string; readonly port: number } | undefined;
  /** How long running reconciles may take to finish after a stop before their signal aborts. Default 10 000. */
  readonly gracefulStopMs?: number | undefined;
};

export type Runnable = {
  readonly name: string;
  /** Default true: started only while this process leads. */
  readonly needsLeaderElection?: boolean | undefined;
  /** Runs until the signal aborts. A rejection stops the whole manager. */
  start(signal: AbortSignal): Promise<void>;
};

export type Manager = {
  addInformer(informer: Informer<KubeObject>): void;
  /** Also adds the informers of the controller's watches. */
  addController(controller: Controller): void;
  addRunnable(runnable: Runnable): void;
  addHealthCheck(name: string, check: Check): void;
  addReadyCheck(name: string, check: Check): void;
  /** Resolves when stopped after the signal aborted. Rejects when leadership is lost or a runnable fails: the process should then exit. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when every informer has synced, this process leads (if it has to) and every controller works. */
  ready(): Promise<void>;
  isLeader(): boolean;
  /** Where the HTTP endpoints listen, once started. */
  address(): { readonly address: string; readonly port: number } | undefined;
};

/**
 * Starts and stops the parts of one process in order: HTTP, informers, leadership, then controllers and runnables; stops in the opposite
 * order, so that running reconciles end while caches still live, and the lease is given up only when nothing writes any more.
 * A controller whose kinds are not served yet waits alone; the others work.
 */
export function createManager(deps: ManagerDeps, options: ManagerOptions = {}): Manager {
  return new RunningManager(deps, options);
}

class RunningManager implements Manager {
  readonly #deps: ManagerDeps;
  readonly #gracefulStopMs: number;
  readonly #http: ManagerOptions['http'];
  readonly #elector: LeaderElector | undefined;
  readonly #informers = new Set<Informer<KubeObject>>();
  readonly #controllers: Controller[] = [];
  readonly #runnables: Runnable[] = [];
  readonly #healthChecks = new Map<string, Check>([['ping', () => {}]]);
  readonly #readyChecks = new Map<string, Check>();
  readonly #stopped = new AbortController();
  readonly #leading = Promise.withResolvers<void>();
  #server: HttpServer | undefined;
  #started = false;

  constructor(deps: ManagerDeps, options: ManagerOptions) {
    this.#deps = deps;
    this.#gracefulStopMs = options.gracefulStopMs ?? 10_000;
    this.#http = options.http;
    this.#elector =
      options.leaderElection === undefined ? undefined : createLeaderElector(deps, options.leaderElection);
    this.#readyChecks.set('informers', () => this.#checkInformers());
  }

  addInformer(informer: Informer<KubeObject>): void {
    this.#refuseWhenStarted();
    this.#informers.add(informer);
  }

  addController(controller: Controller): void {
    this.#refuseWhenStarted();
    this.#controllers.push(controller);
    for (const informer of controller.informers) this.#informers.add(informer);
  }

  addRunnable(runnable: Runnable): void {
    this.#refuseWhenStarted();
    this.#runnables.push(runnable);
  }

  addHealthCheck(name: string, check: Check): void {
    this.#healthChecks.set(name, check);
  }

  addReadyCheck(name: string, check: Check): void {
    this.#readyChecks.set(name, check);
  }

  isLeader(): boolean {
    return this.#elector === undefined ? this.#started : this.#elector.isLeader();
  }

  address(): { readonly address: string; readonly port: number } | undefined {
    return this.#server;
  }

  async ready(): Promise<void> {
    const { signal } = this.#stopped;
    await allSynced([...this.#informers], signal);
    await Promise.race([this.#leading.promise, aborted(signal)]);
    await Promise.race([Promise.all(this.#controllers.map((controller) => controller.ready())), aborted(signal)]);
    if (signal.aborted) throw new Error('the manager stopped before it was ready');
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#refuseWhenStarted();
    this.#started = true;
    const { log, metrics } = this.#deps;
    const healthChecks = this.#healthChecks;
    const readyChecks = this.#readyChecks;
    if (this.#http !== undefined)
      this.#server = await startHttpServer({ ...this.#http, metrics, healthChecks, readyChecks, log });
    const caches = new AbortController();
    const informing = [...this.#informers].map((informer) => informer.start(caches.signal));
    const failure = await this.#run(signal);
    this.#stopped.abort(failure ?? new Error('the manager stopped'));
    caches.abort(new Error('the manager stopped'));
    await Promise.all(informing);
    await this.#server?.close();
    log.info({ failed: failure !== undefined }, 'manager stopped');
    if (failure !== undefined) throw failure;
  }

  /** Runs until the signal aborts or something fails; returns the failure. */
  async #run(signal: AbortSignal): Promise<Error | undefined> {
    const stop = new AbortController();
    let failure: Error | undefined;
    const fail = (error: unknown): void => {
      failure ??= error instanceof Error ? error : new Error(String(error));
      stop.abort(failure);
    };
    const onAbort = (): void => stop.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const anywhere = this.#runnables.filter((runnable) => runnable.needsLeaderElection === false);
    const running = this.#startRunnables(anywhere, stop.signal, fail);
    await this.#lead(stop, fail);
    await Promise.all(running);
    signal.removeEventListener('abort', onAbort);
    return failure;
  }

  /** Becomes leader where that is needed, works, and returns when everything has ended and the lease is given up. */
  async #lead(stop: AbortController, fail: (error: unknown) => void): Promise<void> {
    const elector = this.#elector;
    if (elector !== undefined && !(await elector.acquire(stop.signal))) return;
    const renewing = new AbortController();
    let lost = false;
    const holding = elector?.hold(renewing.signal).catch((error: unknown) => {
      lost = true;
      fail(error);
    });
    const led = this.#runnables.filter((runnable) => runnable.needsLeaderElection !== false);
    const running = this.#startRunnables(led, stop.signal, fail);
    const work = new AbortController();
    const mayWork = (): boolean => elector === undefined || elector.isLeader();
    const onStop = (): void => work.abort(stop.signal.reason);
    if (stop.signal.aborted) onStop();
    stop.signal.addEventListener('abort', onStop, { once: true });
    const grace = this.#gracefulStopMs;
    const working = this.#controllers.map((controller) =>
      controller.start(work.signal, { mayWork, graceMs: () => (lost ? 0 : grace) }).catch(fail),
    );
    this.#leading.resolve();
    await Promise.all([...working, ...running]);
    await aborted(stop.signal);
    renewing.abort();
    await holding;
    await elector?.release();
  }

  #startRunnables(
    runnables: readonly Runnable[],
    signal: AbortSignal,
    fail: (error: unknown) => void,
  ): Promise<void>[] {
    return runnables.map(async (runnable) => {
      try {
        await runnable.start(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.log.error({ err: error, runnable: runnable.name }, 'a part of the process failed');
        fail(error);
      }
    });
  }

  #checkInformers(): void {
    const behind = [...this.#informers].filter((informer) => !informer.hasSynced());
    if (behind.length === 0) return;
    const names = behind.map((informer) => `${qualifiedName(informer.resource)} (${informer.state()})`);
    throw new Error(`not synced: ${names.join(', ')}`);
  }

  #refuseWhenStarted(): void {
    if (this.#started) throw new Error('the manager has been started already');
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
