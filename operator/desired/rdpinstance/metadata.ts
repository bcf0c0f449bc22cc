import type { KubeObject, ObjectMeta } from '../../../kube/object.ts';
import { GROUP } from '../../../model/group.ts';
import { ownerLabels } from '../../../model/labels.ts';
import { desktopChildName } from '../../../model/names.ts';
import type { DesktopInput } from './build.ts';

/** On the VirtualMachine: UID of the VMI that the operator last brought to an end. */
export const ANNOTATION_ENDED_EPOCH = `${GROUP}/ended-epoch`;

/** On the VirtualMachine: since when its guest is down by its own doing (RFC 3339), until somebody asks for a start. */
export const ANNOTATION_GUEST_DOWN = `${GROUP}/guest-down`;

/** On the DataVolume: the size that the disk was last grown to, because a DataVolume's own spec never changes. */
export const ANNOTATION_STORAGE = `${GROUP}/storage`;

export const RDP_PORT = 3389;

/** The metadata that every child of a desktop shares: one name, and the labels by which it is found again. */
export function buildMetadata(input: Pick<DesktopInput, 'namespace' | 'name' | 'tenantId'>): ObjectMeta {
  return {
    name: desktopChildName(input.name),
    namespace: input.namespace,
    labels: buildSelector(input),
  };
}

/** What the VMI and the pod of a desktop carry, so what Service and NetworkPolicy select: labels that nobody else may set. */
export function buildSelector(input: Pick<DesktopInput, 'name' | 'tenantId'>): Readonly<Record<string, string>> {
  return ownerLabels({ tenantId: input.tenantId, kind: 'RDPInstance', name: input.name });
}

/** A child as built: what Kubernetes calls an unstructured object. */
export type RenderedObject = KubeObject & Readonly<Record<string, unknown>>;
