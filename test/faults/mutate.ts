// `npm run mutate`: breaks one rule of the product after the other, in a copy of the tree, and looks whether the sweep notices. Prints a
// table, then one line of JSON. Exit code 0: every patch was found; 1: one survived or does not apply; 2: the command line is wrong.
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CONTEXT, type Mutation, readMutations } from './patches.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PACKAGES = 'node_modules';
const MAIN = 'test/faults/main.ts';
/** How long the sweep may look for one patch. */
const LOOK_MS = 600_000;
/** After the class and scenario that the patch names: a sample of everything. */
const SAMPLE = 20;

const USAGE = `npm run mutate -- [NAME ...]

Breaks one rule of the product after the other, in a copy of the tree, and looks whether the sweep of \`npm run faults\` notices.
Without names all are tried. What is found without the patch too does not count. Exit code 0: every one was found; 1: one survived or does not apply; 2: the command line is wrong.`;

type Outcome = {
  readonly mutation: Mutation;
  /** The point that found it; absent when none did. */
  readonly foundBy: string | undefined;
  readonly what: string;
  readonly seconds: number;
};

process.exitCode = await main(process.argv.slice(2));

async function main(names: readonly string[]): Promise<number> {
  const all = readMutations();
  const width = Math.max(...all.map(({ name }) => name.length));
  const usage = `${USAGE}\n\n${all.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join('\n')}`;
  if (names.includes('--help') || names.includes('-h')) {
    console.log(usage);
    return 0;
  }
  const unknown = names.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) {
    console.error(`${usage}\n\nthere is no ${unknown.join(', ')}`);
    return 2;
  }
  const chosen = all.filter(({ name }) => names.length === 0 || names.includes(name));
  const tree = await copyTree();
  try {
    const outcomes: Outcome[] = [];
    for (const mutation of chosen) {
      const outcome = await tryMutation(tree, mutation);
      console.error(`  ${mutation.name}: ${outcome.foundBy ?? 'SURVIVED'} (${outcome.seconds.toFixed(1)} s)`);
      outcomes.push(outcome);
    }
    return print(outcomes);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** What Git knows and what is new, as it stands, without the installed packages, which are linked wherever they really are. */
async function copyTree(): Promise<string> {
  const packages = await realpath(path.join(ROOT, PACKAGES));
  const tree = await mkdtemp(path.join(tmpdir(), 'sublet-mutate-'));
  const { output } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], ROOT);
  // A link is no folder to Git's rules of what is ignored.
  for (const file of output.split('\0').filter((name) => name !== '' && name !== PACKAGES)) {
    await mkdir(path.dirname(path.join(tree, file)), { recursive: true });
    await cp(path.join(ROOT, file), path.join(tree, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await symlink(packages, path.join(tree, PACKAGES));
  return tree;
}

async function tryMutation(tree: string, mutation: Mutation): Promise<Outcome> {
  const startMs = performance.now();
  const end = (foundBy: string | undefined, what: string): Outcome => ({
    mutation,
    foundBy,
    what,
    seconds: (performance.now() - startMs) / 1_000,
  });
  const { class: name, scenario } = mutation.look;
  let what = 'the sweep found nothing';
  for (const args of [
    ['--class', name, '--scenario', scenario],
    ['--every', String(SAMPLE)],
  ]) {
    const applied = await run('git', ['apply', CONTEXT, mutation.file], tree);
    if (applied.code !== 0) return end(undefined, `it does not apply: ${applied.output.trim()}`);
    const { code, output } = await run(process.execPath, [MAIN, '--until-found', ...args], tree);
    await run('git', ['apply', CONTEXT, '--reverse', mutation.file], tree);
    const found = /^(\S+ \S+ \S+): npm run faults -- (.*)\n {2}(.*)$/m.exec(output);
    if (found?.[1] === undefined) {
      if (code !== 0) what = `the sweep did not come to its end: ${output.trim().split('\n').at(-1)}`;
      continue;
    }
    const again = await run(process.execPath, [MAIN, ...(found[2] ?? '').split(' ')], tree);
    if (again.code === 0) return end(found[1], found[3] ?? '');
    what = `${found[1]} fails without the patch too`;
  }
  return end(undefined, what);
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: LOOK_MS });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    child.on('error', (error) => resolve({ code: 127, output: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

function print(outcomes: readonly Outcome[]): number {
  const width = Math.max(...outcomes.map(({ mutation }) => mutation.name.length));
  console.log(`${'patch'.padEnd(width)}  seconds  found by`);
  for (const { mutation, foundBy, what, seconds } of outcomes) {
    console.log(`${mutation.name.padEnd(width)}  ${seconds.toFixed(1).padStart(7)}  ${foundBy ?? 'SURVIVED'}: ${what}`);
  }
  const survivors = outcomes.filter(({ foundBy }) => foundBy === undefined).map(({ mutation }) => mutation.name);
  console.log(JSON.stringify({ mutations: outcomes.length, survivors }));
  return survivors.length === 0 ? 0 : 1;
}
