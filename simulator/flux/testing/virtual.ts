import { pino } from 'pino';
import { NAMESPACES } from '../../../kube/builtin.ts';
import { type Client, createClientOn } from '../../../kube/client.ts';
import { apiVersionOf, type KubeObject, type Resource } from '../../../kube/object.ts';
import { GITREPOSITORIES, KUSTOMIZATIONS } from '../../../model/flux.ts';
import type { Interceptor } from '../../apiserver/faults.ts';
import { createApiServer, type RequestEvent } from '../../apiserver/server.ts';
import { createInProcessTransport } from '../../apiserver/transport.ts';
import { createVirtualClock } from '../../clock.ts';
import { createSeededRandom } from '../../random.ts';
import { createScheduler } from '../../scheduler.ts';
import { createMemoryArtifactHost, type MemoryArtifactHost } from '../artifacts.ts';
import { createMemoryGitReader, createMemoryRepository, type MemoryRepository } from '../git/memory.ts';
import { createImpersonation } from '../impersonate.ts';
import type { FluxOptions } from '../options.ts';
import { type FluxSimulator, startFluxSimulator } from '../simulator.ts';

const NAMESPACE = 'fleet';
const URL = 'http://git.example.com/fleet';
const START_MS = Date.UTC(2026, 0, 1);
const SETTLE_MS = 5_000;

/** An embedded cluster, a repository and a simulated Flux on virtual time. */
export type VirtualWorld = {
  readonly repository: MemoryRepository;
  readonly client: Client;
  /** Every call that the simulated Flux made, in order. */
  readonly calls: readonly RequestEvent[];
  /** A reconcile of everything that is asked for, and its consequences. */
  settle(): Promise<void>;
  pass(ms: number): Promise<void>;
  create(resource: Resource, name: string, body: Readonly<Record<string, unknown>>): Promise<void>;
  get<T extends KubeObject>(resource: Resource, name: string): Promise<T>;
  /** What goes wrong with the simulated Flux's calls from now on. */
  setFault(fault: CallInterceptor | undefined): void;
  /** Awaits what needs virtual time to pass. */
  during<T>(running: Promise<T>): Promise<T>;
  start(options?: FluxOptions): Promise<FluxSimulator>;
  stop(): Promise<void>;
};

export type CallInterceptor = NonNullable<Interceptor['call']>;

export async function openVirtualWorld(seed: string, flux: FluxOptions = {}): Promise<VirtualWorld> {
  const scheduler = createScheduler({ startMs: START_MS });
  const random = createSeededRandom(seed);
  const log = pino({ level: 'silent' });
  const clock = createVirtualClock(scheduler, { name: 'world' });
  const server = createApiServer({ clock, random: random.fork('server'), log });
  const calls: RequestEvent[] = [];
  server.onRequest((event) => {
    if (event.userAgent === 'flux') calls.push(event);
  });
  let fault: CallInterceptor | undefined;
  const intercept: Interceptor = { call: (call, tries) => fault?.(call, tries) };
  const connect = (userAgent: string, username = userAgent): Client => {
    const user = { username, groups: ['system:masters'] };
    const deps = { server, clock, random: random.fork(username) };
    const faults = userAgent === 'flux' ? { intercept } : {};
    return createClientOn(createInProcessTransport(deps, { user, userAgent, ...faults }));
  };
  const repository = createMemoryRepository();
  const client = connect('test');
  let simulator: FluxSimulator | undefined;
  const pass = async (ms: number): Promise<void> => {
    await scheduler.run({ untilMs: scheduler.elapsedMs() + ms });
  };
  const during = async <T>(running: Promise<T>): Promise<T> => {
    let done = false;
    const end = (): void => {
      done = true;
    };
    running.then(end, end);
    while (!done) await pass(SETTLE_MS);
    return running;
  };
  const world: VirtualWorld = {
    repository,
    client,
    calls,
    pass,
    during,
    setFault: (next) => {
      fault = next;
    },
    settle: () => pass(SETTLE_MS),
    create: async (resource, name, body) => {
      const metadata = resource.namespaced ? { namespace: NAMESPACE, name } : { name };
      const object = { ...body, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
      await during(client.create(resource, object));
    },
    get: (resource, name) => during(client.get(resource, { namespace: NAMESPACE, name })),
    start: async (options = {}) => {
      const artifacts: MemoryArtifactHost = createMemoryArtifactHost();
      const git = createMemoryGitReader(new Map([[URL, repository]]));
      const { openUrl } = artifacts;
      const { clientFor } = createImpersonation((user) => connect('flux', user));
      const common = { client: connect('flux'), clientFor, clock, random: random.fork('flux'), log };
      const deps = { ...common, git, artifacts, openUrl };
      simulator = await during(startFluxSimulator(deps, { ...flux, ...options }));
      return simulator;
    },
    stop: async () => {
      if (simulator !== undefined) await during(simulator.stop());
      server.close();
    },
  };
  await world.create(NAMESPACES, NAMESPACE, {});
  await world.start();
  return world;
}

/** A GitRepository `source` on the world's repository. */
export function followGit(world: VirtualWorld, spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const common = { url: URL, interval: '1m', ref: { branch: 'main' } };
  return world.create(GITREPOSITORIES, 'source', { spec: { ...common, ...spec } });
}

/** A Kustomization on it. */
export function kustomize(
  world: VirtualWorld,
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const sourceRef = { kind: 'GitRepository', name: 'source' };
  const common = { interval: '10m', path: './', prune: true, targetNamespace: NAMESPACE, sourceRef };
  return world.create(KUSTOMIZATIONS, name, { spec: { ...common, ...spec } });
}
