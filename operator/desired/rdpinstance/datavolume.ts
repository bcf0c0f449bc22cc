import { renderQuantity } from '../../../kube/quantity.ts';
import type { DesktopInput } from './build.ts';
import { ANNOTATION_STORAGE, buildMetadata, type RenderedObject } from './metadata.ts';

/**
 * The disk: a clone of the image's DataSource. No ownerReference, so that neither the RDPInstance's nor the VM's removal
 * takes it along. CDI may delete a finished DataVolume by itself; the annotation keeps it, because it is the record
 * of what the disk was made from. Its spec cannot change once it exists: growth is the PersistentVolumeClaim's.
 */
export function buildDataVolume(input: DesktopInput): RenderedObject {
  const { disk, image } = input;
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {
      ...buildMetadata(input),
      annotations: {
        'cdi.kubevirt.io/storage.deleteAfterCompletion': 'false',
        [ANNOTATION_STORAGE]: renderQuantity(input.size.storageBytes),
      },
    },
    spec: {
      sourceRef: { kind: 'DataSource', name: image.name, namespace: image.namespace },
      storage: {
        resources: { requests: { storage: renderQuantity(disk.storageBytes) } },
        ...(disk.storageClassName === undefined ? {} : { storageClassName: disk.storageClassName }),
      },
    },
  };
}
