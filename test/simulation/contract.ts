import type { Client } from '../../kube/client.ts';
import type { Manager } from '../../kube/manager.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { TrailEvent } from '../../simulator/invariants/trail.ts';
import type { SimulatorOptions } from '../../simulator/kubevirt/options.ts';
import type { Latency, Link, LinkHooks } from '../../simulator/link.ts';
import type { VirtualProcess } from '../../simulator/process.ts';
import type { SeededRandom } from '../../simulator/random.ts';
import type { Scheduler } from '../../simulator/scheduler.ts';
import type { Engine } from './engine.ts';

/**
 * - `operator`, `source`: the product, the same code as in production.
 * - `flux`: what plays source-controller and kustomize-controller.
 * - `kubevirt`: what plays KubeVirt, CDI, storage and load balancer.
 * - `controllers`: what plays kube-controller-manager (garbage collection, namespaces, object counts).
 * - `writer`: the product's Git write engine, the part of the API that carries out orders; only in worlds with an engine.
 */
export type Role = 'operator' | 'source' | 'flux' | 'kubevirt' | 'controllers' | 'writer';
export const ROLES = [
  'controllers',
  'kubevirt',
  'flux',
  'source',
  'operator',
  'writer',
] as const satisfies readonly Role[];

/**
 * `production`: every interval as deployed. `year`: nothing renews by itself more often than daily, and nobody elects a leader; all of it is ordinary
 * configuration.
 */
export type Intervals = 'production' | 'year';

export type WorldOptions = {
  readonly seed: number;
  /** Default 2026-01-01. */
  readonly startMs?: number | undefined;
  /** Default `production`. */
  readonly intervals?: Intervals | undefined;
  /** Settings over those of `intervals`; as `OperatorConfig` and `SourceConfig` take them. */
  readonly operator?: Readonly<Record<string, unknown>> | undefined;
  readonly source?: Readonly<Record<string, unknown>> | undefined;
  readonly kubevirt?: SimulatorOptions | undefined;
  /** Of every message, one way. Default 0.2 to 2 ms. */
  readonly latency?: Latency | undefined;
  /** False: no Flux and no source; objects come by `admin` alone. Default true. */
  readonly flux?: boolean | undefined;
  /** The Git write engine runs, and people may order through it. Default false. */
  readonly engine?: boolean | undefined;
  /** Desktop images that exist from the beginning. Default `ubuntu-24`, `debian-13`. */
  readonly images?: readonly string[] | undefined;
  /** A process that gives up by itself is started again after this long, as the kubelet does. Absent: it stays away. */
  readonly restartMs?: number | undefined;
  /** Keeps a hash over every call, answer, watch line and timer. Default false: it costs time. */
  readonly recordHistory?: boolean | undefined;
  /** Log lines of the roles go here, as JSON; absent: nowhere. */
  readonly log?: ((line: string) => void) | undefined;
};

/** One process of a role. The trail calls it `operator/1`, and another number after each start. */
export type RunningRole = {
  readonly role: Role;
  readonly name: string;
  readonly process: VirtualProcess;
  readonly link: Link;
  readonly manager: Manager | undefined;
  /** Whether it reached the state in which it works; false again when it is killed or has given up. */
  isReady(): boolean;
  /** What it rejected with when it gave up by itself. */
  failure(): unknown;
  /** As `kill -9`: nothing of it has an effect from now on. */
  kill(): void;
  /** As SIGTERM; runs the world until it has ended. */
  stop(): Promise<void>;
};

