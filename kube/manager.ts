import type { Logger } from 'pino';
import type { Client } from './client.ts';
import type { Clock, Random } from './clock.ts';
import type { Controller } from './controller.ts';
import type { Informer } from './informer.ts';
import type { LeaderElectionOptions } from './leaderelection.ts';
import type { Metrics } from './metrics.ts';
import type { KubeObject } from './object.ts';

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

/** Returns normally when well; throws with the reason otherwise. */
export type Check = () => void | Promise<void>;

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

export declare function createManager(deps: ManagerDeps, options?: ManagerOptions): Manager;
