import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import type { Result } from '../../../kube/controller.ts';
import { isNotFound, TransientError } from '../../../kube/errors.ts';
import type { Informer } from '../../../kube/informer.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { parseKey } from '../../../kube/object.ts';
import { parseQuantity } from '../../../kube/quantity.ts';
import { type ChildKind, pruneChildren } from '../../children.ts';
import { confirmSight, viewMarks } from '../../confirm.ts';
import type { OperatorContext } from '../../context.ts';
import { ANNOTATION_STORAGE } from '../../desired/rdpinstance/metadata.ts';
import { DEFAULT_DELETION, parseTombstone } from '../../tombstone.ts';
import { haltVirtualMachine } from './halt.ts';
import { observeStateful, type StatefulChildren } from './observe.ts';
import { buryDesktop } from './remove.ts';

const STATELESS: readonly ChildKind[] = ['NetworkPolicy', 'Service', 'RoleBinding', 'Role'];

/** How long what is due waits while the breaker is tripped, before it looks again. */
const TRIPPED_RETRY_MS = 60_000;

/**
 * What a desktop leaves behind: stopped, without a way in, its disk still counted as storage, until the grace is over; then it is
 * deleted, the VM first. While the breaker holds it, nothing of it is touched, and while it is tripped nothing is deleted. Works from
 * the children alone.
 *
 * Children without a stamp and without an RDPInstance (somebody took the finalizer off) are buried first, with the default
 * grace: a desktop that nobody is billed for does not run on, and coming back still finds its disk.
 */
export async function reconcileTombstone(
  context: OperatorContext,
  key: string,
  signal: AbortSignal,
): Promise<Result | undefined> {
  const found = observeStateful(context, key);
  const remains = remainsOf(found);
  if (remains.length === 0) {
    await context.grants.release({ namespace: found.namespace, key: grantKey(key) }, signal);
    return undefined;
  }
  if (remains.some((object) => parseTombstone(object) === undefined)) {
    if (context.informers.desktops.get(key) === undefined) await refusePresent(context, key, signal);
    await confirmRemains(context, found, signal);
    context.log.warn({ namespace: found.namespace, name: found.name }, 'desktop without RDPInstance, burying it');
    await buryDesktop(context, found, DEFAULT_DELETION, signal);
    return { requeueAfterMs: 0 };
  }
  if (remains.some((object) => parseTombstone(object)?.held === true)) return undefined;
  await stop(context, found, signal);
  const sweepAtMs = Math.max(...remains.map((object) => parseTombstone(object)?.sweepAtMs ?? Number.POSITIVE_INFINITY));
  const waitMs = sweepAtMs - context.clock.now();
  if (waitMs > 0) return Number.isFinite(waitMs) ? { requeueAfterMs: waitMs } : undefined;
  if (context.breaker.tripped() !== undefined) return { requeueAfterMs: TRIPPED_RETRY_MS };
  await context.breaker.refresh(signal);
  // Stopping may have written: what is deleted is what that left.
  await sweep(context, observeStateful(context, key), signal);
  return undefined;
}

/** Absence in a cache proves nothing: its watch may be behind that of the children. The API server is asked before anything is buried. */
async function refusePresent(
  { client, informers: { desktops } }: OperatorContext,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    desktops.observeWrite(await client.get<RDPInstance & KubeObject>(desktops.resource, parseKey(key), { signal }));
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  throw new TransientError(`RDPInstance ${key} was not in the cache yet`);
}

/** What is stamped in one view says nothing of what is not in another: the stamped may be long gone, and the rest a successor's. Throws `ChangedError` when one is not as it was seen. */
async function confirmRemains(context: OperatorContext, found: StatefulChildren, signal: AbortSignal): Promise<void> {
  const { dataVolumes, secrets, virtualMachines } = context.informers;
  const confirm = async <T extends KubeObject>(
    informer: Informer<T>,
    seen: T | undefined,
    metadataOnly = false,
  ): Promise<void> => {
    if (seen === undefined) return;
    await confirmSight(context, { informer, key: seen.metadata, seen, view: viewMarks, metadataOnly }, signal);
  };
  await Promise.all([
    confirm(dataVolumes, found.disk),
    confirm(secrets, found.secret, true),
    confirm(virtualMachines, found.virtualMachine),
  ]);
}

async function stop(context: OperatorContext, found: StatefulChildren, signal: AbortSignal): Promise<void> {
  const { virtualMachine, instance, disk, namespace, name } = found;
  if (virtualMachine !== undefined) {
    await haltVirtualMachine(context, virtualMachine, instance?.metadata.uid, signal);
  }
  await pruneChildren(context, `${found.tenantId}/RDPInstance/${name}`, STATELESS, [], signal);
  const recorded = context.grants.recorded(namespace, grantKey(found.key));
  if (recorded === undefined || instance !== undefined) return;
  const storage = disk?.metadata.annotations?.[ANNOTATION_STORAGE];
  const used = storage === undefined ? {} : { storage: parseQuantity(storage) };
  await context.grants.ensure({ namespace, key: grantKey(found.key), used }, signal);
}

/** The VM goes first, so that nothing writes to the disk when that goes. The watch on each brings the next step. */
async function sweep(context: OperatorContext, found: StatefulChildren, signal: AbortSignal): Promise<void> {
  const { informers, applier, log } = context;
  const { virtualMachine, instance, disk, secret, namespace, name } = found;
  if (virtualMachine !== undefined) {
    log.info({ namespace, name }, 'grace is over, deleting the virtual machine');
    await applier.prune(informers.virtualMachines.resource, [virtualMachine], new Set(), { signal });
    return;
  }
  if (instance !== undefined) return;
  log.info({ namespace, name }, 'grace is over, deleting the disk and the credentials');
  if (disk !== undefined) await applier.prune(informers.dataVolumes.resource, [disk], new Set(), { signal });
  if (secret !== undefined) await applier.prune(informers.secrets.resource, [secret], new Set(), { signal });
}

function remainsOf(found: StatefulChildren): readonly KubeObject[] {
  return [found.disk, found.secret, found.virtualMachine].filter((object) => object !== undefined);
}

/** Where a desktop's share is recorded. */
export function grantKey(key: string): string {
  return `desktops/${parseKey(key).name}`;
}
