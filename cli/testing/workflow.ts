import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';

const ROOT = path.join(import.meta.dirname, '..', '..');

export type Step = {
  readonly name?: string;
  readonly run?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** What a command printed and how it ended. */
export type Ended = { readonly code: number; readonly out: string; readonly err: string };

/** A folder with `sublet` and `kubectl-sublet` in `bin/`, as `npm link` puts them on the path. */
export async function makeHome(): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), 'sublet-home-'));
  await mkdir(path.join(home, 'bin'));
  for (const name of ['sublet', 'kubectl-sublet'])
    await symlink(path.join(ROOT, 'cli', 'main.ts'), path.join(home, 'bin', name));
  return home;
}

/** Runs a script as a workflow's runner and a careful person do: it ends with the first command that fails. */
export function bash(
  script: string,
  where: { readonly home: string; readonly cwd: string },
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const search = [path.join(where.home, 'bin'), path.dirname(process.execPath), process.env.PATH ?? ''].join(':');
  const options = { cwd: where.cwd, env: { PATH: search, HOME: where.home, ...env }, maxBuffer: 16 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', script], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
  });
}

/** The steps of a workflow of the guide that run something; the first installs Sublet, which a checkout of it has done. */
export async function readWorkflow(
  file: string,
): Promise<{ readonly on: unknown; readonly install: Step | undefined; readonly steps: readonly Step[] }> {
  const guide = await readFile(path.join(ROOT, 'docs', 'guides', 'cli.md'), 'utf8');
  const [, rest = ''] = guide.split(`\`${file}\``);
  const block = /```yaml\n([\s\S]*?)```/.exec(rest)?.[1] ?? '';
  const { on, jobs } = parse(block) as {
    readonly on: unknown;
    readonly jobs: { readonly check: { readonly steps: readonly Step[] } };
  };
  const [install, ...steps] = jobs.check.steps.filter(({ run }) => run !== undefined);
  return { on, install, steps };
}

/** A runner's workspace: a clone of the fleet with the pull request checked out, by itself or merged into its base, and Sublet beside it. */
export async function makeWorkspace(
  home: string,
  remote: string,
  { branch, isMerged }: { readonly branch: string; readonly isMerged: boolean },
): Promise<string> {
  const cwd = await mkdtemp(path.join(home, 'workspace-'));
  await symlink(ROOT, path.join(cwd, 'sublet'));
  const take = isMerged
    ? 'git -c user.name=A -c user.email=a@example.com merge --quiet --no-ff --no-edit'
    : 'git switch --quiet --detach';
  const clone = `git clone --quiet ${remote} fleet && cd fleet && git switch --quiet --detach origin/main`;
  const { code, err } = await bash(`${clone} && ${take} origin/${branch}`, { home, cwd });
  if (code !== 0) throw new Error(err);
  return cwd;
}

/** Runs the steps one after the other; `values` are what expressions stand for. After a failure only those run that always do. */
export async function runSteps(
  steps: readonly Step[],
  where: { readonly home: string; readonly cwd: string },
  values: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, Ended>> {
  const ended = new Map<string, Ended>();
  for (const { name = '', run = '', env = {}, if: condition } of steps) {
    const hasFailed = [...ended.values()].some(({ code }) => code !== 0);
    if (hasFailed && condition !== 'always()') continue;
    const variables = Object.entries(env).map(([key, text]) => [key, evaluate(text, values)]);
    ended.set(name, await bash(run, where, Object.fromEntries(variables)));
  }
  return ended;
}

function evaluate(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{\{ ([a-zA-Z._]+) \}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nobody said what ${name} is`);
    return value;
  });
}
