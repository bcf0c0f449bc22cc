import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { buildEnvironment } from '../../git/binary/environment.ts';
import { openGitRepository } from '../../git/binary/repository.ts';
import { openHands } from '../../git/testing/gitremote.ts';
import { PUSH_INTERVAL_MS } from '../../gitops/forges/forge.ts';
import type { Intent } from '../../gitops/intent.ts';
import type { Journal } from '../../gitops/journal.ts';
import { createStoredJournal } from '../../gitops/writer/journal/stored.ts';
import { startWriter } from '../../gitops/writer/writer.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { openStore, type Store } from '../../store/store.ts';
import { createDatabase, type PostgresServer, startPostgres } from '../support/postgresserver.ts';
import { runTorture } from '../support/torture/torture.ts';
import { defineBench, type Print } from './lib/bench.ts';
import { describeEnvironment } from './lib/environment.ts';
import { inlineBlobs } from './lib/inlineblobs.ts';
import type { OptionValues } from './lib/options.ts';
import type { Report } from './lib/report.ts';
import { computeMedian, renderNumber, renderSummary, summarize } from './lib/stats.ts';
import { renderTable } from './lib/table.ts';

const OPTIONS = {
  changes: { kind: 'integer', help: 'changes of one repetition', fallback: 10_000, min: 100, max: 100_000 },
  folders: { kind: 'integer', help: 'tenant folders, with ten resources each', fallback: 100, min: 1, max: 2_000 },
  reps: { kind: 'integer', help: 'repetitions', fallback: 5, min: 1, max: 100 },
  torture: {
    kind: 'integer',
    help: 'writes of the torture with killed writers besides, 10000 for the acceptance',
    fallback: 0,
    min: 0,
    max: 1_000_000,
  },
  seconds: {
    kind: 'integer',
    help: 'how long changes come in while pushes are counted',
    fallback: 60,
    min: 10,
    max: 600,
  },
} as const;

/** P13. */
export const git = defineBench({
  summary:
    'P13: changes from the journal to a pushed branch against bare fast-import of the same commits; pushes a minute',
  options: OPTIONS,
  examples: [
    ['', 'the figures as targets.md wants them'],
    ['--changes 1000 --reps 1 --seconds 10', 'a quick look'],
    [
      '--changes 100 --reps 1 --torture 10000',
      '10 000 writes by 200 clients over 2 000 objects in 20 repositories, two writers killed all the time',
    ],
  ],
  run,
});

const JUDGED_CHANGES = 10_000;
const RESOURCES = 10;
const BRANCH = 'main';
const PERSON = { name: 'Pat', email: 'pat@example.com' };

