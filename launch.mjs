#!/usr/bin/env node
// Starts a TypeScript file of this repository, or its tests, on a Node that can run them; installs the dependencies first
// when they are missing or not those of package-lock.json. Plain JavaScript without dependencies: it must work on Node 18
// and in a clone where nothing was ever installed.
//
//   node launch.mjs <file.ts> [arguments]
//   node launch.mjs --test [vitest arguments]
//
// Without arguments the tests run as two processes beside each other: those that compute, and those that mostly wait for a
// real control plane.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MINIMUM_NODE = 24;
const PROGRESS_INTERVAL_MS = 5_000;
/** As vitest.config.ts names them. */
const TEST_PROJECTS = ['unit', 'cluster'];
const ROOT = path.dirname(fileURLToPath(import.meta.url));
const MODULES = path.join(ROOT, 'node_modules');
const LOCK = path.join(ROOT, 'package-lock.json');
const STAMP = path.join(MODULES, '.sublet-lock-hash');

const launchedAt = Math.round(performance.timeOrigin);
await main(process.argv.slice(2));

async function main([target, ...rest]) {
  if (target === undefined) fail('name a file to run: node launch.mjs <file.ts> [arguments], or --test');
  const isTest = target === '--test';
  if (!isTest && !existsSync(path.join(ROOT, target))) fail(`there is no ${target} in ${ROOT}`);
  await ensureDependencies();
  const node = findNode();
  if (!isTest) return runAndExit(node, [path.join(ROOT, target), ...rest], { cwd: process.cwd(), env: compileCache() });
  const vitest = [path.join(MODULES, 'vitest', 'vitest.mjs'), 'run'];
  if (rest.length > 0) return runAndExit(node, [...vitest, ...rest], { cwd: ROOT, env: {} });
  return runTestsAndExit(node, vitest);
}

/** Runs `npm ci` unless node_modules was installed from exactly this package-lock.json. */
async function ensureDependencies() {
  const hash = createHash('sha256').update(readFileSync(LOCK)).digest('hex');
  if (readStamp() === hash) return;
  if (!wasInstalledByHand()) {
    const why = existsSync(MODULES) ? 'package-lock.json changed' : 'first run';
    console.error(`sublet: installing dependencies with npm ci (${why}) ...`);
    await installDependencies();
  }
  writeFileSync(STAMP, `${hash}\n`);
}

function readStamp() {
  return existsSync(STAMP) ? readFileSync(STAMP, 'utf8').trim() : undefined;
}

/** Whether somebody ran npm ci or npm install since the lock file last changed, and this launcher never did. */
function wasInstalledByHand() {
  const installed = path.join(MODULES, '.package-lock.json');
  return !existsSync(STAMP) && existsSync(installed) && statSync(installed).mtimeMs >= statSync(LOCK).mtimeMs;
}

async function installDependencies() {
  const startedAt = Date.now();
  const elapsedS = () => Math.round((Date.now() - startedAt) / 1_000);
  const timer = setInterval(() => console.error(`sublet: still installing, ${elapsedS()} s`), PROGRESS_INTERVAL_MS);
  // npm names itself in npm_execpath when it runs a script; otherwise it is looked for on PATH.
  const npm = process.env.npm_execpath;
  const [command, before] = npm?.endsWith('.js') || npm?.endsWith('.cjs') ? [process.execPath, [npm]] : ['npm', []];
  const code = await new Promise((resolve) => {
    const child = spawn(command, [...before, 'ci', '--loglevel=error'], {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32' && command === 'npm',
    });
    child.on('error', () => resolve(undefined));
    child.on('close', resolve);
  });
  clearInterval(timer);
  if (code === undefined)
    fail('npm is not installed: install Node with npm from https://nodejs.org and run this again');
  if (code !== 0) fail(`npm ci failed with ${code}: see its message above, then run this again`);
  console.error(`sublet: dependencies installed in ${elapsedS()} s`);
}

/** The running Node or PATH's when new enough, otherwise the one that came with the dependencies. */
function findNode() {
  if (majorOf(process.version) >= MINIMUM_NODE) return process.execPath;
  const onPath = spawnSync('node', ['--version'], { encoding: 'utf8' });
  if (onPath.status === 0 && majorOf(onPath.stdout.trim()) >= MINIMUM_NODE) return 'node';
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const bundled = path.join(MODULES, `node-${platform}-${process.arch}`, 'bin', file);
  if (existsSync(bundled)) return bundled;
  return fail(
    `Sublet needs Node ${MINIMUM_NODE} or newer, this is ${process.version}, and none comes with the dependencies for ` +
      `${process.platform} ${process.arch}: install it from https://nodejs.org and run this again`,
  );
}

function majorOf(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
}

/** What a program loads stays compiled, which halves its next start. npm ci clears it. A test runner keeps a cache of its own. */
function compileCache() {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return {};
  return { NODE_COMPILE_CACHE: path.join(MODULES, '.cache', 'node') };
}

function runAndExit(node, args, { cwd, env }) {
  const child = start(node, args, { cwd, env, stdio: 'inherit' });
  const stopForwarding = forwardSignals([child]);
  child.on('exit', (code, signal) => {
    stopForwarding();
    if (signal === null) process.exit(code ?? 1);
    else process.kill(process.pid, signal);
  });
}

/** All projects at once, their output line by line. Ends with the first exit code that is not 0. */
async function runTestsAndExit(node, vitest) {
  const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const children = TEST_PROJECTS.map((project) => {
    const env = { ...color, ...reportOf(project) };
    const child = start(node, [...vitest, '--project', project], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: child.stdout }).on('line', (line) => console.log(line));
    createInterface({ input: child.stderr }).on('line', (line) => console.error(line));
    return child;
  });
  const stopForwarding = forwardSignals(children);
  const codes = await Promise.all(
    children.map((child) => new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)))),
  );
  stopForwarding();
  TEST_PROJECTS.forEach((project, at) => {
    console.log(`sublet: ${project} tests ${codes[at] === 0 ? 'passed' : `failed with ${codes[at]}, see above`}`);
  });
  process.exitCode = codes.find((code) => code !== 0) ?? 0;
}

/** `report.json` becomes `report.unit.json` and `report.cluster.json`. */
function reportOf(project) {
  const report = process.env.SUBLET_TEST_REPORT;
  return report === undefined ? {} : { SUBLET_TEST_REPORT: report.replace(/(\.[^./\\]*)?$/, `.${project}$1`) };
}

function start(node, args, { cwd, env, stdio }) {
  const folder = node === 'node' ? [] : [path.dirname(node)];
  const child = spawn(node, args, {
    cwd,
    stdio,
    env: {
      ...process.env,
      PATH: [...folder, process.env.PATH].join(path.delimiter),
      SUBLET_LAUNCHED_AT: String(launchedAt),
      ...env,
    },
  });
  child.on('error', (error) => fail(`${node} did not start: ${error.message}`));
  return child;
}

function forwardSignals(children) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forward = (signal) => {
    // A terminal sends Ctrl-C to the children as well.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) for (const child of children) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const name of signals) process.off(name, forward);
  };
}

function fail(message) {
  console.error(`sublet: ${message}`);
  process.exit(1);
}
