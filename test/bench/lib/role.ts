import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { FromRole, ToRole } from './rolechild.ts';

export type RoleSpec = {
  /** File that calls `serveRole`. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its output goes. */
  readonly logPath: string;
  /** Folder for a CPU profile of the process. */
  readonly cpuProfile?: string | undefined;
};

/** CPU time since the process began, and its largest resident set. */
export type Usage = { readonly cpuSeconds: number; readonly maxRssBytes: number };

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;

/** A contender in a process of its own, so that its CPU time is its own. */
export class RoleProcess {
  readonly #child: ChildProcess;
  readonly #spec: RoleSpec;
  #failure: Error | undefined;
  readonly #waiting = new Map<FromRole['type'], (message: FromRole) => void>();
  readonly #early = new Map<FromRole['type'], FromRole>();
  readonly #failed = Promise.withResolvers<never>();

  constructor(spec: RoleSpec) {
    this.#spec = spec;
    const profile = spec.cpuProfile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${spec.cpuProfile}`];
    const log = openSync(spec.logPath, 'a');
    this.#child = fork(spec.entry, [...spec.args], {
      execArgv: profile,
      env: { PATH: process.env.PATH ?? '', NODE_NO_WARNINGS: '1', ...spec.env },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#failed.promise.catch(() => {});
    this.#child.on('message', (message: FromRole) => this.#take(message));
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', (code, signal) => this.#fail(new Error(`ended with ${signal ?? `code ${code}`}`)));
  }

  /** Rejects as soon as the process fails or ends; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Resolves when the process said that it can begin. */
  async ready(): Promise<void> {
    await this.#next('ready', START_TIMEOUT_MS);
  }

  go(): void {
    this.#send({ type: 'go' });
  }

  /** Seconds from the start of the process until everything was looked at. */
  async caughtUp(timeoutMs: number): Promise<number> {
    const message = await this.#next('caught-up', timeoutMs);
    return message.type === 'caught-up' ? message.seconds : Number.NaN;
  }

  async usage(): Promise<Usage> {
    const answer = this.#next('usage', STOP_TIMEOUT_MS);
    this.#send({ type: 'usage' });
    const message = await answer;
    if (message.type !== 'usage') throw new Error('the process answered something else');
    return message;
  }

  /** Asks the process to stop, and kills it when it does not. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    if (this.#child.connected) this.#send({ type: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(timer);
  }

  #send(message: ToRole): void {
    this.#child.send(message);
  }

  #take(message: FromRole): void {
    if (message.type === 'failed') {
      this.#fail(new Error(message.message));
      return;
    }
    const waiting = this.#waiting.get(message.type);
    this.#waiting.delete(message.type);
    if (waiting === undefined) this.#early.set(message.type, message);
    else waiting(message);
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = new Error(`${this.#spec.entry}: ${error.message}\n${readTail(this.#spec.logPath)}`);
    this.#failed.reject(this.#failure);
  }

  async #next(type: FromRole['type'], timeoutMs: number): Promise<FromRole> {
    const early = this.#early.get(type);
    this.#early.delete(type);
    if (early !== undefined) return early;
    const { promise, resolve, reject } = Promise.withResolvers<FromRole>();
    this.#waiting.set(type, resolve);
    const timer = setTimeout(
      () => reject(new Error(`${this.#spec.entry}: no ${type} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      return await Promise.race([promise, this.#failed.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const TAIL_CHARACTERS = 2_000;

function readTail(path: string): string {
  const text = readFileSync(path, 'utf8').trimEnd();
  return text === '' ? '(no output)' : `its output ends with:\n${text.slice(-TAIL_CHARACTERS)}`;
}
