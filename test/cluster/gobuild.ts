import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LogLine } from './binaries.ts';

const PROGRESS_INTERVAL_MS = 5_000;
const LOCK_POLL_MS = 500;

/** The Go on PATH: `go1.26.8`, `linux`, `amd64`. */
export type GoEnvironment = { readonly version: string; readonly os: string; readonly arch: string };

/** Describes the Go on PATH, or gives undefined when there is none. */
export async function goEnvironment(): Promise<GoEnvironment | undefined> {
  try {
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH']);
    const [version, os, arch] = stdout.trim().split('\n');
    return version === undefined || os === undefined || arch === undefined ? undefined : { version, os, arch };
  } catch {
    return undefined;
  }
}

/** Runs `go` in a folder and gives its standard output; throws with the end of its standard error. */
export async function runGo(folder: string, args: readonly string[]): Promise<string> {
  const child = spawn('go', args, {
    cwd: folder,
    env: { ...process.env, GOFLAGS: '', GOWORK: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-4_000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code !== 0) throw new Error(`go ${args[0]} in ${folder} failed with ${code}:\n${stderr.trimEnd()}`);
  return stdout;
}

/**
 * Fills a cache entry exactly once over all processes of this machine. `build` gets an empty folder beside the entry,
 * which is renamed into place when it returns: a reader sees the whole entry or none. A second process waits for the
 * first; a lock whose process is gone is taken over.
 */
export async function buildOnce(
  options: { readonly entry: string; readonly name: string; readonly how: string; readonly log: LogLine },
  build: (staging: string) => Promise<void>,
): Promise<void> {
  const { entry, name, how, log } = options;
  await mkdir(path.dirname(entry), { recursive: true });
  const lock = `${entry}.lock`;
  await using stack = new AsyncDisposableStack();
  const progress = showProgress(log);
  stack.defer(() => progress.stop());
  progress.say(`waiting for another run that builds ${name}`);
  while (!(await takeLock(lock))) {
    await delay(LOCK_POLL_MS);
    if (existsSync(entry)) return;
  }
  stack.defer(() => rm(lock, { force: true }));
  if (existsSync(entry)) return;
  const staging = await mkdtemp(`${entry}.tmp-`);
  stack.defer(() => rm(staging, { recursive: true, force: true }));
  log(`building ${name} ${how}`);
  progress.say(`building ${name}`);
  await build(staging);
  await rename(staging, entry);
  log(`built ${name} in ${progress.elapsedS()} s`);
}

/** Creates the lock file with our process id, or gives false when a living process has it. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (Number.isInteger(holder) && holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function showProgress(log: LogLine): { say(what: string): void; elapsedS(): number; stop(): void } {
  const startedAt = performance.now();
  const elapsedS = () => Math.round((performance.now() - startedAt) / 1_000);
  let what = '';
  const timer = setInterval(() => log(`${what}: ${elapsedS()} s`), PROGRESS_INTERVAL_MS);
  return {
    say: (next) => {
      what = next;
    },
    elapsedS,
    stop: () => clearInterval(timer),
  };
}
