import { lookup } from 'node:dns/promises';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Credentials, Protocol } from '../../git/binary/environment.ts';
import { openGitRepository } from '../../git/binary/repository.ts';
import { type Person, type Repository, RepositoryError } from '../../git/repository.ts';
import { computePlace, FLEET_REPOSITORY, type OwnRemote } from '../../gitops/layout.ts';
import type { DryRun, FolderOf, WritableRepository } from '../../gitops/writer/target.ts';
import { SECRETS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { KubeObject } from '../../kube/object.ts';
import { explainHost, isPublicAddress } from '../../model/address.ts';
import { ANNOTATION_REQUESTED_AT, GITREPOSITORIES } from '../../model/flux.ts';
import { isAllowedGitHost, parseGitUrl, TENANT_REPOSITORY_NAME } from '../../model/repository.ts';
import { layoutOwner } from '../submit.ts';
import type { Tree } from '../tree.ts';
import type { FluxCaches } from './fluxcaches.ts';

export type RepositoriesDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly flux: FluxCaches;
  readonly tree: Tree;
  /** Absent: changes are committed without being asked about. */
  readonly dryRun?: DryRun | undefined;
};

export type RepositoriesOptions = {
  readonly environment: string;
  readonly fleetNamespace: string;
  readonly fleetRepository: string;
  /** Disposable copies are made below it. */
  readonly folder: string;
  /** Search path for git. */
  readonly path: string;
  /** By which the fleet may be reached; tenants' own repositories are https only. */
  readonly protocols: readonly Protocol[];
  /** Hosts that tenants' own repositories may have besides public ones. */
  readonly allowedGitHosts: readonly string[];
  readonly committer: Person;
};

/** Where a branch is. `namespace`: of its Secret and of the GitRepository that Flux reads it by. */
type Remote = {
  readonly url: string;
  readonly branch: string;
  readonly namespace: string;
  readonly name: string;
  readonly secret?: string | undefined;
  readonly isOwn: boolean;
};

export type Repositories = {
  /** For the writer, which closes it. */
  open(id: string): Promise<WritableRepository | undefined>;
  /** For reading alone; undefined when there is none of that id. */
  read(id: string): Promise<Repository | undefined>;
};

/** Opens repositories by the ids that `layout.ts` gives: the fleet as its GitRepository says, a tenant's own as its Tenant says. */
export function createRepositories(deps: RepositoriesDeps, options: RepositoriesOptions): Repositories {
  const read = async (
    id: string,
  ): Promise<{ readonly repository: Repository; readonly remote: Remote } | undefined> => {
    const remote = findRemote(deps, options, id);
    if (remote === undefined) return undefined;
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const folder = await mkdtemp(path.join(options.folder, `${id.replaceAll('/', '-')}-`));
    const repository = openRemote(deps.client, options, remote, folder);
    const close = async (): Promise<void> => {
      await repository.close();
      await rm(folder, { recursive: true, force: true });
    };
    return { repository: { ...repository, close }, remote };
  };
  return {
    read: async (id) => (await read(id))?.repository,
    open: async (id) => {
      const opened = await read(id);
      if (opened === undefined) return undefined;
      const { repository, remote } = opened;
      return {
        repository,
        branch: remote.branch,
        folderOf: (namespace) => findFolder(deps, options, id, namespace),
        committer: options.committer,
        pushWindowMs: 0,
        dryRun: remote.isOwn ? undefined : deps.dryRun,
        afterPush: (_commit, signal) => requestReconcile(deps, remote, signal),
      };
    },
  };
}

function findRemote({ flux, tree }: RepositoriesDeps, options: RepositoriesOptions, id: string): Remote | undefined {
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

/** How `layout.ts` begins the ids of tenants' own repositories. */
const OWN = 'tenant/';

function findOwnRemote(tree: Tree, { environment }: RepositoriesOptions, namespace: string): OwnRemote | undefined {
  const owner = tree.owner(namespace);
  const place = owner && computePlace(namespace, { environment, owner: layoutOwner(owner) });
  return place?.type === 'place' ? place.remote : undefined;
}

const findFolder = (
  { tree }: RepositoriesDeps,
  { environment }: RepositoriesOptions,
  id: string,
  namespace: string,
): ReturnType<FolderOf> => {
  const owner = tree.owner(namespace);
  const place = computePlace(namespace, { environment, owner: owner && layoutOwner(owner) });
  if (place.type === 'refused') return { problem: place.message };
  if (place.repository !== id) return { problem: `the namespace ${namespace} is fed by another repository by now` };
  return { folder: place.folder };
};

function openRemote(client: Client, options: RepositoriesOptions, remote: Remote, folder: string): Repository {
  const { url, branch, isOwn } = remote;
  const protocols = isOwn ? (['https'] as const) : options.protocols;
  const isTrusted = !isOwn || isAllowed(url, options.allowedGitHosts);
  return openGitRepository(
    { url, branch, protocols },
    {
      folder,
      path: options.path,
      credentials: () => readCredentials(client, remote),
      ...(isTrusted ? {} : { resolve: resolvePublic }),
    },
  );
}

function isAllowed(url: string, allowed: readonly string[]): boolean {
  const parsed = parseGitUrl(url);
  return parsed !== undefined && isAllowedGitHost(parsed, allowed);
}

/** Addresses of a host on the internet; git connects to these and no other. */
async function resolvePublic(host: string): Promise<readonly string[]> {
  const why = explainHost(host);
  if (why !== undefined) throw new RepositoryError('Refused', `the repository's host ${host} ${why}`);
  const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
  const hidden = addresses.find((address) => !isPublicAddress(address));
  if (hidden === undefined) return addresses;
  throw new RepositoryError(
    'Refused',
    `the repository's host ${host} leads to ${hidden}, which is not on the internet`,
  );
}

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> | undefined };

/** The keys that Flux reads. */
async function readCredentials(client: Client, { namespace, secret }: Remote): Promise<Credentials | undefined> {
  if (secret === undefined) return undefined;
  const { data = {} } = await client.get<Secret>(SECRETS, { namespace, name: secret });
  const text = (key: string): string | undefined =>
    data[key] === undefined ? undefined : Buffer.from(data[key], 'base64').toString('utf8');
  const token = text('bearerToken');
  if (token !== undefined) return { type: 'Bearer', token };
  const [username, password] = [text('username'), text('password')];
  if (username !== undefined && password !== undefined) return { type: 'Basic', username, password };
  throw new RepositoryError(
    'Refused',
    `Secret ${namespace}/${secret} has neither bearerToken nor username and password`,
  );
}

/** What `flux reconcile source git` does. */
async function requestReconcile(
  { client, clock }: RepositoriesDeps,
  { namespace, name }: Remote,
  signal: AbortSignal,
): Promise<void> {
  const annotations = { [ANNOTATION_REQUESTED_AT]: new Date(clock.now()).toISOString() };
  await client.patch(
    GITREPOSITORIES,
    { namespace, name },
    { type: 'merge', body: { metadata: { annotations } } },
    { signal },
  );
}
