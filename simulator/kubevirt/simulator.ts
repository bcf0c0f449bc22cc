import type { Logger } from 'pino';
import { PERSISTENTVOLUMECLAIMS, SERVICES } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import { createInformer, type InformerOptions } from '../../kube/informer.ts';
import { createManager } from '../../kube/manager.ts';
import type { Metrics } from '../../kube/metrics.ts';
import { type KubeObject, renderKey } from '../../kube/object.ts';
import {
  DATASOURCES,
  DATAVOLUMES,
  type DataSource,
  type DataVolume,
  VIRTUALMACHINEINSTANCES,
  VIRTUALMACHINES,
  type VirtualMachine,
  type VirtualMachineInstance,
  type VirtualMachineInstanceSpec,
} from '../../kubevirt/index.ts';
import { createAddressPool } from './addresses.ts';
import { createControllers, INDEX_CLONE, INDEX_SOURCE, INDEX_VOLUME, type Parts } from './controllers.ts';
import { installCrds } from './crds.ts';
import { cloneKeys, sourceKeys } from './datavolume.controller.ts';
import type { Claim } from './datavolume.ts';
import { forgetInstance } from './instance.controller.ts';
import { INDEX_NAMESPACE, type Service } from './loadbalancer.controller.ts';
import { createTcpNetwork, type GuestNetwork } from './network.ts';
import { parseOptions, type Settings, type SimulatorOptions } from './options.ts';
import { createTimers } from './timers.ts';
import { installStorageClasses, PERSISTENTVOLUMES, type Volume } from './volume.controller.ts';

export type SimulatorDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  /** Absent: real sockets on loopback. */
  readonly network?: GuestNetwork | undefined;
};

export type Simulator = {
  /** Closes every desktop and load balancer; what was written to the cluster stays. */
  stop(): Promise<void>;
  /** Rejects when the simulator had to give up by itself. */
  readonly stopped: Promise<void>;
};

/**
 * Plays KubeVirt, CDI, storage and load balancer on a cluster until stopped. Rejects on a cluster that has a real KubeVirt. Resolves once the definitions are served and every
 * controller works; from then on whatever the cluster holds moves. Several may run on one machine, for different clusters.
 */
export async function startKubeVirtSimulator(deps: SimulatorDeps, options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = parseOptions(options);
  await installCrds(deps);
  await installStorageClasses(deps.client, settings.storageClasses);
  const parts = createParts(deps, settings);
  const abort = new AbortController();
  const manager = createManager(deps);
  for (const controller of createControllers(deps, parts)) manager.addController(controller);
  const run = manager.start(abort.signal);
  const stopped = run.finally(async () => {
    await parts.desktops.closeAll();
    await parts.loadBalancer.removeAll();
  });
  await Promise.race([manager.ready(), stopped]);
  return {
    stopped,
    async stop() {
      abort.abort();
      await stopped;
    },
  };
}

function createParts(deps: SimulatorDeps, settings: Settings): Parts {
  const informer = <T extends KubeObject>(options: InformerOptions<T>) =>
    createInformer<T>(deps, { watchSeconds: settings.watchSeconds, ...options });
  const network = deps.network ?? createTcpNetwork(deps, settings.rdpPort);
  const pool = (cidr: string) =>
    createAddressPool({ random: deps.random, isFree: network.isFree }, cidr, settings.rdpPort);
  const parts = {
    clock: deps.clock,
    random: deps.random,
    log: deps.log,
    settings,
    timers: createTimers(deps, settings.jitter),
    addresses: pool(settings.desktopAddresses),
    serviceAddresses: pool(settings.loadBalancerAddresses),
    desktops: network.desktops,
    loadBalancer: network.loadBalancer,
    machines: informer<VirtualMachine>({
      resource: VIRTUALMACHINES,
      indexers: { [INDEX_VOLUME]: ({ metadata, spec }) => volumeKeys(metadata.namespace, spec.template.spec) },
    }),
    instances: informer<VirtualMachineInstance>({
      resource: VIRTUALMACHINEINSTANCES,
      indexers: {
        [INDEX_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ''],
        [INDEX_VOLUME]: ({ metadata, spec }) => volumeKeys(metadata.namespace, spec),
      },
    }),
    dataVolumes: informer<DataVolume>({ resource: DATAVOLUMES, indexers: { [INDEX_CLONE]: cloneKeys } }),
    dataSources: informer<DataSource>({ resource: DATASOURCES, indexers: { [INDEX_SOURCE]: sourceKeys } }),
    claims: informer<Claim>({ resource: PERSISTENTVOLUMECLAIMS }),
    volumes: informer<Volume>({ resource: PERSISTENTVOLUMES }),
    services: informer<Service>({ resource: SERVICES }),
  };
  parts.instances.addEventHandler({
    onDelete: (vmi) => {
      forgetInstance(parts, vmi).catch((error) => deps.log.error({ err: error }, 'closing a desktop failed'));
    },
  });
  parts.dataVolumes.addEventHandler({ onDelete: ({ metadata }) => parts.timers.forget(metadata.uid ?? '') });
  parts.claims.addEventHandler({ onDelete: ({ metadata }) => parts.timers.forget(metadata.uid ?? '') });
  return parts;
}

/** Keys of the volumes that a machine or instance names. */
function volumeKeys(namespace: string | undefined, spec: VirtualMachineInstanceSpec | undefined): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ dataVolume, persistentVolumeClaim }) => {
    const name = dataVolume?.name ?? persistentVolumeClaim?.claimName;
    return name === undefined ? [] : renderKey({ namespace, name });
  });
}
