// Runs the processes of one cluster on behalf of another process and outlives it just long enough to clean up: when its
// standard input ends, however that came about, it kills every process in the reverse order of their start, removes the
// cluster's folder and exits. Commands and reports are JSON lines on standard input and output.
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** What the supervisor is told. */
export type SupervisorCommand =
  | {
      readonly type: 'start';
      readonly name: string;
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly logPath: string;
    }
  | { readonly type: 'signal'; readonly name: string; readonly signal: NodeJS.Signals };

/** What the supervisor reports. */
export type SupervisorReport =
  | { readonly type: 'started'; readonly name: string; readonly pid: number }
  | { readonly type: 'exited'; readonly name: string; readonly code: number | null; readonly signal: string | null };

const EXIT_WAIT_MS = 10_000;

if (import.meta.main) supervise(process.argv.slice(2));

function supervise(folders: readonly string[]): void {
  const children = new Map<string, ChildProcess>();
  const report = (line: SupervisorReport) => process.stdout.write(`${JSON.stringify(line)}\n`);
  process.stdout.on('error', () => {});
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const command: SupervisorCommand = JSON.parse(line);
    if (command.type === 'signal') children.get(command.name)?.kill(command.signal);
    else children.set(command.name, start(command, report, children));
  });
  lines.on('close', async () => {
    for (const child of [...children.values()].reverse()) await killAndWait(child);
    for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    process.exit(0);
  });
}

function start(
  command: SupervisorCommand & { readonly type: 'start' },
  report: (line: SupervisorReport) => void,
  children: Map<string, ChildProcess>,
): ChildProcess {
  const output = openSync(command.logPath, 'a');
  const child = spawn(command.command, command.args, { env: command.env, stdio: ['ignore', output, output] });
  const { name } = command;
  child.on('spawn', () => report({ type: 'started', name, pid: child.pid ?? 0 }));
  child.on('error', () => report({ type: 'exited', name, code: 127, signal: null }));
  child.on('exit', (code, signal) => {
    if (children.get(name) === child) children.delete(name);
    report({ type: 'exited', name, code, signal });
  });
  return child;
}

async function killAndWait(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, EXIT_WAIT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGKILL');
  });
}