async function run(values: OptionValues<typeof OPTIONS>, print: Print): Promise<Report> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-bench-git-'));
  const postgres = await startPostgres();
  try {
    const gitVersion = execFileSync('git', ['--version'], { encoding: 'utf8' }).replace('git version', '').trim();
    for (const line of describeEnvironment({ PostgreSQL: postgres.version, git: gitVersion })) print(line);
    const samples: Sample[] = [];
    for (let rep = 0; rep < values.reps; rep++) {
      const sample = await measure({ folder: path.join(folder, `rep-${rep}`), postgres, values, rep });
      samples.push(sample);
      print(
        `  repetition ${rep + 1}: writer ${renderNumber(sample.writer)} s, fast-import ${renderNumber(sample.bare)} s, ${sample.pushes} pushes`,
      );
    }
    const rate = await countPushes({ folder: path.join(folder, 'window'), postgres, values, rep: values.reps });
    return { ...evaluate(samples, rate, values, print), invalid: await torture(postgres, values.torture, print) };
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What the torture found out; nothing when all is well. */
async function torture(postgres: PostgresServer, writes: number, print: Print): Promise<readonly string[]> {
  if (writes === 0) return [];
  const size = { clients: 200, objects: 2_000, repositories: 20, leastKills: 20, seed: 1 };
  const { unfinished, duplicates, lost, ...figures } = await runTorture({
    ...size,
    writes,
    databaseUrl: await createDatabase(postgres.url, `torture_${process.pid}`),
    log: print,
  });
  print(`torture: ${JSON.stringify(figures)}`);
  const found = { unfinished, duplicates, lost };
  return Object.entries(found).flatMap(([what, list]) =>
    list.length === 0 ? [] : [`${list.length} ${what}, such as ${list.slice(0, 3).join('; ')}`],
  );
}

type Setting = {
  readonly folder: string;
  readonly postgres: PostgresServer;
  readonly values: OptionValues<typeof OPTIONS>;
  readonly rep: number;
};

/** Seconds, and CPU-seconds of this process and its children where they differ. */
type Sample = {
  readonly writer: number;
  readonly bare: number;
  readonly accept: number;
  readonly cpu: number;
  readonly pushes: number;
};

async function measure({ folder, postgres, values, rep }: Setting): Promise<Sample> {
  const world = await openBenchWorld(folder, postgres, values.folders, rep);
  try {
    const intents = buildIntents(values.changes, values.folders);
    const acceptStartMs = performance.now();
    await acceptAll(world.journal, world.repository, intents);
    const accept = (performance.now() - acceptStartMs) / 1_000;
    const base = (await world.hands.head(BRANCH)) ?? '';
    const cpuBefore = process.cpuUsage();
    const startMs = performance.now();
    const writer = world.write(0);
    await untilCommitted(world.journal, world.repository);
    const seconds = (performance.now() - startMs) / 1_000;
    const { user, system } = process.cpuUsage(cpuBefore);
    await writer.stop();
    const commits = Number(await world.hands.git('rev-list', '--count', `${base}..${BRANCH}`));
    if (commits !== values.changes) throw new Error(`${commits} commits were made of ${values.changes} changes`);
    const bare = await importBare(world.remote, folder, base);
    return { writer: seconds, bare, accept, cpu: (user + system) / 1e6, pushes: await world.pushes() };
  } finally {
    await world.close();
  }
}

/** Pushes in a minute while changes come in evenly, with the window that GitHub wants. */
async function countPushes({ folder, postgres, values, rep }: Setting): Promise<number> {
  const world = await openBenchWorld(folder, postgres, values.folders, rep);
  try {
    const intents = buildIntents(values.changes, values.folders);
    const writer = world.write(PUSH_INTERVAL_MS.GitHub);
    const startMs = performance.now();
    const endMs = startMs + values.seconds * 1_000;
    let next = 0;
    while (performance.now() < endMs) {
      const due = Math.min(
        intents.length,
        Math.ceil(((performance.now() - startMs) / (endMs - startMs)) * intents.length),
      );
      await acceptAll(world.journal, world.repository, intents.slice(next, due), next);
      next = due;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const pushes = await world.pushes();
    const minutes = (performance.now() - startMs) / 60_000;
    await writer.stop();
    // The first push waits for nothing, and begins the first window.
    return (pushes - 1) / minutes;
  } finally {
    await world.close();
  }
}

type BenchWorld = {
  readonly repository: string;
  readonly journal: Journal;
  readonly remote: string;
  readonly hands: ReturnType<typeof openHands>;
  write(pushWindowMs: number): ReturnType<typeof startWriter>;
  /** How often the branch was moved. */
  pushes(): Promise<number>;
  close(): Promise<void>;
};

async function openBenchWorld(
  folder: string,
  postgres: PostgresServer,
  folders: number,
  rep: number,
): Promise<BenchWorld> {
  const remote = path.join(folder, 'remote.git');
  await mkdir(remote, { recursive: true });
  execFileSync('git', ['init', '--quiet', '--bare', `--initial-branch=${BRANCH}`, remote]);
  // The remote's own record of moves is what pushes are counted by.
  execFileSync('git', ['--git-dir', remote, 'config', 'core.logAllRefUpdates', 'always']);
  const hands = openHands(remote);
  const files = new Map(
    listResources(folders).map(({ namespace, name }) => [fileOf(namespace, name), renderResource(name)]),
  );
  await hands.write(BRANCH, { author: PERSON, committer: PERSON, atMs: Date.UTC(2026, 0, 1), message: 'Begin', files });
  const moves = async () =>
    (await hands.git('reflog', 'show', '--format=%H', BRANCH)).split('\n').filter(Boolean).length;
  const movesBefore = await moves();
  const deps = { clock: realClock, random: realRandom, log: pino({ level: 'error' }) };
  const store: Store = await openStore(deps, { type: 'Postgres', url: postgres.url });
  const journal = createStoredJournal({ clock: realClock, store });
  const repository = `bench-${process.pid}-${rep}`;
  return {
    repository,
    journal,
    remote,
    hands,
    pushes: async () => (await moves()) - movesBefore,
    write: (pushWindowMs) =>
      startWriter(
        {
          ...deps,
          journal,
          open: async () => ({
            repository: openGitRepository(
              { url: pathToFileURL(remote).href, branch: BRANCH, protocols: ['file'] },
              { folder: path.join(folder, 'clones'), path: process.env.PATH ?? '' },
            ),
            branch: BRANCH,
            folderOf: (namespace) => ({ folder: `tenants/production/${namespace}` }),
            committer: PERSON,
            pushWindowMs,
          }),
        },
        { holder: 'bench' },
      ),
    close: () => store.close(),
  };
}

function listResources(folders: number): readonly { readonly namespace: string; readonly name: string }[] {
  return Array.from({ length: folders * RESOURCES }, (_, index) => ({
    namespace: `t-bench-${Math.floor(index / RESOURCES)}`,
    name: `plan-${index % RESOURCES}`,
  }));
}

function fileOf(namespace: string, name: string): string {
  return `tenants/production/${namespace}/plan-${name}.yaml`;
}

function renderResource(name: string): string {
  return `# What this is for.\napiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata:\n  name: ${name}\nspec:\n  title: Version 0\n  offers: Desktop\n  currency: USD\n`;
}

/** Three of four change a field of what is there, in turn over all resources; one of four makes a resource. */
function buildIntents(changes: number, folders: number): readonly Intent[] {
  const resources = listResources(folders);
  const versions = new Map<string, number>();
  return Array.from({ length: changes }, (_, index): Intent => {
    const { namespace, name } = resources[index % resources.length] ?? { namespace: '', name: '' };
    if (index % 4 === 3) {
      const target = { kind: 'Plan', namespace, name: `new-${index}` };
      const spec = { title: 'New', offers: 'Desktop', currency: 'USD' };
      return {
        type: 'Create',
        target,
        object: { apiVersion: 'sublet.dev/v1alpha1', kind: 'Plan', metadata: { name: target.name }, spec },
      };
    }
    const key = `${namespace}/${name}`;
    const version = versions.get(key) ?? 0;
    versions.set(key, version + 1);
    const edit = { path: ['spec', 'title'], from: `Version ${version}`, to: `Version ${version + 1}` };
    return { type: 'Edit', target: { kind: 'Plan', namespace, name }, edits: [edit] };
  });
}

const MOST_AT_ONCE = 10;

/** In order, because later ones build on earlier ones; those of different resources side by side. */
async function acceptAll(journal: Journal, repository: string, intents: readonly Intent[], first = 0): Promise<void> {
  for (let start = 0; start < intents.length; start += MOST_AT_ONCE) {
    const group = intents.slice(start, start + MOST_AT_ONCE).map((intent, index) => {
      const id = `I${createHash('sha1')
        .update(`${repository} ${first + start + index}`)
        .digest('hex')}`;
      const author = { subject: 'oidc:anna', name: 'Anna', email: 'anna@example.com' };
      return journal.accept({
        id,
        repository,
        intent,
        mode: 'Commit',
        author,
        requestId: `req-${first + start + index}`,
      });
    });
    await Promise.all(group);
  }
}

async function untilCommitted(journal: Journal, repository: string): Promise<void> {
  for (;;) {
    const waiting = await journal.pending(repository, ['Accepted'], 1);
    if (waiting.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * The very same commits, ready-made, into a copy of the branch before them that has none of their objects: what git needs when nobody decides anything. In the form
 * and with the settings in which git is fastest, which are the writer's own; as `fast-export` writes it and without them it takes up to four times as long.
 */
async function importBare(remote: string, folder: string, base: string): Promise<number> {
  const range = ['--reference-excluded-parents', `${base}..${BRANCH}`];
  const stream = execFileSync('git', ['--git-dir', remote, 'fast-export', ...range], { maxBuffer: 2 ** 30 });
  const bare = path.join(folder, 'bare.git');
  execFileSync('git', ['init', '--quiet', '--bare', bare]);
  execFileSync('git', ['--git-dir', remote, 'push', '--quiet', bare, `${base}:refs/heads/${BRANCH}`]);
  const input = Buffer.concat([...inlineBlobs(stream)]);
  const startMs = performance.now();
  const child = spawn('git', ['--git-dir', bare, 'fast-import', '--quiet', '--force'], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: buildEnvironment({ home: folder, path: process.env.PATH ?? '' }),
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  const seconds = (performance.now() - startMs) / 1_000;
  const [made, pushed] = [bare, remote].map((at) =>
    execFileSync('git', ['--git-dir', at, 'rev-parse', BRANCH], { encoding: 'utf8' }),
  );
  if (made !== pushed) throw new Error('git fast-import made other commits than the writer');
  return seconds;
}

function evaluate(
  samples: readonly Sample[],
  pushesAMinute: number,
  { changes }: OptionValues<typeof OPTIONS>,
  print: Print,
): Report {
  const rate = (seconds: (sample: Sample) => number) =>
    renderSummary(summarize(samples.map((sample) => changes / seconds(sample))));
  const rows = [
    ['accepted by the journal', rate(({ accept }) => accept), ''],
    ['journal to branch', rate(({ writer }) => writer), renderSummary(summarize(samples.map(({ cpu }) => cpu)))],
    ['bare fast-import', rate(({ bare }) => bare), ''],
  ];
  print('');
  print(renderTable(['', 'changes/s', 'CPU-seconds'], rows));
  const unjudged = changes < JUDGED_CHANGES ? `the mark is for ${JUDGED_CHANGES} changes` : undefined;
  return {
    targets: [
      {
        id: 'P13',
        what: `changes/s ÷ bare fast-import of the same commits, ${changes} changes`,
        value: computeMedian(samples.map(({ writer, bare }) => bare / writer)),
        better: 'higher',
        pass: 0.3,
        aim: 0.8,
        unjudged,
      },
      {
        id: 'P13_pushes',
        what: 'pushes a minute with the window of a forge that counts them, changes coming in all the time',
        value: pushesAMinute,
        better: 'lower',
        pass: 6,
        aim: 1,
      },
    ],
    losses: [],
    invalid: [],
  };
}
