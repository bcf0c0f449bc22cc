import type { FluxObject, FolderObjects } from '../../gitops/tracker/facts.ts';
import { createInformer, type Informer, type InformerDeps } from '../../kube/informer.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { EXTERNALARTIFACTS, GITREPOSITORIES, KUSTOMIZATIONS } from '../../model/flux.ts';
import { ROOT_NAMESPACE } from '../../model/names.ts';
import { TENANT_REPOSITORY_NAME } from '../../model/repository.ts';
import { listenToAll } from '../caches.ts';

/** As much of a GitRepository as says where the branch is. */
export type GitRepository = KubeObject &
  FluxObject & {
    readonly spec: {
      readonly url: string;
      readonly ref?: { readonly branch?: string | undefined } | undefined;
      readonly secretRef?: { readonly name: string } | undefined;
    };
  };

/** Flux's objects that carry orders to the cluster. */
export type FluxCaches = {
  readonly repository: (namespace: string, name: string) => GitRepository | undefined;
  /** What feeds a tenant's namespace; `isOwn`: a repository of its own. */
  folderOf(namespace: string, isOwn: boolean): FolderObjects;
  /** Calls back after anything of it changed; gives the way to stop. */
  onChange(listener: () => void): () => void;
  hasSynced(): boolean;
  start(signal: AbortSignal): Promise<void>;
};

export type FluxPlace = {
  /** Where the fleet's objects are, and the name of its GitRepository. */
  readonly fleetNamespace: string;
  readonly fleetRepository: string;
  readonly watchSeconds: number;
};

export function createFluxCaches(
  deps: InformerDeps,
  { fleetNamespace, fleetRepository, watchSeconds }: FluxPlace,
): FluxCaches {
  const make = <T extends KubeObject>(resource: Resource, namespace?: string): Informer<T> =>
    createInformer<T>(deps, { resource, namespace, watchSeconds });
  const repositories = make<GitRepository>(GITREPOSITORIES);
  const artifacts = make<KubeObject & FluxObject>(EXTERNALARTIFACTS, fleetNamespace);
  const kustomizations = make<KubeObject & FluxObject>(KUSTOMIZATIONS);
  const all: readonly Informer<KubeObject>[] = [repositories, artifacts, kustomizations];
  return {
    repository: (namespace, name) => repositories.get(`${namespace}/${name}`),
    folderOf: (namespace, isOwn) => {
      if (isOwn) {
        const key = `${namespace}/${TENANT_REPOSITORY_NAME}`;
        return { gitRepository: repositories.get(key), kustomization: kustomizations.get(key) };
      }
      return {
        gitRepository: repositories.get(`${fleetNamespace}/${fleetRepository}`),
        kustomization: kustomizations.get(`${fleetNamespace}/${namespace}`),
        artifact: artifacts.get(`${fleetNamespace}/${namespace}`),
        rootArtifact: artifacts.get(`${fleetNamespace}/${ROOT_NAMESPACE}`),
      };
    },
    onChange: (listener) => listenToAll(all, listener),
    hasSynced: () => all.every((informer) => informer.hasSynced()),
    start: async (signal) => {
      await Promise.all(all.map((informer) => informer.start(signal)));
    },
  };
}
