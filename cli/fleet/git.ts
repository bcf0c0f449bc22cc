import { spawn } from 'node:child_process';
import { CliExit, EXIT } from '../exit.ts';

/** A Git repository on this machine, asked by the git binary. Runs reading commands only: no hook, no filter, no index, no network. */
export type Git = {
  /** Standard output; rejects with {@link CliExit} and git's own words. */
  run(args: readonly string[], input?: string): Promise<Buffer>;
};

/** More output than any fleet's file list has. */
const MOST_OUTPUT_BYTES = 512 * 1024 * 1024;
const MOST_COMPLAINT_CHARS = 2_000;

export function openGit(folder: string, signal: AbortSignal): Git {
  return { run: (args, input = '') => run(folder, args, input, signal) };
}

/** The commit of a branch, tag or other revision. */
export async function resolveCommit(git: Git, revision: string): Promise<string> {
  try {
    const text = await git.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]);
    return text.toString('utf8').trim();
  } catch (error) {
    // Of a revision that is not there git says nothing by --quiet; what is fatal is something else.
    if (!(error instanceof CliExit) || error.message.includes('fatal:') || error.message.startsWith('git is'))
      throw error;
    const message = `there is no commit ${JSON.stringify(revision)} here; fetch it first: git fetch origin ${revision}`;
    throw new CliExit(EXIT.usage, message, { cause: error });
  }
}

/** Where the history of two commits parted. */
export async function findMergeBase(git: Git, base: string, head: string): Promise<string> {
  try {
    return (await git.run(['merge-base', base, head])).toString('utf8').trim();
  } catch (error) {
    if (!(error instanceof CliExit) || error.message.includes('fatal:')) throw error;
    const message =
      `no commit that ${base.slice(0, 12)} and ${head.slice(0, 12)} have in common is known here; ` +
      'fetch the whole history (git fetch --unshallow; in a workflow: actions/checkout with fetch-depth: 0)';
    throw new CliExit(EXIT.usage, message, { cause: error });
  }
}

function run(folder: string, args: readonly string[], input: string, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['--no-optional-locks', '-c', 'core.fsmonitor=false', ...args], {
      cwd: folder,
      signal,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1', LC_ALL: 'C' },
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_OUTPUT_BYTES) child.kill();
      else chunks.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      complaint = (complaint + chunk).slice(0, MOST_COMPLAINT_CHARS);
    });
    child.on('error', (error) => reject(explain(error, folder)));
    child.on('close', (code) => {
      if (code === 0 && bytes <= MOST_OUTPUT_BYTES) return resolve(Buffer.concat(chunks));
      const why =
        bytes > MOST_OUTPUT_BYTES
          ? `it wrote more than ${MOST_OUTPUT_BYTES} bytes`
          : complaint.trim() || `it ended with ${code}`;
      reject(new CliExit(EXIT.usage, `git ${args[0]} in ${folder} failed: ${why}`));
    });
    // A git that ends early closes its input; its exit code says more.
    child.stdin.on('error', () => {}).end(input);
  });
}

function explain(error: Error, folder: string): Error {
  if (!('code' in error) || error.code !== 'ENOENT') return error;
  return new CliExit(EXIT.usage, `git is not installed, or there is no folder ${folder}`, { cause: error });
}
