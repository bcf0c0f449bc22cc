import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RepositoryError } from '../repository.ts';
import { findTooHungry } from './memory.ts';

export type GitRun = {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Written to standard input, one after the other. */
  readonly input?: Iterable<string | Uint8Array> | undefined;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  /** Of the process and what it starts; looked at from time to time. */
  readonly maxMemoryBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Asked from time to time; a text ends the process with it. */
  readonly watch?: (() => Promise<string | undefined>) | undefined;
};

export type GitResult = { readonly code: number; readonly stdout: Buffer; readonly stderr: string };

const MAX_STDERR = 16 * 1024;
const WATCH_INTERVAL_MS = 500;
/** What a remote sends compressed can fill hundreds of megabytes a second. */
const MEMORY_INTERVAL_MS = 100;

/**
 * Runs git once, without a shell, in a process group of its own, which is killed whole at the end of time, at too much output or memory and by the signal. An exit
 * code other than 0 is an answer, not an error.
 */
export async function runGit(run: GitRun): Promise<GitResult> {
  const { args, timeoutMs, maxOutputBytes, signal, watch } = run;
  const name = args.find((arg) => /^[a-z]/.test(arg)) ?? 'git';
  if (signal?.aborted === true) throw new RepositoryError('Stopped', `git ${name} was stopped`);
  const child = startGit(args, run.env);
  let stopped: RepositoryError | undefined;
  const stop = (failure: RepositoryError) => {
    stopped ??= failure;
    killGroup(child);
  };
  const timer = setTimeout(
    () => stop(new RepositoryError('Stopped', `git ${name} took more than ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  const onAbort = () => stop(new RepositoryError('Stopped', `git ${name} was stopped`));
  signal?.addEventListener('abort', onAbort, { once: true });
  const tooLarge = (why: string) => stop(new RepositoryError('TooLarge', why));
  const stopPolling = poll(() => findTooHungry(child.pid, run.maxMemoryBytes), MEMORY_INTERVAL_MS, tooLarge);
  const stopWatching = watch === undefined ? () => {} : poll(watch, WATCH_INTERVAL_MS, tooLarge);
  const stdout = collect(child.stdout, maxOutputBytes, () =>
    tooLarge(`git ${name} gave more than ${maxOutputBytes} bytes`),
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-MAX_STDERR);
  });
  try {
    const ended = once(child, 'close');
    ended.catch(() => {});
    if (run.input !== undefined) await feed(child.stdin, run.input);
    child.stdin.end();
    const [code] = await ended;
    if (stopped !== undefined) throw stopped;
    // What came faster than it was looked for is too much all the same.
    const why = await watch?.();
    if (why !== undefined) throw new RepositoryError('TooLarge', why);
    return { code: typeof code === 'number' ? code : 128, stdout: stdout(), stderr };
  } catch (error) {
    if (error instanceof RepositoryError) throw error;
    throw new RepositoryError('Broken', 'git could not be started; is it installed?', { cause: error });
  } finally {
    clearTimeout(timer);
    stopPolling();
    stopWatching();
    signal?.removeEventListener('abort', onAbort);
    killGroup(child);
  }
}

/** A git that reads from its input until that ends. */
export function startGit(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn('git', args, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  child.stdin.on('error', () => {});
  return child;
}

/** Ends a process with all that it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

async function feed(stdin: Writable, input: Iterable<string | Uint8Array>): Promise<void> {
  // A git that ended early closes its input; its exit code says why.
  await pipeline(Readable.from(input, { objectMode: true }), stdin).catch(() => {});
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number, onTooMuch: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) onTooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}

function poll(
  watch: () => Promise<string | undefined>,
  intervalMs: number,
  onFound: (why: string) => void,
): () => void {
  let isBusy = false;
  const timer = setInterval(async () => {
    if (isBusy) return;
    isBusy = true;
    const why = await watch().catch(() => undefined);
    isBusy = false;
    if (why !== undefined) onFound(why);
  }, intervalMs);
  return () => clearInterval(timer);
}
