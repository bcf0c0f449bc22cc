import { checkResource, checkUpdate, parseResource, type RuleFacts, type RuleViolation } from '../crds/rules/index.ts';
import type { Plan } from '../crds/v1alpha1/plan.ts';
import type { SubletResource } from '../crds/v1alpha1/resources.ts';
import type { JsonMap } from '../gitops/intent.ts';
import { API_VERSION } from '../model/group.ts';
import { type PlanStore, resolvePlan } from '../model/planlookup.ts';
import type { Collection } from './collections.ts';
import { describeErrors, type FieldProblem, Problem, renderPointer } from './problem.ts';
import { type Owner, ownerType, sellerChain } from './tree.ts';

/** What a resource is judged by. */
export type Surroundings = {
  readonly owner: Owner;
  readonly plans: PlanStore<Plan>;
  /** Other Tenants in the namespace, those that are coming included. */
  readonly tenants: readonly { readonly name: string; readonly id: string }[];
  /** Hosts inside that a tenant's own repository may be on. */
  readonly allowedGitHosts: readonly string[];
};

/** The resource as Git will have it. */
export function buildObject({ kind }: Collection, name: string, spec: JsonMap): JsonMap {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}

/** Throws a 422 that names each field: its shape, the rules of `crds/rules`, what it refers to, and (`before`) what may never change. */
export function checkDeclaration(object: JsonMap, around: Surroundings, before?: JsonMap): void {
  const { owner, plans, tenants, allowedGitHosts } = around;
  const facts: RuleFacts = {
    namespace: owner.namespace,
    owner: ownerType(owner),
    isDeclared: true,
    tenants,
    allowedGitHosts,
    prices: { plans, seller: sellerChain(owner) },
  };
  const broken = checkResource(object, facts);
  if (broken.length > 0) throw refuse(broken);
  const parsed = parseResource(object);
  const earlier = before === undefined ? undefined : parseResource(before);
  if (!parsed.ok) return;
  const more = [
    ...(earlier?.ok === true ? checkUpdate(earlier.value, parsed.value) : []),
    ...(isBoughtAlike(earlier?.ok === true ? earlier.value : undefined, parsed.value)
      ? []
      : checkBought(parsed.value, around)),
  ];
  if (more.length > 0) throw refuse(more);
}

/** What was bought once may be kept, stopped and removed although it is not sold any more. */
function isBoughtAlike(before: SubletResource | undefined, after: SubletResource): boolean {
  if (before?.kind === 'Tenant' && after.kind === 'Tenant') return before.spec.plan === after.spec.plan;
  if (before?.kind !== 'RDPInstance' || after.kind !== 'RDPInstance') return false;
  return before.spec.plan === after.spec.plan && before.spec.image === after.spec.image;
}

/** What is bought is on the seller's price list. The operator says the same in status. */
function checkBought(resource: SubletResource, { owner, plans }: Surroundings): readonly RuleViolation[] {
  if (resource.kind !== 'Tenant' && resource.kind !== 'RDPInstance') return [];
  const seller = resource.kind === 'Tenant' ? owner : owner.seller;
  if (seller === undefined) return [];
  const path = ['spec', 'plan'];
  const { plan: name } = resource.spec;
  const resolved = resolvePlan(plans, sellerChain(seller), name);
  if (!resolved.ok) {
    const { reason, message } = resolved.problem;
    return [
      { rule: reason, path, message: resolved.plan === undefined ? message : `Plan ${name} is not ready: ${message}` },
    ];
  }
  const wanted = resource.kind === 'Tenant' ? 'Tenant' : 'Desktop';
  const { offers } = resolved.plan.spec;
  if (offers !== wanted) {
    return [{ rule: 'PlanNotFound', path, message: `Plan ${name} offers ${offers}; name one that offers ${wanted}` }];
  }
  const images = resolved.desktop?.images;
  if (resource.kind === 'Tenant' || images === undefined || images.includes(resource.spec.image)) return [];
  const message = `${resource.spec.image} is not among the images of Plan ${name}: ${images.join(', ') || 'none'}`;
  return [{ rule: 'ImageNotAllowed', path: ['spec', 'image'], message }];
}

function refuse(broken: readonly RuleViolation[]): Problem {
  const errors: readonly FieldProblem[] = broken.map(({ rule, path, message }) => ({
    pointer: pointerOf(path),
    rule,
    detail: message,
  }));
  return new Problem(422, 'invalid', describeErrors(errors), { errors });
}

/** Bodies have `name` where resources have `metadata.name`. */
function pointerOf(path: RuleViolation['path']): string {
  return path[0] === 'metadata' && path[1] === 'name' ? '/name' : renderPointer(path);
}
