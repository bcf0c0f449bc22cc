import { execFile } from 'node:child_process';

/** The fenced blocks of a language in a guide, in their order. */
export function readBlocks(guide: string, language: string): readonly string[] {
  return [...guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, text]) =>
    name === language ? [text ?? ''] : [],
  );
}

/** Runs a guide's commands with nothing of the machine's environment but the search path; gives what they print. Rejects at the first that fails. */
export function runBash(script: string, cwd: string, env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', script];
    execFile('bash', args, { cwd, env: { PATH: process.env.PATH ?? '', ...env } }, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`${error.message}\n${out}\n${err}`));
    });
  });
}
