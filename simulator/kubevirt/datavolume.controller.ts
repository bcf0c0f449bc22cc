import { PERSISTENTVOLUMECLAIMS } from '../../kube/builtin.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Result } from '../../kube/controller.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import type { Informer } from '../../kube/informer.ts';
import { controllerReference, type KubeObject, renderKey } from '../../kube/object.ts';
import type { DataSource, DataVolume } from '../../kubevirt/index.ts';
import {
  ANNOTATION_CREATED_FOR,
  type Claim,
  type Cluster,
  computeDataVolumeStatus,
  computePopulation,
  isSourceReady,
  type Population,
} from './datavolume.ts';
import type { Settings } from './options.ts';
import { applyStatus, renderTime, type Writer, withCondition } from './status.ts';
import type { Timers } from './timers.ts';

export type DataVolumeDeps = {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly timers: Timers;
  readonly dataVolumes: Informer<DataVolume>;
  readonly dataSources: Informer<DataSource>;
  readonly claims: Informer<Claim>;
};

/** Plays CDI for one DataVolume: makes its claim, then copies. */
export async function reconcileDataVolume(
  deps: DataVolumeDeps,
  writer: Writer,
  key: string,
): Promise<Result | undefined> {
  const dataVolume = deps.dataVolumes.get(key);
  if (dataVolume === undefined || dataVolume.metadata.deletionTimestamp !== undefined) return undefined;
  const population = computePopulation(dataVolume, clusterOf(deps));
  const claim = deps.claims.get(key) ?? (await createClaim(deps, writer, dataVolume, population));
  const durationMs = copyDurationMs(deps.settings, population);
  const uid = dataVolume.metadata.uid ?? key;
  const status = computeDataVolumeStatus({
    dataVolume,
    claim,
    population,
    copied: () => copiedShare(deps, uid, durationMs),
    nowMs: deps.clock.now(),
  });
  await applyStatus(writer, deps.dataVolumes, dataVolume, status);
  const copying = status.phase === 'ImportInProgress' || status.phase === 'CloneInProgress';
  if (!copying) return undefined;
  const leftMs = deps.timers.remainingMs(uid, 'copy', durationMs);
  return { requeueAfterMs: Math.min(leftMs, deps.settings.timings.progressIntervalMs) };
}

/** Plays CDI for one DataSource: whether it can be cloned from. */
export async function reconcileDataSource(deps: DataVolumeDeps, writer: Writer, key: string): Promise<void> {
  const dataSource = deps.dataSources.get(key);
  if (dataSource === undefined) return;
  const { source } = dataSource.spec;
  const ready = isSourceReady(source, clusterOf(deps));
  const condition = ready
    ? ({ type: 'Ready', status: 'True', reason: 'Ready', message: 'DataSource is ready to be consumed' } as const)
    : ({ type: 'Ready', status: 'False', ...whyNotReady(source) } as const);
  const now = renderTime(deps.clock.now());
  const old = dataSource.status?.conditions ?? [];
  const lastHeartbeatTime =
    old.find((one) => one.status === condition.status && one.reason === condition.reason)?.lastHeartbeatTime ?? now;
  const conditions = withCondition(old, { ...condition, lastHeartbeatTime }, now);
  await applyStatus(writer, deps.dataSources, dataSource, { ...(ready ? { source } : {}), conditions });
}

/** Keys of what a DataSource names, for an index. */
export function sourceKeys({ spec }: DataSource): readonly string[] {
  return [spec.source.pvc, spec.source.dataSource].flatMap((source) => (source === undefined ? [] : renderKey(source)));
}

/** The key of the DataSource or claim that a DataVolume is cloned from, for an index. */
export function cloneKeys({ metadata, spec }: DataVolume): readonly string[] {
  const { sourceRef, source } = spec;
  if (sourceRef !== undefined) {
    return [renderKey({ namespace: sourceRef.namespace ?? metadata.namespace, name: sourceRef.name })];
  }
  return source?.pvc === undefined ? [] : [renderKey(source.pvc)];
}

function clusterOf({ dataSources, dataVolumes, claims }: DataVolumeDeps): Cluster {
  return {
    dataSource: (namespace, name) => dataSources.get(renderKey({ namespace, name })),
    dataVolume: (namespace, name) => dataVolumes.get(renderKey({ namespace, name })),
    claim: (namespace, name) => claims.get(renderKey({ namespace, name })),
  };
}

function whyNotReady(source: DataSource['spec']['source']): { readonly reason: string; readonly message: string } {
  if (source.pvc !== undefined) return { reason: 'NotFound', message: 'PVC not found' };
  if (source.dataSource !== undefined) return { reason: 'NotFound', message: 'DataSource not found' };
  return { reason: 'NoSource', message: 'No source PVC set' };
}

function copyDurationMs({ timings }: Settings, { kind }: Population): number {
  if (kind === 'import') return timings.importMs;
  return kind === 'clone' ? timings.cloneMs : 0;
}

/** In steps of the progress interval, so that a reconcile in between writes nothing. */
function copiedShare({ timers, settings }: DataVolumeDeps, uid: string, durationMs: number): number {
  const leftMs = timers.remainingMs(uid, 'copy', durationMs);
  if (leftMs <= 0) return 1;
  const doneMs = Math.max(0, durationMs - leftMs);
  const step = Math.max(1, settings.timings.progressIntervalMs);
  return Math.min(0.99, (Math.floor(doneMs / step) * step) / durationMs);
}

async function createClaim(
  deps: DataVolumeDeps,
  { client, signal }: Writer,
  dataVolume: DataVolume,
  population: Population,
): Promise<Claim | undefined> {
  if (population.kind === 'missing' || dataVolume.status?.phase === 'Succeeded') return undefined;
  try {
    const created = await client.create<Claim>(PERSISTENTVOLUMECLAIMS, buildClaim(dataVolume, deps.settings), {
      signal,
    });
    deps.claims.observeWrite(created);
    return created;
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

const DEFAULT_SIZE = '10Gi';

/** As CDI does: named like the DataVolume, owned by it, with its labels and annotations, and already tied to a volume. */
function buildClaim(dataVolume: DataVolume, settings: Settings): Claim {
  const { metadata, spec } = dataVolume;
  const wanted = spec.storage ?? spec.pvc;
  const size = wanted?.resources?.requests?.storage ?? DEFAULT_SIZE;
  const storageClassName = wanted?.storageClassName ?? settings.storageClasses[0];
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: { app: 'containerized-data-importer', ...metadata.labels },
      annotations: {
        ...metadata.annotations,
        [ANNOTATION_CREATED_FOR]: metadata.uid ?? '',
        'cdi.kubevirt.io/storage.contentType': spec.contentType ?? 'kubevirt',
      },
      ownerReferences: [ownerReference(dataVolume)],
    },
    spec: {
      accessModes: wanted?.accessModes ?? ['ReadWriteOnce'],
      resources: { requests: { storage: size } },
      ...(storageClassName === undefined ? {} : { storageClassName }),
      volumeMode: wanted?.volumeMode ?? 'Block',
      volumeName: `pvc-${metadata.uid ?? ''}`,
    },
  };
}

function ownerReference(dataVolume: KubeObject) {
  const { apiVersion, kind, metadata } = dataVolume;
  const reference = controllerReference({ apiVersion, kind, metadata: { ...metadata, uid: metadata.uid ?? '' } });
  return { ...reference, controller: true, blockOwnerDeletion: true };
}
