import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../../crds/v1alpha1/resources.ts';
import {
  CONFIGMAPS,
  NAMESPACES,
  NETWORKPOLICIES,
  PERSISTENTVOLUMECLAIMS,
  ROLEBINDINGS,
  ROLES,
  SECRETS,
  SERVICES,
} from '../../kube/builtin.ts';
import { createInformer, type InformerDeps } from '../../kube/informer.ts';
import { type KubeObject, qualifiedName } from '../../kube/object.ts';
import { DATASOURCES, DATAVOLUMES, VIRTUALMACHINEINSTANCES, VIRTUALMACHINES } from '../../kubevirt/index.ts';
import { KUSTOMIZATIONS } from '../../model/flux.ts';
import type { Place } from './story.ts';

const SHOWN = [
  ...[TENANTS, PLANS, QUOTAS, RDPINSTANCES, KUSTOMIZATIONS],
  ...[NAMESPACES, CONFIGMAPS, SECRETS, SERVICES, ROLES, ROLEBINDINGS, NETWORKPOLICIES, PERSISTENTVOLUMECLAIMS],
  ...[DATASOURCES, DATAVOLUMES, VIRTUALMACHINES, VIRTUALMACHINEINSTANCES],
];
const POLL_MS = 50;
const WITHIN_MS = 300_000;
/** Real time is dear: so long without a change counts as rest. */
const QUIET_MS = 1_500;

/** What people order says itself whether anything is still to come of it. */
const ORDERED = [qualifiedName(TENANTS), qualifiedName(RDPINSTANCES)];

type Ordered = KubeObject & {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type: string }[];
  };
};

function isDone({ metadata, status }: Ordered): boolean {
  const isCurrent = status?.observedGeneration === metadata.generation;
  return isCurrent && status?.conditions?.some(({ type }) => type === 'Reconciling') !== true;
}

/** A real cluster as scenarios see a world: what is stored is read from caches, and time passes by itself. */
export async function openRealPlace(deps: InformerDeps): Promise<Place & { stop(): Promise<void> }> {
  const stopped = new AbortController();
  let lastChangeMs = Date.now();
  const touch = (): void => {
    lastChangeMs = Date.now();
  };
  const caches = new Map(
    SHOWN.map((resource) => {
      const informer = createInformer<KubeObject>(deps, { resource });
      informer.addEventHandler({ onAdd: touch, onUpdate: touch, onDelete: touch });
      return [qualifiedName(resource), informer] as const;
    }),
  );
  const running = [...caches.values()].map((informer) => informer.start(stopped.signal));
  const cacheOf = (resource: string) => {
    const found = caches.get(resource);
    if (found === undefined) throw new RangeError(`nobody watches ${resource} here; add it to SHOWN`);
    return found;
  };
  const place: Place & { stop(): Promise<void> } = {
    admin: deps.client,
    peek: <T extends KubeObject>(resource: string, key: string) => cacheOf(resource).get(key) as T | undefined,
    list: <T extends KubeObject>(resource: string) => cacheOf(resource).list() as readonly T[],
    nowMs: () => Date.now(),
    runFor: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    runUntil: async (check, { withinMs = WITHIN_MS, what = 'what was waited for' } = {}) => {
      const deadline = Date.now() + withinMs;
      while (!check()) {
        if (Date.now() > deadline) throw new Error(`${what}: not after ${withinMs / 1_000} s`);
        await place.runFor(POLL_MS);
      }
    },
    runUntilQuiet: (until = {}) => {
      touch();
      const isQuiet = (): boolean =>
        Date.now() - lastChangeMs >= QUIET_MS && ORDERED.every((kind) => place.list(kind).every(isDone));
      return place.runUntil(isQuiet, { what: until.what });
    },
    stop: async () => {
      stopped.abort(new Error('the test is over'));
      await Promise.all(running);
    },
  };
  await place.runUntil(() => [...caches.values()].every((cache) => cache.hasSynced()), {
    what: 'the caches are filled',
  });
  return place;
}
