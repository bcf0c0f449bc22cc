import { isDeletion } from './absence.ts';
import type { Check, Report } from './checker.ts';
import { DESKTOPS, nameOf, namespaceOf, PLANS, QUOTAS, TENANTS, textAt } from './live.ts';
import type { Change, Live, Repository } from './trail.ts';

const ARTIFACTS = 'externalartifacts.source.toolkit.fluxcd.io';
const ORIGIN = 'org.opencontainers.image.revision';
const ORDERS: ReadonlySet<string> = new Set([TENANTS, PLANS, QUOTAS, DESKTOPS]);
const LEAST_HELD = 3;
const SHARE_HELD = 0.05;
/** Flux may be at work with what was published until so long ago: its timeout of a minute, and calls that are tried again. */
const APPLYING_MS = 300_000;
/** Commits that may still be published; nobody pushes so many while one is under way. */
const MOST_REVISIONS = 200;

/** A move of the branch, and what came of it. */
type Revision = {
  readonly declared: ReadonlySet<string>;
  confirmed: boolean;
  /** Resources and folders that were published when its first folder was. */
  before: { readonly resources: number; readonly folders: number } | undefined;
  goneResources: number;
  goneFolders: number;
  isReported: boolean;
};

/** What was published of a folder, the newest last; the older ones with the moment in which they were replaced. */
type Folder = { declared: ReadonlySet<string>; replaced: { readonly declared: ReadonlySet<string>; atMs: number }[] };

/**
 * I7, as far as Git goes. What a revision takes away is counted from what was published of the fleet before it, and not from the revision before
 * it: what was never published was never there, and what a revision that is held takes away is not taken away by the next one for free. More than a few,
 * or all, are published only when a person confirmed that revision; and Flux deletes only what is not declared by what was published of its folder.
 */
export const createPruningCheck: Check = (report) => {
  const revisions = new Map<string, Revision>();
  const published = new Map<string, Folder>();
  return {
    repository(repository) {
      rememberRevision(revisions, repository);
    },
    change(change) {
      if (change.resource === ARTIFACTS) judgePublication(change, published, revisions, report);
      else if (ORDERS.has(change.resource) && change.actor === 'flux' && isDeletion(change)) {
        judgeDeletion(change, published.get(namespaceOf(change.key)), report);
      }
    },
  };
};

/** A branch that goes back to a commit is judged anew. */
function rememberRevision(revisions: Map<string, Revision>, { revision, declared, confirmed }: Repository): void {
  const known = revisions.get(revision);
  if (confirmed && known !== undefined) {
    known.confirmed = true;
    return;
  }
  revisions.delete(revision);
  revisions.set(revision, {
    declared,
    confirmed,
    before: undefined,
    goneResources: 0,
    goneFolders: 0,
    isReported: false,
  });
  const oldest = revisions.keys().next();
  if (revisions.size > MOST_REVISIONS && oldest.done !== true) revisions.delete(oldest.value);
}

function judgePublication(
  change: Change,
  published: Map<string, Folder>,
  revisions: ReadonlyMap<string, Revision>,
  report: Report,
): void {
  const name = nameOf(change.key);
  if (change.after === undefined) {
    // Its Kustomization goes as well, or fails: nothing is deleted by it.
    published.delete(name);
    return;
  }
  const commit = commitOf(change.after);
  if (commit === undefined || commit === commitOf(change.before)) return;
  const revision = revisions.get(commit);
  if (revision === undefined) {
    // From before the first push, or longer ago than is remembered.
    published.delete(name);
    return;
  }
  revision.before ??= countPublished(published);
  const folder = published.get(name);
  const had = folder?.declared ?? new Set<string>();
  const declared = new Set([...revision.declared].filter((id) => namespaceOf(id) === name));
  const gone = [...had].filter((id) => !declared.has(id)).length;
  revision.goneResources += gone;
  if (gone > 0 && declared.size === 0) revision.goneFolders += 1;
  const older = folder === undefined ? [] : [...folder.replaced, { declared: had, atMs: change.atMs }];
  const replaced = older.filter(({ atMs }) => atMs > change.atMs - APPLYING_MS);
  published.set(name, { declared, replaced });
  judgeRevision(change, revision, published, report);
}

/** The commit that brought the content, as Flux shows it: `main@sha1:<commit>`. */
function commitOf(artifact: Live | undefined): string | undefined {
  const origin = textAt(artifact, 'status', 'artifact', 'metadata', ORIGIN);
  return origin?.slice(origin.lastIndexOf(':') + 1);
}

function countPublished(published: ReadonlyMap<string, Folder>): { resources: number; folders: number } {
  const filled = [...published.values()].map(({ declared }) => declared.size).filter((size) => size > 0);
  return { resources: filled.reduce((sum, size) => sum + size, 0), folders: filled.length };
}

function judgeRevision(
  change: Change,
  revision: Revision,
  published: ReadonlyMap<string, Folder>,
  report: Report,
): void {
  const { before, confirmed, goneResources, goneFolders } = revision;
  if (before === undefined || confirmed || revision.isReported) return;
  const isMuch = goneResources > mostOf(before.resources) || goneFolders > mostOf(before.folders);
  const isAll = before.resources > 0 && countPublished(published).resources === 0;
  if (!isMuch && !isAll) return;
  revision.isReported = true;
  const what = `${goneResources} of ${before.resources} resources and ${goneFolders} of ${before.folders} folders`;
  report('I7', change, `it is published by a revision that takes away ${what}, unconfirmed`);
}

function mostOf(count: number): number {
  return Math.max(LEAST_HELD, Math.floor(count * SHARE_HELD));
}

/** A folder that nothing was ever published of is not the fleet's. */
function judgeDeletion(change: Change, folder: Folder | undefined, report: Report): void {
  if (folder === undefined) return;
  const id = `${namespaceOf(change.key)}/${change.before?.kind}/${nameOf(change.key)}`;
  const recent = folder.replaced.filter(({ atMs }) => atMs > change.atMs - APPLYING_MS);
  if ([folder, ...recent].some(({ declared }) => !declared.has(id))) return;
  report('I7', change, 'Flux deleted it, and what is published of its folder declares it');
}
