import { checkResource } from '../../crds/rules/index.ts';
import { addAmounts, renderAmounts } from '../../model/limits.ts';
import { resolvePlan } from '../../model/planlookup.ts';
import type { JudgedEnvironment, JudgedFolder } from './judge.ts';
import type { Fleet, FleetTenant, Placed } from './model.ts';
import type { FleetTree } from './tree.ts';
import { computeUsage, listExceeded } from './usage.ts';

/** Something in a fleet that a person should mend. */
export type Finding = {
  /**
   * `error`: the fleet source holds the folder, or what was written never reaches it. `warning`: the folder is taken, and the operator will refuse or wait, as far
   * as the repository tells.
   */
  readonly severity: 'error' | 'warning';
  /** Path from the root of the repository; of the folder where no file can be named. */
  readonly file: string;
  /** 1-based; 0 when no line can be named. */
  readonly line: number;
  /** Name of the rule or limit; for warnings the reason that the condition will have. */
  readonly rule: string;
  readonly message: string;
};

/** Everything that is wrong with an environment, by file and line. */
export function listFindings(tree: FleetTree, environment: JudgedEnvironment, fleet: Fleet): readonly Finding[] {
  const prefix = `tenants/${environment.name}`;
  const folders = [...environment.folders.values()];
  // In what could not be read there may be the Tenant of any folder.
  const isRead = folders.every((folder) => folder.isRead);
  const found = [
    ...(environment.refused === undefined
      ? []
      : [
          error(
            prefix,
            0,
            environment.refused.rule,
            `${environment.refused.message}; nothing of the environment is published`,
          ),
        ]),
    ...tree.leftOut
      .filter(({ path }) => path.startsWith(`${prefix}/`) || path === prefix)
      .map(({ path, what }) =>
        error(
          path,
          0,
          'LeftOut',
          `is ${what}, which never reaches the fleet source; put the file itself there, or remove it`,
        ),
      ),
    ...environment.strays.map(({ path, message }) => warning(path, 0, 'Stray', message)),
    ...folders.flatMap((folder) => listViolations(prefix, folder)),
    ...(isRead ? folders.flatMap((folder) => listUnowned(prefix, folder)) : []),
    ...listRefusals(fleet),
  ];
  return found.sort(byPlace);
}

/** What belongs to no environment at all. */
export function listOutside(tree: FleetTree): readonly Finding[] {
  const isTop = ({ path }: { readonly path: string }): boolean => path.split('/').length === 2;
  return [
    ...tree.leftOut
      .filter(isTop)
      .map(({ path, what }) =>
        error(path, 0, 'LeftOut', `is ${what}, which is not followed; an environment is a folder`),
      ),
    ...tree.files
      .filter((file) => isTop(file) && /\.ya?ml$/i.test(file.path))
      .map(({ path }) =>
        warning(path, 0, 'Stray', 'belongs to no environment; move it to tenants/<environment>/<namespace>/'),
      ),
  ];
}

function listViolations(prefix: string, { namespace, violations }: JudgedFolder): readonly Finding[] {
  const folder = `${prefix}/${namespace}`;
  return violations.map(({ file, line, rule, message }) =>
    error(file === '' ? folder : `${folder}/${file}`, line, rule, message),
  );
}

/** A folder that no Tenant of the fleet stands for; it may be one that only the cluster has. */
function listUnowned(prefix: string, { namespace, owner, documents }: JudgedFolder): readonly Finding[] {
  if (owner !== 'Unknown' || documents.length === 0) return [];
  const message = `no Tenant in this environment has the namespace ${namespace}; what is in the folder waits until there is one`;
  return [warning(`${prefix}/${namespace}`, 0, 'TenantNotFound', message)];
}

/** What the operator would refuse: rules that need more than one folder. */
function listRefusals(fleet: Fleet): readonly Finding[] {
  const usage = computeUsage(fleet);
  return [...fleet.tenants.values()].flatMap((owner) => [
    ...(owner.isKnown ? owner.plans.flatMap((plan) => checkPlan(fleet, owner, plan)) : []),
    ...(owner.isKnown ? owner.quotas.flatMap((quota) => checkQuota(owner, quota)) : []),
    ...(owner.seller?.isKnown === true ? checkBought(fleet, owner, owner.seller) : []),
    ...checkUsage(owner, usage.get(owner.namespace)),
  ]);
}

