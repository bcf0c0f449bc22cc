import type { Check } from './checker.ts';
import {
  annotationOf,
  BREAKER,
  CONFIGMAPS,
  DESKTOPS,
  FLEET,
  isOperator,
  LEDGER,
  NAMESPACES,
  nameOf,
  namespaceOf,
  OWNER_ID,
  OWNER_KIND,
  OWNER_NAME,
  ownerOf,
  PARENT_ID,
  PATH,
  PLANS,
  QUOTAS,
  ROOT,
  SYSTEM,
  TENANT_ID,
  TENANTS,
  type World,
} from './live.ts';
import type { Change, Live } from './trail.ts';

const OURS: ReadonlySet<string> = new Set([TENANTS, PLANS, QUOTAS, DESKTOPS]);
const EVENTS: ReadonlySet<string> = new Set(['events.events.k8s.io', 'events']);
const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';
const LEASES = 'leases.coordination.k8s.io';

/**
 * I2: nothing outside a tenant's ownership ever changes by the operator's hand. It may write status and its finalizer on our own
 * kinds; its Lease, its two records and Events; and children that carry the labels of an owner whose namespace they are in.
 */
export const createCollateralCheck: Check = (report) => ({
  change(change, world) {
    if (!isOperator(change.actor)) return;
    const problem = judge(change, world);
    if (problem !== undefined) report('I2', change, problem);
  },
});

function judge(change: Change, world: World): string | undefined {
  const { resource, key, before, after } = change;
  if (EVENTS.has(resource)) return undefined;
  if (resource === LEASES)
    return namespaceOf(key) === SYSTEM ? undefined : 'a Lease outside the system namespace changed';
  if (OURS.has(resource)) return judgeOurs(before, after);
  if (resource === CONFIGMAPS && nameOf(key) === LEDGER) return undefined;
  if (resource === CONFIGMAPS && key === `${SYSTEM}/${BREAKER}`) return undefined;
  if (isLetGo(change)) return undefined;
  if (resource === NAMESPACES) return judgeNamespace(before, after);
  return judgeChild(change, world);
}

/** Specs are Git's; the operator writes status and finalizers. */
function judgeOurs(before: Live | undefined, after: Live | undefined): string | undefined {
  if (before === undefined) return 'the operator created a resource that people order';
  if (after === undefined) {
    return before.metadata.deletionTimestamp === undefined ? 'the operator deleted what somebody ordered' : undefined;
  }
  if (!equal(before.spec, after.spec)) return 'the spec changed, which only its writer in Git may do';
  const { labels, annotations } = before.metadata;
  const same = equal(labels, after.metadata.labels) && equal(annotations, after.metadata.annotations);
  return same ? undefined : "labels or annotations of somebody's order changed";
}

function judgeNamespace(before: Live | undefined, after: Live | undefined): string | undefined {
  for (const [state, object] of [
    ['before', before],
    ['after', after],
  ] as const) {
    if (object === undefined) continue;
    if (IDENTITY.some((name) => annotationOf(object, name) === undefined)) {
      return state === 'before'
        ? 'a namespace that is no tenant’s was touched'
        : 'a namespace was left without the identity of its tenant';
    }
  }
  if (before === undefined || after === undefined) return undefined;
  const adopted = IDENTITY.some((name) => annotationOf(before, name) !== annotationOf(after, name));
  return adopted ? 'a namespace was given another identity' : undefined;
}

const IDENTITY = [TENANT_ID, PARENT_ID, PATH] as const;

/** The server takes a definition away, that somebody deleted, when its last object goes: whoever lets that go did not touch it. */
function isLetGo({ resource, before, after }: Change): boolean {
  return resource === DEFINITIONS && after === undefined && before?.metadata.deletionTimestamp !== undefined;
}

function judgeChild({ key, before, after }: Change, world: World): string | undefined {
  const [was, is] = [ownerOf(before), ownerOf(after)];
  if (before !== undefined && was === undefined) return 'an object that carries no owner of ours was touched';
  if (after !== undefined && is === undefined) return 'an object of ours was left without its owner';
  if (was !== undefined && is !== undefined && was !== is) return `an object of ${was} was given to ${is}`;
  const labels = (after ?? before)?.metadata.labels ?? {};
  return judgePlace(namespaceOf(key), nameOf(key), labels, world);
}

/** A child lives in its owner's namespace; a Tenant's also beside the Tenant, and in Flux's namespace by the name of its own. */
function judgePlace(
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  world: World,
): string | undefined {
  const id = labels[OWNER_ID];
  const idOf = (home: string): string | undefined => annotationOf(world.get(NAMESPACES, home), TENANT_ID);
  if (idOf(namespace) === id) return undefined;
  if (labels[OWNER_KIND] !== 'Tenant') return foreign(namespace);
  if (namespace === FLEET) return idOf(name) === undefined || idOf(name) === id ? undefined : foreign(name);
  if (namespace !== ROOT && idOf(namespace) === undefined) return foreign(namespace);
  const tenant = world.get(TENANTS, `${namespace}/${labels[OWNER_NAME]}`);
  return tenant === undefined ? beside(namespace, labels, world) : undefined;
}

/** What lives beside a Tenant may be taken away after the Tenant is gone: its seller's namespace is the parent. */
function beside(namespace: string, labels: Readonly<Record<string, string>>, world: World): string | undefined {
  const seller = namespace === ROOT ? 'root' : annotationOf(world.get(NAMESPACES, namespace), TENANT_ID);
  for (const [, home] of world.list(NAMESPACES)) {
    if (annotationOf(home, TENANT_ID) !== labels[OWNER_ID]) continue;
    return annotationOf(home, PARENT_ID) === seller ? undefined : foreign(namespace);
  }
  return undefined;
}

function foreign(namespace: string): string {
  return `the object belongs to another tenant than ${namespace} does`;
}

export function equal(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
