import { tmpdir } from 'node:os';
import { runCli } from '../run.ts';

export type Ran = { readonly code: number; readonly out: string; readonly err: string };

export type RunOptions = {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly home?: string | undefined;
  readonly stdin?: string | undefined;
  readonly isTerminal?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly name?: string | undefined;
};

/** Runs a command line in this process, as `sublet` does, and gives what it printed. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const deps = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    env: options.env ?? {},
    cwd: options.cwd ?? tmpdir(),
    home: options.home ?? tmpdir(),
    isTerminal: options.isTerminal ?? false,
    readStdin: async () => options.stdin ?? '',
    signal: options.signal ?? new AbortController().signal,
  };
  const code = await runCli(deps, args, options.name);
  return { code, out, err };
}