function checkPlan(fleet: Fleet, owner: FleetTenant, plan: Placed): readonly Finding[] {
  const facts = {
    namespace: owner.namespace,
    owner: owner.seller === undefined ? 'Root' : 'Reseller',
    prices: { plans: fleet.plans, seller: owner },
  } as const;
  return checkResource(plan.value, facts).map(({ rule, path, message }) =>
    warning(plan.file, plan.lineOf(path), rule, message),
  );
}

function checkQuota(owner: FleetTenant, quota: Placed): readonly Finding[] {
  const { name } = quota.value.metadata;
  if (owner.children.some(({ tenant }) => tenant?.value.metadata.name === name)) return [];
  return [
    warning(
      quota.file,
      quota.lineOf(['metadata', 'name']),
      'TenantNotFound',
      `metadata.name: no Tenant ${name} in namespace ${owner.namespace}; a Quota limits the Tenant of the same name beside it`,
    ),
  ];
}

/** The Tenant's own plan, and its desktops', all of which its seller sells. */
function checkBought(fleet: Fleet, owner: FleetTenant, seller: FleetTenant): readonly Finding[] {
  const { tenant } = owner;
  return [
    ...(tenant === undefined ? [] : checkPlanOf(fleet, seller, tenant, tenant.value.spec.plan, 'Tenant')),
    ...owner.desktops.flatMap((desktop) => {
      const problems = checkPlanOf(fleet, seller, desktop, desktop.value.spec.plan, 'Desktop');
      return problems.length > 0 ? problems : checkImage(fleet, seller, desktop, desktop.value.spec);
    }),
  ];
}

function checkPlanOf(
  fleet: Fleet,
  seller: FleetTenant,
  placed: Placed,
  plan: string,
  offers: 'Tenant' | 'Desktop',
): readonly Finding[] {
  const at = placed.lineOf(['spec', 'plan']);
  const resolved = resolvePlan(fleet.plans, seller, plan);
  if (!resolved.ok) {
    const rule = resolved.problem.reason === 'PlanNotFound' ? 'PlanNotFound' : 'PlanNotReady';
    return [
      warning(
        placed.file,
        at,
        rule,
        `spec.plan: ${rule === 'PlanNotFound' ? '' : `Plan ${plan} is not ready: `}${resolved.problem.message}`,
      ),
    ];
  }
  const found = resolved.plan.spec.offers;
  if (found === offers) return [];
  return [
    warning(
      placed.file,
      at,
      'PlanNotFound',
      `spec.plan: Plan ${plan} offers ${found}, ${offers === 'Tenant' ? 'a Tenant' : 'an RDPInstance'} needs one that offers ${offers}`,
    ),
  ];
}

function checkImage(
  fleet: Fleet,
  seller: FleetTenant,
  desktop: Placed,
  { plan, image }: { readonly plan: string; readonly image: string },
): readonly Finding[] {
  const resolved = resolvePlan(fleet.plans, seller, plan);
  const images = resolved.ok ? (resolved.desktop?.images ?? []) : [image];
  if (images.includes(image)) return [];
  return [
    warning(
      desktop.file,
      desktop.lineOf(['spec', 'image']),
      'ImageNotAllowed',
      `spec.image: ${image} is not among the images of Plan ${plan}: ${images.join(', ')}`,
    ),
  ];
}

function checkUsage(owner: FleetTenant, usage: ReturnType<ReturnType<typeof computeUsage>['get']>): readonly Finding[] {
  const { tenant } = owner;
  if (tenant === undefined || usage === undefined) return [];
  const exceeded = listExceeded(usage);
  if (exceeded.length === 0) return [];
  const total = renderAmounts(addAmounts(usage.used, usage.allotted));
  const hard = renderAmounts(usage.hard ?? {});
  const numbers = exceeded.map((name) => `${name} ${total[name]} of ${hard[name]}`).join(', ');
  const message = `${owner.path} is given and passes on more than its Plan and Quota allow: ${numbers}; what comes last is refused. Raise the limit or order less`;
  return [warning(tenant.file, tenant.line, 'QuotaExceeded', message)];
}

function error(file: string, line: number, rule: string, message: string): Finding {
  return { severity: 'error', file, line, rule, message };
}

function warning(file: string, line: number, rule: string, message: string): Finding {
  return { severity: 'warning', file, line, rule, message };
}

function byPlace(a: Finding, b: Finding): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}
