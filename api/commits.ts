import { type CommitId, type LogEntry, type Repository, RepositoryError } from '../git/repository.ts';
import type { Place } from '../gitops/layout.ts';
import type { Clock } from '../kube/clock.ts';

/** What is read of a repository for its history. */
export type ReadableRepository = Pick<Repository, 'fetch' | 'log' | 'close'>;

/** One commit that touches a tenant's folder, whoever made it. Author, time and text are what its maker says they are. */
export type FolderCommit = {
  readonly commit: CommitId;
  readonly who: string;
  readonly atMs: number;
  readonly message: string;
  /** Of the folder alone, relative to it. */
  readonly files: readonly string[];
  /** It touches nothing but this folder, so that its text is about nobody else. */
  readonly isAlone: boolean;
};

export type CommitLog = {
  /** Newest first, at most 1 000. Rejects with a RepositoryError when the repository does not answer. */
  list(place: Place): Promise<readonly FolderCommit[]>;
  close(): Promise<void>;
};

const MOST_COMMITS = 1_000;
const MOST_FILES = 20;
/** How old what is told may be. */
const FRESH_MS = 5_000;
const MOST_OPEN = 8;
const MOST_LISTS = 256;

type Opened = {
  readonly repository: ReadableRepository;
  head: Promise<CommitId | undefined>;
  fetchedAtMs: number;
  readonly lists: Map<string, { readonly head: CommitId; readonly commits: readonly FolderCommit[] }>;
};

export type CommitLogDeps = {
  readonly clock: Pick<Clock, 'monotonic' | 'now'>;
  /** Undefined where there is no such repository. */
  readonly open: (id: string) => Promise<ReadableRepository | undefined>;
  /** Where it is: another text than before means that it moved. */
  readonly locate: (id: string) => string;
};

/** Reads histories from copies of their own, a few of which are kept open. */
export function createCommitLog({ clock, open, locate }: CommitLogDeps): CommitLog {
  const opened = new Map<string, Promise<Opened | undefined>>();
  const busy = new Map<string, number>();

  const find = (key: string, id: string): Promise<Opened | undefined> => {
    const known = opened.get(key);
    opened.delete(key);
    const found = known ?? open(id).then((repository) => repository && begin(clock.monotonic(), repository));
    opened.set(key, found);
    if (known === undefined)
      found.then(
        (one) => one ?? opened.delete(key),
        () => opened.delete(key),
      );
    return found;
  };
  const closeUnused = async (): Promise<void> => {
    const idle = [...opened.keys()].filter((key) => (busy.get(key) ?? 0) === 0);
    for (const key of idle.slice(0, Math.max(0, opened.size - MOST_OPEN))) {
      const one = opened.get(key);
      opened.delete(key);
      await (await one?.catch(() => undefined))?.repository.close();
    }
  };

  return {
    list: async (place) => {
      const key = JSON.stringify([place.repository, locate(place.repository)]);
      busy.set(key, (busy.get(key) ?? 0) + 1);
      try {
        const one = await find(key, place.repository);
        if (one === undefined)
          throw new RepositoryError('NotFound', `there is no repository ${place.repository} just now`);
        return await listCommits(clock, one, place.folder);
      } finally {
        const left = (busy.get(key) ?? 1) - 1;
        if (left === 0) busy.delete(key);
        else busy.set(key, left);
        await closeUnused();
      }
    },
    close: async () => {
      const all = [...opened.values()];
      opened.clear();
      for (const one of all) await (await one.catch(() => undefined))?.repository.close();
    },
  };
}

function begin(nowMs: number, repository: ReadableRepository): Opened {
  return { repository, head: repository.fetch(), fetchedAtMs: nowMs, lists: new Map() };
}

async function listCommits(
  clock: Pick<Clock, 'monotonic' | 'now'>,
  one: Opened,
  folder: string,
): Promise<readonly FolderCommit[]> {
  const nowMs = clock.monotonic();
  if (nowMs - one.fetchedAtMs >= FRESH_MS) {
    one.head = one.repository.fetch();
    one.fetchedAtMs = nowMs;
    one.head.catch(() => {
      one.fetchedAtMs = Number.NEGATIVE_INFINITY;
    });
  }
  const head = await one.head;
  if (head === undefined) return [];
  const known = one.lists.get(folder);
  if (known?.head === head) return known.commits;
  const entries = await one.repository.log(head, { most: MOST_COMMITS, paths: folder === '' ? [] : [folder] });
  const commits = placeInTime(entries, clock.now()).map((entry) => describe(entry, folder));
  if (one.lists.size >= MOST_LISTS) one.lists.clear();
  one.lists.set(folder, { head, commits });
  return commits;
}

/** A date is whatever its maker writes: none is before that of the commit it follows, and none is yet to come. */
function placeInTime(newestFirst: readonly LogEntry[], nowMs: number): readonly LogEntry[] {
  let earliestMs = 0;
  return newestFirst
    .toReversed()
    .map((entry) => {
      earliestMs = Math.min(nowMs, Math.max(earliestMs, entry.atMs));
      return { ...entry, atMs: earliestMs };
    })
    .toReversed();
}

function describe({ commit, author, atMs, message, paths }: LogEntry, folder: string): FolderCommit {
  const prefix = folder === '' ? '' : `${folder}/`;
  const own = paths.filter((path) => path.startsWith(prefix));
  return {
    commit,
    who: `${author.name} <${author.email}>`.slice(0, 500),
    atMs,
    message: message.slice(0, 20_000),
    files: own.slice(0, MOST_FILES).map((path) => path.slice(prefix.length)),
    isAlone: own.length === paths.length,
  };
}
