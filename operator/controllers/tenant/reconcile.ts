import { TENANTS } from '../../../crds/v1alpha1/resources.ts';
import type { Reconcile } from '../../../kube/controller.ts';
import { ChangedError, TerminalError, WaitingError } from '../../../kube/errors.ts';
import { ensureFinalizer, removeFinalizer } from '../../../kube/finalizer.ts';
import { parseKey } from '../../../kube/object.ts';
import { computeResourceId } from '../../../model/identity.ts';
import { ANNOTATION_PATH, ANNOTATION_TENANT_ID, FINALIZER } from '../../../model/labels.ts';
import { addAmounts, maxAmounts, renderShortfall } from '../../../model/limits.ts';
import { tenantNamespace, tenantPath } from '../../../model/names.ts';
import type { ChildKind } from '../../children.ts';
import { applyChild, applyChildren, pruneChildren } from '../../children.ts';
import { confirmSight, viewSpec } from '../../confirm.ts';
import type { OperatorContext } from '../../context.ts';
import { buildTenant } from '../../desired/tenant/build.ts';
import { BY_NAMESPACE, ownerOf } from '../../informers.ts';
import type { Outcome } from '../../outcome.ts';
import { computeOutcome, nowSeconds } from '../../outcome.ts';
import { applyStatus } from '../../status.ts';
import { clearRemoval, parseTombstone, stampRemoval } from '../../tombstone.ts';
import type { Suspension } from '../../tree.ts';
import { waitForKinds } from '../../unread.ts';
import { observeTenant } from './observe.ts';
import { computeTenantStatus } from './status.ts';
import type { TenantObservation } from './validate.ts';
import { narrowTenant, validateTenant } from './validate.ts';

/** Kinds that a Tenant may own, but for its namespace, which is never pruned. */
const PRUNED: readonly ChildKind[] = [
  'ResourceQuota',
  'NetworkPolicy',
  'RoleBinding',
  'Role',
  'ServiceAccount',
  'Kustomization',
  'GitRepository',
];

/** observe -> validate -> build -> grant -> apply -> prune -> status, or the removal. */
export function createTenantReconcile(context: OperatorContext): Reconcile {
  return async (key, signal) => {
    const observed = observeTenant(context, key);
    if (observed?.tenant.metadata.deletionTimestamp !== undefined) return removeTenant(context, observed, signal);
    waitForKinds(context);
    if (observed === undefined) return releaseShare(context, key, signal);
    let outcome: Outcome | undefined = { kind: 'ready', message: `namespace ${observed.namespace} is ready` };
    try {
      await makeTenant(context, observed, signal);
    } catch (error) {
      outcome = isUntold(error) ? undefined : computeOutcome(error);
      if (error instanceof TerminalError) await applyRights(context, observed, signal);
      throw error;
    } finally {
      if (outcome !== undefined) await reportTenant(context, observed, outcome, signal);
    }
  };
}

/** What is no news, and what could not be told: status is bound to the version that was seen. */
function isUntold(error: unknown): boolean {
  return error instanceof ChangedError || (error instanceof CountsPending && !error.isLate);
}

/** One status patch on every path. */
async function reportTenant(
  context: OperatorContext,
  observed: TenantObservation,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  const suspensions = observeSuspensions(context, observed);
  const status = computeTenantStatus(observed, outcome, suspensions, nowSeconds(context.clock));
  await applyStatus(context, context.informers.tenants, observed.tenant, status, signal);
}

async function makeTenant(context: OperatorContext, observed: TenantObservation, signal: AbortSignal): Promise<void> {
  const { informers, config } = context;
  await ensureFinalizer(context.client, informers.tenants, observed.tenant, FINALIZER, signal);
  const input = validateTenant(observed);
  waitForTermination(observed);
  const children = buildTenant(input, config);
  const shortfall = await grantTenant(context, observed, signal);
  if (observed.live !== undefined && parseTombstone(observed.live) !== undefined) {
    // After a restart a Tenant may be shown that was deleted long ago: what it left would begin its grace anew.
    await confirmTenant(context, observed, signal);
    await clearRemoval(context, informers.namespaces, observed.live, signal);
  }
  await applyChild(context, children.namespace, signal);
  await applyChildren(context, children.rest, signal);
  if (children.feed.length > 0) waitForCounts(context, observed);
  await applyChildren(context, children.feed, signal);
  const built = [...children.rest, ...children.feed];
  await pruneChildren(context, computeResourceId(input.tenantId, 'Tenant', input.name), PRUNED, built, signal);
  if (shortfall !== undefined) throw new TerminalError('QuotaExceeded', shortfall);
}

const RIGHTS: readonly ChildKind[] = ['Role', 'RoleBinding'];

/** Who may do what follows the Tenant also while it is refused: nobody keeps a right because a Plan is gone. */
async function applyRights(context: OperatorContext, observed: TenantObservation, signal: AbortSignal): Promise<void> {
  const { seller, live, tenant, tenantId } = observed;
  if (seller === undefined || seller.type === 'Missing' || live === undefined) return;
  const owner = computeResourceId(tenantId, 'Tenant', tenant.metadata.name);
  const isHome = live.metadata.deletionTimestamp === undefined && parseTombstone(live) === undefined;
  if (!isHome || ownerOf(live) !== owner) return;
  const { rest } = buildTenant(narrowTenant(observed, seller), context.config);
  const rights = rest.filter(({ kind }) => RIGHTS.some((one) => one === kind));
  await applyChildren(context, rights, signal);
  await pruneChildren(context, owner, RIGHTS, rights, signal);
}

/** The namespace wakes the Tenant when it is gone; this is for whoever looks at the clock. */
const TERMINATION_RETRY_MS = 60_000;

