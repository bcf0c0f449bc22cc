import type { Logger } from 'pino';
import { createMemoryRemote, type MemoryRemote } from '../../git/memory/remote.ts';
import { openMemoryRepository } from '../../git/memory/repository.ts';
import { type Journal, OPEN_STATES } from '../../gitops/journal.ts';
import { FLEET_REPOSITORY, fleetFolder } from '../../gitops/layout.ts';
import type { FluxObject, FolderObjects } from '../../gitops/tracker/facts.ts';
import { createHistory } from '../../gitops/tracker/history.ts';
import { startTracker } from '../../gitops/tracker/tracker.ts';
import { createMemoryJournal } from '../../gitops/writer/journal/memory.ts';
import type { WritableRepository } from '../../gitops/writer/target.ts';
import { throughProcess } from '../../gitops/writer/testing/world.ts';
import { startWriter } from '../../gitops/writer/writer.ts';
import type { Clock } from '../../kube/clock.ts';
import type { KubeObject } from '../../kube/object.ts';
import { FLEET_NAMESPACE, ROOT_NAMESPACE } from '../../model/names.ts';
import type { Store } from '../../simulator/apiserver/store.ts';
import type { VirtualProcess } from '../../simulator/process.ts';
import type { Intervals } from './contract.ts';
import { find } from './peek.ts';
import { BRANCH } from './repository.ts';

/** Called before and after each call of the writer on journal and repository: `before push`, `after record`. It may kill the process. */
export type OnPoint = (point: string) => void;

/** What outlives the processes of the Git write engine: the journal and the remote; and what happens to those on their way there. */
export type Engine = {
  readonly journal: Journal;
  readonly remote: MemoryRemote;
  /** Asks at every point from now on; gives the way to stop. */
  onPoint(listener: OnPoint): () => void;
};

export type EngineState = Engine & {
  readonly point: OnPoint;
  readonly store: Store;
};

export function createEngine(deps: { readonly clock: Clock; readonly store: Store }): EngineState {
  const listeners = new Set<OnPoint>();
  return {
    journal: createMemoryJournal(deps),
    remote: createMemoryRemote(),
    store: deps.store,
    onPoint: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    point: (name) => {
      for (const listener of [...listeners]) listener(name);
    },
  };
}

export type EngineProcess = {
  readonly process: VirtualProcess;
  readonly log: Logger;
  readonly intervals: Intervals;
  readonly isReachable: () => boolean;
};

/** Runs writer and tracker in a process, as the API does; gives the way to end them. */
export function runEngine(engine: EngineState, inside: EngineProcess): { stop(): Promise<void> } {
  const { process, log, intervals, isReachable } = inside;
  const { clock } = process;
  const random = process.random.fork('engine');
  const onTheWay = process.random.fork('git');
  const point = async (name: string): Promise<void> => {
    if (process.isAlive()) engine.point(name);
    const isRemote = name.endsWith(' fetch') || name.endsWith(' push');
    if (isRemote && name.startsWith('before') && !isReachable())
      engine.remote.fail({ call: name === 'before push' ? 'push' : 'fetch', type: 'unreachable' });
    const [minMs, maxMs] = isRemote ? [5, 500] : [0.2, 2];
    // Whoever is dead by now waits for ever.
    await new Promise<void>((resolve) => clock.setTimeout(() => resolve(), minMs + onTheWay.next() * (maxMs - minMs)));
  };
  const through = { name: process.name, point };
  const journal = throughProcess(engine.journal, through);
  const repository = throughProcess(openMemoryRepository(engine.remote, { branch: BRANCH }), through);
  const target: WritableRepository = {
    repository,
    branch: BRANCH,
    folderOf: (namespace) => ({ folder: fleetFolder('production', namespace) }),
    committer: SUBLET,
    pushWindowMs: 0,
  };
  const rare = intervals === 'year' ? { pollMs: DAY_MS } : {};
  const deps = { journal, clock, random, log };
  const writer = startWriter(
    { ...deps, open: async () => target },
    { holder: process.name, ...rare, ...(intervals === 'year' ? { reviewMs: DAY_MS } : {}) },
  );
  const history = createHistory(async () => repository);
  const tracker = startTracker(
    {
      ...deps,
      folderOf: (namespace) => readFolder(engine.store, namespace),
      liveOf: ({ kind, namespace, name }) => find(engine.store, RESOURCES[kind] ?? kind, `${namespace}/${name}`),
      isSynced: () => true,
      contains: history.contains,
      isSame: (id, namespace, between) => history.isSame(id, fleetFolder('production', namespace), between),
      compensator: { subject: 'sublet', ...SUBLET },
    },
    rare,
  );
  const stops = [
    wakeWhileOpen(engine, process, {
      look: () => {
        writer.wake(FLEET_REPOSITORY);
        tracker.wake();
      },
      notice: tracker.wake,
    }),
    // As a forge's webhook does.
    engine.remote.onMove(() => writer.wake(FLEET_REPOSITORY)),
  ];
  for (const stop of stops) process.onKill(stop);
  return {
    stop: async () => {
      for (const stop of stops) stop();
      await Promise.all([writer.stop(), tracker.stop()]);
      await history.close();
    },
  };
}

const SUBLET = { name: 'Sublet', email: 'sublet@example.com' };
const DAY_MS = 86_400_000;
const LOOK_MS = 600_000;
const RESOURCES: Readonly<Record<string, string>> = {
  Tenant: 'tenants.sublet.dev',
  Plan: 'plans.sublet.dev',
  RDPInstance: 'rdpinstances.sublet.dev',
};
/** What the informers of the API show. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['tenants', 'plans', 'rdpinstances'],
  ...['gitrepositories', 'kustomizations', 'externalartifacts'],
]);

type Wakes = { readonly look: () => void; readonly notice: () => void };

/** While changes are on their way: notices what the cluster shows, and looks by itself now and then. With none, nothing costs anything. */
function wakeWhileOpen(
  { journal, store }: EngineState,
  { clock }: VirtualProcess,
  { look, notice }: Wakes,
): () => void {
  let isOpen = false;
  let isArmed = false;
  const arm = (): void => {
    if (isArmed || !isOpen) return;
    isArmed = true;
    clock.setTimeout(() => {
      isArmed = false;
      if (isOpen) look();
      arm();
    }, LOOK_MS);
  };
  const ask = (): void =>
    void journal.waiting(OPEN_STATES).then((waiting) => {
      isOpen = waiting.length > 0;
      arm();
    });
  ask();
  const stops = [
    journal.onChange(ask),
    store.subscribe(({ collection }) => {
      if (isOpen && SHOWN.has(collection.plural)) notice();
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Flux's objects of a folder of the fleet, as they are now. */
export function readFolder(store: Store, namespace: string): FolderObjects {
  const read = (resource: string, name: string): FluxObject | undefined =>
    find<KubeObject & FluxObject>(store, `${resource}.toolkit.fluxcd.io`, `${FLEET_NAMESPACE}/${name}`);
  return {
    gitRepository: read('gitrepositories.source', 'fleet'),
    kustomization: read('kustomizations.kustomize', namespace),
    artifact: read('externalartifacts.source', namespace),
    rootArtifact: read('externalartifacts.source', ROOT_NAMESPACE),
  };
}
