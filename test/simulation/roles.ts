import { gunzipSync } from 'node:zlib';
import { type Logger, pino } from 'pino';
import { type Client, createClientOn } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { Manager } from '../../kube/manager.ts';
import { createMetrics } from '../../kube/metrics.ts';
import { createServerClock } from '../../kube/serverclock.ts';
import { createOperator } from '../../operator/operator.ts';
import { startControllersOn } from '../../simulator/apiserver/controllers/index.ts';
import { createClusterState } from '../../simulator/apiserver/controllers/state.ts';
import type { UserInfo } from '../../simulator/apiserver/kinds.ts';
import type { ApiServer } from '../../simulator/apiserver/server.ts';
import type { MemoryArtifactHost } from '../../simulator/flux/artifacts.ts';
import type { GitReader } from '../../simulator/flux/git/reader.ts';
import { startFluxSimulator } from '../../simulator/flux/simulator.ts';
import type { MemoryNetwork } from '../../simulator/kubevirt/memorynetwork.ts';
import { startKubeVirtSimulator } from '../../simulator/kubevirt/simulator.ts';
import { createLink, type Latency, type Link } from '../../simulator/link.ts';
import { createVirtualProcess, type VirtualProcess } from '../../simulator/process.ts';
import type { SeededRandom } from '../../simulator/random.ts';
import type { Scheduler } from '../../simulator/scheduler.ts';
import { createSource } from '../../source/main.ts';
import { createSourceMetrics } from '../../source/metrics.ts';
import type { Role, RunningRole, WorldOptions } from './contract.ts';
import { type EngineState, runEngine } from './engine.ts';
import type { Recorder } from './recorder.ts';
import { buildOperatorConfig, buildSourceConfig, PLAYED } from './settings.ts';
import type { Volume } from './volume.ts';

/** What processes share: the machine room of the world. */
export type Surroundings = {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly api: ApiServer;
  readonly recorder: Recorder;
  readonly options: WorldOptions;
  readonly latency: () => Latency;
  readonly hooks: Parameters<Recorder['hooks']>[0];
  readonly network: MemoryNetwork;
  readonly volume: Volume;
  readonly git: GitReader;
  readonly engine: EngineState | undefined;
  /** Whether the repository answers. */
  readonly isReachable: () => boolean;
  readonly artifacts: MemoryArtifactHost;
  /** Whether a process serves what lies on the volume. */
  readonly isServed: () => boolean;
  /** A process has given up by itself. */
  readonly onFailure: (role: Role) => void;
};

export const SOURCE_URL = 'http://sublet-source.sublet-system.svc';

/** What a role runs: started at once, ready later. */
type Program = {
  readonly manager?: Manager;
  readonly ready: Promise<unknown>;
  /** Settles when it has ended. */
  readonly stopped: Promise<unknown>;
  /** As SIGTERM. */
  terminate(): void;
};

type Inside = {
  readonly process: VirtualProcess;
  /** The time of the process, as far as it agrees with that of the API server. */
  readonly serverClock: Clock;
  readonly link: Link;
  readonly client: Client;
  readonly log: Logger;
  readonly settings: Readonly<Record<string, unknown>>;
};

/** Starts one process of a role. `untilEnded` runs the world until it has ended. */
export function startRole(
  around: Surroundings,
  role: Role,
  number: number,
  settings: Readonly<Record<string, unknown>>,
  untilEnded: (role: RunningRole) => Promise<void>,
): RunningRole {
  const process = createVirtualProcess(around, `${role}/${number}`);
  const { name } = process;
  const { recorder, api } = around;
  const server = {
    handle: (request: Parameters<ApiServer['handle']>[0]) => recorder.handle(name, request, api.handle),
  };
  const log = createLog(around, process);
  const { clock, observeDate } = createServerClock({ clock: process.clock, log });
  const hooks = recorder.hooks(around.hooks);
  const link = createLink({ process, server, latency: around.latency, hooks, observeDate });
  const client = createClientOn(link.connect(userOf(role)));
  const program = PROGRAMS[role](around, { process, serverClock: clock, link, client, log, settings });
  let isReady = false;
  let failure: unknown;
  const running: RunningRole = {
    role,
    name,
    process,
    link,
    manager: program.manager,
    isReady: () => isReady && process.isAlive(),
    failure: () => failure,
    kill: () => process.kill(),
    stop: async () => {
      program.terminate();
      await untilEnded(running);
    },
  };
  const fail = (error: unknown): void => {
    if (!process.isAlive()) return;
    failure ??= error;
    log.error({ err: error }, `${name} gave up: ${renderError(error)}`);
    process.kill();
    around.onFailure(role);
  };
  program.ready.then(() => {
    isReady = true;
  }, fail);
  program.stopped.then(() => process.kill(), fail);
  return running;
}

type Start = (around: Surroundings, inside: Inside) => Program;

