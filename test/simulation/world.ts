import { FLEET_NAMESPACE } from '../../model/names.ts';
import { createMemoryArtifactHost } from '../../simulator/flux/artifacts.ts';
import { createMemoryNetwork } from '../../simulator/kubevirt/memorynetwork.ts';
import type { LinkHooks } from '../../simulator/link.ts';
import { createSeededRandom } from '../../simulator/random.ts';
import { createScheduler } from '../../simulator/scheduler.ts';
import { installCluster } from './cluster.ts';
import type { World, WorldOptions } from './contract.ts';
import { dumpState } from './dump.ts';
import { createEngine } from './engine.ts';
import { createFleet } from './fleet.ts';
import { createGuests } from './guests.ts';
import { createPassage } from './passage.ts';
import { find, listAll } from './peek.ts';
import { createProcesses } from './processes.ts';
import { createRemoteReader } from './remotereader.ts';
import { REPOSITORY_URL } from './repository.ts';
import { createServer } from './server.ts';
import { PLAYED } from './settings.ts';
import { createVolume } from './volume.ts';

export type { FleetRepository, Role, RunningRole, Until, World, WorldOptions } from './contract.ts';

const DEFAULT_LATENCY = { minMs: 0.2, maxMs: 2 } as const;

/** Builds a world in which everything is installed and nothing runs yet; `startAll` starts it. */
export async function createWorld(options: WorldOptions): Promise<World> {
  const { seed, startMs = Date.UTC(2026, 0, 1), flux = true, intervals = 'production' } = options;
  const random = createSeededRandom(seed);
  let onTask: ((process: string) => void) | undefined;
  const scheduler = createScheduler({ startMs, onTask: (group) => onTask?.(group.name) });
  const { nowMs } = scheduler;
  const { host, api, recorder, admin } = createServer({ scheduler, random }, options);
  if (options.recordHistory === true) onTask = recorder.onTask;
  const { store } = api.core;
  const state = createEngine({ clock: host.clock, store });
  const engine = options.engine === true ? state : undefined;
  const { remote } = state;
  const { repository, isReachable } = createFleet({ remote, admin, store, recorder, nowMs, flux });
  const passage = createPassage(scheduler, startMs, recorder.lastChangeMs);
  const network = createMemoryNetwork({
    rdpPort: 3389,
    onHandshake: (instanceUid) => recorder.emit({ type: 'handshake', atMs: nowMs(), instanceUid }),
  });
  let hooks: LinkHooks = {};
  let latency = options.latency ?? DEFAULT_LATENCY;
  const around = {
    ...{ scheduler, random, api, recorder, options, network, engine, isReachable },
    latency: () => latency,
    hooks: () => hooks,
    volume: createVolume(FLEET_NAMESPACE),
    git: createRemoteReader(remote, { url: REPOSITORY_URL, isReachable }),
    artifacts: createMemoryArtifactHost(),
  };
  const { close, ...processes } = createProcesses({ around, passage, clock: host.clock });
  const { settle, ...running } = passage;
  const ownRandom = random.fork('world');
  const images = options.images ?? ['ubuntu-24', 'debian-13'];
  const installing = installCluster({ admin, clock: host.clock }, { images, flux, played: PLAYED[intervals] });
  await settle(installing, 'the cluster is installed');
  return {
    ...{ seed, scheduler, random: ownRandom, admin, repository, engine, nowMs },
    ...processes,
    ...running,
    ...createGuests({ store, admin, network, random: ownRandom }),
    setHooks(next) {
      hooks = next;
    },
    setLatency(next) {
      latency = next ?? options.latency ?? DEFAULT_LATENCY;
    },
    compact: () => store.compact(),
    onTrail: recorder.onTrail,
    mark: (type) => recorder.emit({ type, atMs: nowMs() }),
    peek: (resource, key) => find(store, resource, key),
    list: (resource) => listAll(store, resource),
    dump: () => dumpState(store),
    writes: recorder.writes,
    tail: recorder.tail,
    historyHash: recorder.hash,
    close() {
      close();
      host.kill();
      api.close();
    },
  };
}
