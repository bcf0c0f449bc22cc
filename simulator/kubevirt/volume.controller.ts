import { PERSISTENTVOLUMECLAIMS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import type { Result } from '../../kube/controller.ts';
import { isAlreadyExists, isNotFound } from '../../kube/errors.ts';
import type { Informer } from '../../kube/informer.ts';
import { type KubeObject, type Resource, renderKey } from '../../kube/object.ts';
import { GROUP } from '../../model/group.ts';
import { ANNOTATION_CREATED_FOR, type Claim } from './datavolume.ts';
import type { Settings } from './options.ts';
import { applyStatus, findObject, type Writer } from './status.ts';
import type { Timers } from './timers.ts';

export const PERSISTENTVOLUMES: Resource = {
  group: '',
  version: 'v1',
  plural: 'persistentvolumes',
  kind: 'PersistentVolume',
  namespaced: false,
};

const STORAGECLASSES: Resource = {
  group: 'storage.k8s.io',
  version: 'v1',
  plural: 'storageclasses',
  kind: 'StorageClass',
  namespaced: false,
};

export type Volume = KubeObject & {
  readonly spec: {
    readonly capacity?: Readonly<Record<string, string | number>>;
    readonly claimRef?: { readonly namespace?: string; readonly name?: string; readonly uid?: string };
    readonly csi?: { readonly driver?: string };
  };
};

export type VolumeDeps = {
  readonly settings: Settings;
  readonly timers: Timers;
  readonly claims: Informer<Claim>;
  readonly volumes: Informer<Volume>;
};

const DRIVER = `simulator.${GROUP}`;

/**
 * Plays the storage behind one claim that a DataVolume made: provisions its volume, binds it (a kube-controller-manager, where one
 * runs, comes to the same result) and grows it when the claim asks for more.
 */
export async function reconcileClaim(deps: VolumeDeps, writer: Writer, key: string): Promise<Result | undefined> {
  const claim = deps.claims.get(key);
  if (claim === undefined || !isSimulated(claim) || claim.metadata.deletionTimestamp !== undefined) return undefined;
  const asked = String(claim.spec.resources?.requests?.storage ?? '');
  const volume = deps.volumes.get(claim.spec.volumeName ?? '');
  if (volume === undefined) {
    await createVolume(deps, writer, claim, asked);
  } else if (String(volume.spec.capacity?.storage) !== asked) {
    const waitMs = deps.timers.remainingMs(
      claim.metadata.uid ?? key,
      `expand-${asked}`,
      deps.settings.timings.expandMs,
    );
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    await growVolume(deps, writer, volume, asked);
  }
  await applyStatus(writer, deps.claims, claim, {
    ...claim.status,
    phase: 'Bound',
    accessModes: claim.spec.accessModes ?? [],
    capacity: { storage: asked },
  });
  return undefined;
}

/** Removes a volume whose claim is gone. */
export async function reconcileVolume(deps: VolumeDeps, { client, signal }: Writer, name: string): Promise<void> {
  const volume = deps.volumes.get(name);
  const claim = volume?.spec.claimRef;
  if (volume?.spec.csi?.driver !== DRIVER || claim?.name === undefined) return;
  const bound = deps.claims.get(renderKey({ namespace: claim.namespace, name: claim.name }));
  if (bound?.metadata.uid === claim.uid || volume.metadata.deletionTimestamp !== undefined) return;
  try {
    await client.delete(PERSISTENTVOLUMES, { name }, { preconditions: { uid: volume.metadata.uid }, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** StorageClasses that allow growth; the first is marked as the default. Present ones stay as they are. */
export async function installStorageClasses(client: Client, names: readonly string[]): Promise<void> {
  for (const [index, name] of names.entries()) {
    const storageClass = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {
        name,
        annotations: index === 0 ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {},
      },
      provisioner: DRIVER,
      allowVolumeExpansion: true,
      volumeBindingMode: 'Immediate',
    };
    if ((await findObject(client, STORAGECLASSES, name)) === undefined)
      await client.create(STORAGECLASSES, storageClass);
  }
}

function isSimulated(claim: Claim): boolean {
  return claim.metadata.annotations?.[ANNOTATION_CREATED_FOR] !== undefined;
}

async function createVolume(deps: VolumeDeps, { client, signal }: Writer, claim: Claim, size: string): Promise<void> {
  const { name, namespace, uid } = claim.metadata;
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: claim.spec.volumeName ?? '' },
    spec: {
      accessModes: claim.spec.accessModes ?? [],
      capacity: { storage: size },
      claimRef: { apiVersion: 'v1', kind: PERSISTENTVOLUMECLAIMS.kind, namespace, name, uid },
      csi: { driver: DRIVER, volumeHandle: claim.spec.volumeName ?? '' },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: claim.spec.storageClassName ?? '',
      volumeMode: claim.spec.volumeMode ?? 'Filesystem',
    },
  };
  try {
    deps.volumes.observeWrite(await client.create(PERSISTENTVOLUMES, volume, { signal }));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function growVolume(deps: VolumeDeps, { client, signal }: Writer, volume: Volume, size: string): Promise<void> {
  const body = { spec: { capacity: { storage: size } } };
  const key = { name: volume.metadata.name };
  deps.volumes.observeWrite(await client.patch(PERSISTENTVOLUMES, key, { type: 'merge', body }, { signal }));
}
