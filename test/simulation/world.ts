import { pino } from 'pino';
import { createClientOn } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { VIRTUALMACHINEINSTANCES } from '../../kubevirt/index.ts';
import { FLEET_NAMESPACE } from '../../model/names.ts';
import { installAdmission } from '../../simulator/apiserver/admission/install.ts';
import type { ApiRequest } from '../../simulator/apiserver/request.ts';
import { createApiServer } from '../../simulator/apiserver/server.ts';
import type { Collection, Store } from '../../simulator/apiserver/store.ts';
import { createInProcessTransport } from '../../simulator/apiserver/transport.ts';
import { createMemoryArtifactHost } from '../../simulator/flux/artifacts.ts';
import { createMemoryGitReader } from '../../simulator/flux/git/memory.ts';
import { ANNOTATION_REQUESTED_AT, GITREPOSITORIES, type GitRepository } from '../../simulator/flux/resources.ts';
import { createMemoryNetwork } from '../../simulator/kubevirt/memorynetwork.ts';
import { ANNOTATION_GUEST } from '../../simulator/kubevirt/options.ts';
import type { LinkHooks } from '../../simulator/link.ts';
import { createVirtualProcess } from '../../simulator/process.ts';
import { createSeededRandom } from '../../simulator/random.ts';
import { createScheduler } from '../../simulator/scheduler.ts';
import { CONFIRM_ANNOTATION } from '../../source/main.ts';
import { installCluster } from './cluster.ts';
import { ROLES, type Role, type RunningRole, type Until, type World, type WorldOptions } from './contract.ts';
import { dumpState } from './dump.ts';
import { createRecorder } from './recorder.ts';
import { createFleetRepository, REPOSITORY_URL } from './repository.ts';
import { type Surroundings, startRole } from './roles.ts';
import { PLAYED } from './settings.ts';
import { createVolume } from './volume.ts';

export type { FleetRepository, Role, RunningRole, Until, World, WorldOptions } from './contract.ts';

const HOUR_MS = 3_600_000;
const DEFAULT_LATENCY = { minMs: 0.2, maxMs: 2 } as const;

