import { parseResource } from '../../crds/rules/index.ts';
import type { Plan } from '../../crds/v1alpha1/plan.ts';
import type { Quota } from '../../crds/v1alpha1/quota.ts';
import type { RDPInstance } from '../../crds/v1alpha1/rdpinstance.ts';
import type { SubletResource } from '../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../crds/v1alpha1/tenant.ts';
import { ROOT_NAMESPACE, tenantNamespace, tenantPath } from '../../model/names.ts';
import type { PlanStore } from '../../model/planlookup.ts';
import type { JudgedEnvironment, JudgedFolder } from './judge.ts';

/** A resource and where it is written. */
export type Placed<R extends SubletResource = SubletResource> = {
  /** `RDPInstance/t-acme--bob/anna-desk`. */
  readonly id: string;
  readonly namespace: string;
  /** Path from the root of the repository. */
  readonly file: string;
  readonly line: number;
  readonly lineOf: (path: readonly (string | number)[]) => number;
  readonly value: R;
};

/** A tenant of the fleet, or the provider, whose `path` and `tenant` are absent. */
export type FleetTenant = {
  readonly namespace: string;
  readonly path: string | undefined;
  readonly tenant: Placed<Tenant> | undefined;
  readonly seller: FleetTenant | undefined;
  readonly children: readonly FleetTenant[];
  /**
   * What it has and sells is in this repository, and in an accepted folder. False: nothing follows from what is not found there. The same goes for
   * everything that depends on a tenant above it.
   */
  readonly isKnown: boolean;
  readonly desktops: readonly Placed<RDPInstance>[];
  readonly plans: readonly Placed<Plan>[];
  readonly quotas: readonly Placed<Quota>[];
};

/** What an environment of the fleet declares. */
export type Fleet = {
  readonly resources: ReadonlyMap<string, Placed>;
  readonly root: FleetTenant;
  /** By namespace, the provider first, sellers before what they sold. */
  readonly tenants: ReadonlyMap<string, FleetTenant>;
  readonly plans: PlanStore<Plan>;
};

/**
 * The fleet as it is declared. `lastGood` is asked for a folder that is held: what stays of it then is its last good content. Without an answer, what can be
 * read of it counts.
 */
export function buildFleet(environment: JudgedEnvironment, lastGood?: Fleet | undefined): Fleet {
  const byNamespace = new Map(
    [...environment.folders].map(([namespace, folder]) => [
      namespace,
      listResources(environment.name, folder, lastGood),
    ]),
  );
  const resources = new Map([...byNamespace.values()].flat().map((placed) => [placed.id, placed]));
  const tenants = new Map<string, FleetTenant>();
  const root = buildTenant(
    { byNamespace, environment, tenants },
    { namespace: ROOT_NAMESPACE, path: undefined, tenant: undefined, seller: undefined },
  );
  const plans = new Map(
    [...byNamespace.values()]
      .flat()
      .flatMap(({ namespace, value }) =>
        value.kind === 'Plan' ? [[`${namespace}/${value.metadata.name}`, value] as const] : [],
      ),
  );
  return { resources, root, tenants, plans };
}

function listResources(environment: string, folder: JudgedFolder, lastGood: Fleet | undefined): readonly Placed[] {
  const { namespace } = folder;
  if (folder.violations.length > 0 && lastGood !== undefined) {
    return [...lastGood.resources.values()].filter((placed) => placed.namespace === namespace);
  }
  const found = new Map<string, Placed>();
  for (const { file, line, lineOf, value } of folder.documents) {
    const parsed = parseResource(value);
    if (!parsed.ok) continue;
    const id = `${parsed.value.kind}/${namespace}/${parsed.value.metadata.name}`;
    if (!found.has(id))
      found.set(id, {
        id,
        namespace,
        file: `tenants/${environment}/${namespace}/${file}`,
        line,
        lineOf,
        value: parsed.value,
      });
  }
  return [...found.values()];
}

type BuildContext = {
  readonly byNamespace: ReadonlyMap<string, readonly Placed[]>;
  readonly environment: JudgedEnvironment;
  readonly tenants: Map<string, FleetTenant>;
};

function buildTenant(
  context: BuildContext,
  whose: Pick<FleetTenant, 'namespace' | 'path' | 'tenant' | 'seller'>,
): FleetTenant {
  const { byNamespace, environment, tenants } = context;
  const { namespace, path, tenant, seller } = whose;
  const own = byNamespace.get(namespace) ?? [];
  const isFleet = tenant === undefined || tenant.value.spec.source?.type === 'Fleet';
  const isHeld = (environment.folders.get(namespace)?.violations.length ?? 0) > 0;
  const children: FleetTenant[] = [];
  const built: FleetTenant = {
    ...whose,
    children,
    isKnown: isFleet && !isHeld && seller?.isKnown !== false,
    desktops: own.filter(isDesktop),
    plans: own.filter(isPlan),
    quotas: own.filter(isQuota),
  };
  tenants.set(namespace, built);
  const maySell = tenant === undefined || tenant.value.spec.type === 'Reseller';
  for (const child of maySell ? own.filter(isTenant) : []) {
    const childPath = tenantPath(path, child.value.metadata.name);
    const childNamespace = tenantNamespace(childPath);
    if (tenants.has(childNamespace)) continue;
    children.push(buildTenant(context, { namespace: childNamespace, path: childPath, tenant: child, seller: built }));
  }
  return built;
}

function isTenant(placed: Placed): placed is Placed<Tenant> {
  return placed.value.kind === 'Tenant';
}

function isPlan(placed: Placed): placed is Placed<Plan> {
  return placed.value.kind === 'Plan';
}

function isQuota(placed: Placed): placed is Placed<Quota> {
  return placed.value.kind === 'Quota';
}

function isDesktop(placed: Placed): placed is Placed<RDPInstance> {
  return placed.value.kind === 'RDPInstance';
}
