import { WaitingError } from '../kube/errors.ts';
import type { Informer } from '../kube/informer.ts';
import { type KubeObject, qualifiedName } from '../kube/object.ts';
import type { OperatorContext } from './context.ts';

/** How long whoever waits for a kind waits when nothing wakes it earlier. */
const RETRY_MS = 10_000;

/**
 * Throws `WaitingError` while Tenants, Plans or Quotas were never read because their definition is missing: nothing is decided about what lives on such an
 * absence. What was read before its definition went is still known. Removals do not ask: their finalizers hold the definitions that are deleted.
 */
export function waitForKinds({ informers }: Pick<OperatorContext, 'informers'>): void {
  const kinds = [informers.tenants, informers.plans, informers.quotas] as readonly Informer<KubeObject>[];
  const unread = kinds.find((informer) => informer.lastSyncResourceVersion() === '');
  if (unread === undefined) return;
  const message = `the CustomResourceDefinition ${qualifiedName(unread.resource)} is missing`;
  throw new WaitingError(message, { retryAfterMs: RETRY_MS });
}