const PROGRAMS: Readonly<Record<Role, Start>> = {
  operator: (around, { process, serverClock, client, log, settings }) => {
    const { options, network, latency } = around;
    const config = buildOperatorConfig(options, { instance: process.name.replace('/', '-'), ...settings });
    const random = process.random.fork('operator');
    const onTheWay = process.random.fork('guests');
    const latencyMs = (): number => latency().minMs + onTheWay.next() * (latency().maxMs - latency().minMs);
    const dial = network.dialFrom({ clock: process.clock, address: '10.0.0.1', latencyMs });
    const deps = { client, clock: serverClock, random, log, metrics: createMetrics(), dial };
    return runManager(createOperator(deps, config));
  },

  source: (around, { process, client, log, settings }) => {
    const config = buildSourceConfig(around.options, settings);
    const metrics = createMetrics();
    const store = around.volume.mount(process.clock);
    const random = process.random.fork('source');
    const base = { client, clock: process.clock, random, log, metrics, openUrl: openUrlFor(around, process), gunzip };
    const parts = { ...base, store, sourceMetrics: createSourceMetrics(metrics), baseUrl: SOURCE_URL };
    return runManager(createSource(parts, config).manager);
  },

  flux: (around, { process, link, client, log, settings }) => {
    const clients = new Map<string, Client>();
    const clientFor = ({ namespace, name }: { readonly namespace: string; readonly name: string }): Client => {
      const username = `system:serviceaccount:${namespace}:${name}`;
      const found = clients.get(username) ?? createClientOn(link.connect({ username, groups: GROUPS }));
      clients.set(username, found);
      return found;
    };
    const { git, artifacts, options } = around;
    const random = process.random.fork('flux');
    const openUrl = openUrlFor(around, process);
    const deps = { client, clock: process.clock, random, log, git, artifacts, openUrl, clientFor };
    const { watchSeconds } = PLAYED[options.intervals ?? 'production'];
    return runStarted(startFluxSimulator(deps, { installDefinitions: false, watchSeconds, ...settings }));
  },

  kubevirt: ({ options, network }, { process, client, log, settings }) => {
    const deps = { client, clock: process.clock, random: process.random.fork('kubevirt'), log, network };
    const { watchSeconds } = PLAYED[options.intervals ?? 'production'];
    return runStarted(startKubeVirtSimulator(deps, { watchSeconds, ...options.kubevirt, ...settings }));
  },

  writer: ({ engine, isReachable, options }, { process, log }) => {
    if (engine === undefined) throw new Error('this world has no engine');
    const { intervals = 'production' } = options;
    return runAtOnce(runEngine(engine, { process, log, intervals, isReachable }));
  },

  controllers: ({ api, options }, { process, link, log, settings }) => {
    const { quotaResyncMs } = PLAYED[options.intervals ?? 'production'];
    const whole = createClusterState(api.core);
    const subscribe: typeof whole.subscribe = (listener) => {
      const end = whole.subscribe(listener);
      process.onKill(end);
      return end;
    };
    const state = { ...whole, subscribe };
    const connect = (username: string) => link.connect({ username, groups: GROUPS });
    const deps = { clock: process.clock, random: process.random.fork('controllers'), log, state, connect };
    return runAtOnce(startControllersOn(deps, { resourceQuotas: { resyncMs: quotaResyncMs }, ...settings }));
  },
};

const GROUPS = ['system:serviceaccounts', 'system:authenticated'];

function userOf(role: Role): UserInfo {
  const namespace = {
    operator: 'sublet-system',
    source: 'sublet-system',
    writer: 'sublet-system',
    flux: 'flux-system',
    kubevirt: 'kubevirt',
  };
  const within = role === 'controllers' ? 'kube-system' : namespace[role];
  return { username: `system:serviceaccount:${within}:${role}`, groups: GROUPS };
}

function runManager(manager: Manager): Program {
  const stop = new AbortController();
  const stopped = manager.start(stop.signal);
  const ready = Promise.race([manager.ready(), stopped]);
  return { manager, ready, stopped, terminate: () => stop.abort(new Error('SIGTERM')) };
}

function runStarted(starting: Promise<{ stop(): Promise<void>; readonly stopped: Promise<void> }>): Program {
  return {
    ready: starting,
    stopped: starting.then(({ stopped }) => stopped),
    terminate: () => void starting.then((started) => started.stop()),
  };
}

/** What works from the moment it is started. */
function runAtOnce(running: { stop(): Promise<void> }): Program {
  const stopped = Promise.withResolvers<void>();
  return {
    ready: Promise.resolve(),
    stopped: stopped.promise,
    terminate: () => void running.stop().then(stopped.resolve, stopped.reject),
  };
}

/** Archives of the simulated source-controller, and those that the fleet source serves while it runs. */
function openUrlFor({ artifacts, volume, isServed, latency }: Surroundings, process: VirtualProcess) {
  const random = process.random.fork('downloads');
  return async (url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> => {
    await new Promise<void>((resolve) => {
      const { minMs, maxMs } = latency();
      process.clock.setTimeout(resolve, 2 * (minMs + random.next() * (maxMs - minMs)));
    });
    signal.throwIfAborted();
    if (!url.startsWith(`${SOURCE_URL}/`)) return artifacts.openUrl(url, signal);
    if (!isServed()) throw new Error(`${url}: ECONNREFUSED: nobody listens`);
    const bytes = volume.serve(url.slice(SOURCE_URL.length + 1));
    if (bytes === undefined) throw new Error(`${url} answered 404`);
    return once(bytes);
  };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** In the calling turn: the pool of threads knows no virtual time. */
const gunzip = async (compressed: Uint8Array, options: { readonly maxOutputLength: number }): Promise<Uint8Array> =>
  gunzipSync(compressed, options);

function createLog({ options }: Surroundings, process: VirtualProcess): Logger {
  const { log } = options;
  if (log === undefined) return SILENT;
  const timestamp = (): string => `,"time":"${new Date(process.clock.now()).toISOString()}"`;
  return pino({ level: 'debug', timestamp, base: { process: process.name } }, { write: log });
}

const SILENT = pino({ level: 'silent' });
