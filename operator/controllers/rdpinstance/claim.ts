import type { KubeObject } from '../../../kube/object.ts';
import { parseQuantity, renderQuantity } from '../../../kube/quantity.ts';
import { FIELD_MANAGER } from '../../../model/labels.ts';
import type { OperatorContext } from '../../context.ts';
import type { ValidDesktop } from './validate.ts';

/**
 * Grows the disk's claim to what the plan gives; no call when it is large enough. A DataVolume's spec cannot change, so a
 * disk grows as any other claim does: by its request, where the storage class allows expansion. KubeVirt then passes the new
 * size to the guest. Bound to the UID and version that were seen.
 */
export async function growClaim(context: OperatorContext, valid: ValidDesktop, signal: AbortSignal): Promise<void> {
  const claim = valid.claim;
  const wanted = computeClaimBytes(valid);
  const present = claim?.spec?.resources?.requests?.storage;
  if (claim === undefined || wanted === undefined || present === undefined || parseQuantity(present) >= wanted) return;
  const informer = context.informers.claims;
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const storage = renderQuantity(wanted);
  const answer = await context.client.patch<KubeObject>(
    informer.resource,
    { namespace, name },
    { type: 'merge', body: { metadata: { uid, resourceVersion }, spec: { resources: { requests: { storage } } } } },
    { fieldManager: FIELD_MANAGER, signal },
  );
  informer.observeWrite(answer);
}

/**
 * What the claim has to request, absent while the disk is as large as it was made. On a file system CDI keeps a share for itself (its
 * default is 6 %), so the claim needs more than the disk.
 */
function computeClaimBytes({ input, claim }: ValidDesktop): bigint | undefined {
  const { storageBytes } = input.size;
  if (storageBytes <= input.disk.storageBytes) return undefined;
  return claim?.spec?.volumeMode === 'Block' ? storageBytes : (storageBytes * 100n + 93n) / 94n;
}
