import type { KubeObject } from '../../../kube/object.ts';
import type { VirtualMachine } from '../../../kubevirt/index.ts';
import { FIELD_MANAGER } from '../../../model/labels.ts';
import type { OperatorContext } from '../../context.ts';
import { ANNOTATION_ENDED_EPOCH } from '../../desired/rdpinstance/metadata.ts';

/**
 * Stops a VM without touching anything else of it: for desktops that cannot be built (refused, removed) and have to stop all the
 * same. No call when it is halted. Bound to the UID and version that were seen.
 */
export async function haltVirtualMachine(
  context: OperatorContext,
  vm: VirtualMachine & KubeObject,
  endedEpoch: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (vm.spec.runStrategy === 'Halted') return;
  const informer = context.informers.virtualMachines;
  const { namespace, name, uid, resourceVersion } = vm.metadata;
  const annotations = endedEpoch === undefined ? {} : { [ANNOTATION_ENDED_EPOCH]: endedEpoch };
  const answer = await context.client.patch<KubeObject>(
    informer.resource,
    { namespace, name },
    { type: 'merge', body: { metadata: { uid, resourceVersion, annotations }, spec: { runStrategy: 'Halted' } } },
    { fieldManager: FIELD_MANAGER, signal },
  );
  informer.observeWrite(answer);
}
