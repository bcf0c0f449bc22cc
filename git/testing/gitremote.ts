import { spawn } from 'node:child_process';
import type { MadeCommit } from '../memory/objects.ts';
import type { CommitId } from '../repository.ts';

const MODES = { file: '100644', executable: '100755', symlink: '120000', submodule: '160000' } as const;

/** What somebody with their own git does to a bare repository on this machine. */
export type GitRemoteHands = {
  head(branch: string): Promise<CommitId | undefined>;
  text(branch: string, path: string): Promise<string | undefined>;
  write(branch: string, commit: MadeCommit): Promise<CommitId>;
  move(branch: string, to: CommitId | undefined): Promise<void>;
  git(...args: readonly string[]): Promise<string>;
};

export function openHands(folder: string): GitRemoteHands {
  const run = async (
    args: readonly string[],
    input?: Buffer,
  ): Promise<{ readonly code: number; readonly text: string }> => {
    const env = { PATH: process.env.PATH ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
    const child = spawn('git', ['--git-dir', folder, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    let problem = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      problem += chunk;
    });
    // A git that ended early closes its input; its exit code says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const code = await new Promise<number>((resolve, reject) => child.on('error', reject).on('close', resolve));
    return { code, text: code === 0 ? text : problem };
  };
  const git = async (...args: readonly string[]): Promise<string> => {
    const { code, text } = await run(args);
    if (code !== 0) throw new Error(`git ${args[0]}: ${text}`);
    return text;
  };
  const head = async (branch: string): Promise<CommitId | undefined> => {
    const { code, text } = await run(['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]);
    return code === 0 ? text.trim() : undefined;
  };
  return {
    git,
    head,
    text: async (branch, path) => {
      const { code, text } = await run(['cat-file', 'blob', `refs/heads/${branch}:${path}`]);
      return code === 0 ? text : undefined;
    },
    write: async (branch, commit) => {
      const input = renderCommit(branch, await head(branch), commit);
      const { code, text } = await run(['fast-import', '--quiet'], input);
      if (code !== 0) throw new Error(`git fast-import: ${text}`);
      return (await head(branch)) ?? '';
    },
    move: async (branch, to) => {
      await (to === undefined
        ? git('update-ref', '-d', `refs/heads/${branch}`)
        : git('update-ref', `refs/heads/${branch}`, to));
    },
  };
}

function renderCommit(
  branch: string,
  parent: CommitId | undefined,
  { author, committer, atMs, message, files }: MadeCommit,
): Buffer {
  const seconds = Math.floor(atMs / 1000);
  const parts: (string | Uint8Array)[] = [
    `commit refs/heads/${branch}\nauthor ${author.name} <${author.email}> ${seconds} +0000\n`,
    `committer ${committer.name} <${committer.email}> ${seconds} +0000\n`,
    `data ${Buffer.byteLength(message)}\n${message}\n`,
    parent === undefined ? '' : `from ${parent}\n`,
  ];
  for (const [path, content] of files) {
    if (content === null) parts.push(`D "${path}"\n`);
    else {
      const { bytes, mode } =
        typeof content === 'string' ? { bytes: Buffer.from(content), mode: 'file' as const } : content;
      if (mode === 'submodule') parts.push(`M ${MODES.submodule} ${Buffer.from(bytes).toString('latin1')} "${path}"\n`);
      else parts.push(`M ${MODES[mode]} inline "${path}"\ndata ${bytes.length}\n`, bytes, '\n');
    }
  }
  return Buffer.concat([...parts, '\n'].map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
