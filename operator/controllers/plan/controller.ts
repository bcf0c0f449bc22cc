import { computePlanRevision } from '../../../crds/rules/revision.ts';
import type { Plan } from '../../../crds/v1alpha1/plan.ts';
import { PLANS } from '../../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import { createController, watchOf } from '../../../kube/controller.ts';
import { TerminalError } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { objectKey } from '../../../kube/object.ts';
import { resolvePlan } from '../../../model/planlookup.ts';
import type { OperatorContext } from '../../context.ts';
import { BY_BASED_ON, BY_NAMESPACE } from '../../informers.ts';
import { onSpecChange } from '../../predicates.ts';
import { listSubtree } from '../../tree.ts';
import { createStatusReconcile } from '../statusonly.ts';

/** Says of every Plan which revision it has and whether it can be bought. */
export function createPlanController(context: OperatorContext) {
  const { plans, tenants, namespaces } = context.informers;
  return createController(context, {
    name: PLANS.kind.toLowerCase(),
    workers: context.config.workers,
    watches: [
      watchOf<Plan & KubeObject>({
        informer: plans,
        map: (plan) => [objectKey(plan), ...listDependents(context, plan)],
        predicate: onSpecChange,
      }),
      watchOf<Tenant & KubeObject>({
        informer: tenants,
        map: (tenant) => listPlansSoldBy(context, tenant.status?.namespace ?? ''),
        predicate: onSpecChange,
      }),
      watchOf({
        informer: namespaces,
        map: ({ metadata }) =>
          listSubtree(context, metadata.name).flatMap((namespace) => listPlansSoldBy(context, namespace)),
        predicate: onSpecChange,
      }),
    ],
    reconcile: createStatusReconcile(context, {
      informer: plans,
      readyMessage: 'can be ordered',
      check: (plan) => checkPlan(context, plan),
      fields: (plan) => ({ revision: computePlanRevision(plan.spec) }),
    }),
  });
}

/** Plans that are based, directly or further below, on this one: their problem may be here. */
function listDependents(context: OperatorContext, plan: Plan & KubeObject): readonly string[] {
  const { name, namespace = '' } = plan.metadata;
  const below = context.informers.plans
    .byIndex(BY_BASED_ON, name)
    .filter((other) => context.tree.owner(other.metadata.namespace ?? '')?.seller?.namespace === namespace);
  return below.flatMap((other) => [objectKey(other), ...listDependents(context, other)]);
}

function listPlansSoldBy(context: OperatorContext, namespace: string): readonly string[] {
  return context.informers.plans.byIndex(BY_NAMESPACE, namespace).map(objectKey);
}

function checkPlan(context: OperatorContext, plan: Plan & KubeObject): void {
  const { namespace = '', name } = plan.metadata;
  const seller = context.tree.owner(namespace);
  if (seller === undefined) {
    throw new TerminalError(
      'NoSeller',
      `namespace ${namespace} belongs to no seller; move the Plan to its seller's namespace`,
    );
  }
  if (seller.tenant?.spec.type === 'Customer') {
    throw new TerminalError('NoSeller', `the owner of namespace ${namespace} is a Customer and may not sell`);
  }
  const resolved = resolvePlan(context.informers.plans, seller, name);
  if (!resolved.ok) throw new TerminalError(resolved.problem.reason, resolved.problem.message);
}
