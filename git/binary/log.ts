import type { CommitId, LogEntry, LogOptions } from '../repository.ts';
import { assertTreePath } from '../treepath.ts';
import type { GitObject, ObjectReader } from './catfile.ts';
import { assertCommitId, type Git, isCommitId } from './git.ts';

export const DEFAULT_MOST = 1000;
const DIFFER = [
  'diff-tree',
  '--stdin',
  '--root',
  '-r',
  '-z',
  '--name-only',
  '--no-renames',
  '--diff-merges=first-parent',
  // No path begins so: a file may be named as a commit.
  '--format=/%H',
];

export async function readLog(git: Git, to: CommitId, options: LogOptions): Promise<readonly LogEntry[]> {
  const { since, most = DEFAULT_MOST, paths = [], signal } = options;
  assertCommitId(to);
  for (const path of paths) assertTreePath(path);
  const { objects } = await git.clone();
  const isKnown = since !== undefined && isCommitId(since) && (await objects.info(since))?.type === 'commit';
  const range = [to, ...(isKnown ? [`^${since}`] : [])];
  const args = ['rev-list', `--max-count=${Math.floor(most)}`, '--topo-order', ...range, '--', ...paths];
  const listed = await git.demand('the history cannot be read', args, { signal });
  const commits = listed
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '');
  if (commits.length === 0) return [];
  const [output, ...found] = await Promise.all([
    git.demand('the history cannot be read', DIFFER, { input: [`${commits.join('\n')}\n`], signal }),
    ...(await readCommits(objects, commits)),
  ]);
  const changed = parseChangedPaths(output, commits);
  return found.flatMap((object) => (object === undefined ? [] : [parseCommit(object, changed.get(object.id) ?? [])]));
}

/** Within one log. Ours have some hundred bytes each, and squashes of thousands of them do not come near. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Those that there is no room for, which nobody wrote in earnest, come without author and message. */
async function readCommits(
  objects: ObjectReader,
  commits: readonly CommitId[],
): Promise<readonly Promise<GitObject | undefined>[]> {
  let left = MAX_BYTES;
  const infos = await Promise.all(commits.map((commit) => objects.info(commit)));
  return infos.map(async (info) => {
    if (info === undefined) return undefined;
    if (info.size > left) return { ...info, content: NOTHING };
    left -= info.size;
    return objects.content(info.id);
  });
}

const NOTHING = Buffer.alloc(0);

/** A commit object's own text as an entry of the log; the paths come from elsewhere. */
export function parseCommit(object: GitObject, paths: readonly string[]): LogEntry {
  const text = object.content.toString('utf8');
  const blank = text.indexOf('\n\n');
  const head = blank < 0 ? text : text.slice(0, blank);
  const { name, email, seconds } = parseAuthor(head);
  return {
    commit: object.id,
    author: { name, email },
    atMs: seconds * 1000,
    message: blank < 0 ? '' : text.slice(blank + 2),
    paths,
  };
}

/** `author <name> <<email>> <seconds> <zone>`, by steps that take no longer the stranger it is. */
function parseAuthor(head: string): { readonly name: string; readonly email: string; readonly seconds: number } {
  const start = head.indexOf('\nauthor ');
  const line = start < 0 ? '' : (head.slice(start + '\nauthor '.length).split('\n', 1)[0] ?? '');
  const [open, close] = [line.indexOf('<'), line.lastIndexOf('>')];
  const time = /^ (-?[0-9]{1,15}) [-+][0-9]{4}$/.exec(line.slice(close + 1));
  if (open < 0 || close < open || time === null) return { name: '', email: '', seconds: 0 };
  return { name: line.slice(0, open).replace(/ $/, ''), email: line.slice(open + 1, close), seconds: Number(time[1]) };
}

/** Parses `diff-tree --stdin -z --name-only --format=/%H`: a slash and the id of each commit, a line break, its paths; all but the break with NUL behind them. */
export function parseChangedPaths(
  output: Buffer,
  commits: readonly CommitId[],
): ReadonlyMap<CommitId, readonly string[]> {
  const wanted = new Set(commits);
  const found = new Map<CommitId, string[]>();
  let paths: string[] | undefined;
  for (const token of output.toString('utf8').split('\0')) {
    if (token.startsWith('/')) {
      const commit = token.slice(1);
      paths = wanted.has(commit) ? [] : undefined;
      if (paths !== undefined) found.set(commit, paths);
    } else if (token !== '') paths?.push(paths.length === 0 ? token.replace(/^\n/, '') : token);
  }
  return found;
}
