import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ReplicaOptions } from './replica.ts';

export type Replicas = {
  /** The URL of one of them; `share` in [0, 1) says which. It may be dead. */
  pick(share: number): string;
  /** SIGKILL, and a new process in its place. */
  kill(index: number): Promise<void>;
  kills(): number;
  stop(): Promise<void>;
};

const SCRIPT = path.join(import.meta.dirname, 'replica.ts');
const START_TIMEOUT_MS = 180_000;
const STARTS = 3;

export async function createReplicas(input: {
  readonly count: number;
  readonly options: Omit<ReplicaOptions, 'name'>;
  readonly log: (line: string) => void;
}): Promise<Replicas> {
  let kills = 0;
  const start = async (index: number): Promise<Replica> => {
    const options: ReplicaOptions = { ...input.options, name: `replica-${index}` };
    for (let attempt = 1; ; attempt++) {
      try {
        return await startReplica(options, input.log);
      } catch (error) {
        if (attempt === STARTS) throw error;
      }
    }
  };
  const replicas = await Promise.all(Array.from({ length: input.count }, (_, index) => start(index)));
  return {
    pick: (share) => replicas[Math.floor(share * replicas.length)]?.url ?? '',
    kill: async (index) => {
      const replica = replicas[index];
      if (replica === undefined) return;
      await end(replica.child);
      kills += 1;
      replicas[index] = await start(index);
    },
    kills: () => kills,
    stop: async () => {
      await Promise.all(replicas.map(({ child }) => end(child)));
    },
  };
}

type Replica = { readonly child: ChildProcess; readonly url: string };

async function startReplica(options: ReplicaOptions, log: (line: string) => void): Promise<Replica> {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'pipe'] });
  createInterface({ input: child.stderr }).on('line', (line) => {
    // What it warns of is what is done to it; errors are not.
    if (!line.includes('"level":40')) log(line);
  });
  const port = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${options.name} is not up after ${START_TIMEOUT_MS} ms`)),
      START_TIMEOUT_MS,
    );
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(line);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`${options.name} ended with ${code} before it was up`));
    });
  });
  return { child, url: `http://127.0.0.1:${port}` };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await ended;
}
