import { rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Protocol } from '../../git/binary/environment.ts';
import { openGitRepository } from '../../git/binary/repository.ts';
import { type Person, type Repository, RepositoryError } from '../../git/repository.ts';
import { computePlace } from '../../gitops/layout.ts';
import type { DryRun, FolderOf, WritableRepository } from '../../gitops/writer/target.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Metrics } from '../../kube/metrics.ts';
import { explainHost, isPublicAddress } from '../../model/address.ts';
import { ANNOTATION_REQUESTED_AT, GITREPOSITORIES } from '../../model/flux.ts';
import { isAllowedGitHost, parseGitUrl } from '../../model/repository.ts';
import type { ApiConfig } from '../config.ts';
import { layoutOwner } from '../submit.ts';
import { type LookUp, lookUpOutside } from '../webhooks/destination.ts';
import { createAccess } from './access.ts';
import type { Copies } from './copies.ts';
import { choosePushWindow, type ForgeOptions, openForge } from './forge.ts';
import { measureRepository } from './metrics.ts';
import { findRemote, type Remote, type RemotesDeps, type RemotesOptions } from './remotes.ts';
import { chooseRendering } from './rendering.ts';

export type RepositoriesDeps = RemotesDeps & {
  readonly client: Client;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Where disposable copies are made. */
  readonly copies: Copies;
  /** Absent: changes are committed without being asked about. */
  readonly dryRun?: DryRun | undefined;
  /** Of hosts that tenants name; absent: by name servers alone. */
  readonly lookUp?: LookUp | undefined;
};

export type RepositoriesOptions = RemotesOptions &
  ForgeOptions & {
    /** Search path for git. */
    readonly path: string;
    /** By which the fleet may be reached; tenants' own repositories are https only. */
    readonly protocols: readonly Protocol[];
    /** Hosts that tenants' own repositories may have besides public ones. */
    readonly allowedGitHosts: readonly string[];
    readonly committer: Person;
    readonly editorSchemas: ApiConfig['git']['editorSchemas'];
    readonly depth?: number | undefined;
  };

export type Repositories = {
  /** For the writer, which closes it. */
  open(id: string): Promise<WritableRepository | undefined>;
  /** For reading alone; undefined when there is none of that id. */
  read(id: string): Promise<Repository | undefined>;
  /** Another text than when it was opened means that the repository is somewhere else by now, and what is open is of no use. Throws as opening does. */
  locate(id: string): string;
};

/** Opens repositories by the ids that `layout.ts` gives: the fleet as its GitRepository says, a tenant's own as its Tenant says. */
export function createRepositories(deps: RepositoriesDeps, options: RepositoriesOptions): Repositories {
  const read = async (
    id: string,
  ): Promise<{ readonly repository: Repository; readonly remote: Remote } | undefined> => {
    const remote = findRemote(deps, options, id);
    if (remote === undefined) return undefined;
    const folder = await deps.copies.make(id.replaceAll('/', '-'));
    const repository = openRemote(deps, options, remote, folder);
    const close = async (): Promise<void> => {
      await repository.close();
      await rm(folder, { recursive: true, force: true });
    };
    return { repository: { ...repository, close }, remote };
  };
  const locate = (id: string): string => renderRemote(findRemote(deps, options, id));
  return {
    locate,
    read: async (id) => (await read(id))?.repository,
    open: async (id) => {
      const opened = await read(id);
      if (opened === undefined) return undefined;
      const { remote } = opened;
      const repository = measureRepository(opened.repository, deps.clock, deps.metrics);
      const forge = await openForge(deps.clock, options, remote).catch(async (error: unknown) => {
        await repository.close();
        throw error;
      });
      return {
        repository,
        branch: remote.branch,
        folderOf: (namespace) => findFolder(deps, options, id, namespace),
        isCurrent: () => locate(id) === renderRemote(remote),
        committer: options.committer,
        pushWindowMs: choosePushWindow(options, remote),
        dryRun: deps.dryRun,
        ...(remote.isOwn ? { cacheCharacters: OWN_CACHE_CHARACTERS } : {}),
        render: chooseRendering(options.editorSchemas, remote.isOwn),
        forge,
        afterPush: (_commit, signal) => requestReconcile(deps, remote, signal),
      };
    },
  };
}

/** Any number of tenants may have one, and it stays open for minutes. */
const OWN_CACHE_CHARACTERS = 1_024 * 1_024;

function renderRemote(remote: Remote | undefined): string {
  return JSON.stringify(remote ?? null);
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

function openRemote(
  { client, lookUp = lookUpOutside }: RepositoriesDeps,
  options: RepositoriesOptions,
  remote: Remote,
  folder: string,
): Repository {
  const { url, branch, isOwn } = remote;
  const { depth } = options;
  const protocols = isOwn ? (['https'] as const) : options.protocols;
  const isTrusted = !isOwn || isAllowed(url, options.allowedGitHosts);
  return openGitRepository(
    { url, branch, protocols, depth },
    {
      folder,
      path: options.path,
      ...createAccess(client, remote, options.authorityFile),
      ...(isTrusted ? {} : { resolve: (host: string) => resolvePublic(host, lookUp) }),
    },
  );
}

function isAllowed(url: string, allowed: readonly string[]): boolean {
  const parsed = parseGitUrl(url);
  return parsed !== undefined && isAllowedGitHost(parsed, allowed);
}

/** Addresses of a host on the internet; git connects to these and no other. What names mean inside is not the tenant's to know, so no address is told. */
async function resolvePublic(host: string, lookUp: LookUp): Promise<readonly string[]> {
  const refused = (why: string) => new RepositoryError('Refused', `the repository's host ${host} ${why}`);
  const why = explainHost(host);
  if (why !== undefined) throw refused(why);
  const literal = host.replace(/^\[|\]$/g, '');
  const addresses = isIP(literal) === 0 ? await lookUp(host).catch(() => []) : [literal];
  if (addresses.length === 0)
    throw new RepositoryError('Unreachable', `the repository's host ${host} does not resolve`);
  if (!addresses.every(isPublicAddress)) throw refused('leads to an address that is not on the internet');
  return addresses;
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