/** Whoever deletes a namespace, nothing can be made in it any more: the Tenant is not Ready, and gets a new one once it is gone. */
function waitForTermination({ live, namespace }: TenantObservation): void {
  if (live?.metadata.deletionTimestamp === undefined) return;
  const message = `namespace ${namespace} is being deleted; it is made again when that is over`;
  throw new WaitingError(message, { retryAfterMs: TERMINATION_RETRY_MS });
}

/** How long Kubernetes may take to count a namespace's objects before the Tenant's status says that it is waited for. */
const COUNTS_LATE_MS = 10_000;

/** The namespace's objects are not counted yet. Says nothing in status while that is no news. */
class CountsPending extends WaitingError {
  readonly isLate: boolean;

  constructor(namespace: string, isLate: boolean) {
    super(`Kubernetes has not counted the objects of namespace ${namespace} yet`, { retryAfterMs: COUNTS_LATE_MS });
    this.isLate = isLate;
  }
}

/**
 * Until a ResourceQuota's status names a kind, the API server refuses objects of it, so Flux would only fail and back off. Right after
 * our CRDs were installed that may take the controller manager its `--resource-quota-sync-period`, 5 minutes by default.
 */
function waitForCounts({ informers, clock }: OperatorContext, { namespace }: TenantObservation): void {
  const uncounted = informers.resourceQuotas
    .byIndex(BY_NAMESPACE, namespace)
    .filter(({ spec, status }) => Object.keys(spec?.hard ?? {}).some((name) => status?.used?.[name] === undefined));
  if (uncounted.length === 0) return;
  const since = Math.min(...uncounted.map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '')));
  throw new CountsPending(namespace, clock.now() - since > COUNTS_LATE_MS);
}

/** Read after the children were applied, so that a namespace made in this pass counts. */
function observeSuspensions(context: OperatorContext, observed: TenantObservation): readonly Suspension[] {
  const owner = context.tree.owner(observed.namespace);
  return owner?.tenantId === observed.tenantId ? context.tree.suspensions(owner) : [];
}

/**
 * Records the tenant's share in its seller's grants before it may use it. A tenant that has nothing yet and does not fit is not
 * made; one that grew keeps what was recorded, and the returned text says what is missing. A share never becomes less than what is
 * used of it: asks that were decided on the older limits are waited for, and later ones know the new limits.
 */
async function grantTenant(
  context: OperatorContext,
  observed: TenantObservation,
  signal: AbortSignal,
): Promise<string | undefined> {
  const seller = observed.seller;
  if (seller === undefined || seller.type === 'Provider') return undefined;
  await context.grants.settled(observed.namespace, signal);
  const { used, allotted: passedOn } = context.grants.totals(observed.namespace);
  const owner = context.tree.owner(seller.namespace);
  const effective = owner === undefined ? {} : context.limits.effective(owner, observed.tenant);
  const allotted = maxAmounts(effective, addAmounts(used, passedOn));
  const answer = await context.grants.ensure(
    { namespace: seller.namespace, key: shareKey(observed.tenant.metadata.name), used: { tenants: 1n }, allotted },
    signal,
  );
  if (answer.granted) return undefined;
  const text = renderShortfall(answer.shortfall);
  if (!answer.held) throw new TerminalError('QuotaExceeded', text);
  return text;
}

/**
 * Absence deletes nothing of value: the namespace is stamped and stays for its grace; what stops its content, and sweeps it in
 * the end, is the tombstone's controller. Released within one pass.
 */
async function removeTenant(context: OperatorContext, observed: TenantObservation, signal: AbortSignal): Promise<void> {
  const { tenant, seller, live, tenantId } = observed;
  if (live !== undefined && seller !== undefined && live.metadata.annotations?.[ANNOTATION_TENANT_ID] === tenantId) {
    // The same identity may have come back to what it left.
    if (parseTombstone(live) === undefined) await confirmTenant(context, observed, signal);
    const removedBelow = context.tree.owner(seller.namespace)?.removed === true;
    const decision = removedBelow
      ? 'stop'
      : await context.breaker.admit({ kind: 'Tenant', key: observed.namespace }, signal);
    await stampRemoval(
      context,
      context.informers.namespaces,
      live,
      { decision, deletion: tenant.spec.deletion, suspended: observeSuspensions(context, observed).length > 0 },
      signal,
    );
  }
  await removeFinalizer(context.client, TENANTS, tenant, FINALIZER, signal);
}

/** Throws `ChangedError` when the Tenant is not as it was seen: another UID, another spec, or gone. */
function confirmTenant(context: OperatorContext, { tenant }: TenantObservation, signal: AbortSignal): Promise<void> {
  const sight = { informer: context.informers.tenants, key: tenant.metadata, seen: tenant, view: viewSpec };
  return confirmSight(context, sight, signal);
}

/** A removed tenant's share goes back to its seller once its namespace is gone: until then its disks are there. */
async function releaseShare(context: OperatorContext, key: string, signal: AbortSignal): Promise<void> {
  const { namespace = '', name } = parseKey(key);
  const seller = context.tree.owner(namespace);
  if (seller?.path === undefined || context.grants.recorded(namespace, shareKey(name)) === undefined) return;
  const path = tenantPath(seller.path, name);
  const left = context.informers.namespaces.get(tenantNamespace(path));
  if (left?.metadata.annotations?.[ANNOTATION_PATH] === path) return;
  await context.grants.release({ namespace, key: shareKey(name) }, signal);
}

/** Where a tenant's share is recorded. */
function shareKey(name: string): string {
  return `tenants/${name}`;
}
