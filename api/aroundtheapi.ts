import { KINDS, type SubletResource } from '../crds/v1alpha1/resources.ts';
import { RepositoryError } from '../git/repository.ts';
import type { Change, Journal } from '../gitops/journal.ts';
import { computePlace } from '../gitops/layout.ts';
import { listChangeIds } from '../gitops/message.ts';
import type { Client } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { FIELD_MANAGER, STATUS_FIELD_MANAGER } from '../model/labels.ts';
import type { CommitLog, FolderCommit } from './commits.ts';
import { listPages } from './listpages.ts';
import { layoutOwner } from './submit.ts';
import type { Tree } from './tree.ts';

export type AroundDeps = {
  readonly tree: Tree;
  readonly journal: Pick<Journal, 'commits'>;
  readonly client: Pick<Client, 'list'>;
  readonly config: { readonly environment: string };
  /** Absent where this process has no git. */
  readonly commits?: CommitLog | undefined;
};

/**
 * Commits that touch the folder of a namespace and are of no change that the API accepted. A commit that names a change without being its commit is somebody's
 * own. `missing` says why there may be more.
 */
export async function observeCommits(
  { tree, journal, config, commits }: AroundDeps,
  namespace: string,
  ours: readonly Change[],
): Promise<{ readonly found: readonly FolderCommit[]; readonly missing?: string }> {
  const owner = tree.owner(namespace);
  const place = computePlace(namespace, { environment: config.environment, owner: owner && layoutOwner(owner) });
  if (place.type === 'refused') return { found: [] };
  if (commits === undefined) return { found: [], missing: 'commits: this server has no git' };
  try {
    const known = new Set(ours.map(({ commit }) => commit));
    const others = (await commits.list(place)).filter(({ commit }) => !known.has(commit));
    const named = others.map(({ message }) => listChangeIds(message).slice(0, MOST_IDS));
    const made = await journal.commits([...new Set(named.flat())].slice(0, MOST_IDS_IN_ALL));
    return { found: others.filter(({ commit }, i) => !named[i]?.some((id) => made.get(id) === commit)) };
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    return { found: [], missing: 'commits: the repository does not answer' };
  }
}

/** A squash has those of all that it is made of. */
const MOST_IDS = 100;
/** Who writes the commits writes as many as he likes; the newest are asked about. */
const MOST_IDS_IN_ALL = 5_000;

/** That a program wrote an object past Git, as the API server remembers it: the last time of each program, while the object is there. */
export type ClusterWrite = {
  readonly atMs: number;
  /** As the program calls itself. The API server does not remember the user. */
  readonly manager: string;
  readonly subresource?: string | undefined;
  readonly kind: string;
  readonly name: string;
};

/** Flux applies what Git holds; the other names are Sublet's own. What states no manager, such as a patch of finalizers, has the user agent's first word. */
const EXPECTED: ReadonlySet<string> = new Set([
  FIELD_MANAGER,
  STATUS_FIELD_MANAGER,
  'sublet-operator',
  'kustomize-controller',
]);

/** `missing` says why there may be more. */
export async function observeClusterWrites(
  { client }: AroundDeps,
  namespace: string,
  signal: AbortSignal,
): Promise<{ readonly found: readonly ClusterWrite[]; readonly missing?: string }> {
  const lists = await Promise.all(
    KINDS.map(({ resource }) => listPages<SubletResource & KubeObject>(client, resource, { namespace, signal })),
  );
  const found = lists.flatMap(({ items }, i) =>
    items.flatMap((object) => writesOf(KINDS[i]?.resource.kind ?? '', object)),
  );
  const isWhole = lists.every((list) => list.isWhole);
  return isWhole ? { found } : { found, missing: 'cluster writes: of the first 5 000 resources of each kind only' };
}

function writesOf(kind: string, { metadata }: KubeObject): readonly ClusterWrite[] {
  return (metadata.managedFields ?? []).flatMap(({ manager = '', time, subresource }) => {
    const atMs = Date.parse(time ?? '');
    if (EXPECTED.has(manager) || Number.isNaN(atMs)) return [];
    return [{ atMs, manager, subresource, kind, name: metadata.name }];
  });
}
