import type { Case } from './case.ts';
import { compareEntries, type Difference } from './compare.ts';
import { normalise } from './normalise.ts';
import { runCase } from './run.ts';
import type { Server } from './server.ts';
import type { Servers } from './servers.ts';
import type { Entry, Scope, Transcript } from './transcript.ts';

/** The cases of one subject. */
export type Subject = { readonly subject: string; readonly cases: readonly Case[] };

export type Result = {
  readonly differences: readonly Difference[];
  /** What is wrong with the case itself: what it waits for does not come from the real server. */
  readonly failures: readonly string[];
  readonly real: readonly Entry[];
  readonly embedded: readonly Entry[];
};

const CONCURRENCY = 12;

/** Makes the names of a run; two runs on one server never share one. */
export function createScopes(): () => Scope {
  const run = Math.floor(Math.random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0');
  let count = 0;
  return () => {
    const id = `q${run}${(count++).toString(36).padStart(3, '0')}`;
    return { id, ns: `ct-${id}`, ns2: `ct-${id}-2` };
  };
}

/** Runs a case on both servers at once and compares what they answered. */
export async function judgeCase(one: Case, servers: Servers, scopes: () => Scope): Promise<Result> {
  const [real, embedded] = await Promise.all(
    [servers.real, servers.embedded].map(async (server) => {
      const scope = scopes();
      return normalise(await runGuarded(server, one, scope), server.url);
    }),
  );
  const failures = (real ?? []).flatMap(({ step, failure }) => (failure === undefined ? [] : [`${step}: ${failure}`]));
  return {
    differences: compareEntries(real ?? [], embedded ?? []),
    failures,
    real: real ?? [],
    embedded: embedded ?? [],
  };
}

/** A server that breaks the connection is a difference like any other. */
async function runGuarded(server: Server, one: Case, scope: Scope): Promise<Transcript> {
  try {
    return await runCase(server, one, scope);
  } catch (error) {
    const answer = `no answer: ${error instanceof Error ? error.message : error}`;
    return { scope, entries: [{ step: 'a step', answer, failure: answer }] };
  }
}

/** Runs tasks some at a time, in order of their start; those that must run alone come last, one by one. */
export async function runAll(tasks: readonly { readonly alone: boolean; run(): Promise<unknown> }[]): Promise<void> {
  const together = tasks.filter((task) => !task.alone);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let task = together[next++]; task !== undefined; task = together[next++]) await task.run();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  for (const task of tasks.filter(({ alone }) => alone)) await task.run();
}
