import { RepositoryError } from '../../git/repository.ts';
import { computePlace, FLEET_REPOSITORY, type OwnRemote } from '../../gitops/layout.ts';
import { TENANT_REPOSITORY_NAME } from '../../model/repository.ts';
import { layoutOwner } from '../submit.ts';
import type { Tree } from '../tree.ts';
import type { FluxCaches } from './fluxcaches.ts';

/** Where a branch is. `namespace`: of its Secret and of the GitRepository that Flux reads it by. */
export type Remote = {
  readonly url: string;
  readonly branch: string;
  readonly namespace: string;
  readonly name: string;
  readonly secret?: string | undefined;
  readonly isOwn: boolean;
};

export type RemotesDeps = { readonly flux: Pick<FluxCaches, 'repository'>; readonly tree: Tree };

export type RemotesOptions = {
  readonly environment: string;
  readonly fleetNamespace: string;
  readonly fleetRepository: string;
};

/** How `layout.ts` begins the ids of tenants' own repositories. */
const OWN = 'tenant/';

/** The remote of an id that `layout.ts` gives: the fleet's as its GitRepository says, a tenant's own as its Tenant says. Undefined: there is none (any more). */
export function findRemote({ flux, tree }: RemotesDeps, options: RemotesOptions, id: string): Remote | undefined {
  if (id === FLEET_REPOSITORY) {
    const { fleetNamespace: namespace, fleetRepository: name } = options;
    const spec = flux.repository(namespace, name)?.spec;
    if (spec === undefined) throw new RepositoryError('Unreachable', `there is no GitRepository ${namespace}/${name}`);
    const branch = spec.ref?.branch;
    if (branch === undefined)
      throw new RepositoryError('Refused', `GitRepository ${namespace}/${name} must name a branch in spec.ref.branch`);
    return { url: spec.url, branch, namespace, name, secret: spec.secretRef?.name, isOwn: false };
  }
  const namespace = id.startsWith(OWN) ? id.slice(OWN.length) : undefined;
  const remote = namespace === undefined ? undefined : findOwnRemote(tree, options, namespace);
  if (namespace === undefined || remote === undefined) return undefined;
  const { url, branch, secret } = remote;
  return { url, branch, namespace, name: TENANT_REPOSITORY_NAME, secret: secret?.name, isOwn: true };
}

function findOwnRemote(tree: Tree, { environment }: RemotesOptions, namespace: string): OwnRemote | undefined {
  const owner = tree.owner(namespace);
  const place = owner && computePlace(namespace, { environment, owner: layoutOwner(owner) });
  return place?.type === 'place' ? place.remote : undefined;
}
