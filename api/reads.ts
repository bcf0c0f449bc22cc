import { type Plan, PlanSpec } from '../crds/v1alpha1/plan.ts';
import { type Change, type Journal, OPEN_STATES } from '../gitops/journal.ts';
import { API_VERSION } from '../model/group.ts';
import type { PlanStore } from '../model/planlookup.ts';
import type { Caches } from './caches.ts';
import type { Surroundings } from './checks.ts';
import { type Collection, findLive, listLive, PLANS, TENANTS } from './collections.ts';
import type { ApiConfig } from './config.ts';
import { pageOf } from './cursor.ts';
import { computeDeclared, computeSpec, type Declared, groupByName } from './overlay.ts';
import type { Place } from './place.ts';
import { notFound } from './problem.ts';
import { MOST_OPEN_CHANGES } from './submit.ts';
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
  const open = await openIn(deps, place.namespace, collection);
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

/** By name, of each the oldest first. */
async function openIn({ journal }: ReadDeps, namespace: string, { kind }: Collection): Promise<OpenByName> {
  const changes = await journal.list({ namespaces: [namespace], kind, states: OPEN_STATES, most: MOST_OPEN_CHANGES });
  return groupByName(changes.toReversed());
}

type OpenByName = ReturnType<typeof groupByName>;

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
  const open = await openIn(deps, namespace, TENANTS);
  const names = new Set([
    ...listLive(deps.caches, TENANTS, namespace).map(({ metadata }) => metadata.name),
    ...open.keys(),
  ]);
  names.delete(self);
  return [...names].flatMap((name) => {
    const id = computeSpec(findLive(deps.caches, TENANTS, namespace, name), open.get(name) ?? [])?.id;
    return typeof id === 'string' ? [{ name, id }] : [];
  });
}

/** The price lists from an owner upwards, with Plans that are coming. Of these only what is looked up is read: somebody above may have thousands on their way. */
async function planStore(deps: ReadDeps, owner: Owner): Promise<PlanStore<Plan>> {
  const namespaces = listUpwards(owner);
  const changes = await deps.journal.list({
    namespaces,
    kind: PLANS.kind,
    states: OPEN_STATES,
    most: MOST_OPEN_CHANGES,
  });
  const open = Map.groupBy(changes.toReversed(), ({ intent: { target } }) => `${target.namespace}/${target.name}`);
  const coming = new Map([...open].map(([key, own]) => [key, lazily(() => computeComing(deps, own))]));
  return { get: (key) => coming.get(key)?.() ?? deps.caches.plans.get(key) };
}

/** The Plan that changes of it make, or nothing while they make none that is right. */
function computeComing({ caches }: ReadDeps, open: readonly Change[]): Plan | undefined {
  const target = open[0]?.intent.target;
  if (target === undefined) return undefined;
  const { namespace, name } = target;
  const spec = PlanSpec.safeParse(computeDeclared(PLANS, name, findLive(caches, PLANS, namespace, name), open)?.spec);
  if (!spec.success) return undefined;
  return { apiVersion: API_VERSION, kind: 'Plan', metadata: { name, namespace }, spec: spec.data };
}

function lazily<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: compute() };
    return known.value;
  };
}

function listUpwards(owner: Owner): readonly string[] {
  return owner.seller === undefined ? [owner.namespace] : [owner.namespace, ...listUpwards(owner.seller)];
}
