import { type CommitId, type Repository, RepositoryError } from '../../git/repository.ts';

/** What is read of a repository to know which commit contains which. */
export type ReadableRepository = Pick<Repository, 'fetch' | 'list' | 'log' | 'isAncestor' | 'close'>;

export type History = {
  /** Whether a commit of a repository is another one or comes before it. Rejects when the repository does not answer; false when there is none of that id. */
  contains(repository: string, ancestor: CommitId, commit: CommitId): Promise<boolean>;
  /**
   * Whether a folder says at `after` what it said at `before`, file by file. False also where that cannot be known: `before` is not in the history of `after`, or
   * the folder is too large. Rejects when the repository does not answer.
   */
  isSame(repository: string, folder: string, between: Between): Promise<boolean>;
  close(): Promise<void>;
};

export type Between = { readonly before: CommitId; readonly after: CommitId };

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
    isSame: async (id, folder, between) => (await (await find(id))?.isSame(folder, between)) ?? false,
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
  isSame(folder: string, between: Between): Promise<boolean>;
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
  const remember = async (key: string, ask: () => Promise<boolean>): Promise<boolean> => {
    const answer = answers.get(key) ?? (await ask());
    if (answers.size >= MOST_ANSWERS) answers.clear();
    answers.set(key, answer);
    return answer;
  };
  const contains = async (ancestor: CommitId, commit: CommitId): Promise<boolean> => {
    const { commits, isWhole } = await reach(commit);
    if (commits.has(ancestor) || isWhole) return commits.has(ancestor);
    return remember(`${ancestor} ${commit}`, () => repository.isAncestor(ancestor, commit));
  };
  return {
    contains,
    isSame: async (folder, { before, after }) => {
      if (!(await contains(before, after))) return false;
      return remember(`${before} ${after} ${folder}`, async () => {
        const [was, is] = await Promise.all([before, after].map((commit) => readListing(repository, commit, folder)));
        return was !== undefined && was === is;
      });
    },
    close: () => repository.close(),
  };
}

async function readListing(
  repository: ReadableRepository,
  commit: CommitId,
  folder: string,
): Promise<string | undefined> {
  try {
    const entries = await repository.list(commit, folder);
    return JSON.stringify(entries.map(({ path, blob, mode }) => [path, blob, mode]));
  } catch (error) {
    if (error instanceof RepositoryError && error.failure === 'TooLarge') return undefined;
    throw error;
  }
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
