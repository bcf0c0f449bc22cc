import type { Logger } from 'pino';
import type { Client } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import {
  type Controller,
  type ControllerDeps,
  createController,
  type Reconcile,
  type Watch,
  watchOf,
} from '../../kube/controller.ts';
import type { Informer } from '../../kube/informer.ts';
import { type KubeObject, objectKey } from '../../kube/object.ts';
import type { DataSource, DataVolume } from '../../kubevirt/index.ts';
import { type DataVolumeDeps, reconcileDataSource, reconcileDataVolume } from './datavolume.controller.ts';
import type { Claim } from './datavolume.ts';
import { type InstanceDeps, reconcileInstance } from './instance.controller.ts';
import { reconcileService, type Service, type ServiceDeps } from './loadbalancer.controller.ts';
import type { LoadBalancer } from './loadbalancer.ts';
import type { Settings } from './options.ts';
import type { Writer } from './status.ts';
import { reconcileVirtualMachine } from './virtualmachine.controller.ts';
import { reconcileClaim, reconcileVolume, type Volume } from './volume.controller.ts';

/** Everything that the controllers share. */
export type Parts = InstanceDeps &
  DataVolumeDeps & {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Logger;
    readonly settings: Settings;
    readonly volumes: Informer<Volume>;
    readonly services: Informer<Service>;
    readonly loadBalancer: LoadBalancer;
    readonly serviceAddresses: InstanceDeps['addresses'];
  };

/** DataVolumes by the key of what they are cloned from. */
export const INDEX_CLONE = 'clone';
/** DataSources by the keys of what they name. */
export const INDEX_SOURCE = 'source';
/** Machines and instances by the keys of their volumes. */
export const INDEX_VOLUME = 'volume';

/** One controller a kind; each wakes on whatever its decisions read. */
export function createControllers(
  deps: ControllerDeps & { readonly client: Client },
  parts: Parts,
): readonly Controller[] {
  const { settings, machines, instances, dataVolumes, dataSources, claims, volumes, services } = parts;
  const controller = (
    name: string,
    watches: readonly Watch<KubeObject>[],
    reconcile: (writer: Writer, key: string) => ReturnType<Reconcile>,
  ) =>
    createController(deps, {
      name,
      workers: settings.workers,
      watches,
      reconcile: (key, signal) => reconcile({ client: deps.client, signal }, key),
    });
  const self = <T extends KubeObject>(informer: Informer<T>) =>
    watchOf<T>({ informer, map: (object) => [objectKey(object)] });
  const keysOf = (objects: readonly KubeObject[]) => objects.map(objectKey);
  const serviceDeps: ServiceDeps = { ...parts, addresses: parts.serviceAddresses };
  return [
    controller(
      'simulated-virtualmachine',
      [
        self(machines),
        self(instances),
        watchOf<DataVolume>({
          informer: dataVolumes,
          map: (one) => keysOf(machines.byIndex(INDEX_VOLUME, objectKey(one))),
        }),
        watchOf<Claim>({ informer: claims, map: (one) => keysOf(machines.byIndex(INDEX_VOLUME, objectKey(one))) }),
      ],
      (writer, key) => reconcileVirtualMachine(parts, writer, key),
    ),
    controller(
      'simulated-instance',
      [
        self(instances),
        self(machines),
        watchOf<DataVolume>({
          informer: dataVolumes,
          map: (one) => keysOf(instances.byIndex(INDEX_VOLUME, objectKey(one))),
        }),
        watchOf<Claim>({ informer: claims, map: (one) => keysOf(instances.byIndex(INDEX_VOLUME, objectKey(one))) }),
      ],
      (writer, key) => reconcileInstance(parts, writer, key),
    ),
    controller(
      'simulated-datavolume',
      [
        self(dataVolumes),
        watchOf<Claim>({
          informer: claims,
          map: (one) => [objectKey(one), ...keysOf(dataVolumes.byIndex(INDEX_CLONE, objectKey(one)))],
        }),
        watchOf<DataSource>({
          informer: dataSources,
          map: (one) => keysOf(dataVolumes.byIndex(INDEX_CLONE, objectKey(one))),
        }),
      ],
      (writer, key) => reconcileDataVolume(parts, writer, key),
    ),
    controller(
      'simulated-datasource',
      [
        self(dataSources),
        watchOf<KubeObject>({
          informer: dataSources,
          map: (one) => keysOf(dataSources.byIndex(INDEX_SOURCE, objectKey(one))),
        }),
        watchOf<DataVolume>({
          informer: dataVolumes,
          map: (one) => keysOf(dataSources.byIndex(INDEX_SOURCE, objectKey(one))),
        }),
        watchOf<Claim>({
          informer: claims,
          map: (one) => keysOf(dataSources.byIndex(INDEX_SOURCE, objectKey(one))),
        }),
      ],
      (writer, key) => reconcileDataSource(parts, writer, key),
    ),
    controller(
      'simulated-claim',
      [self(claims), watchOf<Volume>({ informer: volumes, map: ({ spec }) => claimKey(spec.claimRef) })],
      (writer, key) => reconcileClaim(parts, writer, key),
    ),
    controller(
      'simulated-volume',
      [
        self(volumes),
        watchOf<Claim>({
          informer: claims,
          map: ({ spec }) => (spec.volumeName === undefined ? [] : [spec.volumeName]),
        }),
      ],
      (writer, key) => reconcileVolume(parts, writer, key),
    ),
    controller('simulated-loadbalancer', [self(services)], (writer, key) => reconcileService(serviceDeps, writer, key)),
  ];
}

function claimKey(claim: Volume['spec']['claimRef']): readonly string[] {
  return claim?.name === undefined ? [] : [`${claim.namespace ?? ''}/${claim.name}`];
}
