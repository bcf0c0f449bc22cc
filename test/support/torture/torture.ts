import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openHands } from '../../../git/testing/gitremote.ts';
import type { Random } from '../../../kube/clock.ts';
import { createFakeRandom } from '../../../kube/testing/fakeclock.ts';
import { startGitServer } from '../../../simulator/git/server.ts';
import { type Client, createClients } from './clients.ts';
import { judge, type Verdict } from './judge.ts';
import { namespaceOf, renderObject } from './objects.ts';
import { createReplicas, type Replicas } from './replicas.ts';

export type TortureOptions = {
  readonly databaseUrl: string;
  readonly writes: number;
  readonly clients: number;
  readonly objects: number;
  readonly repositories: number;
  readonly seed: number;
  /** Replicas are killed about twice as often while clients write. */
  readonly leastKills: number;
  readonly log: (line: string) => void;
};

export type TortureReport = Verdict & {
  readonly seconds: number;
  readonly kills: number;
  /** Requests that had to be repeated because no answer came. */
  readonly repeats: number;
};

const LEASE_MS = 3_000;
const SETTLE_MS = 600_000;
const PROGRESS_MS = 10_000;
const POLL_MS = 20;

/**
 * Clients write to objects in several repositories through two replicas that are killed without warning, while people commit to the same branches. Says
 * afterwards, by Git and by the journal, whether anything got lost, was done twice, or never ended.
 */
export async function runTorture(options: TortureOptions): Promise<TortureReport> {
  const { seed, log } = options;
  const random = createFakeRandom(seed);
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-torture-'));
  const git = await startGitServer(path.join(folder, 'remotes'));
  const names = Array.from({ length: options.repositories }, (_, index) => `fleet-${index}`);
  const remotes = new Map<string, string>();
  for (const name of names) remotes.set(name, (await git.remote(name)).path);
  await seedObjects(remotes, options.objects);
  const replicas = await createReplicas({
    count: 2,
    options: {
      databaseUrl: options.databaseUrl,
      gitUrl: git.url,
      folder: path.join(folder, 'clones'),
      leaseMs: LEASE_MS,
    },
    log,
  });
  const startMs = performance.now();
  const clients = createClients({ random, replicas, names, ...options });
  const over = new AbortController();
  try {
    const accepted = () => clients.reduce((sum, client) => sum + client.accepted().length, 0);
    const pace = { accepted, each: options.writes / (2 * options.leastKills) };
    const trouble = Promise.all([
      killReplicas(replicas, random, pace, over.signal),
      disturb(remotes, random, over.signal),
    ]);
    const watching = report(clients, replicas, log, over.signal);
    await Promise.all(clients.map((client) => client.run()));
    over.abort();
    await trouble;
    await watching;
    const verdict = await judge(
      options.databaseUrl,
      remotes,
      clients.flatMap((client) => client.accepted()),
      SETTLE_MS,
    );
    const repeats = clients.reduce((sum, client) => sum + client.repeats(), 0);
    return { ...verdict, repeats, kills: replicas.kills(), seconds: (performance.now() - startMs) / 1_000 };
  } finally {
    over.abort();
    await replicas.stop();
    await git.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  }
}

/** Objects over all repositories, in ten namespaces each. */
async function seedObjects(remotes: ReadonlyMap<string, string>, objects: number): Promise<void> {
  const names = [...remotes.keys()];
  for (const [index, name] of names.entries()) {
    const files = new Map<string, string>();
    for (let object = index; object < objects; object += names.length) {
      files.set(`tenants/production/${namespaceOf(object)}/plan-o${object}.yaml`, renderObject(object));
    }
    const person = { name: 'Pat', email: 'pat@example.com' };
    const atMs = Date.UTC(2026, 0, 1);
    await openHands(remotes.get(name) ?? '').write('main', {
      author: person,
      committer: person,
      atMs,
      message: 'Begin',
      files,
    });
  }
}

/**
 * Kills by progress and not by time, so that a slow machine gets as many kills and no fewer changes. Nobody waits for the new process: while both are dead
 * there is no progress.
 */
async function killReplicas(
  replicas: Replicas,
  random: Random,
  { accepted, each }: { readonly accepted: () => number; readonly each: number },
  signal: AbortSignal,
): Promise<void> {
  let next = each * random.next();
  const starting = new Map<number, Promise<void>>();
  while (!signal.aborted) {
    await sleep(POLL_MS + random.next() * POLL_MS);
    const alive = [0, 1].filter((index) => !starting.has(index));
    const index = alive[Math.floor(random.next() * alive.length)];
    if (accepted() < next || index === undefined) continue;
    next = accepted() + each * (0.5 + random.next());
    starting.set(
      index,
      replicas.kill(index).then(() => void starting.delete(index)),
    );
  }
  await Promise.all(starting.values());
}

/** People commit to the same branches: pushes of the writers are rejected now and then. */
async function disturb(remotes: ReadonlyMap<string, string>, random: Random, signal: AbortSignal): Promise<void> {
  const person = { name: 'Pat', email: 'pat@example.com' };
  const paths = [...remotes.values()];
  while (!signal.aborted) {
    await sleep(200 + random.next() * 800, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const files = new Map([[`notes/${randomBytes(4).toString('hex')}.md`, 'note\n']]);
    const remote = openHands(paths[Math.floor(random.next() * paths.length)] ?? '');
    // A person whose push lost the race tries again later.
    await remote
      .write('main', { author: person, committer: person, atMs: Date.now(), message: 'Add a note', files })
      .catch(() => {});
  }
}

async function report(
  clients: readonly Client[],
  replicas: { readonly kills: () => number },
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(PROGRESS_MS, undefined, { signal }).catch(() => {});
    const accepted = clients.reduce((sum, client) => sum + client.accepted().length, 0);
    log(`  ${accepted} changes accepted, ${replicas.kills()} kills`);
  }
}
