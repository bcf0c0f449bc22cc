import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { SupervisorCommand, SupervisorReport } from './supervisor.ts';

/** One program of a cluster: its name within the cluster and how it is started. */
export type ProgramSpec = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** How a program ended. */
export type Exit = { readonly code: number | null; readonly signal: string | null };

/**
 * The processes of one cluster. They run below a supervisor that kills them, and removes the folder, when this process
 * is gone for whatever reason, SIGKILL included.
 */
export class Processes {
  readonly #folder: string;
  readonly #supervisor: ChildProcessByStdio<Writable, Readable, null>;
  readonly #specs = new Map<string, ProgramSpec>();
  readonly #running = new Map<string, { readonly pid: number; readonly exited: Promise<Exit> }>();
  readonly #waiters = new Map<string, { started(pid: number): void; exited(exit: Exit): void }>();

  /** Both folders go with the processes; logs lie in the first. */
  constructor(folder: string, scratch?: string) {
    this.#folder = folder;
    const folders = scratch === undefined || scratch === folder ? [folder] : [folder, scratch];
    this.#supervisor = spawn(process.execPath, [path.join(import.meta.dirname, 'supervisor.ts'), ...folders], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH ?? '', NODE_NO_WARNINGS: '1' },
    });
    this.#supervisor.stdin.on('error', () => {});
    createInterface({ input: this.#supervisor.stdout }).on('line', (line) => this.#onReport(JSON.parse(line)));
    this.#supervisor.unref();
  }

  /** Starts a program and resolves with its process id; its output goes to `<folder>/<name>.log`. */
  async start(spec: ProgramSpec): Promise<number> {
    this.#specs.set(spec.name, spec);
    const started = Promise.withResolvers<number>();
    const exited = Promise.withResolvers<Exit>();
    this.#waiters.set(spec.name, { started: started.resolve, exited: exited.resolve });
    this.#send({
      type: 'start',
      name: spec.name,
      command: spec.command,
      args: spec.args,
      env: { PATH: process.env.PATH ?? '', HOME: this.#folder, ...spec.env },
      logPath: this.logPath(spec.name),
    });
    const failed = exited.promise.then((exit) => {
      throw new Error(`${spec.name} did not start (${renderExit(exit)}); is ${spec.command} executable?`);
    });
    const pid = await Promise.race([started.promise, failed]);
    failed.catch(() => {});
    this.#running.set(spec.name, { pid, exited: exited.promise });
    return pid;
  }

  /** Sends a signal to a program; resolves at once. */
  signal(name: string, signal: NodeJS.Signals): void {
    this.#send({ type: 'signal', name, signal });
  }

  /** Ends a program with a signal and resolves when it is gone; a program that does not run is left alone. */
  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.signal(name, signal);
    await running.exited;
  }

  /** Starts a program that was started before, with the same arguments. */
  async startAgain(name: string): Promise<number> {
    const spec = this.#specs.get(name);
    if (spec === undefined)
      throw new Error(`no program named ${name} in this cluster; there are ${[...this.#specs.keys()]}`);
    return this.start(spec);
  }

  /** Resolves when the program ends. */
  async exited(name: string): Promise<Exit> {
    const running = this.#running.get(name);
    return running === undefined ? { code: null, signal: null } : running.exited;
  }

  logPath(name: string): string {
    return path.join(this.#folder, `${name}.log`);
  }

  /** The last bytes of a program's output, for an error message. */
  logTail(name: string, maxBytes = 2_000): string {
    try {
      return readFileSync(this.logPath(name), 'utf8').slice(-maxBytes).trimEnd();
    } catch {
      return '(no output)';
    }
  }

  /** Ends every program in the reverse order of their start, removes the folder and resolves when all is gone. */
  async stop(): Promise<void> {
    if (this.#supervisor.exitCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#supervisor.once('exit', () => resolve()));
    this.#supervisor.ref();
    this.#supervisor.stdin.end();
    await gone;
  }

  #send(command: SupervisorCommand): void {
    this.#supervisor.stdin.write(`${JSON.stringify(command)}\n`);
  }

  #onReport(report: SupervisorReport): void {
    const waiter = this.#waiters.get(report.name);
    if (report.type === 'started') waiter?.started(report.pid);
    else {
      this.#running.delete(report.name);
      waiter?.exited({ code: report.code, signal: report.signal });
    }
  }
}

/** `code 1` or `signal SIGKILL`. */
export function renderExit(exit: Exit): string {
  return exit.signal === null ? `code ${exit.code}` : `signal ${exit.signal}`;
}
