// An operator as @kubernetes/client-node's documentation leads to it: its informer, its generated clients, and the same children.
// Argument: none. It looks at every Tenant that it sees, as the product does, and makes what is not in its caches.
import {
  CoreV1Api,
  CustomObjectsApi,
  type Informer,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  NetworkingV1Api,
  type ObjectCache,
  PatchStrategy,
  RbacAuthorizationV1Api,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { GROUP, VERSION } from '../../../../model/group.ts';
import { FIELD_MANAGER, FINALIZER, LABEL_OWNER_KIND } from '../../../../model/labels.ts';
import { FLEET_NAMESPACE, ROOT_NAMESPACE } from '../../../../model/names.ts';
import { fail, serveRole } from '../../lib/rolechild.ts';
import { buildChildren, buildStatus, withAppliedHash } from '../../lib/workload.ts';

const WORKERS = 16;
const FLUX = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', plural: 'kustomizations' } as const;

type Cached = Informer<KubernetesObject> & ObjectCache<KubernetesObject>;
type Items = KubernetesListObject<KubernetesObject>;

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const core = kubeConfig.makeApiClient(CoreV1Api);
const networking = kubeConfig.makeApiClient(NetworkingV1Api);
const rbac = kubeConfig.makeApiClient(RbacAuthorizationV1Api);
const custom = kubeConfig.makeApiClient(CustomObjectsApi);
const owned = { labelSelector: LABEL_OWNER_KIND };

const tenants = inform(`/apis/${GROUP}/${VERSION}/namespaces/${ROOT_NAMESPACE}/tenants`, () =>
  custom.listNamespacedCustomObject({ group: GROUP, version: VERSION, namespace: ROOT_NAMESPACE, plural: 'tenants' }),
);
const caches: Readonly<Record<string, Cached>> = {
  Namespace: inform('/api/v1/namespaces', () => core.listNamespace()),
  ResourceQuota: inform(
    '/api/v1/resourcequotas',
    () => core.listResourceQuotaForAllNamespaces(owned),
    LABEL_OWNER_KIND,
  ),
  ServiceAccount: inform(
    '/api/v1/serviceaccounts',
    () => core.listServiceAccountForAllNamespaces(owned),
    LABEL_OWNER_KIND,
  ),
  NetworkPolicy: inform(
    '/apis/networking.k8s.io/v1/networkpolicies',
    () => networking.listNetworkPolicyForAllNamespaces(owned),
    LABEL_OWNER_KIND,
  ),
  Role: inform(
    '/apis/rbac.authorization.k8s.io/v1/roles',
    () => rbac.listRoleForAllNamespaces(owned),
    LABEL_OWNER_KIND,
  ),
  RoleBinding: inform(
    '/apis/rbac.authorization.k8s.io/v1/rolebindings',
    () => rbac.listRoleBindingForAllNamespaces(owned),
    LABEL_OWNER_KIND,
  ),
  Kustomization: inform(
    `/apis/${FLUX.group}/${FLUX.version}/namespaces/${FLEET_NAMESPACE}/${FLUX.plural}`,
    () => custom.listNamespacedCustomObject({ ...FLUX, namespace: FLEET_NAMESPACE, ...owned }),
    LABEL_OWNER_KIND,
  ),
};

const queue = new Set<string>();
const busy = new Set<string>();
const all = [tenants, ...Object.values(caches)];

for (const cache of Object.values(caches)) await cache.start();
tenants.on('add', enqueue);
tenants.on('update', enqueue);
await tenants.start();
serveRole({
  stop: async () => {
    for (const one of all) await one.stop();
  },
});

function inform(path: string, list: () => Promise<unknown>, selector?: string): Cached {
  const informer = makeInformer(kubeConfig, path, list as () => Promise<Items>, selector);
  informer.on('error', () => setTimeout(() => informer.start().catch(fail), 1_000));
  return informer;
}

function enqueue(tenant: KubernetesObject): void {
  queue.add(tenant.metadata?.name ?? '');
  work();
}

/** One reconcile a name at a time, at most WORKERS at once. */
function work(): void {
  for (const name of queue) {
    if (busy.size >= WORKERS) return;
    if (busy.has(name)) continue;
    queue.delete(name);
    busy.add(name);
    reconcile(name)
      .catch((error: unknown) => {
        console.error(error);
        queue.add(name);
      })
      .finally(() => {
        busy.delete(name);
        work();
      });
  }
}

type Seen = KubernetesObject & { readonly status?: { readonly observedGeneration?: number } };

async function reconcile(name: string): Promise<void> {
  const tenant: Seen | undefined = tenants.get(name, ROOT_NAMESPACE);
  const { uid = '', generation = 1, finalizers = [] } = tenant?.metadata ?? {};
  if (tenant === undefined || tenant.status?.observedGeneration === generation) return;
  const target = { group: GROUP, version: VERSION, namespace: ROOT_NAMESPACE, plural: 'tenants', name };
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  if (!finalizers.includes(FINALIZER)) {
    const metadata = { finalizers: [...finalizers, FINALIZER] };
    await custom.patchNamespacedCustomObject({ ...target, body: { metadata }, fieldManager: FIELD_MANAGER }, merge);
  }
  for (const stage of buildChildren(name, uid)) await Promise.all(stage.map(create));
  const nowIso = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const status = buildStatus(name, generation, nowIso);
  await custom.patchNamespacedCustomObjectStatus({ ...target, body: { status }, fieldManager: FIELD_MANAGER }, merge);
}

type Child = Parameters<typeof withAppliedHash>[0];

async function create(intent: Child): Promise<void> {
  const { name, namespace = '' } = intent.metadata;
  if (caches[intent.kind]?.get(name, namespace === '' ? undefined : namespace) !== undefined) return;
  const call = { namespace, body: toGeneratedModel(withAppliedHash(intent)) as never, fieldManager: FIELD_MANAGER };
  switch (intent.kind) {
    case 'Namespace':
      await core.createNamespace(call);
      return;
    case 'ResourceQuota':
      await core.createNamespacedResourceQuota(call);
      return;
    case 'ServiceAccount':
      await core.createNamespacedServiceAccount(call);
      return;
    case 'NetworkPolicy':
      await networking.createNamespacedNetworkPolicy(call);
      return;
    case 'Role':
      await rbac.createNamespacedRole(call);
      return;
    case 'RoleBinding':
      await rbac.createNamespacedRoleBinding(call);
      return;
    case 'Kustomization':
      await custom.createNamespacedCustomObject({ ...FLUX, ...call });
      return;
    default:
      throw new Error(`no generated client for ${intent.kind}`);
  }
}

/** In the words of the generated clients, whose serialisers drop what they do not know: they call `from` `_from`. */
function toGeneratedModel(intent: Child): Child {
  const { kind, spec } = intent;
  if (kind !== 'NetworkPolicy' || typeof spec !== 'object' || spec === null || !('ingress' in spec)) return intent;
  const rules: readonly { readonly from?: unknown }[] = Array.isArray(spec.ingress) ? spec.ingress : [];
  return { ...intent, spec: { ...spec, ingress: rules.map(({ from, ...rest }) => ({ ...rest, _from: from })) } };
}