/** The fleet repository: a branch of a forge, in memory. Paths as in the real one. */
export type FleetRepository = {
  /** Changes the checkout; nobody sees it before {@link FleetRepository.push}. */
  write(path: string, text: string): void;
  /** A file, or all below a folder. */
  remove(path: string): void;
  read(path: string): string | undefined;
  paths(under?: string): readonly string[];
  /** Commits the checkout as it is, on what the branch is by then, and pushes it; gives the commit. Flux is told, as by a webhook. */
  push(message: string): string;
  /** Sets the branch to a commit that it had, and the checkout with it. */
  forcePush(commit: string): void;
  /** The branch goes. The next push or {@link FleetRepository.forcePush} brings it back. */
  removeBranch(): void;
  head(): string;
  /** Commits of the branch, also of one that is gone, the newest first. */
  history(): readonly string[];
  /** Tells Flux to look, as a webhook does. */
  notify(): void;
  /** A person confirms what the present commit removes. */
  confirm(): void;
  /** While false, Flux cannot fetch. */
  setReachable(reachable: boolean): void;
};

/** What to run, and until when. */
export type Until = {
  /** Virtual time that may pass. Default one hour. */
  readonly withinMs?: number | undefined;
  /** What is waited for, for the error. */
  readonly what?: string | undefined;
};

/** The whole product on an embedded API server, in virtual time, decided by one seed. Time passes only inside `run...` and `stop`. */
export type World = {
  readonly seed: number;
  readonly scheduler: Scheduler;
  /** A stream of its own for whoever drives the world. */
  readonly random: SeededRandom;
  /** A person with kubectl. Answers come at once: no time passes. */
  readonly admin: Client;
  readonly repository: FleetRepository;
  /** Journal and remote of the Git write engine; undefined in worlds without. */
  readonly engine: Engine | undefined;
  nowMs(): number;

  /** Starts a process of a role; resolves at once, before it is ready. Several of one role may run. */
  start(role: Role, settings?: Readonly<Record<string, unknown>>): RunningRole;
  /** Those that run, in the order of their starts. */
  running(role: Role): readonly RunningRole[];
  /** Kills all of the role. */
  kill(role: Role): void;
  /** Kills all of the role and starts one. */
  restart(role: Role): RunningRole;
  /** Every role that does not run is started, and all are ready. */
  startAll(): Promise<void>;

  /** What happens on the network; asked for the calls of all roles. Absent members change nothing. */
  setHooks(hooks: LinkHooks): void;
  /** Of every message from now on; absent: as at first. */
  setLatency(latency?: Latency): void;
  /** The API server forgets its history, so that watches from before get 410. */
  compact(): void;
  /** A node is lost: guests on it crash. Without a name, one at random. */
  crashNode(name?: string): void;
  /** The RDP server of a guest stops or resumes answering; `key` is `namespace/name` of the VirtualMachineInstance. */
  setGuestAnswers(key: string, answers: boolean): void;

  runFor(ms: number): Promise<void>;
  /** Runs to a moment by the true clock. */
  runTo(atMs: number): Promise<void>;
  /** Rejects when it does not become true within the time. */
  runUntil(check: () => boolean, until?: Until): Promise<void>;
  /** Runs until no object but Leases and Events changed for `quietMs` (default 60 s). */
  runUntilQuiet(options?: Until & { readonly quietMs?: number | undefined }): Promise<void>;

  /** Hears of every event of the trail as it happens; gives the function that ends it. */
  onTrail(listener: (event: TrailEvent) => void): () => void;
  mark(type: 'settled' | 'disturbed'): void;

  /** The stored object, without a call; undefined when there is none. `resource` is plural and group. */
  peek<T extends KubeObject>(resource: string, key: string): T | undefined;
  list<T extends KubeObject>(resource: string): readonly T[];
  /** Every object without what differs from run to run (uid, resourceVersion, times), as lines of text, sorted. */
  dump(): readonly string[];
  /** Mutating calls that the API server carried out, by process name; dry runs do not count. */
  writes(): ReadonlyMap<string, number>;
  /** The last calls and changes in plain words, newest last. */
  tail(): readonly string[];
  /** SHA-256 of the history so far; throws unless `recordHistory`. */
  historyHash(): string;
  /** Kills everything. */
  close(): void;
};
