import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { startEmbeddedWorld } from '../cli/embedded/embedded.ts';
import type { World } from '../cli/embedded/world.ts';
import { QUICK_TIMINGS } from '../simulator/kubevirt/options.ts';
import type { DemoDeps, DemoWorld } from './world.ts';

const TAIL_BYTES = 8_000;

/** On an API server in this process; everything is in a temporary folder, which goes when it stops. */
export async function startEmbeddedDemo({ step }: DemoDeps): Promise<DemoWorld> {
  const folder = await makeFolder();
  try {
    const options = { folder, environment: 'staging', apiPort: 0, gitPort: 0, restPort: 0, orders: false } as const;
    const log = pino({ level: 'info' }, pino.destination({ dest: logPath(folder), sync: true }));
    const world = await startEmbeddedWorld({ log, step }, { ...options, kubevirt: { timings: QUICK_TIMINGS } });
    return { ...asDemoWorld(world, folder), kubeconfigPath: world.kubeconfigPath };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

export async function makeFolder(): Promise<string> {
  return realpath(await mkdtemp(path.join(tmpdir(), 'sublet-demo-')));
}

export function logPath(folder: string): string {
  return path.join(folder, 'sublet.log');
}

export function asDemoWorld(world: World, folder: string): Omit<DemoWorld, 'kubeconfigPath'> {
  return {
    environment: world.environment,
    checkout: world.checkout.path,
    api: world.api,
    push: world.checkout.push,
    git: world.checkout.git,
    read: (url) => world.access.get(url),
    logTail: async () => (await readFile(logPath(folder), 'utf8').catch(() => '')).slice(-TAIL_BYTES),
    stop: async () => {
      await world.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
