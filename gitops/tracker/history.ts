import type { CommitId, Repository } from '../../git/repository.ts';

/** What is read of a repository to know which commit contains which. */
export type ReadableRepository = Pick<Repository, 'fetch' | 'log' | 'isAncestor' | 'close'>;

export type History = {
  /** Whether a commit of a repository is another one or comes before it. Rejects when the repository does not answer; false when there is none of that id. */
  contains(repository: string, ancestor: CommitId, commit: CommitId): Promise<boolean>;
  close(): Promise<void>;
};

/**
 * Answers for many changes at once: the commits behind a revision are listed once, and for the next revision only those that it adds. Only in a history that is longer than
 * `most` commits (default 20 000) is one asked for by itself, and that once. Repositories are opened when they are needed, copies of their own, so that
 * reading never waits for writing, and anew where `locate` says that one is somewhere else by now.
 */
export function createHistory(
  open: (repository: string) => Promise<ReadableRepository | undefined>,
  { most = 20_000, locate = () => '' }: HistoryOptions = {},
): History {
  const opened = new Map<string, Opened>();
  const find = async (id: string): Promise<Branch | undefined> => {
    const place = locate(id);
    const known = opened.get(id);
    if (known?.place === place) return known.branch;
    const branch = open(id).then((repository) => repository && createBranch(repository, most));
    const one = { place, branch };
    opened.set(id, one);
    const forget = (): unknown => opened.get(id) === one && opened.delete(id);
    branch.then((found) => found ?? forget(), forget);
    await close(known);
    return branch;
  };
  return {
    contains: async (id, ancestor, commit) => {
      if (ancestor === commit) return true;
      return (await (await find(id))?.contains(ancestor, commit)) ?? false;
    },
    close: async () => {
      const all = [...opened.values()];
      opened.clear();
      for (const one of all) await close(one);
    },
  };
}

export type HistoryOptions = {
  readonly most?: number;
  /** Where a repository is: another text than before means that it moved. Throws when that is not known. */
  readonly locate?: (repository: string) => string;
};

type Opened = { readonly place: string; readonly branch: Promise<Branch | undefined> };

async function close(opened: Opened | undefined): Promise<void> {
  await (await opened?.branch.catch(() => undefined))?.close().catch(() => {});
}

type Branch = {
  contains(ancestor: CommitId, commit: CommitId): Promise<boolean>;
  close(): Promise<void>;
};

type Reach = { readonly commits: ReadonlySet<CommitId>; readonly isWhole: boolean };

/** Revisions of one repository whose commits are kept: what is fetched, published and applied differ by few. */
const MOST_REVISIONS = 16;
const MOST_ANSWERS = 20_000;

function createBranch(repository: ReadableRepository, most: number): Branch {
  const reaches = new Map<CommitId, Promise<Reach>>();
  const answers = new Map<string, boolean>();
  let newest: CommitId | undefined;
  const reach = (commit: CommitId): Promise<Reach> => {
    const known = reaches.get(commit);
    if (known !== undefined) return known;
    const before = newest;
    const found = readReach(
      repository,
      commit,
      before === undefined ? undefined : { commit: before, reach: reaches.get(before) },
      most,
    );
    reaches.set(commit, found);
    newest = commit;
    found.catch(() => {
      reaches.delete(commit);
      if (newest === commit) newest = before;
    });
    for (const oldest of reaches.keys()) {
      if (reaches.size <= MOST_REVISIONS) break;
      reaches.delete(oldest);
    }
    return found;
  };
  return {
    contains: async (ancestor, commit) => {
      const { commits, isWhole } = await reach(commit);
      if (commits.has(ancestor) || isWhole) return commits.has(ancestor);
      const key = `${ancestor} ${commit}`;
      const answer = answers.get(key) ?? (await repository.isAncestor(ancestor, commit));
      if (answers.size >= MOST_ANSWERS) answers.clear();
      answers.set(key, answer);
      return answer;
    },
    close: () => repository.close(),
  };
}

/** A revision that is asked about for the first time was not there when the copy was last fetched. */
async function readReach(
  repository: ReadableRepository,
  commit: CommitId,
  before: { readonly commit: CommitId; readonly reach: Promise<Reach> | undefined } | undefined,
  most: number,
): Promise<Reach> {
  await repository.fetch();
  const base = await before?.reach?.catch(() => undefined);
  if (before !== undefined && base !== undefined && (await repository.isAncestor(before.commit, commit))) {
    const added = await repository.log(commit, { since: before.commit, most });
    const commits = new Set([...added.map((entry) => entry.commit), ...base.commits]);
    return { commits, isWhole: base.isWhole && added.length < most };
  }
  const entries = await repository.log(commit, { most });
  return { commits: new Set(entries.map((entry) => entry.commit)), isWhole: entries.length < most };
}
