import { setTimeout as delay } from 'node:timers/promises';
import { type Processes, renderExit } from './processes.ts';

const POLL_MS = 40;

/** How long something may take, what it is called in the error, and the programs whose end makes waiting pointless. */
export type WaitOptions = {
  readonly what: string;
  readonly timeoutMs: number;
  readonly processes?: Processes;
  readonly programs?: readonly string[];
};

/**
 * Asks `probe` until it gives something other than undefined; an exception counts as "not yet". Throws when the time is
 * over, with the last exception, or when one of the programs ended, with the end of its output.
 */
export async function waitFor<T>(options: WaitOptions, probe: () => Promise<T | undefined>): Promise<T> {
  const startedAt = performance.now();
  const ended = new Map<string, string>();
  for (const name of options.programs ?? []) {
    void options.processes?.exited(name).then((exit) => ended.set(name, renderExit(exit)));
  }
  let last = 'no answer';
  while (performance.now() - startedAt < options.timeoutMs) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    for (const [name, exit] of ended) {
      throw new Error(`${name} ended with ${exit} before ${options.what}:\n${options.processes?.logTail(name) ?? ''}`);
    }
    await delay(POLL_MS);
  }
  const tails = (options.programs ?? []).map((name) => `--- ${name}\n${options.processes?.logTail(name) ?? ''}`);
  throw new Error(`no ${options.what} within ${options.timeoutMs} ms (${last})\n${tails.join('\n')}`);
}