/** Builds a world in which everything is installed and nothing runs yet; `startAll` starts it. */
export async function createWorld(options: WorldOptions): Promise<World> {
  const { seed, startMs = Date.UTC(2026, 0, 1), flux = true, intervals = 'production' } = options;
  const random = createSeededRandom(seed);
  let onTask: ((process: string) => void) | undefined;
  const scheduler = createScheduler({ startMs, onTask: (group) => onTask?.(group.name) });
  const host = createVirtualProcess({ scheduler, random }, 'apiserver');
  const api = createApiServer(
    { clock: host.clock, random: host.random.fork('server'), log: SILENT },
    API_OPTIONS[intervals],
  );
  const { store, admission } = api.core;
  installAdmission(api);
  const recorder = createRecorder({ store, nowMs: scheduler.nowMs, hashes: options.recordHistory === true });
  if (options.recordHistory === true) onTask = recorder.onTask;
  // What admission writes (counts of quotas), the server writes, whoever asked.
  const hooksOfAdmission = admission.splice(0);
  admission.push(
    ...hooksOfAdmission.map(
      (hook) => (request: Parameters<typeof hook>[0]) => recorder.as('apiserver', () => hook(request)),
    ),
  );
  const person = {
    handle: (request: ApiRequest) => recorder.handle('person', request, api.handle),
  };
  const admin = createClientOn(
    createInProcessTransport(
      { server: person, clock: host.clock, random: host.random.fork('admin') },
      { user: { username: 'kubernetes-admin', groups: ['system:masters'] }, userAgent: 'kubectl' },
    ),
  );
  let hooks: LinkHooks = {};
  let latency = options.latency ?? DEFAULT_LATENCY;
  const roles: RunningRole[] = [];
  const starts = new Map<Role, number>();
  const running = (role: Role): readonly RunningRole[] =>
    roles.filter((one) => one.role === role && one.process.isAlive());

  const { repository, memory, declared } = createFleetRepository(
    () => {
      emitRevision(false);
      notifyFlux();
    },
    notifyFlux,
    () => {
      emitRevision(true);
      confirmRevision();
    },
  );
  const network = createMemoryNetwork({
    rdpPort: 3389,
    onHandshake: (instanceUid) => recorder.emit({ type: 'handshake', atMs: scheduler.nowMs(), instanceUid }),
  });
  const around: Surroundings = {
    scheduler,
    random,
    api,
    recorder,
    options,
    network,
    latency: () => latency,
    hooks: () => hooks,
    volume: createVolume(FLEET_NAMESPACE),
    git: createMemoryGitReader(new Map([[REPOSITORY_URL, memory]])),
    artifacts: createMemoryArtifactHost(),
    isServed: () => running('source').length > 0,
    onFailure: (role) => {
      const { restartMs } = options;
      if (restartMs === undefined) return;
      host.clock.setTimeout(() => {
        if (running(role).length === 0) world.start(role);
      }, restartMs);
    },
  };

  function emitRevision(confirmed: boolean): void {
    const revision = memory.head()?.id ?? '';
    recorder.emit({ type: 'repository', atMs: scheduler.nowMs(), revision, declared: declared(), confirmed });
  }

  function notifyFlux(): void {
    annotateRepository({ [ANNOTATION_REQUESTED_AT]: new Date(scheduler.nowMs()).toISOString() });
  }

  function confirmRevision(): void {
    const key = 'gitrepositories.source.toolkit.fluxcd.io';
    const { artifact } = find<GitRepository>(store, key, `${FLEET_NAMESPACE}/fleet`)?.status ?? {};
    annotateRepository({ [CONFIRM_ANNOTATION]: artifact?.revision ?? '' });
  }

  function annotateRepository(annotations: Readonly<Record<string, string>>): void {
    if (!flux) return;
    const key = { namespace: FLEET_NAMESPACE, name: 'fleet' };
    atOnce(admin.patch(GITREPOSITORIES, key, { type: 'merge', body: { metadata: { annotations } } }));
  }

  const runUntil = async (check: () => boolean, { withinMs = HOUR_MS, what }: Until = {}): Promise<void> => {
    const untilMs = scheduler.elapsedMs() + withinMs;
    if ((await scheduler.run({ untilMs, until: check })) === 'done' || check()) return;
    throw new Error(`${what ?? 'what was waited for'}: not after ${withinMs / 1_000} s of virtual time`);
  };

  /** Runs the world until a promise has settled. */
  const await_ = async <T>(promise: Promise<T>, what: string): Promise<T> => {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await runUntil(() => settled, { what });
    return promise;
  };

  const world: World = {
    seed,
    scheduler,
    random: random.fork('world'),
    admin,
    repository,
    nowMs: scheduler.nowMs,
    start(role, settings = {}) {
      const number = (starts.get(role) ?? 0) + 1;
      starts.set(role, number);
      const untilEnded = (one: RunningRole) =>
        runUntil(() => !one.process.isAlive(), { what: `${one.name} has ended after SIGTERM` });
      const started = startRole(around, role, number, settings, untilEnded);
      for (let at = roles.length - 1; at >= 0; at--) if (roles[at]?.process.isAlive() === false) roles.splice(at, 1);
      roles.push(started);
      return started;
    },
    running,
    kill(role) {
      for (const one of running(role)) one.kill();
    },
    restart(role) {
      world.kill(role);
      return world.start(role);
    },
    async startAll() {
      const wanted = ROLES.filter((role) => flux || (role !== 'flux' && role !== 'source'));
      for (const role of wanted) if (running(role).length === 0) world.start(role);
      const all = wanted.map((role) => running(role));
      await runUntil(() => all.every((some) => some.some((one) => one.isReady())), { what: 'every role is ready' });
    },
    setHooks(next) {
      hooks = next;
    },
    setLatency(next) {
      latency = next ?? options.latency ?? DEFAULT_LATENCY;
    },
    compact: () => store.compact(),
    crashNode(name) {
      const nodes = ['node-1', 'node-2', 'node-3'];
      const lost = name ?? world.random.pick(nodes);
      for (const vmi of listAll<KubeObject & Guest>(store, 'virtualmachineinstances.kubevirt.io')) {
        if (vmi.status?.nodeName !== lost || vmi.status.phase !== 'Running') continue;
        const body = { metadata: { annotations: { [ANNOTATION_GUEST]: 'crash' } } };
        atOnce(admin.patch(VIRTUALMACHINEINSTANCES, vmi.metadata, { type: 'merge', body }));
      }
    },
    setGuestAnswers(key, answers) {
      const uid = find(store, 'virtualmachineinstances.kubevirt.io', key)?.metadata.uid;
      if (uid !== undefined) network.setSilent(uid, !answers);
    },
    async runFor(ms) {
      await scheduler.run({ untilMs: scheduler.elapsedMs() + ms });
    },
    runTo: (atMs) => world.runFor(Math.max(0, atMs - startMs - scheduler.elapsedMs())),
    runUntil,
    async runUntilQuiet({ withinMs = HOUR_MS, what = 'nothing changes any more', quietMs = 60_000 } = {}) {
      const beganMs = scheduler.nowMs();
      for (;;) {
        const quietAtMs = Math.max(beganMs, recorder.lastChangeMs()) + quietMs;
        if (scheduler.nowMs() >= quietAtMs) return;
        if (quietAtMs > beganMs + withinMs) {
          throw new Error(`${what}: something still changed after ${withinMs / 1_000} s of virtual time`);
        }
        await world.runTo(quietAtMs);
      }
    },
    onTrail: recorder.onTrail,
    mark: (type) => recorder.emit({ type, atMs: scheduler.nowMs() }),
    peek: (resource, key) => find(store, resource, key),
    list: (resource) => listAll(store, resource),
    dump: () => dumpState(store),
    writes: recorder.writes,
    tail: recorder.tail,
    historyHash: recorder.hash,
    close() {
      for (const one of roles) one.kill();
      host.kill();
      api.close();
    },
  };
  memory.commit({ 'README.md': '# The fleet\n' }, { message: 'Begin' });
  const images = options.images ?? ['ubuntu-24', 'debian-13'];
  const installing = installCluster({ admin, clock: host.clock }, { images, flux, played: PLAYED[intervals] });
  await await_(installing, 'the cluster is installed');
  return world;
}

const SILENT = pino({ level: 'silent' });

/** A year of bookmarks once a minute would be most of what happens in it. */
const API_OPTIONS = { production: {}, year: { bookmarkIntervalMs: 24 * HOUR_MS } } as const;

type Guest = { readonly status?: { readonly nodeName?: string; readonly phase?: string } };

function collectionOf(store: Store, resource: string): Collection {
  const dot = resource.indexOf('.');
  return dot < 0 ? store.collection('', resource) : store.collection(resource.slice(dot + 1), resource.slice(0, dot));
}

function find<T extends KubeObject>(store: Store, resource: string, key: string): T | undefined {
  const slash = key.indexOf('/');
  const [namespace, name] = slash < 0 ? ['', key] : [key.slice(0, slash), key.slice(slash + 1)];
  return collectionOf(store, resource).get(namespace, name)?.object as T | undefined;
}

function listAll<T extends KubeObject>(store: Store, resource: string): readonly T[] {
  return collectionOf(store, resource)
    .sorted()
    .map(({ object }) => object as unknown as T);
}

/** A person's call on the server in this process is over when it returns; what it says is of no interest. */
function atOnce(call: Promise<unknown>): void {
  call.catch(() => {});
}
