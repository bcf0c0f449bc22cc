import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const LAUNCHER = path.join(import.meta.dirname, '..', 'launch.mjs');

/** Plays npm: notes how it was called and makes node_modules as `npm ci` does. */
const NPM = `
  const fs = require('node:fs');
  fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
  if (process.env.NPM_FAILS) process.exit(7);
  fs.rmSync('node_modules', { recursive: true, force: true });
  fs.mkdirSync('node_modules');
`;

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

describe('launch.mjs', () => {
  let clone = '';
  let npm = '';

  beforeEach(async () => {
    clone = await mkdtemp(path.join(tmpdir(), 'sublet-launch-'));
    npm = path.join(clone, 'npm.cjs');
    await copyFile(LAUNCHER, path.join(clone, 'launch.mjs'));
    await writeFile(path.join(clone, 'package-lock.json'), '{"lockfileVersion": 3}');
    await writeFile(npm, NPM);
  });
  afterEach(() => rm(clone, { recursive: true, force: true }));

  const launch = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    new Promise<Ended>((resolve) => {
      const options = { cwd: clone, env: { ...process.env, npm_execpath: npm, ...env } };
      const child = execFile(process.execPath, ['launch.mjs', ...args], options, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  const npmCalls = async () =>
    (await readFile(path.join(clone, 'npm-calls'), 'utf8').catch(() => '')).trim().split('\n').filter(Boolean);
  const script = (text: string) => writeFile(path.join(clone, 'hello.ts'), text);

  it('installs in a fresh clone, says so, and runs TypeScript with the arguments', async () => {
    await script('const words: readonly string[] = process.argv.slice(2); console.log(words.join("+"));');
    const ended = await launch(['hello.ts', 'a', '--b']);
    expect(ended).toMatchObject({ code: 0, stdout: 'a+--b\n' });
    expect(ended.stderr).toContain('sublet: installing dependencies with npm ci (first run) ...');
    expect(await npmCalls()).toEqual(['ci --loglevel=error']);
  });

  it('installs once, and again when package-lock.json has other content', async () => {
    await script('');
    await launch(['hello.ts']);
    const second = await launch(['hello.ts']);
    expect(second.stderr).toBe('');
    expect(await npmCalls()).toHaveLength(1);
    await writeFile(path.join(clone, 'package-lock.json'), '{"lockfileVersion": 3, "packages": {}}');
    const third = await launch(['hello.ts']);
    expect(third.stderr).toContain('(package-lock.json changed)');
    expect(await npmCalls()).toHaveLength(2);
  });

  it('leaves alone what npm ci or npm install made by hand', async () => {
    await script('');
    await mkdir(path.join(clone, 'node_modules'));
    await writeFile(path.join(clone, 'node_modules', '.package-lock.json'), '{}');
    const old = new Date('2026-01-01T00:00:00Z');
    await utimes(path.join(clone, 'package-lock.json'), old, old);
    expect((await launch(['hello.ts'])).stderr).toBe('');
    expect(await npmCalls()).toEqual([]);
  });

  it("stops with npm's failure and installs anew the next time", async () => {
    await script('console.log("ran")');
    const ended = await launch(['hello.ts'], { NPM_FAILS: '1' });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('npm ci failed with 7');
    expect((await launch(['hello.ts'])).stdout).toBe('ran\n');
  });

  it('says what to install when npm is missing', async () => {
    await script('');
    const ended = await launch(['hello.ts'], { npm_execpath: '', PATH: clone });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('npm is not installed: install Node with npm from https://nodejs.org');
  });

  it("gives the child's exit code and its own start as SUBLET_LAUNCHED_AT", async () => {
    await script('console.log(Number(process.env.SUBLET_LAUNCHED_AT)); process.exitCode = 42;');
    const before = Date.now();
    const ended = await launch(['hello.ts']);
    expect(ended.code).toBe(42);
    const launchedAt = Number(ended.stdout);
    // The start of a process and the wall clock are measured by different clocks.
    expect(launchedAt).toBeGreaterThan(before - 100);
    expect(launchedAt).toBeLessThanOrEqual(Date.now());
  });

  it('keeps what a program loads compiled beside the dependencies, or where it is told to', async () => {
    await script('console.log(process.env.NODE_COMPILE_CACHE);');
    expect((await launch(['hello.ts'])).stdout).toBe(`${path.join(clone, 'node_modules', '.cache', 'node')}\n`);
    const elsewhere = path.join(clone, 'elsewhere');
    expect((await launch(['hello.ts'], { NODE_COMPILE_CACHE: elsewhere })).stdout).toBe(`${elsewhere}\n`);
  });

  it('passes a signal on and ends with what the child made of it', async () => {
    await script(`
      process.on('SIGTERM', () => { console.log('told'); process.exit(3); });
      console.log('up');
      setInterval(() => {}, 1000);
    `);
    const ended = await untilUp(['hello.ts']);
    ended.child.kill('SIGTERM');
    const [code] = await once(ended.child, 'close');
    expect([code, ended.output()]).toEqual([3, 'up\ntold\n']);
  });

  it('dies of the signal that the child died of', async () => {
    await script('console.log("up"); setInterval(() => {}, 1000);');
    const { child } = await untilUp(['hello.ts']);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  });

  it('runs vitest with --test, in the repository whatever the folder', async () => {
    const vitest = path.join(clone, 'node_modules', 'vitest');
    await launch(['launch.mjs']);
    await mkdir(vitest, { recursive: true });
    await writeFile(path.join(vitest, 'vitest.mjs'), 'console.log(process.cwd(), process.argv.slice(2).join(" "));');
    const ended = await launch(['--test', 'kube', '-t', 'x']);
    expect(ended.stdout).toBe(`${clone} run kube -t x\n`);
  });

  it('runs the projects beside each other when nothing is chosen, and fails when one does', async () => {
    const vitest = path.join(clone, 'node_modules', 'vitest');
    await launch(['launch.mjs']);
    await mkdir(vitest, { recursive: true });
    await writeFile(
      path.join(vitest, 'vitest.mjs'),
      `const project = process.argv.at(-1);
      console.log(process.argv.slice(2).join(' '), process.env.SUBLET_TEST_REPORT);
      if (project === process.env.FAILS) process.exitCode = 3;`,
    );
    const report = path.join(clone, 'out.d', 'report.json');
    const ended = await launch(['--test'], { SUBLET_TEST_REPORT: report });
    expect(ended.code).toBe(0);
    expect(
      ended.stdout
        .split('\n')
        .filter((line) => line.startsWith('run '))
        .sort(),
    ).toEqual([
      `run --project cluster ${path.join(clone, 'out.d', 'report.cluster.json')}`,
      `run --project unit ${path.join(clone, 'out.d', 'report.unit.json')}`,
    ]);
    const failed = await launch(['--test'], { FAILS: 'unit' });
    expect(failed.code).toBe(3);
    expect(failed.stdout).toContain('sublet: unit tests failed with 3, see above\nsublet: cluster tests passed\n');
  });

  it.each([
    [[], 'name a file to run'],
    [['absent.ts'], 'there is no absent.ts in'],
  ])('refuses %j', async (args, message) => {
    const ended = await launch(args);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(message);
    expect(await npmCalls()).toEqual([]);
  });

  it('takes the Node of the dependencies when the running one is too old', async () => {
    // A launcher that believes itself on Node 20 and finds no newer one on PATH.
    const text = await readFile(LAUNCHER, 'utf8');
    await writeFile(path.join(clone, 'launch.mjs'), text.replaceAll('process.version', "'v20.1.0'"));
    await script('console.log("ran")');
    const missing = await launch(['hello.ts'], { PATH: clone });
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain('Sublet needs Node 24 or newer, this is v20.1.0');
    const bundled = path.join(clone, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
    await mkdir(path.dirname(bundled), { recursive: true });
    await writeFile(bundled, `#!/bin/sh\necho bundled "$(basename "$1")"\n`);
    await chmod(bundled, 0o755);
    // The shell's own folder may hold a Node that is new enough, so PATH has nothing but a link to the shell's tools.
    await symlink('/usr/bin/basename', path.join(clone, 'basename'));
    const found = await launch(['hello.ts'], { PATH: clone });
    expect(found.stdout).toBe('bundled hello.ts\n');
  });

  async function untilUp(args: readonly string[]): Promise<{ child: ChildProcess; output: () => string }> {
    const child = spawn(process.execPath, ['launch.mjs', ...args], {
      cwd: clone,
      env: { ...process.env, npm_execpath: npm },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    while (!output.includes('up\n')) await once(child.stdout, 'data');
    return { child, output: () => output };
  }
});
