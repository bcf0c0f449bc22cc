import { createHash } from 'node:crypto';
import { type GitAccess, type GitFile, type GitReader, type Head, parseReference } from './reader.ts';

export type Commit = {
  /** 40 hex digits; depends on contents, parent and message only, so that the same steps give the same commits. */
  readonly id: string;
  readonly parent: string | undefined;
  readonly message: string;
  /** Path to content; ordered by path. */
  readonly files: ReadonlyMap<string, Buffer>;
};

/** What is wrong with a repository while set. */
export type RepositoryFault = 'unreachable' | 'missing';

/** A repository that lives in this process: what the simulator pushes to and the simulated Flux reads. */
export type MemoryRepository = {
  /** Commits on top of the branch: `null` removes a file. Returns the commit. */
  commit(changes: Readonly<Record<string, string | null>>, options?: CommitOptions): Commit;
  /** The branch holds exactly these files afterwards, in a commit without history, whatever it held before. */
  forcePush(files: Readonly<Record<string, string>>, options?: CommitOptions): Commit;
  /** Moves the branch to a commit that the repository holds, forwards or back. Throws when it does not hold it. */
  reset(id: string, options?: { readonly branch?: string }): Commit;
  /** A commit that removes every file. */
  empty(options?: CommitOptions): Commit;
  /** Points a tag at a commit. */
  tag(name: string, id: string): void;
  head(branch?: string): Commit | undefined;
  /** From the newest to the oldest. */
  history(branch?: string): readonly Commit[];
  setFault(fault: RepositoryFault | undefined): void;
  /** Whom it lets read from now on: absent, everybody. */
  setCredentials(credentials: Credentials | undefined): void;
  /** For readers: the commit behind a full reference name or an id. Throws what a failing remote says. */
  find(ref: string, access?: GitAccess): Commit | undefined;
  isEmpty(): boolean;
};

export type Credentials = { readonly username: string; readonly password: string };

export type CommitOptions = { readonly branch?: string; readonly message?: string };

export function createMemoryRepository(): MemoryRepository {
  const commits = new Map<string, Commit>();
  const refs = new Map<string, string>();
  let fault: RepositoryFault | undefined;
  let credentials: Credentials | undefined;

  const head = (branch = 'main'): Commit | undefined => commits.get(refs.get(`refs/heads/${branch}`) ?? '');

  const push = (
    files: ReadonlyMap<string, Buffer>,
    parent: Commit | undefined,
    options: CommitOptions,
    isSorted = false,
  ): Commit => {
    const { branch = 'main', message = '' } = options;
    const commit = buildCommit(isSorted ? files : sortByPath(files), parent?.id, message);
    commits.set(commit.id, commit);
    refs.set(`refs/heads/${branch}`, commit.id);
    return commit;
  };

  return {
    commit: (changes, options = {}) => {
      const parent = head(options.branch);
      const files = new Map(parent?.files);
      let isSorted = true;
      for (const [path, text] of Object.entries(changes)) {
        if (text === null) files.delete(path);
        else {
          isSorted &&= files.has(path);
          files.set(path, Buffer.from(text));
        }
      }
      return push(files, parent, options, isSorted);
    },
    forcePush: (files, options = {}) =>
      push(new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])), undefined, options),
    reset: (id, { branch = 'main' } = {}) => {
      const commit = commits.get(id);
      if (commit === undefined) throw new Error(`the repository holds no commit ${id}`);
      refs.set(`refs/heads/${branch}`, id);
      return commit;
    },
    empty: (options = {}) => push(new Map(), head(options.branch), options),
    tag: (name, id) => void refs.set(`refs/tags/${name}`, id),
    head,
    history: (branch) => {
      const found: Commit[] = [];
      for (let at = head(branch); at !== undefined; at = commits.get(at.parent ?? '')) found.push(at);
      return found;
    },
    setFault: (next) => {
      fault = next;
    },
    setCredentials: (next) => {
      credentials = next;
    },
    find: (ref, access) => {
      if (fault === 'unreachable') throw new Error('connection refused');
      if (fault === 'missing') throw new Error('repository not found');
      const isKnown = access?.username === credentials?.username && access?.password === credentials?.password;
      if (credentials !== undefined && !isKnown) throw new Error('authentication required');
      return commits.get(refs.get(ref) ?? ref);
    },
    isEmpty: () => refs.size === 0,
  };
}

/** Reads repositories of this process under the URLs that they are registered with. Answers in the same turn of the event loop. */
export function createMemoryGitReader(repositories: ReadonlyMap<string, MemoryRepository>): GitReader {
  const repositoryOf = (url: string): MemoryRepository => {
    const repository = repositories.get(url);
    if (repository === undefined) throw new Error(`unable to clone: repository not found: git repository: '${url}'`);
    return repository;
  };

  const findIn = (url: string, ref: string, access: GitAccess | undefined): Commit | undefined => {
    const repository = repositoryOf(url);
    try {
      return repository.find(ref, access);
    } catch (error) {
      throw new Error(`unable to clone '${url}': ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  const commitOf = (url: string, { commit }: Head, access: GitAccess | undefined): Commit => {
    const found = findIn(url, commit, access);
    if (found === undefined) throw new Error(`unable to resolve commit object for '${commit}': object not found`);
    return found;
  };

  return {
    resolve: async (url, reference, _signal, access) => {
      const { ref, commit, shown } = parseReference(reference);
      const found = findIn(url, commit ?? ref ?? '', access);
      if (found !== undefined) return { commit: found.id, reference: shown };
      if (repositoryOf(url).isEmpty()) return undefined;
      if (commit !== undefined) throw new Error(`unable to resolve commit object for '${commit}': object not found`);
      throw new Error(`unable to clone '${url}': couldn't find remote ref "${ref}"`);
    },
    listFiles: async (url, head, _signal, access) =>
      [...commitOf(url, head, access).files.keys()].map((path): GitFile => ({ path, executable: false, blob: path })),
    readFiles: async (url, head, asked, _signal, access) => {
      const { files } = commitOf(url, head, access);
      return asked.map(({ path }) => {
        const bytes = files.get(path);
        if (bytes === undefined) throw new Error(`${path} is not in commit ${head.commit}`);
        return bytes;
      });
    },
  };
}

function buildCommit(files: ReadonlyMap<string, Buffer>, parent: string | undefined, message: string): Commit {
  const hash = createHash('sha1').update(`parent ${parent ?? ''}\0${message}\0`);
  for (const [path, bytes] of files) hash.update(`${path}\0${blobId(bytes)}\0`);
  return { id: hash.digest('hex'), parent, message, files };
}

function sortByPath(files: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  return new Map([...files].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

const blobIds = new WeakMap<Buffer, string>();

/** Commits share the files that they do not change, so each content is read once. */
function blobId(bytes: Buffer): string {
  const known = blobIds.get(bytes);
  if (known !== undefined) return known;
  const id = createHash('sha1').update(bytes).digest('hex');
  blobIds.set(bytes, id);
  return id;
}
