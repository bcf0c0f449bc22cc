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
  const match = /^author (.*?) ?<(.*)> (-?[0-9]+) [-+][0-9]{4}$/m.exec(head);
  return {
    commit: object.id,
    author: { name: match?.[1] ?? '', email: match?.[2] ?? '' },
    atMs: Number(match?.[3] ?? 0) * 1000,
    message: blank < 0 ? '' : text.slice(blank + 2),
    paths,
  };
}

/** Parses `diff-tree --stdin -z --name-only`: each commit's id, then its paths, all with NUL behind them. */
export function parseChangedPaths(
  output: Buffer,
  commits: readonly CommitId[],
): ReadonlyMap<CommitId, readonly string[]> {
  const found = new Map<CommitId, string[]>();
  const left = [...commits].reverse();
  let paths: string[] = [];
  for (const token of output.toString('utf8').split(/[\0\n]/)) {
    if (token === '') continue;
    // A commit that changed nothing prints nothing; the ids come in the order in which they were asked.
    const at = /^[0-9a-f]{40,64}$/.test(token) ? left.lastIndexOf(token) : -1;
    if (at >= 0) {
      left.length = at;
      paths = [];
      found.set(token, paths);
    } else paths.push(token);
  }
  return found;
}
