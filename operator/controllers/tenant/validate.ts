import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import { TerminalError } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { ANNOTATION_PARENT_ID, ANNOTATION_SWEEP_AT, ANNOTATION_TENANT_ID } from '../../../model/labels.ts';
import type { ResolvedPlan } from '../../../model/planlookup.ts';
import type { TenantInput } from '../../desired/tenant/build.ts';
import { type RepositoryFacts, refuseRepository } from './repository.ts';

/** Facts about a Tenant and its surroundings, as `observe.ts` reads them. */
export type TenantObservation = {
  readonly tenant: Tenant & KubeObject;
  /** Who sells in the Tenant's namespace; absent when nobody does. `Missing`: its Tenant is not there, and was not removed. */
  readonly seller:
    | {
        readonly namespace: string;
        readonly tenantId: string;
        readonly type: 'Provider' | 'Customer' | 'Reseller' | 'Missing';
      }
    | undefined;
  readonly path: string;
  readonly namespace: string;
  readonly tenantId: string;
  /** The namespace of that name, when there is one. */
  readonly live: KubeObject | undefined;
  /** Name of an older Tenant with the same id below the same seller. */
  readonly duplicateOf: string | undefined;
  /** What the seller's price list says of `spec.plan`; absent when there is no seller. */
  readonly plan: ResolvedPlan | undefined;
  /** Absent unless the Tenant has its own repository. */
  readonly repository: RepositoryFacts | undefined;
};

/** All refusals of a Tenant. Throws TerminalError with the field, the rule and the next step; what returns can be built. */
export function validateTenant(observed: TenantObservation): TenantInput {
  const { tenant, seller } = observed;
  const { namespace: residence } = tenant.metadata;
  if (seller === undefined) {
    throw new TerminalError(
      'NoSeller',
      `namespace ${residence} belongs to no seller; move the Tenant to its seller's namespace`,
    );
  }
  if (seller.type === 'Customer') {
    throw new TerminalError(
      'NoSeller',
      `the owner of namespace ${residence} is a Customer and may not sell; its seller can set spec.type: Reseller`,
    );
  }
  if (seller.type === 'Missing') {
    throw new TerminalError(
      'TenantNotFound',
      `the Tenant of namespace ${residence}, which sold this one, is not there; everything stays as it is until it is back`,
    );
  }
  if (observed.duplicateOf !== undefined) {
    throw new TerminalError(
      'DuplicateIdentity',
      `spec.id ${tenant.spec.id} is taken by Tenant ${observed.duplicateOf}; use an id of its own`,
    );
  }
  refuseForeignNamespace(observed);
  refusePlan(observed);
  return narrowTenant(observed, seller);
}

/** The Tenant as it is built, whether or not it is refused. */
export function narrowTenant(
  observed: TenantObservation,
  seller: NonNullable<TenantObservation['seller']>,
): TenantInput {
  const { tenant } = observed;
  return {
    name: tenant.metadata.name,
    uid: tenant.metadata.uid ?? '',
    sellerNamespace: seller.namespace,
    namespace: observed.namespace,
    path: observed.path,
    tenantId: observed.tenantId,
    parentId: seller.tenantId,
    type: tenant.spec.type,
    members: tenant.spec.members ?? [],
    source: narrowSource(observed),
  };
}

/** A repository that is refused holds up nothing else of the Tenant: it is not fetched, and the status says why. */
function narrowSource({ tenant, repository: facts }: TenantObservation): TenantInput['source'] {
  if (facts === undefined) return tenant.spec.source?.type === 'Fleet' ? 'Fleet' : undefined;
  const { url, branch, path = '', secretRef } = facts.repository;
  return { url, branch, path, secretName: secretRef?.name, isAdmitted: refuseRepository(facts) === undefined };
}

/** A namespace without our annotations, or with those of another identity, is never adopted. */
function refuseForeignNamespace({ live, namespace, tenantId, seller }: TenantObservation): void {
  if (live === undefined) return;
  const annotations = live.metadata.annotations ?? {};
  if (annotations[ANNOTATION_TENANT_ID] === tenantId && annotations[ANNOTATION_PARENT_ID] === seller?.tenantId) return;
  const until = annotations[ANNOTATION_SWEEP_AT];
  const whose =
    annotations[ANNOTATION_TENANT_ID] === undefined
      ? "exists and is not a tenant's; delete it or choose another name"
      : until === undefined
        ? 'belongs to another identity; choose another name'
        : `belongs to a removed tenant of the same name until ${until}; wait, choose another name, or use that tenant's id`;
  throw new TerminalError('NameConflict', `namespace ${namespace} ${whose}`);
}

function refusePlan({ tenant, plan }: TenantObservation): void {
  if (plan?.ok === false) {
    const reason = plan.problem.reason === 'PlanNotFound' ? 'PlanNotFound' : 'PlanNotReady';
    throw new TerminalError(reason, `spec.plan ${tenant.spec.plan}: ${plan.problem.message}`);
  }
  if (plan !== undefined && plan.plan.spec.offers !== 'Tenant') {
    throw new TerminalError(
      'PlanNotFound',
      `spec.plan: Plan ${tenant.spec.plan} offers ${plan.plan.spec.offers}, a Tenant needs one that offers Tenant`,
    );
  }
}
