import { type NewCommit, RepositoryError } from './repository.ts';

/**
 * Refuses a path that would leave the tree, reach into `.git` by any of the names that file systems fold to it, or that some system cannot check
 * out. Every write goes through here, whoever asks.
 */
export function assertTreePath(path: string): void {
  const problem = explainTreePath(path);
  if (problem !== undefined) {
    throw new RepositoryError('Refused', `the path ${JSON.stringify(path.slice(0, 200))} ${problem}`);
  }
}

/** The paths that commits write or remove, each checked; none of them is a folder of another. */
export function assertWritten(commits: readonly NewCommit[]): ReadonlySet<string> {
  const written = new Set(commits.flatMap(({ files }) => [...files.keys()]));
  for (const path of written) assertTreePath(path);
  for (const path of written) {
    const folder = ancestorsOf(path).find((ancestor) => written.has(ancestor));
    if (folder !== undefined) throw refuseFolder(folder);
  }
  return written;
}

/** The folders that a path is in, from the top. */
export function ancestorsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

export function refuseFolder(path: string): RepositoryError {
  return new RepositoryError(
    'Refused',
    `${path} is a file, a symbolic link or a submodule in the repository, not a folder`,
  );
}

export function refuseFile(path: string): RepositoryError {
  return new RepositoryError(
    'Refused',
    `${path} is a folder, a symbolic link or a submodule in the repository, not a file`,
  );
}

/** Why a path cannot be written, as a predicate; undefined when it can. */
export function explainTreePath(path: string): string | undefined {
  if (path.length === 0 || Buffer.byteLength(path) > MAX_BYTES) return `must have 1 to ${MAX_BYTES} bytes`;
  if (!path.isWellFormed() || path.includes('\ufffd')) return 'is not valid UTF-8';
  if (FORBIDDEN.test(path)) return 'holds a character that not every system takes';
  const segments = path.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    return 'leaves the tree or has an empty part';
  if (segments.some(isGitFolder)) return 'reaches into a .git folder';
  return segments.some((segment) => /[. ]$/.test(segment)) ? 'has a part that ends in a dot or a space' : undefined;
}

const MAX_BYTES = 1024;
/** Control and format characters (some of which HFS+ ignores), and what Windows forbids. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\:*?"<>|]/u;

/** `.git`, and the short name that NTFS gives it. */
function isGitFolder(segment: string): boolean {
  return /^(\.git|git~[0-9]+)$/i.test(segment.normalize('NFKC'));
}
