import { type CommitId, type PushOptions, type PushResult, RepositoryError } from '../repository.ts';
import { checkBranch } from './environment.ts';
import { failureOf, type Scrub } from './failure.ts';
import { assertCommitId, type Git } from './git.ts';
import type { GitResult } from './process.ts';

/** Moves a branch of the remote, and only from where the caller saw it and forward. */
export async function pushBranch(
  git: Git,
  branch: string,
  { commit, expected }: { readonly commit: CommitId; readonly expected: CommitId | undefined },
  signal?: PushOptions['signal'],
): Promise<PushResult> {
  const ref = `refs/heads/${checkBranch(branch)}`;
  assertCommitId(commit);
  if (expected !== undefined) {
    assertCommitId(expected);
    const { code } = await git.local(['merge-base', '--is-ancestor', expected, commit], { signal });
    if (code !== 0) throw new RepositoryError('Refused', 'only commits that follow what is there can be pushed');
  }
  const lease = `--force-with-lease=${ref}:${expected ?? ''}`;
  const args = ['push', ...OPTIONS, lease, '--', git.remote.url, `${commit}:${ref}`];
  try {
    const { result, scrub } = await git.distant(args, signal);
    const outcome = parsePush(result, ref, scrub);
    if (outcome !== undefined) return outcome;
    throw failureOf('the repository cannot be pushed to', result, scrub);
  } catch (error) {
    // Killed by time or by the caller: nobody knows how far it had got.
    if (error instanceof RepositoryError && error.failure === 'Stopped') return { type: 'unknown', why: error.message };
    throw error;
  }
}

const OPTIONS = ['--porcelain', '--atomic', '--no-verify', '--no-signed', '--recurse-submodules=no'];

/**
 * What became of a push of one ref, from `git push --porcelain`. A verdict of the remote is a line `<flag>\t<from>:<to>\t<summary>`. Without one it may have moved
 * the branch and the answer got lost: `unknown`. Undefined: it ended before anything was sent.
 */
export function parsePush(result: GitResult, ref: string, scrub: Scrub): PushResult | undefined {
  const stdout = result.stdout.toString('utf8');
  const line = stdout.split('\n').find((text) => text.split('\t')[1]?.endsWith(`:${ref}`) === true);
  const [flag, , summary = ''] = line?.split('\t') ?? [];
  if (flag !== undefined && flag !== '!')
    return result.code === 0 ? { type: 'pushed' } : { type: 'unknown', why: scrub(result.stderr) };
  const remote = [...result.stderr.matchAll(/^remote: (?:error: )?(.*\S)/gm)].map((match) => match[1]).slice(0, 3);
  const why = scrub([summary, ...remote].filter((text) => text !== '').join('; '));
  if (flag === '!' && /^\[(remote )?rejected\]/.test(summary))
    return { type: 'rejected', stale: isStale(summary), why };
  if (flag === '!') return { type: 'unknown', why };
  return BEFORE_SENDING.test(result.stderr) ? undefined : { type: 'unknown', why: scrub(result.stderr) };
}

/** Somebody was faster: the lease did not hold, here or there. */
function isStale(summary: string): boolean {
  return /stale info|fetch first|non-fast-forward|needs force|already exists|cannot lock ref|failed to update ref|incorrect old value|failed to lock|reference already exists/.test(
    summary,
  );
}

/** Messages of the first request, which only asks what the remote has. */
const BEFORE_SENDING =
  /unable to access|Authentication failed|could not read (Username|Password)|[Rr]epository .*not found|does not appear to be a git repository|transport '.*' not allowed|Could not resolve|not valid: is this a git repository/;
