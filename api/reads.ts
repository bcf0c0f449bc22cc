import { type Plan, PlanSpec } from '../crds/v1alpha1/plan.ts';
import { type Change, type Journal, OPEN_STATES } from '../gitops/journal.ts';
import { API_VERSION } from '../model/group.ts';
import type { PlanStore } from '../model/planlookup.ts';
import type { Caches } from './caches.ts';
import type { Surroundings } from './checks.ts';
import { type Collection, findLive, listLive, PLANS, TENANTS } from './collections.ts';
import type { ApiConfig } from './config.ts';
import { pageOf } from './cursor.ts';
import { computeDeclared, type Declared, groupByName } from './overlay.ts';
import type { Place } from './place.ts';
import { notFound } from './problem.ts';
import type { Owner, Tree } from './tree.ts';

export type ReadDeps = {
  readonly caches: Caches;
  readonly journal: Pick<Journal, 'open' | 'list'>;
  readonly tree: Tree;
};

export type JudgeDeps = ReadDeps & { readonly config: { readonly git: Pick<ApiConfig['git'], 'allowedGitHosts'> } };

export type Read = { readonly declared: Declared };

/** One resource with its open changes laid over it. */
export async function readOne(
  deps: ReadDeps,
  collection: Collection,
  namespace: string,
  name: string,
): Promise<Read | undefined> {
  const open = await deps.journal.open({ kind: collection.kind, namespace, name });
  const declared = computeDeclared(collection, name, findLive(deps.caches, collection, namespace, name), open);
  return declared === undefined ? undefined : { declared };
}

/** A page of a collection, by name; what is coming is in it, too. */
export async function readAll(
  deps: ReadDeps,
  collection: Collection,
  place: Place,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<{ readonly items: readonly Declared[]; readonly next: string | undefined }> {
  const open = groupByName(await openIn(deps, place.namespace), collection.kind);
  const live = listLive(deps.caches, collection, place.namespace);
  const names = new Set([...live.map(({ metadata }) => metadata.name), ...open.keys()]);
  const sorted = [...names].sort();
  const { items, next } = pageOf(sorted, (name) => name, page);
  const declared = items.flatMap((name) => {
    const one = computeDeclared(
      collection,
      name,
      findLive(deps.caches, collection, place.namespace, name),
      open.get(name) ?? [],
    );
    return one === undefined ? [] : [one];
  });
  return { items: declared, next };
}

/** More open changes of one namespace than anybody makes; beyond it the oldest are not laid over. */
const MOST_OPEN = 5_000;

/** Oldest first. */
async function openIn({ journal }: ReadDeps, namespace: string): Promise<readonly Change[]> {
  const changes = await journal.list({ namespaces: [namespace], states: OPEN_STATES, most: MOST_OPEN });
  return changes.toReversed();
}

/** What a resource of this place is judged by, with what was accepted and is on its way. */
export async function surroundings(
  deps: JudgeDeps,
  place: Place,
  self: { readonly kind: string; readonly name: string },
): Promise<Surroundings> {
  const owner = deps.tree.owner(place.namespace);
  if (owner === undefined) throw notFound();
  const needsTenants = self.kind === TENANTS.kind;
  const tenants = needsTenants ? await listTenants(deps, place.namespace, self.name) : [];
  const { allowedGitHosts } = deps.config.git;
  return { owner, tenants, allowedGitHosts, plans: await planStore(deps, owner) };
}

async function listTenants(deps: ReadDeps, namespace: string, self: string) {
  const open = groupByName(await openIn(deps, namespace), TENANTS.kind);
  const names = new Set([
    ...listLive(deps.caches, TENANTS, namespace).map(({ metadata }) => metadata.name),
    ...open.keys(),
  ]);
  names.delete(self);
  return [...names].flatMap((name) => {
    const declared = computeDeclared(
      TENANTS,
      name,
      findLive(deps.caches, TENANTS, namespace, name),
      open.get(name) ?? [],
    );
    const id = declared?.spec.id;
    return typeof id === 'string' ? [{ name, id }] : [];
  });
}

/** The price lists from an owner upwards, with Plans that are coming. */
async function planStore(deps: ReadDeps, owner: Owner): Promise<PlanStore<Plan>> {
  const namespaces = listUpwards(owner);
  const changes = await deps.journal.list({ namespaces, states: OPEN_STATES, most: MOST_OPEN });
  const coming = new Map<string, Plan>();
  for (const namespace of namespaces) {
    const own = changes.filter(({ intent }) => intent.target.namespace === namespace).reverse();
    for (const [name, open] of groupByName(own, PLANS.kind)) {
      const declared = computeDeclared(PLANS, name, findLive(deps.caches, PLANS, namespace, name), open);
      const spec = PlanSpec.safeParse(declared?.spec);
      if (!spec.success) continue;
      coming.set(`${namespace}/${name}`, {
        apiVersion: API_VERSION,
        kind: 'Plan',
        metadata: { name, namespace },
        spec: spec.data,
      });
    }
  }
  return { get: (key) => coming.get(key) ?? deps.caches.plans.get(key) };
}

function listUpwards(owner: Owner): readonly string[] {
  return owner.seller === undefined ? [owner.namespace] : [owner.namespace, ...listUpwards(owner.seller)];
}
