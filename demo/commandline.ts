import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Progress } from '../cli/progress.ts';
import { writeContexts } from '../cli/remote/contexts.ts';
import type { DemoWorld } from './world.ts';

const SUBLET = path.resolve(import.meta.dirname, '../cli/main.ts');

export type CommandLine = {
  /** Settings of `sublet` by which it speaks to this world's API as the user. */
  readonly configPath: string;
  /** Runs `sublet` with the words, shows the command and what it says, and the commit that came of it. Rejects when it does not end well. */
  order(what: string, words: readonly string[]): Promise<void>;
};

/** A user at a terminal: `sublet` as a process of its own, and the fleet repository's history. */
export async function createCommandLine(options: {
  readonly world: DemoWorld;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly user: string;
  /** The tenant that the user's commands are about. */
  readonly tenant: string;
}): Promise<CommandLine> {
  const { world, progress, signal, user, tenant } = options;
  const configPath = path.join(world.checkout, '..', 'sublet.json');
  const { url: server, tokenFor } = world.api;
  const contexts = { demo: { server, token: await tokenFor(user), tenant } };
  await writeContexts({ env: { SUBLET_CONFIG: configPath }, home: '' }, { current: 'demo', contexts });
  return {
    configPath,
    order: async (what, words) => {
      progress.step(`${user} orders by the command line: ${what}`);
      progress.detail(`$ sublet ${words.join(' ')}`);
      const code = await runSublet({ words, configPath, signal, show: progress.detail });
      if (code !== 0) throw new Error(`sublet ended with ${code}: see above\n${await world.logTail()}`);
      const folder = `tenants/${world.environment}/t-${tenant}`;
      progress.step('which is a commit of the fleet repository:');
      progress.detail(`$ git pull && git log -1 --stat -- ${folder}`);
      await world.git('pull', '--quiet', '--ff-only', 'origin', 'main');
      const log = await world.git('log', '-1', '--stat', '--', folder);
      for (const line of log.split('\n')) progress.detail(line);
    },
  };
}

/** Gives the exit code. What the user's own shell says of servers and tokens counts for nothing here. */
async function runSublet(options: {
  readonly words: readonly string[];
  readonly configPath: string;
  readonly signal: AbortSignal;
  readonly show: (line: string) => void;
}): Promise<number | null> {
  const { words, configPath, signal, show } = options;
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SUBLET_'));
  const child = spawn(process.execPath, [SUBLET, ...words], {
    env: { ...Object.fromEntries(own), SUBLET_CONFIG: configPath },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  // States are said as they come; the result, which is the last word, may overtake the last of them.
  const results: string[] = [];
  createInterface({ input: child.stderr }).on('line', show);
  createInterface({ input: child.stdout }).on('line', (line) => results.push(line));
  const [code] = (await once(child, 'close')) as [number | null];
  for (const line of results) show(line);
  return code;
}
